"""Streams as a program declares them, in canonical form: keyed, so that order never matters.

::

    {"orders": {"sync_mode": "incremental", "destination_sync_mode": "append_dedup",
                "cursor_field": ["updated_at"], "primary_key": [["id"]]}}

A key is a stream's name, with ``namespace.`` before it where the name alone could mean two. Optional per stream:
``cursor_field`` (a path), ``primary_key`` (paths), ``fields`` (columns to sync), ``hash`` (columns to hash),
``mappers`` (what else is done to records, in order, as the module of that name describes), ``destination_object_name``
(the object of the destination, where that has objects of its own), ``include_files`` (whether a stream of files loads
these too; the server's choice where it is left out) and ``allow_full_refresh`` (a reason).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from dynamic_providers.airbyte import mappers
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
    "destination_object_name",
    "include_files",
    "allow_full_refresh",
)
_REASONS: Final = ("allow_full_refresh",)


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
    files: Collection[str] = (),
) -> Streams:
    """The streams a connection syncs, in the program's terms.

    `declared` and `namespaces` (key -> namespace) are what was last written, and `files` are the keys of the streams
    for which the server then chose to include files. Under ``propagate_fully`` Airbyte adds
    streams by itself, and under either ``propagate`` columns: such additions are no drift and left out.
    """
    result: Streams = {}
    for key, entry in by_key(live, declared, namespaces).items():
        if key not in declared and schema_changes == "propagate_fully":
            continue
        result[key] = _stream_from_api(entry, declared.get(key) or {}, schema_changes, key in files)
    return dict(sorted(result.items()))


def including_files(live: Iterable[DiscoveredStream], declared: Streams, namespaces: Mapping[str, str]) -> list[str]:
    """The keys of the streams for which the server chose to include files, since the program does not say."""
    return sorted(
        key
        for key, entry in by_key(live, declared, namespaces).items()
        if entry.is_file_based and entry.config.get("includeFiles") and "include_files" not in declared.get(key, {})
    )


def by_key(
    live: Iterable[DiscoveredStream], declared: Mapping[str, Any], namespaces: Mapping[str, str]
) -> dict[str, DiscoveredStream]:
    """Live streams by what the program calls them."""
    entries = list(live)
    return {key_of(entry, entries, declared, namespaces): entry for entry in entries}


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
    try:
        hashed, others = mappers.canonical(stream.get("hash") or [], stream.get("mappers") or [])
    except ValueError as error:
        raise InvalidStreamsError(f"streams.{key}.{error}", fix="Correct the mapper.") from None
    result: Stream = {
        "sync_mode": _one_of(key, "sync_mode", stream.get("sync_mode", "incremental"), SYNC_MODES),
        "destination_sync_mode": _one_of(
            key, "destination_sync_mode", stream.get("destination_sync_mode", "append_dedup"), DESTINATION_SYNC_MODES
        ),
        "cursor_field": as_path(stream.get("cursor_field")),
        "primary_key": as_paths(stream.get("primary_key")),
        "fields": sorted(set(stream.get("fields") or [])),
        "hash": hashed,
        "mappers": others,
        "destination_object_name": stream.get("destination_object_name"),
        "include_files": stream.get("include_files"),
        "allow_full_refresh": stream.get("allow_full_refresh"),
    }
    return _present(result)


def _one_of(key: str, setting: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value in allowed:
        return str(value)
    raise InvalidStreamsError(
        f"streams.{key}.{setting}: {value!r} is no {setting.replace('_', ' ')}",
        fix=nearest(str(value), allowed) or f"Use one of {', '.join(allowed)}.",
    )


def _stream_from_api(entry: DiscoveredStream, declared: Stream, schema_changes: str | None, by_default: bool) -> Stream:
    config = entry.config
    files = bool(config.get("includeFiles"))
    cursor = list(config.get("cursorField") or [])
    if entry.defines_cursor or ("cursor_field" not in declared and cursor == entry.default_cursor):
        cursor = declared.get("cursor_field", [])
    key = as_paths(config.get("primaryKey"))
    if entry.source_key:
        key = declared.get("primary_key", [])
    hashed, others = mappers.from_api(config.get("mappers") or [], declared.get("mappers") or [])
    result: Stream = {
        "sync_mode": config.get("syncMode"),
        "destination_sync_mode": config.get("destinationSyncMode"),
        "cursor_field": cursor,
        "primary_key": key,
        "fields": _fields_from_api(entry, declared, schema_changes),
        "hash": hashed,
        "mappers": others,
        "destination_object_name": config.get("destinationObjectName"),
        "include_files": files if "include_files" in declared or files != by_default else None,
        "allow_full_refresh": declared.get("allow_full_refresh"),
    }
    return _present(result)


def _present(stream: Stream) -> Stream:
    """The settings that say something; a plain no does."""
    return {name: value for name, value in stream.items() if value or value is False}


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
