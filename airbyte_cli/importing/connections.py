"""A connection in the words of a pipeline file: its `sync` block."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from airbyte_cli.importing.actors import ActorFile
from components import normalization
from components.pipeline_file.rules import reads_log
from dynamic_providers.airbyte import schedule, streams
from dynamic_providers.airbyte.models import Connection, DiscoveredStream

_REASON = "It was so in Airbyte when this was imported."
_HASHING = {"method": "SHA-256", "fieldNameSuffix": "_hashed"}
_RESOURCES = ("cpu_request", "cpu_limit", "memory_request", "memory_limit")


@dataclass(frozen=True)
class PipelineFile:
    """A connection with its source and destination, as one file says it."""

    connection: Connection
    source: ActorFile
    destination: ActorFile
    document: dict[str, Any]
    obstacles: tuple[str, ...]
    unmanaged: tuple[str, ...]


def describe(
    connection: Connection, source: ActorFile, destination: ActorFile, *, adopt: str | None = None
) -> PipelineFile:
    """Put a connection into a file's words; `adopt` tells it from others of its name and pair."""
    obstacles = [f"its {which} can't be written: {what}" for which, what in _of_ends(source, destination)]
    obstacles += _obstacles(connection)
    namespace = connection.namespace_definition or "source"
    resources = connection.resource_requirements or {}
    typed = normalization.is_typed(destination.connector.name, destination.actor.connection_configuration or {})
    default_name = f"{source.actor.name} → {destination.actor.name}"
    settings: dict[str, Any] = {
        "name": connection.name if connection.name != default_name else None,
        "adopt": adopt,
        "streams": [_stream(entry, source) for entry in connection.streams],
        "schedule": schedule.from_api(connection.schedule_type, connection.schedule_data, None),
        "normalization": None if typed else {"enabled": False, "allow_raw": _REASON},
        "prefix": connection.prefix,
        "namespace": connection.namespace_format if namespace == "customformat" else namespace,
        "schema_changes": connection.non_breaking_changes_preference or "ignore",
        "status": None if connection.status == "active" else connection.status,
        "resources": {key: resources[key] for key in _RESOURCES if resources.get(key)},
        "tags": sorted(str(tag.get("name")) for tag in connection.tags),
    }
    return PipelineFile(
        connection,
        source,
        destination,
        {
            "source": source.document,
            "destination": destination.document,
            "sync": {key: value for key, value in settings.items() if value not in (None, "", [], {})},
        },
        tuple(obstacles),
        tuple(_unmanaged(connection)),
    )


def _of_ends(source: ActorFile, destination: ActorFile) -> list[tuple[str, str]]:
    both = (("source", source), ("destination", destination))
    return [(f"{which} {end.actor.name}", what) for which, end in both for what in end.obstacles]


def _obstacles(connection: Connection) -> list[str]:
    found = []
    if not connection.streams:
        found.append("no stream of it is selected")
    for entry in connection.streams:
        others = [str(mapper.get("type")) for mapper in entry.config.get("mappers") or []]
        if others := sorted(set(others) - {"hashing"}):
            found.append(f"stream {entry.name} has mappers of the type {', '.join(others)}, and a file knows only hash")
    keys = Counter(streams.key_of(entry, (), {}, {}) for entry in connection.streams)
    found += [f"several streams are called {key}" for key, count in keys.items() if count > 1]
    if connection.namespace_definition == "customformat" and connection.namespace_format in (
        None, "", "source", "destination",
    ):  # fmt: skip
        found.append(f"a custom namespace can't be called {connection.namespace_format!r}")
    return found


def _unmanaged(connection: Connection) -> list[str]:
    found = []
    if connection.operation_ids:
        found.append("it runs operations after a sync")
    if connection.backfill_preference == "enabled":
        found.append("it backfills new columns")
    if connection.notify_schema_changes or connection.notify_schema_changes_by_email:
        found.append("it notifies of schema changes")
    for entry in connection.streams:
        if entry.config.get("destinationObjectName"):
            found.append(f"stream {entry.name} lands in a destination object of its own")
        hashes = [mapper.get("mapperConfiguration") or {} for mapper in entry.config.get("mappers") or []]
        if any(hashed.get(key, value) != value for hashed in hashes for key, value in _HASHING.items()):
            found.append(f"stream {entry.name} hashes in another way than SHA-256 into a column with _hashed behind")
    unselected = len(connection.sync_catalog.get("streams") or []) - len(connection.streams)
    if unselected:
        found.append(f"{unselected} unselected stream{'s are' if unselected > 1 else ' is'} listed")
    return found


def _stream(entry: DiscoveredStream, source: ActorFile) -> dict[str, Any]:
    """A stream without what its source defines by itself."""
    [terms] = streams.from_api([entry], {}, {}, None).values()
    full = terms.get("sync_mode") == "full_refresh"
    could = "incremental" in entry.sync_modes or reads_log(source.actor.connection_configuration or {})
    stream = {
        "name": entry.name,
        "namespace": entry.namespace,
        "sync_mode": terms.get("sync_mode"),
        "destination_sync_mode": terms.get("destination_sync_mode"),
        "cursor_field": _column(terms["cursor_field"]) if "cursor_field" in terms else None,
        "primary_key": [_column(path) for path in terms.get("primary_key", [])],
        "fields": terms.get("fields"),
        "hash": terms.get("hash"),
        "allow_full_refresh": _REASON if full and could else None,
    }
    return {key: value for key, value in stream.items() if value}


def _column(path: list[str]) -> str | list[str]:
    """A column as people write it, unless a dot in its name would be taken for a path's."""
    return path[0] if len(path) == 1 and "." not in path[0] else path
