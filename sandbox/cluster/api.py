"""What the cluster itself asks of its API server, as its administrator."""

import ssl
from pathlib import Path
from typing import Any

import httpx

from sandbox.cluster import kwok
from sandbox.cluster.pki import LOOPBACK


def connect(data: Path, port: int) -> httpx.Client:
    """Return a client of the cluster on `data`, whose API server is on `port`.

    Raises OSError where the cluster never ran.
    """
    context = ssl.create_default_context(cafile=data / "pki" / "ca.crt")
    context.load_cert_chain(data / "pki" / "admin.crt", data / "pki" / "admin.key")
    return httpx.Client(base_url=f"https://{LOOPBACK}:{port}", verify=context, timeout=10, trust_env=False)


def answers(client: httpx.Client) -> bool:
    """Tell whether the API server is ready."""
    try:
        return client.get("/readyz").is_success
    except httpx.HTTPError:
        return False


def provide_node(client: httpx.Client) -> bool:
    """Create the node and the storage class; false where that has to be tried again.

    A node of an earlier start loses its conditions: the stage that makes it ready then gives it the kubelet's new port.
    """
    node, storage_class = "/api/v1/nodes", "/apis/storage.k8s.io/v1/storageclasses"
    try:
        made = [client.post(node, json=kwok.node()), client.post(storage_class, json=kwok.storage_class())]
        reset = client.patch(
            f"{node}/{kwok.NODE}/status",
            json={"status": {"conditions": None}},
            headers={"Content-Type": "application/merge-patch+json"},
        )
    except httpx.HTTPError:
        return False
    there = all(each.is_success or each.status_code == httpx.codes.CONFLICT for each in made)
    return there and reset.is_success


def takes_pods(client: httpx.Client) -> bool:
    """Tell whether the node is ready (kwok works) and its taint is gone, and pods have an account (controllers do)."""
    try:
        node: dict[str, Any] = client.get(f"/api/v1/nodes/{kwok.NODE}").raise_for_status().json()
        account = client.get("/api/v1/namespaces/default/serviceaccounts/default")
    except httpx.HTTPError:
        return False
    conditions = node["status"].get("conditions") or []
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not node["spec"].get("taints") and account.is_success
