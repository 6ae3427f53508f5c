"""Kubeconfig files: one file with all that a client needs, and for nobody else's eyes."""

import base64
import json
from pathlib import Path

from sandbox.cluster.pki import Pair
from sandbox.processes import write_private

NAME = "sandbox"
"""Of the cluster, the user and the context."""


def write(file: Path, server: str, authority: bytes, client: Pair) -> None:
    """Write a kubeconfig for the API server at the URL `server` (mode 0600). JSON, which is YAML too."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": NAME, "cluster": {"server": server, "certificate-authority-data": _encoded(authority)}},
        ],
        "users": [
            {
                "name": NAME,
                "user": {
                    "client-certificate-data": _encoded(client.certificate),
                    "client-key-data": _encoded(client.key),
                },
            }
        ],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    write_private(file, json.dumps(config, indent=2))


def _encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
