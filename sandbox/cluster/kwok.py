"""What is simulated: one node with room, what becomes of pods on it, and a kubelet's port-forwards and logs."""

import datetime
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sandbox.processes import write_private

NODE = "simulated"
STORAGE_CLASS = "simulated"
STAGES = Path(__file__).parent / "stages.yaml"
CONFIGURATION = "kwok.yaml"
LOG = "simulated.log"
"""Files in the cluster's folder: what kwok reads, and what every container is said to have printed."""

ROOM = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "500"}
"""What the node has: enough for Airbyte with some hundred job pods, and an end to it, as in a real cluster."""

COMPONENTS = "COMPONENTS"
"""What stands in the stages for the components whose containers are started by containers.py."""

_API = "kwok.x-k8s.io/v1alpha1"


def node() -> dict[str, Any]:
    """The node to create. Its status is one that a stage completes."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE,
            "labels": {
                "kubernetes.io/hostname": NODE,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "type": "kwok",
            },
        },
        "status": {"allocatable": ROOM, "capacity": ROOM},
    }


def storage_class() -> dict[str, Any]:
    """The default storage class, whose claims a stage gives volumes to."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kwok.x-k8s.io/simulated",
        "volumeBindingMode": "Immediate",
    }


def write_configuration(folder: Path, forwards: Mapping[int, tuple[str, int]], components: Collection[str]) -> None:
    """Write what kwok reads into `folder`.

    `forwards`: by the port of a pod, of any pod, the host and port that a port-forward to it really leads to.
    `components`: values of the label `airbyte` whose pods wait for :class:`sandbox.cluster.containers.Containers`.
    """
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    # As container runtimes write lines:
    # https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
    line = f"{now} stdout F This container is simulated: nothing runs in it, so there is nothing to read.\n"
    write_private(folder / LOG, line)
    logs = {
        "apiVersion": _API,
        "kind": "ClusterLogs",
        "metadata": {"name": "every-container"},
        "spec": {"logs": [{"logsFile": str(folder / LOG), "previousLogsFile": str(folder / LOG)}]},
    }
    stages = STAGES.read_text(encoding="utf-8").replace(COMPONENTS, json.dumps(sorted(components)))
    documents = [stages, json.dumps(logs)]
    if forwards:
        relays = [
            {"ports": [port], "target": {"address": host, "port": target}} for port, (host, target) in forwards.items()
        ]
        relay = {
            "apiVersion": _API,
            "kind": "ClusterPortForward",
            "metadata": {"name": "to-real-servers"},
            "spec": {"forwards": relays},
        }
        documents.append(json.dumps(relay))
    write_private(folder / CONFIGURATION, "\n---\n".join(documents))
