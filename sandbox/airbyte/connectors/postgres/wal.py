"""The method CDC: a consistent snapshot of each new stream, then changes from the write-ahead log.

Nothing is lost or read twice between a snapshot and the slot's position: a snapshot says which transactions it has
seen, and those are left out of the log, by their ids, however the commit and the snapshot interleave. Changes are
peeked at first; the slot moves only in ``acknowledge``, when the destination has loaded them and the state is stored.
Truncations are not replicated, as in Airbyte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString

from psycopg import sql

from sandbox.airbyte.connectors.base import (
    Batch,
    ConfiguredStream,
    ConnectorError,
    Json,
    Record,
    RefusalError,
    State,
    StreamKey,
)
from sandbox.airbyte.connectors.postgres import pgoutput, types
from sandbox.airbyte.connectors.postgres.config import Replication
from sandbox.airbyte.connectors.postgres.rows import BATCH, plain_columns, select_rows
from sandbox.airbyte.connectors.postgres.session import Session, explained
from sandbox.airbyte.connectors.postgres.tables import DELETED_AT, LSN, UPDATED_AT, Table, published

_XID_SPACE = 1 << 32


@dataclass(frozen=True)
class Snapshot:
    """Which transactions a snapshot has seen.

    Attributes:
        until: A log position after all their commits; once the slot is past it the snapshot need not be remembered.
    """

    text: str
    until: int

    def has_seen(self, xid: int) -> bool:
        """Whether the transaction of a 32-bit id is in the snapshot."""
        _, xmax_text, running = self.text.split(":")
        xmax = int(xmax_text)
        full = xmax - xmax % _XID_SPACE + xid
        if full > xmax + _XID_SPACE // 2:
            full -= _XID_SPACE
        elif full < xmax - _XID_SPACE // 2:
            full += _XID_SPACE
        return full < xmax and full not in {int(item) for item in running.split(",") if item}


class WalReader:
    """Reads streams from a replication slot.

    Raises:
        ConnectorError: at construction when the slot is gone, or has moved past the saved position.
    """

    def __init__(
        self,
        session: Session,
        method: Replication,
        known: dict[StreamKey, Table],
        streams: list[ConfiguredStream],
        state: State,
    ) -> None:
        self._session = session
        self._slot = str(method.slot)
        self._publication = str(method.publication)
        self._tables = known
        self._streams = {stream.key: stream for stream in streams}
        self._snapshots = {key: _remembered(value) for key, value in state.streams.items() if key in self._streams}
        self._position = int((state.shared or {}).get("lsn", 0))
        self._confirmed = self._slot_position()
        if self._snapshots and self._position < self._confirmed:
            self._lost(resync=method.resync_when_lost)
        outside = self._streams.keys() - published(session, self._publication)
        if outside:
            names = ", ".join(sorted(name for _, name in outside))
            raise RefusalError(f'The publication "{self._publication}" does not contain: {names}.')

    def _slot_position(self) -> int:
        """The confirmed position; for a missing slot PostgreSQL's own complaint."""
        query = "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE slot_name = %s"
        with explained("Reading the replication slot"):
            row = self._session.execute(query, (self._slot,)).fetchone()
            if row is None:
                self._session.execute("SELECT pg_logical_slot_peek_binary_changes(%s, NULL, 1)", (self._slot,))
        return int(row[0]) if row and row[0] is not None else 0

    def _lost(self, *, resync: bool) -> None:
        if not resync:
            raise RefusalError(
                f"The saved position {_lsn_text(self._position)} lies before the position of the replication slot "
                f'"{self._slot}" ({_lsn_text(self._confirmed)}): changes in between are lost. Refresh the connection.'
            )
        self._snapshots = {}

    def batches(self) -> Iterator[Batch]:
        """Snapshots of the streams that have no state, then the changes of all.

        Raises:
            ConnectorError: with the server's words.
        """
        fresh = [stream for key, stream in self._streams.items() if key not in self._snapshots]
        if fresh:
            yield from self._snapshot(fresh)
        end = int(self._one("SELECT pg_current_wal_flush_lsn() - '0/0'"))
        yield from _grouped(self._changes(end))
        self._position = end
        self._snapshots = {
            key: None if snapshot and snapshot.until <= end else snapshot for key, snapshot in self._snapshots.items()
        }

    def _snapshot(self, streams: list[ConfiguredStream]) -> Iterator[Batch]:
        with self._session.transaction():
            self._session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            text = self._one("SELECT pg_current_snapshot()::text")
            snapshot = Snapshot(text, int(self._one("SELECT pg_current_wal_insert_lsn() - '0/0'")))
            moment = datetime.now(UTC)
            for stream in streams:
                for rows in select_rows(self._session, stream, self._tables.get(stream.key)):
                    yield Batch(stream, [_stamped(row, stream, snapshot.until, moment) for row in rows])
                self._snapshots[stream.key] = snapshot

    def _one(self, query: LiteralString) -> str:
        with explained("Reading the write-ahead log's position"):
            row = self._session.execute(query).fetchone()
        return str(row[0]) if row else ""

    def _changes(self, end: int) -> Iterator[tuple[ConfiguredStream, Record]]:
        """The changes of the transactions that are neither synced nor in a stream's snapshot."""
        query = (
            "SELECT lsn - '0/0', data FROM pg_logical_slot_peek_binary_changes"
            "(%s, %s::pg_lsn, NULL, 'proto_version', '1', 'publication_names', %s)"
        )
        publication = sql.Identifier(self._publication).as_string(self._session)
        decoder, begin = pgoutput.Decoder(), None
        with explained("Reading the replication slot", "system_error"), self._session.cursor(binary=True) as cursor:
            cursor.execute(query, (self._slot, _lsn_text(end), publication))
            for lsn, data in cursor:
                message = decoder.decode(bytes(data))
                if isinstance(message, pgoutput.Begin):
                    begin = message
                if isinstance(message, pgoutput.Change) and begin and begin.commit_lsn >= self._position:
                    yield from self._records(message, begin, int(lsn))

    def _records(
        self, change: pgoutput.Change, begin: pgoutput.Begin, lsn: int
    ) -> Iterator[tuple[ConfiguredStream, Record]]:
        key = (change.relation.schema, change.relation.name)
        stream, snapshot = self._streams.get(key), self._snapshots.get(key)
        if stream is None or (snapshot and snapshot.has_seen(begin.xid)):
            return
        table = self._tables.get(key)
        old, new = change.old, change.new
        if old and (new is None or any(old[c] != new[c] for c in change.relation.identity)):
            # A changed key is a deletion of the old row and an insertion of the new one.
            deleted = self._record(old, stream, table)
            yield stream, _stamped(deleted, stream, lsn, begin.committed_at, deleted=True)
        if new is not None:
            row = self._completed(new, old, stream, table)
            yield stream, _stamped(self._record(row, stream, table), stream, lsn, begin.committed_at)

    def _record(self, row: dict[str, pgoutput.Value], stream: ConfiguredStream, table: Table | None) -> Record:
        names = table.columns if table else {}
        wanted = set(plain_columns(stream, table))
        return {
            column: types.value(names.get(column, "text"), text if isinstance(text, str) else None)
            for column, text in row.items()
            if column in wanted
        }

    def _completed(
        self,
        new: dict[str, pgoutput.Value],
        old: dict[str, pgoutput.Value] | None,
        stream: ConfiguredStream,
        table: Table | None,
    ) -> dict[str, pgoutput.Value]:
        """The new row with the large values that the log leaves out, from the old row or the table as it is now.

        The table may be ahead of the log; then a later change brings the same value again. A row that is gone by now
        leaves null, and its deletion follows.
        """
        missing = [column for column, value in new.items() if value is pgoutput.Unchanged.TOAST]
        if not missing:
            return new
        if old and all(isinstance(old.get(column), str) for column in missing):
            return new | {column: old[column] for column in missing}
        keys = table.primary_key if table else []
        if not keys:
            raise ConnectorError(f"{stream.name} has large values and no primary key to read them by", "config_error")
        query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            sql.SQL(", ").join(sql.SQL("format('%s', {})").format(sql.Identifier(column)) for column in missing),
            sql.Identifier(*(part for part in stream.key if part)),
            sql.SQL(" AND ").join(
                sql.SQL("{} = {}").format(sql.Identifier(key), sql.Literal(new[key])) for key in keys
            ),
        )
        row = self._session.execute(query).fetchone()
        values = row or (None,) * len(missing)
        return new | dict(zip(missing, values, strict=True))

    def state(self) -> State:
        """The log position, and per stream the snapshot as long as it matters."""
        streams = {key: {} if item is None else vars(item) for key, item in self._snapshots.items()}
        return State({"lsn": self._position, "slot": self._slot}, streams)

    def acknowledge(self) -> None:
        """Move the slot to the position that is loaded and stored."""
        if self._position <= self._confirmed:
            return
        query = "SELECT end_lsn - '0/0' FROM pg_replication_slot_advance(%s, %s::pg_lsn)"
        with explained("Advancing the replication slot", "system_error"):
            row = self._session.execute(query, (self._slot, _lsn_text(self._position))).fetchone()
        # The server may step over the end of a record that straddles the position.
        self._position = max(self._position, int(row[0]) if row else 0)


def _remembered(state: Json) -> Snapshot | None:
    return Snapshot(state["text"], state["until"]) if state else None


def _lsn_text(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def _stamped(row: Record, stream: ConfiguredStream, lsn: int, moment: datetime, *, deleted: bool = False) -> Record:
    """A record with the selected ``_ab_cdc_*`` columns."""
    at = moment.isoformat().replace("+00:00", "Z")
    stamps = {LSN: lsn, UPDATED_AT: at, DELETED_AT: at if deleted else None}
    # The deletion mark goes along even when its column is not selected: the destination acts on it.
    return row | {name: value for name, value in stamps.items() if name in stream.columns or deleted}


def _grouped(changes: Iterator[tuple[ConfiguredStream, Record]]) -> Iterator[Batch]:
    """Changes in batches of one stream each, in the order of the log."""
    batch: Batch | None = None
    for stream, record in changes:
        if batch and (batch.stream.key != stream.key or len(batch.records) >= BATCH):
            yield batch
            batch = None
        batch = batch or Batch(stream, [])
        batch.records.append(record)
    if batch:
        yield batch
