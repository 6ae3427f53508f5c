"""Kubernetes objects that the stack owns, in the API's own form."""

from typing import Any

from components.airbyte_platform.model import Manifest

_LABELS = {"app.kubernetes.io/part-of": "airbyte", "app.kubernetes.io/managed-by": "pulumi"}


def manifest(api_version: str, kind: str, name: str, namespace: str | None, /, **body: Any) -> Manifest:
    """One object; `namespace` is None for what is in none. `labels` and `annotations` in the body are its metadata."""
    metadata = {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        "labels": {**_LABELS, **body.pop("labels", {})},
        **({"annotations": annotations} if (annotations := body.pop("annotations", {})) else {}),
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
