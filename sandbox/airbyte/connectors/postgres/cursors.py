"""The method Standard: rows whose cursor column is beyond the last value seen. Deletions are not noticed."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from sandbox.airbyte.connectors.base import Batch, ConfiguredStream, Json, RefusalError, State, StreamKey
from sandbox.airbyte.connectors.postgres import types
from sandbox.airbyte.connectors.postgres.rows import select_rows
from sandbox.airbyte.connectors.postgres.session import Session
from sandbox.airbyte.connectors.postgres.tables import Table


class CursorReader:
    """Reads streams by a cursor of the user's choice."""

    def __init__(
        self, session: Session, known: dict[StreamKey, Table], streams: list[ConfiguredStream], state: State
    ) -> None:
        self._session = session
        self._tables = known
        self._streams = streams
        self._state: dict[StreamKey, Json] = dict(state.streams)

    def batches(self) -> Iterator[Batch]:
        """The rows beyond the saved cursors.

        Raises:
            RefusalError: a stream without cursor.
            ConnectorError: with the server's words.
        """
        for stream in self._streams:
            if not stream.cursor:
                raise RefusalError(f"The stream {stream.name} is incremental but has no cursor field.")
            yield from self._rows(stream, stream.cursor[0])

    def _rows(self, stream: ConfiguredStream, cursor: str) -> Iterator[Batch]:
        held = self._state.get(stream.key, {})
        last = held.get("cursor") if held.get("cursor_field") == [cursor] else None
        column = sql.Identifier(cursor)
        condition = sql.SQL("ORDER BY {}").format(column)
        if last is not None:
            condition = sql.SQL("WHERE {} > {} ORDER BY {}").format(column, sql.Literal(last), column)
        for records in select_rows(self._session, stream, self._tables.get(stream.key), condition):
            seen = [record[cursor] for record in records if record.get(cursor) is not None]
            last = types.cursor_literal(seen[-1]) if seen else last
            yield Batch(stream, records)
        self._state[stream.key] = {"cursor_field": [cursor], "cursor": last}

    def state(self) -> State:
        """The last cursor value of each stream."""
        return State(streams=self._state)
