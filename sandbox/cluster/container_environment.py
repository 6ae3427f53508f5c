"""The environment variables that a kubelet gives to a container.

By https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables: `envFrom` first
and in order, then `env`; of a name that comes twice the last holds; ``$(NAME)`` is what NAME stands for so far. Not
here is what only a running pod has: its addresses, its resources as numbers, and the variables that lead to services.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

Kind = Literal["ConfigMap", "Secret"]
Object = Mapping[str, Any]
Read = Callable[[Kind, str], Object | None]
"""Reads an object of the pod's namespace by kind and name; None where there is none."""

_REFERENCE = re.compile(r"\$(?:(?P<escaped>\$)|\((?P<name>[^)]*)\))")
_ENTRY = re.compile(r"metadata\.(?P<map>labels|annotations)\['(?P<key>.+)'\]")


class UnresolvedError(Exception):
    """An environment that can't be made, in the words of a kubelet: of objects and keys, never of values."""


def container_environment(pod: Object, read: Read) -> dict[str, str]:
    """The environment of a pod's main container, which is its first.

    Raises:
        UnresolvedError: it refers to an object or a key that does not exist, and not as `optional`.
    """
    container, sources = pod["spec"]["containers"][0], _Sources(pod["metadata"]["namespace"], read)
    environment: dict[str, str] = {}
    for each in container.get("envFrom") or []:
        for kind, reference in _references(each, {"configMapRef": "ConfigMap", "secretRef": "Secret"}):
            values = sources.values(kind, reference) or {}
            environment |= {each.get("prefix", "") + key: value for key, value in values.items()}
    for variable in container.get("env") or []:
        source = variable.get("valueFrom")
        if source is None:
            environment[variable["name"]] = _expanded(variable.get("value") or "", environment)
            continue
        for kind, reference in _references(source, {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}):
            if (value := sources.value(kind, reference)) is not None:
                environment[variable["name"]] = value
        if "fieldRef" in source and (value := _field(pod, source["fieldRef"]["fieldPath"])) is not None:
            environment[variable["name"]] = value
    return environment


class _Sources:
    """ConfigMaps and Secrets of a namespace, each read once."""

    def __init__(self, namespace: str, read: Read) -> None:
        self._namespace = namespace
        self._read = read
        self._found: dict[tuple[Kind, str], dict[str, str] | None] = {}

    def values(self, kind: Kind, reference: Object) -> dict[str, str] | None:
        """All values of an object as text; None where it may be missing, and is."""
        name = reference["name"]
        if (kind, name) not in self._found:
            there = self._read(kind, name)
            self._found[kind, name] = None if there is None else _decoded(kind, there)
        found = self._found[kind, name]
        if found is None and not reference.get("optional"):
            raise UnresolvedError(f'{kind.lower()} "{name}" not found')
        return found

    def value(self, kind: Kind, reference: Object) -> str | None:
        """One value of an object; None where it may be missing, and is."""
        value = (self.values(kind, reference) or {}).get(reference["key"])
        if value is None and not reference.get("optional"):
            where = f"{self._namespace}/{reference['name']}"
            raise UnresolvedError(f"couldn't find key {reference['key']} in {kind} {where}")
        return value


def _references(source: Object, kinds: Mapping[str, Kind]) -> Iterator[tuple[Kind, Object]]:
    """Those references that a source of values has, of which it has one at most."""
    return ((kind, source[name]) for name, kind in kinds.items() if name in source)


def _decoded(kind: Kind, there: Object) -> dict[str, str]:
    """The values of an object. Bytes that are no UTF-8 are escaped as in :data:`os.environ` (PEP 383)."""
    data = there.get("data") or {}
    if kind == "ConfigMap":
        return dict(data)
    return {key: base64.b64decode(value).decode(errors="surrogateescape") for key, value in data.items()}


def _field(pod: Object, path: str) -> str | None:
    """A field of the pod itself; None for those of its status."""
    if entry := _ENTRY.fullmatch(path):
        return str((pod["metadata"].get(entry["map"]) or {}).get(entry["key"], ""))
    part, _, field = path.partition(".")
    return str(pod[part].get(field, "")) if part in ("metadata", "spec") else None


def _expanded(text: str, known: Mapping[str, str]) -> str:
    """Put in what is known; what is not stays as it is written, and ``$$`` is a dollar."""
    return _REFERENCE.sub(lambda found: "$" if found["escaped"] else known.get(found["name"], found[0]), text)
