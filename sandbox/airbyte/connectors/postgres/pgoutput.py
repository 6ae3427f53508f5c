"""Decoding of the logical replication messages of the plugin ``pgoutput``, protocol version 1.

See https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Unchanged(Enum):
    """The value of a large column that an update did not touch, and that is therefore not in the log."""

    TOAST = "unchanged"


Value = str | None | Unchanged


@dataclass(frozen=True)
class Relation:
    """A table as of the change: the columns in order, and which are its replica identity."""

    id: int
    schema: str
    name: str
    columns: tuple[str, ...]
    identity: tuple[str, ...]


@dataclass(frozen=True)
class Begin:
    """The start of a transaction: the log position of its commit, when, and its (32 bit) id."""

    commit_lsn: int
    committed_at: datetime
    xid: int


@dataclass(frozen=True)
class Commit:
    """The end of a transaction."""

    end_lsn: int


@dataclass(frozen=True)
class Change:
    """A changed row.

    Attributes:
        kind: ``insert``, ``update`` or ``delete``.
        old: The old row as far as it is logged: the identity's columns, or all; None for most updates.
        new: The new row; None for deletes.
    """

    kind: str
    relation: Relation
    old: dict[str, Value] | None
    new: dict[str, Value] | None


@dataclass(frozen=True)
class Truncate:
    """Emptied tables."""

    relations: tuple[Relation, ...]


Message = Begin | Commit | Change | Truncate


class Decoder:
    """Turns messages into objects; remembers the relations, which come before their first change."""

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}

    def decode(self, data: bytes) -> Message | None:
        """One message; None for those that carry no change (relations, types, origins, logical messages)."""
        cursor = _Cursor(data)
        match cursor.letter():
            case "B":
                return Begin(cursor.int64(), _POSTGRES_EPOCH + timedelta(microseconds=cursor.int64()), cursor.int32())
            case "C":
                cursor.skip(1 + 8)
                return Commit(cursor.int64())
            case "R":
                relation = _relation(cursor)
                self._relations[relation.id] = relation
                return None
            case "I":
                relation = self._relations[cursor.int32()]
                cursor.skip(1)
                return Change("insert", relation, None, _row(cursor, relation))
            case "U":
                return self._update(cursor)
            case "D":
                relation = self._relations[cursor.int32()]
                return Change("delete", relation, self._old(cursor, relation, cursor.letter()), None)
            case "T":
                count = cursor.int32()
                cursor.skip(1)
                return Truncate(tuple(self._relations[cursor.int32()] for _ in range(count)))
            case _:
                return None

    def _update(self, cursor: _Cursor) -> Change:
        relation = self._relations[cursor.int32()]
        mark, old = cursor.letter(), None
        if mark in ("K", "O"):
            old = self._old(cursor, relation, mark)
            cursor.skip(1)
        return Change("update", relation, old, _row(cursor, relation))

    @staticmethod
    def _old(cursor: _Cursor, relation: Relation, mark: str) -> dict[str, Value]:
        row = _row(cursor, relation)
        if mark == "K":  # the other columns are sent as null, which they are not
            return {name: row[name] for name in relation.identity}
        return row


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, count: int) -> bytes:
        start, self._position = self._position, self._position + count
        return self._data[start : self._position]

    def skip(self, count: int) -> None:
        self._position += count

    def letter(self) -> str:
        return chr(self.take(1)[0])

    def int8(self) -> int:
        return self.take(1)[0]

    def int16(self) -> int:
        return int(struct.unpack("!H", self.take(2))[0])

    def int32(self) -> int:
        return int(struct.unpack("!I", self.take(4))[0])

    def int64(self) -> int:
        return int(struct.unpack("!q", self.take(8))[0])

    def string(self) -> str:
        end = self._data.index(0, self._position)
        text = self._data[self._position : end].decode()
        self._position = end + 1
        return text


def _relation(cursor: _Cursor) -> Relation:
    number, schema, name = cursor.int32(), cursor.string(), cursor.string()
    cursor.skip(1)
    columns, identity = [], []
    for _ in range(cursor.int16()):
        is_identity = cursor.int8() & 1
        column = cursor.string()
        cursor.skip(4 + 4)
        columns.append(column)
        if is_identity:
            identity.append(column)
    return Relation(number, schema or "pg_catalog", name, tuple(columns), tuple(identity))


def _row(cursor: _Cursor, relation: Relation) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for position in range(cursor.int16()):
        column = relation.columns[position]
        match cursor.letter():
            case "t":
                row[column] = cursor.take(cursor.int32()).decode()
            case "u":
                row[column] = Unchanged.TOAST
            case _:
                row[column] = None
    return row
