"""One sync of a PostgreSQL source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack

from sandbox.airbyte.connectors.base import Batch, ConfiguredStream, Json, State, StreamKey
from sandbox.airbyte.connectors.postgres import tables
from sandbox.airbyte.connectors.postgres.config import Replication
from sandbox.airbyte.connectors.postgres.cursors import CursorReader
from sandbox.airbyte.connectors.postgres.rows import select_rows
from sandbox.airbyte.connectors.postgres.session import Session
from sandbox.airbyte.connectors.postgres.wal import WalReader


class PostgresReader:
    """Reads streams: whole ones, changes from the write-ahead log, or what lies beyond a cursor."""

    def __init__(
        self,
        session: AbstractContextManager[Session],
        method: Replication,
        streams: list[ConfiguredStream],
        state: State,
    ) -> None:
        self._resources = ExitStack()
        self._session = self._resources.enter_context(session)
        self._whole = [stream for stream in streams if stream.sync_mode == "full_refresh"]
        incremental = [stream for stream in streams if stream.sync_mode == "incremental"]
        try:
            self._tables = tables.readable(self._session, [])
            self._incremental: WalReader | CursorReader | None = None
            if method.is_cdc and incremental:
                self._incremental = WalReader(self._session, method, self._tables, incremental, state)
            elif incremental:
                self._incremental = CursorReader(self._session, self._tables, incremental, state)
        except BaseException:
            self._resources.close()
            raise
        self._held = state

    def batches(self) -> Iterator[Batch]:
        """The records of all streams.

        Raises:
            ConnectorError: with the server's words.
        """
        for stream in self._whole:
            yield from (
                Batch(stream, rows) for rows in select_rows(self._session, stream, self._tables.get(stream.key))
            )
        if self._incremental:
            yield from self._incremental.batches()

    def state(self) -> State:
        """Where the next sync goes on. Streams that this run did not read keep theirs."""
        if self._incremental is None:
            return self._held
        new = self._incremental.state()
        whole = {stream.key for stream in self._whole}
        kept: dict[StreamKey, Json] = {k: v for k, v in self._held.streams.items() if k not in whole}
        return State(new.shared if new.shared is not None else self._held.shared, kept | new.streams)

    def acknowledge(self) -> None:
        """Let the server drop the log that was read."""
        if isinstance(self._incremental, WalReader):
            self._incremental.acknowledge()

    def close(self) -> None:
        """Close the session."""
        self._resources.close()
