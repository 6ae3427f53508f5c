"""What Helm installed, as Helm itself keeps it: a Secret for each revision of a release.

Read from the cluster and not from a chart, so that what is compared with the live objects is what was applied, also
where the chart has moved on or can't be had from here.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubernetes.client import CoreV1Api
from ruamel.yaml import YAML

from dynamic_providers.kubernetes.cluster import ClusterError

Object = dict[str, Any]
"""A Kubernetes object, as JSON has it."""

_INSTALLING = {"pre-install", "post-install", "pre-upgrade", "post-upgrade"}
_RUN_ONCE = {"Pod", "Job"}
"""Kinds of hooks that do their work and are done, so that their absence means nothing."""


@dataclass(frozen=True)
class Release:
    """A deployed revision of a release."""

    name: str
    namespace: str
    revision: int
    chart: str
    """Name and version, as airbyte-2.2.0."""
    objects: tuple[Object, ...]
    """What is meant to exist: the manifest's objects, and the hooks' that stay."""


def deployed(api: Any, namespace: str, name: str) -> Release | None:
    """The deployed revision of a release; None where there is none.

    Raises ClusterError where its newest revision is not deployed: one that failed or was cut off half-way says
    nothing about what should be there.
    """
    selector = f"owner=helm,name={name}"
    secrets = CoreV1Api(api).list_namespaced_secret(namespace, label_selector=selector).items
    records = sorted((int(secret.metadata.labels["version"]), secret) for secret in secrets)
    if not records:
        return None
    revision, newest = records[-1]
    status = newest.metadata.labels.get("status", "unknown")
    if status != "deployed":
        raise ClusterError(
            f"The release {namespace}/{name} is {status} at revision {revision}, so nobody can say what it should be. "
            f"See that no `helm` is still at work on it, then give "
            f"`helm {_way_back(revision, name)} --namespace {namespace}`, `pulumi refresh` and `pulumi up`."
        )
    return _decode(newest.data["release"])


def _way_back(revision: int, name: str) -> str:
    return f"rollback {name}" if revision > 1 else f"uninstall {name}"


def _decode(record: str) -> Release:
    # The Secret's own base64, and Helm's below it, around gzipped JSON:
    # https://pkg.go.dev/helm.sh/helm/v3/pkg/storage/driver
    record_json = gzip.decompress(base64.b64decode(base64.b64decode(record)))
    content = json.loads(record_json)
    metadata = content["chart"]["metadata"]
    hooks = [each for hook in content.get("hooks") or [] if _stays(hook) for each in _objects(hook["manifest"])]
    return Release(
        name=content["name"],
        namespace=content["namespace"],
        revision=int(content["version"]),
        chart=f"{metadata['name']}-{metadata['version']}",
        objects=(*(_labelled(each, content) for each in _objects(content["manifest"])), *hooks),
    )


def _stays(hook: Object) -> bool:
    deleted_after = {"hook-succeeded"} & set(hook.get("delete_policies") or [])
    return bool(_INSTALLING & set(hook.get("events") or [])) and hook["kind"] not in _RUN_ONCE and not deleted_after


def _objects(manifest: str) -> Iterator[Object]:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)  # as Helm reads it: a mode of 0644 is octal
    yield from map(_without_string_data, filter(None, reader.load_all(manifest)))


def _without_string_data(manifest: Object) -> Object:
    """A Secret as the server keeps it; ``stringData`` is only ever written."""
    texts = manifest.get("stringData") if manifest["kind"] == "Secret" else None
    if not texts:
        return manifest
    data = {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
    kept = {key: value for key, value in manifest.items() if key != "stringData"}
    return {**kept, "data": {**(manifest.get("data") or {}), **data}}


def _labelled(manifest: Object, release: Object) -> Object:
    """The object with what Helm adds to all but hooks as it applies it, and by which it knows its own."""
    metadata = manifest.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"}
    annotations = {
        **(metadata.get("annotations") or {}),
        "meta.helm.sh/release-name": release["name"],
        "meta.helm.sh/release-namespace": release["namespace"],
    }
    return {**manifest, "metadata": {**metadata, "labels": labels, "annotations": annotations}}
