"""The tables: the value keys of each minor version of the chart, and what it renders.

ChartTable              one of them; `load_table` reads it, and `supported_minors` lists which there are
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict

from components.errors import ConfigurationError, Problem

KeyPath: TypeAlias = tuple[str, ...]
Kind = Literal["value", "list", "map"]

_FOLDER = Path(__file__).parent
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Written in C: a plan must not wait half a second for the tables."""


@dataclass(frozen=True)
class Key:
    """A value key that the chart's templates read."""

    kind: Kind
    """Below a map anything may stand."""
    declared: bool
    """Whether the chart's values.yaml has it."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Release(_Fact):
    """A published version of the chart."""

    sha256: str | None = None
    """Of its archive, where it is known."""


class Component(_Fact):
    """A pod of the chart, by its label ``airbyte``."""

    kind: str
    name: str
    """``{release}`` stands for the release's name."""
    image: str
    """Without registry and tag."""
    ports: list[int]
    """Of the pod, those that somebody reaches."""
    hook: list[str] = []
    restricted: bool = True
    """Whether the Pod Security profile ``restricted`` admits it."""


class Service(_Fact):
    """A Service of the chart."""

    component: str
    port: int
    pod_port: int


class Hook(_Fact):
    """An object that Helm creates as a hook, beside those among the components."""

    kind: str
    name: str
    hook: list[str]
    when: list[str] = []
    """Conditions, all of which must hold for it to be there: ``key`` (is set) or ``key=value``."""


class SecretVariable(_Fact):
    """An environment variable that comes out of a Secret."""

    read_by: list[str]
    """Components; each gets it from a key without which its pod does not start."""
    selected_by: list[str]
    """Value keys that say which Secret, and which key of it."""
    when: str = ""
    """The value key on which it depends whether it is there; always without."""


class _File(_Fact):
    """A table's file."""

    releases: dict[str, Release]
    like: str = ""
    """Another minor version, of which this file tells the differences."""
    without: list[str] = []
    families: dict[str, Any] = {}
    keys: dict[str, Any] = {}
    unchecked: list[str] = []
    inert: dict[str, str] = {}
    ineffective: dict[str, str] = {}
    components: dict[str, Component] = {}
    services: dict[str, Service] = {}
    hooks: list[Hook] = []
    secrets: dict[str, SecretVariable] = {}
    launcher_settings: list[str] = []


@dataclass(frozen=True)
class ChartTable:
    """What is known of one minor version of the chart."""

    minor: str
    releases: Mapping[str, Release]
    keys: Mapping[KeyPath, Key]
    """What templates read, by path."""
    unchecked: frozenset[str]
    """Top-level keys of parts that are off as shipped, and of which no more is known."""
    inert: Mapping[str, str]
    """Keys that no template reads, and what to use instead. A ``*`` stands for any one name."""
    ineffective: Mapping[str, str]
    """Keys that templates read and no program acts upon, and why."""
    components: Mapping[str, Component]
    services: Mapping[str, Service]
    hooks: tuple[Hook, ...]
    secrets: Mapping[str, SecretVariable]
    """By environment variable."""
    launcher_settings: tuple[str, ...]
    """Environment variables of the launcher that describe job pods."""

    def why_inert(self, path: KeyPath) -> str | None:
        """What to use instead of a key that no template reads; none for other keys."""
        return _found(self.inert, path)

    def why_ineffective(self, path: KeyPath) -> str | None:
        """Why a key that templates read has no effect; none for other keys."""
        return _found(self.ineffective, path)

    def below(self, path: KeyPath) -> set[str]:
        """Names of the keys right below one."""
        return {key[len(path)] for key in self.keys if len(key) > len(path) and key[: len(path)] == path}


def supported_minors() -> list[str]:
    """The minor versions of the chart that there is a table for, oldest first."""
    return sorted((file.stem for file in _FOLDER.glob("*.yaml")), key=lambda minor: [*map(int, minor.split("."))])


def minor_of(version: str) -> str:
    """``2.2`` of ``2.2.0``."""
    return ".".join(version.removeprefix("v").split(".")[:2])


@cache
def load_table(version: str) -> ChartTable:
    """The table for a version of the chart; raises ConfigurationError where there is none for its minor version."""
    minor = minor_of(version)
    if minor not in supported_minors():
        what = "is of a minor version whose value keys are not known here, and they change between minor versions."
        raise ConfigurationError(
            [Problem(f"chart {version}", what, f"Use one of {', '.join(f'{each}.x' for each in supported_minors())}.")]
        )
    text = (_FOLDER / f"{minor}.yaml").read_text(encoding="utf-8")
    file = _File.model_validate(yaml.load(text, Loader=_LOADER))  # noqa: S506 - a safe one
    base = load_table(file.like) if file.like else _NOTHING
    without = [tuple(each.split(".")) for each in file.without]
    kept = {path: key for path, key in base.keys.items() if not any(path[: len(each)] == each for each in without)}
    return ChartTable(
        minor=minor,
        releases=file.releases,
        keys={**kept, **dict(_keys(file.keys, ()))},
        unchecked=base.unchecked | set(file.unchecked),
        inert={**base.inert, **file.inert},
        ineffective={**base.ineffective, **file.ineffective},
        components={**base.components, **file.components},
        services={**base.services, **file.services},
        hooks=(*base.hooks, *file.hooks),
        secrets={**base.secrets, **file.secrets},
        launcher_settings=(*base.launcher_settings, *file.launcher_settings),
    )


_NOTHING = ChartTable("", {}, {}, frozenset(), {}, {}, {}, {}, (), {}, ())

_WORDS: dict[str, Key] = {
    f"{'' if declared else 'undeclared '}{kind}": Key(kind, declared)
    for kind in ("value", "list", "map")
    for declared in (True, False)
}


def _keys(tree: Mapping[str, Any], path: KeyPath) -> Iterator[tuple[KeyPath, Key]]:
    for name, node in tree.items():
        here = (*path, str(name))
        if isinstance(node, Mapping):
            yield from _keys(node, here)
        else:
            yield here, _WORDS[node]


def _found(patterns: Mapping[str, str], path: KeyPath) -> str | None:
    """The text of the pattern that a key is at or below of."""
    for pattern, text in patterns.items():
        parts = pattern.split(".")
        if len(path) >= len(parts) and all(part in ("*", name) for part, name in zip(parts, path, strict=False)):
            return text
    return None
