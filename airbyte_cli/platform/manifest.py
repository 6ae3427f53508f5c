"""What a rendered chart consists of: hooks, and pods with their labels, images, ports and Secrets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]

_HOOK = "helm.sh/hook"
LABEL = "airbyte"
"""The label that says which component a pod is."""


def hooks(item: Object) -> list[str]:
    """The moments at which Helm creates an object; empty for those that are part of the release."""
    annotations = item["metadata"].get("annotations") or {}
    return sorted(each.strip() for each in annotations.get(_HOOK, "").split(",") if each.strip())


def names(items: Iterable[Object]) -> list[str]:
    """``Kind/name`` of each."""
    return [name(item) for item in items]


def name(item: Object) -> str:
    """``Kind/name``"""
    return f"{item['kind']}/{item['metadata']['name']}"


@dataclass(frozen=True)
class Pod:
    """A pod, or the template of one."""

    owner: str
    """``Kind/name`` of what was rendered."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Object

    @property
    def component(self) -> str:
        """What its label says it is; empty without one."""
        return self.labels.get(LABEL, "")

    @property
    def containers(self) -> list[Object]:
        """Those that it starts with, too."""
        return [*(self.spec.get("initContainers") or []), *self.spec["containers"]]

    @property
    def images(self) -> list[str]:
        """As they are named."""
        return [container["image"] for container in self.containers]

    @property
    def ports(self) -> dict[int, str]:
        """Ports by number, with their names."""
        return {
            port["containerPort"]: port.get("name", "")
            for container in self.containers
            for port in container.get("ports") or []
        }

    def port(self, wanted: int | str) -> int | None:
        """The number of a port that a Service names."""
        if isinstance(wanted, int):
            return wanted
        return next((number for number, name in self.ports.items() if name == wanted), None)

    def variables(self) -> Iterator[Mapping[str, Any]]:
        """The environment variables of all its containers."""
        for container in self.containers:
            yield from container.get("env") or []

    @property
    def secrets(self) -> dict[str, tuple[str, str]]:
        """Environment variables that come out of Secrets, with the Secret and the key."""
        found = {}
        for variable in self.variables():
            if reference := (variable.get("valueFrom") or {}).get("secretKeyRef"):
                found[variable["name"]] = (reference["name"], reference["key"])
        return found

    @property
    def repeated(self) -> list[str]:
        """Environment variables that a container has twice, which server-side apply refuses."""
        return sorted(
            name
            for container in self.containers
            for name, count in Counter(each["name"] for each in container.get("env") or []).items()
            if count > 1
        )


def pods(items: Iterable[Object]) -> list[Pod]:
    """All pods and templates of pods."""
    found = []
    for item in items:
        metadata, spec = item["metadata"], item.get("spec") or {}
        if item["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if item["kind"] != "Pod":
            template = spec.get("template")
            if not isinstance(template, Mapping) or "containers" not in (template.get("spec") or {}):
                continue
            metadata, spec = template.get("metadata") or {}, template["spec"]
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        found.append(Pod(name(item), labels, annotations, spec))
    return found
