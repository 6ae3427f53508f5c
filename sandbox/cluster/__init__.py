"""A Kubernetes cluster on loopback: a real control plane, and simulated nodes.

etcd, kube-apiserver, kube-controller-manager and kube-scheduler are the real ones, so what admission, RBAC, quotas and
server-side apply decide is real. kwok stands for the kubelets: pods become ready or complete, but nothing runs in them.

    with start(Path("somewhere")) as cluster:
        subprocess.run(["kubectl", "get", "nodes"], env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)})

or ``python -m sandbox.cluster --port 6443 --data somewhere`` in the foreground.
"""

from pathlib import Path

from sandbox.cluster.errors import ClusterError
from sandbox.cluster.server import Cluster, answers, destroy, start, stop

CHART = Path(__file__).parent / "chart"
"""The stand-in for Airbyte's chart."""

__all__ = ["CHART", "Cluster", "ClusterError", "answers", "destroy", "start", "stop"]
