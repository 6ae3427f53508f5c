"""Streams as a program declares them, in canonical form: keyed, so that order never matters.

::

    {"orders": {"sync_mode": "incremental", "destination_sync_mode": "append_dedup",
                "cursor_field": ["updated_at"], "primary_key": [["id"]]}}

A key is a stream's name, with ``namespace.`` before it where the name alone could mean two. Optional per stream:
``cursor_field`` (a path), ``primary_key`` (paths), ``fields`` (columns to sync), ``hash`` (columns to hash) and
``allow_full_refresh`` (a reason).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from dynamic_providers.airbyte.errors import InvalidStreamsError
from dynamic_providers.airbyte.models import DiscoveredStream
from dynamic_providers.airbyte.suggestions import nearest

Stream = dict[str, Any]
Streams = dict[str, Stream]

SYNC_MODES: Final = ("full_refresh", "incremental")
DESTINATION_SYNC_MODES: Final = ("append", "append_dedup", "overwrite", "overwrite_dedup")
DEDUP_MODES: Final = ("append_dedup", "overwrite_dedup")
_KEYS: Final = (
    "sync_mode",
    "destination_sync_mode",
    "cursor_field",
    "primary_key",
    "fields",
    "hash",
    "mappers",
    "allow_full_refresh",
)
_REASONS: Final = ("allow_full_refresh",)
_HASHING: Final = "hashing"


def canonical(declared: Mapping[str, Mapping[str, Any]]) -> Streams:
    """Validate what can be without asking the source, and sort what has no order; raises InvalidStreamsError."""
    if not declared:
        raise InvalidStreamsError("streams: a connection needs at least one stream", fix="Name the tables to sync.")
    return {key: _canonical_stream(key, declared[key]) for key in sorted(declared)}


def comparable(streams: Any) -> Any:
    """The streams without the reasons, which explain a choice and change nothing on the server."""
    if not isinstance(streams, Mapping):
        return streams
    return {
        key: {name: value for name, value in stream.items() if name not in _REASONS}
        if isinstance(stream, Mapping)
        else stream
        for key, stream in streams.items()
    }


def from_api(
    live: Iterable[DiscoveredStream],
    declared: Streams,
    namespaces: Mapping[str, str],
    schema_changes: str | None,
) -> Streams:
    """The streams a connection syncs, in the program's terms.

    `declared` and `namespaces` (key -> namespace) are what was last written. Under ``propagate_fully`` Airbyte adds
    streams by itself, and under either ``propagate`` columns: such additions are no drift and left out.
    """
    entries = list(live)
    result: Streams = {}
    for entry in entries:
        key = key_of(entry, entries, declared, namespaces)
        if key not in declared and schema_changes == "propagate_fully":
            continue
        result[key] = _stream_from_api(entry, declared.get(key) or {}, schema_changes)
    return dict(sorted(result.items()))


def key_of(
    entry: DiscoveredStream,
    entries: Iterable[DiscoveredStream],
    declared: Mapping[str, Any],
    namespaces: Mapping[str, str],
) -> str:
    """What the program calls a live stream, or would call it."""
    full = f"{entry.namespace}.{entry.name}" if entry.namespace else entry.name
    if full in declared:
        return full
    if entry.name in declared:
        alone = sum(other.name == entry.name for other in entries) == 1
        if namespaces.get(entry.name, entry.namespace if alone else None) == entry.namespace:
            return entry.name
    return full


def as_paths(value: Any) -> list[list[str]]:
    """A primary key as a sorted list of paths; a column's name is a path of one."""
    return sorted(as_path(column) for column in value or [])


def as_path(value: Any) -> list[str]:
    """A field as a path; a name is a path of one."""
    return [value] if isinstance(value, str) else list(value or [])


def _canonical_stream(key: str, stream: Mapping[str, Any]) -> Stream:
    for name in stream:
        if name not in _KEYS:
            raise InvalidStreamsError(f"streams.{key}.{name} is no setting of a stream", fix=nearest(name, _KEYS))
    result: Stream = {
        "sync_mode": _one_of(key, "sync_mode", stream.get("sync_mode", "incremental"), SYNC_MODES),
        "destination_sync_mode": _one_of(
            key, "destination_sync_mode", stream.get("destination_sync_mode", "append_dedup"), DESTINATION_SYNC_MODES
        ),
        "cursor_field": as_path(stream.get("cursor_field")),
        "primary_key": as_paths(stream.get("primary_key")),
        "fields": sorted(set(stream.get("fields") or [])),
        "hash": sorted(set(stream.get("hash") or [])),
        "mappers": sorted(set(stream.get("mappers") or [])),
        "allow_full_refresh": stream.get("allow_full_refresh"),
    }
    return {name: value for name, value in result.items() if value}


def _one_of(key: str, setting: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value in allowed:
        return str(value)
    raise InvalidStreamsError(
        f"streams.{key}.{setting}: {value!r} is no {setting.replace('_', ' ')}",
        fix=nearest(str(value), allowed) or f"Use one of {', '.join(allowed)}.",
    )


def _stream_from_api(entry: DiscoveredStream, declared: Stream, schema_changes: str | None) -> Stream:
    config = entry.config
    cursor = list(config.get("cursorField") or [])
    if entry.defines_cursor or ("cursor_field" not in declared and cursor == entry.default_cursor):
        cursor = declared.get("cursor_field", [])
    key = as_paths(config.get("primaryKey"))
    if entry.source_key:
        key = declared.get("primary_key", [])
    mappers = config.get("mappers") or []
    result: Stream = {
        "sync_mode": config.get("syncMode"),
        "destination_sync_mode": config.get("destinationSyncMode"),
        "cursor_field": cursor,
        "primary_key": key,
        "fields": _fields_from_api(entry, declared, schema_changes),
        "hash": sorted(_target(mapper) for mapper in mappers if mapper.get("type") == _HASHING),
        "mappers": sorted(_described(mapper) for mapper in mappers if mapper.get("type") != _HASHING),
        "allow_full_refresh": declared.get("allow_full_refresh"),
    }
    return {name: value for name, value in result.items() if value}


def _fields_from_api(entry: DiscoveredStream, declared: Stream, schema_changes: str | None) -> list[str]:
    if not entry.config.get("fieldSelectionEnabled"):
        return []
    wanted: list[str] = declared.get("fields", [])
    selected = {path["fieldPath"][0] for path in entry.config.get("selectedFields") or [] if path.get("fieldPath")}
    if entry.defines_cursor:
        selected -= set(entry.default_cursor[:1]) - set(wanted)
    if wanted and (schema_changes or "").startswith("propagate"):
        selected &= set(wanted)  # what Airbyte added is what it was told to add
    return sorted(selected)


def _described(mapper: Mapping[str, Any]) -> str:
    """What another mapper does to which field; without its key, which the server shows in lists."""
    configuration = mapper.get("mapperConfiguration") or {}
    hidden = {"targetField", "originalFieldName", "key"}
    rest = {name: value for name, value in sorted(configuration.items()) if name not in hidden and value is not None}
    return " ".join(filter(None, (str(mapper.get("type")), _target(mapper), json.dumps(rest) if rest else "")))


def _target(mapper: Mapping[str, Any]) -> str:
    configuration = mapper.get("mapperConfiguration") or {}
    return str(configuration.get("targetField") or configuration.get("originalFieldName") or "")
