"""One attempt of a sync: from the source through the mappers into the destination.

The order makes a crash harmless: load, commit, store the state, and only then let the source forget what it handed out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.airbyte.catalog import configured, key_of, split_key, stream_key
from sandbox.airbyte.connectors.base import Batch, ConfiguredStream, Placement, State, StreamKey
from sandbox.airbyte.definitions import Version
from sandbox.airbyte.entities import Connection, ConnectionState, Job
from sandbox.airbyte.kinds import DESTINATION, SOURCE
from sandbox.airbyte.mapping import Mapping
from sandbox.airbyte.wire import Json, present

if TYPE_CHECKING:
    from sandbox.airbyte.instance import Instance


class CancelledError(Exception):
    """Someone cancelled the job."""


@dataclass
class Progress:
    """What an attempt has moved so far; ``origin`` is who to blame if it fails now."""

    origin: str = "source"
    records: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    committed: bool = False

    def expect(self, streams: list[ConfiguredStream]) -> None:
        """List the streams of the sync, so that those without records show too."""
        for stream in streams:
            self.records.setdefault(stream_key(*stream.key), 0)
            self.sizes.setdefault(stream_key(*stream.key), 0)

    def count(self, batch: Batch) -> None:
        """Add the records of a batch."""
        key = stream_key(*batch.stream.key)
        self.records[key] = self.records.get(key, 0) + len(batch.records)
        size = sum(len(json.dumps(record, ensure_ascii=False)) for record in batch.records)
        self.sizes[key] = self.sizes.get(key, 0) + size

    def stats(self) -> Json:
        """``recordsSynced``, ``bytesSynced``, ``totalStats`` and ``streamStats`` of an attempt."""
        total = _stats(sum(self.records.values()), sum(self.sizes.values()), committed=self.committed)
        streams = []
        for key, records in self.records.items():
            namespace, name = split_key(key)
            stats = _stats(records, self.sizes[key], committed=self.committed)
            streams.append(present({"streamName": name, "streamNamespace": namespace, "stats": stats}))
        return {
            "recordsSynced": total["recordsCommitted"],
            "bytesSynced": total["bytesCommitted"],
            "totalStats": total,
            "streamStats": streams,
        }


def _stats(records: int, size: int, *, committed: bool) -> Json:
    return {
        "recordsEmitted": records,
        "bytesEmitted": size,
        "recordsCommitted": records if committed else 0,
        "bytesCommitted": size if committed else 0,
    }


@dataclass
class Plan:
    """What a job works with, read under the lock and then independent of it."""

    connection: Connection
    job: Job
    source: Version
    source_config: Json
    destination: Version
    destination_config: Json
    mappings: dict[StreamKey, Mapping]
    streams: list[ConfiguredStream]
    placement: Placement
    state: ConnectionState

    @property
    def targets(self) -> list[ConfiguredStream]:
        """The streams as the destination sees them."""
        return [mapping.stream for mapping in self.mappings.values()]


def plan(instance: Instance, job: Job, connection: Connection) -> Plan:
    """Collect versions, configurations, streams and state of a job."""
    source = instance.actors.get(SOURCE, connection.source_id)
    destination = instance.actors.get(DESTINATION, connection.destination_id)
    held = instance.store.states.find(connection.id) or ConnectionState(connection.id)
    state = ConnectionState(held.id, held.kind, held.shared, dict(held.streams), dict(held.generations))
    if job.kind != "sync":
        for entry in job.streams:
            state.streams.pop(key_of(entry), None)
    chosen = {key_of(entry) for entry in job.streams}
    # A refresh syncs the other streams too: the position in a log that all share moves for all.
    everything = job.kind in ("sync", "refresh")
    entries = [entry for entry in connection.streams if everything or key_of(entry) in chosen]
    truncated = chosen if job.refresh_mode == "Truncate" else set()
    streams = [_configured(entry, state, truncated) if everything else configured(entry, 0, 0) for entry in entries]
    return Plan(
        connection,
        job,
        instance.definitions.resolve_actor(source),
        instance.actors.hydrated(source),
        instance.definitions.resolve_actor(destination),
        instance.actors.hydrated(destination),
        {s.key: Mapping(s, entry["config"]["mappers"]) for s, entry in zip(streams, entries, strict=True)},
        streams,
        Placement(connection.namespace_definition, connection.namespace_format, connection.prefix or ""),
        state,
    )


def _configured(entry: Json, state: ConnectionState, truncated: set[str]) -> ConfiguredStream:
    """A stream with its generation, which rises whenever the sync replaces what the destination has."""
    key = key_of(entry)
    replaces = entry["config"]["destinationSyncMode"].startswith("overwrite") or key in truncated
    if replaces:
        state.generations[key] = state.generations.get(key, 0) + 1
    generation = state.generations.get(key, 0)
    return configured(entry, generation, generation if replaces else 0)


def replicate(instance: Instance, work: Plan, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Run one attempt.

    Raises:
        ConnectorError: a connector failed; ``progress.origin`` says which.
        CancelledError: the job was cancelled; nothing of the attempt stays.
    """
    instance.runs.injected("sync", work.source)
    state = State(work.state.shared, {split_key(key): value for key, value in work.state.streams.items()})
    reader = instance.runs.source(work.source).read(work.source_config, work.streams, state)
    with closing(reader):
        progress.origin = "destination"
        instance.runs.injected("sync", work.destination)
        destination = instance.runs.destination(work.destination)
        writer = destination.write(work.destination_config, work.targets, work.placement, work.job.id)
        with closing(writer):
            progress.origin = "source"
            progress.expect(work.streams)
            for read in reader.batches():
                if cancelled():
                    raise CancelledError
                mapping = work.mappings[read.stream.key]
                batch = Batch(mapping.stream, mapping.records(read.records))
                progress.count(batch)
                progress.origin = "destination"
                writer.write(batch)
                progress.origin = "source"
            progress.origin = "destination"
            writer.commit()
        progress.committed = True
        progress.origin = "source"
        _save(instance, work.state, reader.state())
        reader.acknowledge()
        _save(instance, work.state, reader.state())


def _save(instance: Instance, held: ConnectionState, new: State) -> None:
    with instance.store.lock:
        held.kind = "stream" if new.shared is None else "global"
        held.shared = new.shared
        held.streams = {stream_key(*key): value for key, value in new.streams.items()}
        instance.store.states.save(held)


def clear(instance: Instance, work: Plan, progress: Progress) -> None:
    """Remove the data of the job's streams, and forget their state.

    Raises:
        ConnectorError: the destination failed.
    """
    progress.origin = "destination"
    destination = instance.runs.destination(work.destination)
    destination.clear(work.destination_config, work.targets, work.placement)
    with instance.store.lock:
        if not work.state.streams:
            work.state.kind, work.state.shared = "not_set", None
        instance.store.states.save(work.state)
    progress.committed = True
