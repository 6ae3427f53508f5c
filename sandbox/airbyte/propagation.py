"""Schema changes of a source, and what they do to a connection.

A breaking change (a cursor or key column that is in use is gone, or the source's own key changed) makes the connection
inactive whatever its preference; other changes follow ``nonBreakingChangesPreference``.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.airbyte import connections
from sandbox.airbyte.catalog import key_of, split_key, with_default_config
from sandbox.airbyte.entities import Catalog, Connection
from sandbox.airbyte.wire import Json, present

if TYPE_CHECKING:
    from sandbox.airbyte.instance import Instance


@dataclass
class FieldChanges:
    """Top-level columns of one stream that came, went or changed their type."""

    added: list[str]
    removed: list[str]
    changed: list[str]

    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.added or self.removed or self.changed)


@dataclass
class Diff:
    """How a discovered catalog differs from what was known."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    updated: dict[str, FieldChanges] = field(default_factory=dict)
    breaking: list[str] = field(default_factory=list)

    def any(self) -> bool:
        """Whether there is a difference at all."""
        return bool(self.added or self.removed or self.updated or self.breaking)

    def transforms(self) -> list[Json]:
        """``CatalogDiff.transforms``."""
        kinds = (("add_stream", self.added), ("remove_stream", self.removed), ("update_stream", list(self.updated)))
        return [{"transformType": kind, "streamDescriptor": _descriptor(key)} for kind, keys in kinds for key in keys]


def _descriptor(key: str) -> Json:
    namespace, name = split_key(key)
    return present({"name": name, "namespace": namespace})


def diff(configured: list[Json], discovered: list[Json], known: list[Json] | None = None) -> Diff:
    """Compare a discovered catalog with a connection's streams.

    Args:
        configured: The connection's streams.
        discovered: What the source has now.
        known: The catalog the connection was made from; without it only its own streams are compared.
    """
    base = {key_of(s): s for s in known} if known else {key_of(e): e["stream"] for e in configured}
    new = {key_of(stream): stream for stream in discovered}
    found = Diff(removed=[key for key in base if key not in new])
    if known:
        found.added = [key for key in new if key not in base]
    for key in base.keys() & new.keys():
        changes = _fields(base[key], new[key])
        if changes.any():
            found.updated[key] = changes
    found.breaking = [
        key_of(entry) for entry in configured if key_of(entry) in new and _breaks(entry, new[key_of(entry)])
    ]
    return found


def _fields(old: Json, new: Json) -> FieldChanges:
    before, after = _properties(old), _properties(new)
    return FieldChanges(
        added=[name for name in after if name not in before],
        removed=[name for name in before if name not in after],
        changed=[name for name in after if name in before and before[name] != after[name]],
    )


def _properties(stream: Json) -> Json:
    found: Json = stream["jsonSchema"].get("properties") or {}
    return found


def _breaks(entry: Json, new: Json) -> bool:
    config, old, columns = entry["config"], entry["stream"], _properties(new)
    cursor = config["cursorField"]
    if config["syncMode"] == "incremental" and cursor and not new["sourceDefinedCursor"] and cursor[0] not in columns:
        return True
    if config["destinationSyncMode"].endswith("dedup") and any(p[0] not in columns for p in config["primaryKey"]):
        return True
    keys = [{tuple(path) for path in stream["sourceDefinedPrimaryKey"]} for stream in (old, new)]
    return bool(keys[0]) and keys[0] != keys[1]


def apply_discovery(instance: Instance, connection: Connection, catalog: Catalog, *, propagate: bool) -> Diff:
    """Judge a connection by a discovered catalog, and change it as its preference says.

    Args:
        propagate: A sync does so; a discovery on behalf of a client only judges.
    """
    made_from = instance.store.catalogs.find(connection.source_catalog_id) if connection.source_catalog_id else None
    found = diff(connection.streams, catalog.streams, made_from.streams if made_from else None)
    if found.breaking:
        connection.breaking_change = True
        connections.disable(instance, connection, "SCHEMA_CHANGES_ARE_BREAKING")
        return found
    preference = connection.non_breaking_changes_preference
    if found.any() and preference == "disable":
        connections.disable(instance, connection, "DISABLE_CONNECTION_IF_ANY_SCHEMA_CHANGES")
        return found
    if propagate:
        if found.any() and preference.startswith("propagate"):
            _propagate(connection, catalog.streams, found, whole_streams=preference == "propagate_fully")
            instance.note(connection, "SCHEMA_UPDATE", catalogDiff={"transforms": found.transforms()})
        connection.source_catalog_id = catalog.id
        instance.store.connections.save(connection)
    return found


def _propagate(connection: Connection, discovered: list[Json], found: Diff, *, whole_streams: bool) -> None:
    new = {key_of(stream): stream for stream in discovered}
    streams = copy.deepcopy(connection.streams)
    for entry in streams:
        if changes := found.updated.get(key_of(entry)):
            _take_columns(entry, new[key_of(entry)], changes)
    if whole_streams:
        streams = [entry for entry in streams if key_of(entry) not in found.removed]
        streams += [with_default_config(new[key], selected=True) for key in found.added]
    connection.streams = streams


def _take_columns(entry: Json, new: Json, changes: FieldChanges) -> None:
    """Take over a stream's columns; with field selection the selected ones and the new ones."""
    schema = copy.deepcopy(new["jsonSchema"])
    if entry["config"]["fieldSelectionEnabled"]:
        kept = {path["fieldPath"][0] for path in entry["config"]["selectedFields"]} | set(changes.added)
        schema["properties"] = {name: value for name, value in _properties(new).items() if name in kept}
        entry["config"]["selectedFields"] = [{"fieldPath": [name]} for name in schema["properties"]]
    entry["stream"]["jsonSchema"] = schema
