"""The connector registry: which connectors exist, in which versions, with which specification.

``data/*.json`` holds facts about real connectors (property names, types, defaults, which are secret), in the shape:

``id``, ``kind`` (source|destination), ``name``, ``repository``; ``defaultTag`` that a fresh instance starts with,
``latestTag`` that the registry advertises, ``tags`` it can resolve; ``specs``, each valid from its version ``since``
on; ``breakingChanges`` by version; for destinations ``destinationSyncModes`` and ``supportsRefreshes``.

``source-nested-secrets`` is made up: it has secrets in arrays, objects and numbers, which few real connectors combine.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

Json = dict[str, Any]
SemVer = tuple[int, int, int]

_SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def semver(tag: str) -> SemVer | None:
    """The number of a stable tag; None for tags like ``dev`` or ``1.2.3-rc.1``."""
    match = _SEMVER.fullmatch(tag)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


@dataclass
class Connector:
    """One connector of the registry."""

    id: str
    kind: str
    name: str
    repository: str
    default_tag: str
    latest_tag: str
    tags: list[str]
    specs: list[tuple[SemVer, Json]]
    breaking_changes: dict[str, Json] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)

    @classmethod
    def from_json(cls, entry: Json) -> Connector:
        """Read an entry of the shape of ``data/*.json``."""
        return cls(
            id=entry["id"],
            kind=entry["kind"],
            name=entry["name"],
            repository=entry["repository"],
            default_tag=entry["defaultTag"],
            latest_tag=entry["latestTag"],
            tags=list(entry["tags"]),
            specs=[(semver(spec["since"]) or (0, 0, 0), spec["spec"]) for spec in entry["specs"]],
            breaking_changes=entry.get("breakingChanges", {}),
            facts=entry,
        )

    def spec(self, tag: str) -> Json:
        """The connection specification (a JSON schema) of a version; unstable tags have the newest one."""
        version = semver(tag)
        found = self.specs[0][1]
        for since, spec in self.specs:
            if version is None or since <= version:
                found = spec
        return found

    def breaking_between(self, low: str, high: str) -> list[str]:
        """The breaking versions above ``low`` and up to ``high``, ascending; none when a tag is no stable version."""
        start, end = semver(low), semver(high)
        if start is None or end is None:
            return []
        versions = {version: semver(version) for version in self.breaking_changes}
        crossed = [name for name, number in versions.items() if number and start < number <= end]
        return sorted(crossed, key=lambda name: versions[name] or (0, 0, 0))


class Registry:
    """The connectors, by definition id.

    Attributes:
        online: False imitates an unreachable registry: ``list_latest`` answers nothing and unknown tags stay unknown.
    """

    def __init__(self, entries: list[Json] | None = None) -> None:
        self.online = True
        self._connectors: dict[str, Connector] = {}
        for entry in packaged_entries() if entries is None else entries:
            self.publish(entry)

    def publish(self, entry: Json) -> Connector:
        """Add or replace a connector."""
        connector = Connector.from_json(entry)
        self._connectors[connector.id] = connector
        return connector

    def connectors(self, kind: str | None = None) -> list[Connector]:
        """All connectors, or those of a kind."""
        return [c for c in self._connectors.values() if kind in (None, c.kind)]

    def find(self, definition_id: str) -> Connector | None:
        """The connector of a definition id."""
        return self._connectors.get(definition_id)

    def by_repository(self, repository: str) -> Connector | None:
        """The connector of a docker repository."""
        return next((c for c in self._connectors.values() if c.repository == repository), None)


def packaged_entries() -> list[Json]:
    """The entries that come with the package."""
    folder = resources.files(__name__) / "data"
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".json")), key=lambda item: item.name)
    return [json.loads(item.read_text("utf-8")) for item in files]
