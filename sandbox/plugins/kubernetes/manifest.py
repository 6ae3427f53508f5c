"""A declared object: its names, its defaults, and what of it is secret."""

from __future__ import annotations

import base64
import binascii
import copy
from typing import Final

from sandbox.plugins.kubernetes.handler import Document, Naming
from sandbox.plugins.kubernetes.readiness import annotation
from sandbox.plugins.values import UNKNOWN, Path, Properties, Value, is_known

AUTONAMED: Final = "pulumi.com/autonamed"
_SET_BY_SERVER: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_CONTROLLERS_OWN: Final = (_LAST_APPLIED, "deployment.kubernetes.io/revision")

SECRET_PARTS: Final[frozenset[Path]] = frozenset(
    {("data",), ("stringData",), ("metadata", "annotations", _LAST_APPLIED)}
)
"""What of a Secret is one, whether the program marks it or not. `kubectl apply` copies the data into an annotation."""


def normal(declared: Properties) -> Properties:
    """`declared` as the API server would keep it: without nulls and server-set metadata, stringData as data.

    The SDKs can't say ``x-kubernetes-…``, the extensions of a schema, but with underscores.
    """
    values: Properties = _plain(copy.deepcopy(declared))
    metadata = values.get("metadata")
    if isinstance(metadata, dict):
        for name in _SET_BY_SERVER:
            metadata.pop(name, None)
    if is_secret(values):
        _encode_string_data(values)
    return values


def is_secret(values: Properties) -> bool:
    """Whether this is a Secret of the core API."""
    return (values.get("apiVersion"), values.get("kind")) == ("v1", "Secret")


def secret_parts(values: Properties) -> frozenset[Path]:
    """What is secret in an object of this kind, whoever declares it."""
    return SECRET_PARTS if is_secret(values) else frozenset()


def secret_paths(document: Document) -> frozenset[Path]:
    """The secrets of a declaration: those that the program marked and those of its kind."""
    return document.secrets | secret_parts(document.values)


def name_of(values: Properties) -> Value:
    """The declared name; None when there is none, UNKNOWN when it is not known yet."""
    metadata = values.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else metadata


def namespace_of(values: Properties) -> Value:
    """The declared namespace, likewise."""
    metadata = values.get("metadata")
    return metadata.get("namespace") if isinstance(metadata, dict) else metadata


def fill_in(values: Properties, before: Properties, naming: Naming, namespace: str | None) -> str | None:
    """Name what has no name, as it was named before if it was, and place what has no place.

    Answers what is wrong, if something is. Metadata that is not known as a whole is left alone.
    """
    metadata = values.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        return None if metadata is UNKNOWN else "must be an object"
    if metadata.get("generateName"):
        return "generateName is not supported with server-side apply: declare a name, or leave both out for one of ours"
    if metadata.get("name") in (None, ""):
        known = name_of(before) if annotation(before, AUTONAMED) == "true" else None
        if known is None and naming.refused:
            return "autonaming is disabled for this stack, so metadata.name has to be declared"
        metadata["name"] = known or naming.proposed
        annotations = metadata.setdefault("annotations", {})
        if isinstance(annotations, dict):
            annotations[AUTONAMED] = "true"
    if namespace is None:
        metadata.pop("namespace", None)
    elif metadata.get("namespace") in (None, ""):
        metadata["namespace"] = namespace
    return None


def importable(live: Properties) -> Properties:
    """What a program would declare to get a live object: all but what the API server and controllers set."""
    values = normal({key: value for key, value in live.items() if key != "status"})
    annotations = values["metadata"].get("annotations", {})
    for name in _CONTROLLERS_OWN:
        annotations.pop(name, None)
    if not annotations:
        values["metadata"].pop("annotations", None)
    return values


def identifier(values: Properties) -> str:
    """``namespace/name``, or the name of what has no namespace."""
    metadata = values["metadata"]
    namespace, name = metadata.get("namespace"), metadata["name"]
    return f"{namespace}/{name}" if namespace else str(name)


def _plain(value: Value) -> Value:
    if isinstance(value, dict):
        return {_spelled(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _spelled(key: str) -> str:
    return key.replace("_", "-") if key.startswith("x_kubernetes_") else key


def _encode_string_data(values: Properties) -> None:
    texts, data = values.get("stringData"), values.setdefault("data", {})
    if isinstance(texts, dict) and isinstance(data, dict) and is_known(texts):
        data |= {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
        del values["stringData"]
    if isinstance(data, dict):
        for key, text in data.items():
            data[key] = _canonical(text)
    if not data:
        values.pop("data")


def _canonical(text: Value) -> Value:
    """Base64 as the API server spells it: it reads what it is given and writes it anew."""
    try:
        return base64.b64encode(base64.b64decode(text, validate=False)).decode() if isinstance(text, str) else text
    except binascii.Error:
        return text
