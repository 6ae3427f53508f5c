"""A connection in the words of a pipeline file: its `sync` block."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airbyte_cli.importing.actors import ActorFile, Variable
from airbyte_cli.importing.names import Names, variable
from components import normalization
from components.pipeline_file.rules import reads_log
from dynamic_providers.airbyte import schedule, streams
from dynamic_providers.airbyte.mappers import KEY
from dynamic_providers.airbyte.models import Connection, DiscoveredStream
from dynamic_providers.airbyte.secrets import MASK

_REASON = "It was so in Airbyte when this was imported."
_RESOURCES = ("cpu_request", "cpu_limit", "memory_request", "memory_limit")


@dataclass(frozen=True)
class PipelineFile:
    """A connection with its source and destination, as one file says it."""

    connection: Connection
    source: ActorFile
    destination: ActorFile
    document: dict[str, Any]
    variables: tuple[Variable, ...]
    """For the keys of its mappers."""
    obstacles: tuple[str, ...]
    unmanaged: tuple[str, ...]


def describe(
    connection: Connection, source: ActorFile, destination: ActorFile, *, variables: Names, adopt: str | None = None
) -> PipelineFile:
    """Put a connection into a file's words.

    `adopt` tells it from others of its name and pair; `variables` gives names to variables.
    """
    obstacles = [f"its {which} can't be written: {what}" for which, what in _of_ends(source, destination)]
    obstacles += _obstacles(connection)
    namespace = connection.namespace_definition or "source"
    resources = connection.resource_requirements or {}
    typed = normalization.is_typed(destination.connector.name, destination.actor.connection_configuration or {})
    default_name = f"{source.actor.name} → {destination.actor.name}"
    described = [_stream(entry, source) for entry in connection.streams]
    settings: dict[str, Any] = {
        "name": connection.name if connection.name != default_name else None,
        "adopt": adopt,
        "streams": described,
        "schedule": schedule.from_api(connection.schedule_type, connection.schedule_data, None),
        "normalization": None if typed else {"enabled": False, "allow_raw": _REASON},
        "prefix": connection.prefix,
        "namespace": connection.namespace_format if namespace == "customformat" else namespace,
        "schema_changes": connection.non_breaking_changes_preference or "ignore",
        "status": None if connection.status == "active" else connection.status,
        "resources": {key: resources[key] for key in _RESOURCES if resources.get(key)},
        "tags": sorted(str(tag.get("name")) for tag in connection.tags),
        "notify_schema_changes": connection.notify_schema_changes,
        "notify_schema_changes_by_email": connection.notify_schema_changes_by_email,
        "backfill_new_columns": connection.backfill_preference == "enabled",
        "operation_ids": sorted(connection.operation_ids),
    }
    return PipelineFile(
        connection,
        source,
        destination,
        {
            "source": source.document,
            "destination": destination.document,
            "sync": {key: value for key, value in settings.items() if value not in (None, False, "", [], {})},
        },
        tuple(_keys(connection, described, variables)),
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
    keys = Counter(streams.key_of(entry, (), {}, {}) for entry in connection.streams)
    found += [f"several streams are called {key}" for key, count in keys.items() if count > 1]
    if connection.namespace_definition == "customformat" and connection.namespace_format in (
        None, "", "source", "destination",
    ):  # fmt: skip
        found.append(f"a custom namespace can't be called {connection.namespace_format!r}")
    return found


def _unmanaged(connection: Connection) -> list[str]:
    unselected = len(connection.sync_catalog.get("streams") or []) - len(connection.streams)
    return [f"{unselected} unselected stream{'s are' if unselected > 1 else ' is'} listed"] if unselected else []


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
        "mappers": terms.get("mappers"),
        "destination_object_name": terms.get("destination_object_name"),
        "include_files": terms.get("include_files"),
        "allow_full_refresh": _REASON if full and could else None,
    }
    return {key: value for key, value in stream.items() if value or value is False}


def _keys(connection: Connection, described: list[dict[str, Any]], variables: Names) -> Iterator[Variable]:
    """A variable for each secret key of a mapper, put into the streams in its place."""
    for stream in described:
        for mapper in stream.get("mappers") or []:
            if KEY in mapper:
                field = mapper["target_field"]
                name = variables.take(variable("connection", connection.name, stream["name"], field, KEY))
                mapper[KEY] = "${" + name + "}"
                yield Variable(name, f"stream {stream['name']}, key of {field}", MASK)


def _column(path: list[str]) -> str | list[str]:
    """A column as people write it, unless a dot in its name would be taken for a path's."""
    return path[0] if len(path) == 1 and "." not in path[0] else path
