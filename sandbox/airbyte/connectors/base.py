"""What a connector of the sandbox does, and how it fails.

Records are dicts from column to JSON value. A record may carry ``_ab_cdc_*`` columns, as Airbyte's CDC sources emit
them: ``_ab_cdc_deleted_at`` marks a deletion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]
Record = dict[str, Any]
StreamKey = tuple[str | None, str]  # namespace, name


class ConnectorError(Exception):
    """A connector that fails.

    Args:
        message: What a user reads, with the server's own words; never a secret.
        failure_type: Airbyte's ``failureType``.
    """

    failure_type = "system_error"

    def __init__(self, message: str, failure_type: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if failure_type:
            self.failure_type = failure_type


class RefusalError(ConnectorError):
    """The connector ran and says no: wrong configuration, missing rights, unreachable server."""

    failure_type = "config_error"


class CrashError(ConnectorError):
    """The connector did not get so far as to say anything."""


@dataclass(frozen=True)
class ConfiguredStream:
    """A stream as a connection wants it synced.

    Attributes:
        schema: JSON schema of the records, trimmed to the selected columns.
        primary_key: Paths of the key columns.
        generation: Stamped on every record; counts the syncs that replace what was there.
        minimum_generation: Records of older generations go once the sync has loaded everything; 0 keeps all.
    """

    name: str
    namespace: str | None
    schema: Json
    sync_mode: str
    destination_sync_mode: str
    cursor: list[str]
    primary_key: list[list[str]]
    generation: int = 0
    minimum_generation: int = 0

    @property
    def key(self) -> StreamKey:
        """Namespace and name, which identify a stream."""
        return self.namespace, self.name

    @property
    def columns(self) -> list[str]:
        """The selected top-level columns."""
        return list(self.schema.get("properties", {}))


@dataclass
class State:
    """What a source needs to go on from where it stopped; JSON-compatible inside."""

    shared: Json | None = None
    streams: dict[StreamKey, Json] = field(default_factory=dict)


@dataclass
class Batch:
    """Some records of one stream, in order."""

    stream: ConfiguredStream
    records: list[Record]


class Reader(Protocol):
    """One run of a source."""

    def batches(self) -> Iterator[Batch]:
        """The records; raises ConnectorError."""
        ...

    def state(self) -> State:
        """Where the next run goes on; only meaningful after the last batch."""
        ...

    def acknowledge(self) -> None:
        """The destination has the records and the state is stored: the source may forget them."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Source(Protocol):
    """A source connector."""

    def check(self, config: Json, /) -> None:
        """Raises ConnectorError when the configuration does not work."""
        ...

    def discover(self, config: Json, /) -> list[Json]:
        """The streams, as ``AirbyteStream`` objects."""
        ...

    def read(self, config: Json, streams: list[ConfiguredStream], state: State, /) -> Reader:
        """Begin a sync."""
        ...


class Writer(Protocol):
    """One run of a destination."""

    def write(self, batch: Batch) -> None:
        """Stage records."""
        ...

    def commit(self) -> None:
        """Load what was staged into the final tables."""
        ...

    def close(self) -> None:
        """Let go of connections and of what was staged."""
        ...


@dataclass(frozen=True)
class Placement:
    """Where a connection puts its streams.

    Attributes:
        definition: ``source``, ``destination`` or ``customformat``.
        format: For ``customformat``; ``${SOURCE_NAMESPACE}`` is replaced.
        prefix: Put before table names.
    """

    definition: str = "destination"
    format: str | None = None
    prefix: str = ""

    def namespace(self, stream: ConfiguredStream, default: str) -> str:
        """The destination namespace of a stream."""
        if self.definition == "source":
            return stream.namespace or default
        if self.definition == "customformat" and self.format:
            return self.format.replace("${SOURCE_NAMESPACE}", stream.namespace or "") or default
        return default


class Destination(Protocol):
    """A destination connector."""

    def check(self, config: Json, /) -> None:
        """Raises ConnectorError when the configuration does not work."""
        ...

    def write(self, config: Json, streams: list[ConfiguredStream], placement: Placement, sync_id: int, /) -> Writer:
        """Begin a load."""
        ...

    def clear(self, config: Json, streams: list[ConfiguredStream], placement: Placement, /) -> None:
        """Remove the streams' data."""
        ...
