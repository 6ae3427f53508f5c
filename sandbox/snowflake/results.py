"""Results of account-level statements, in the JSON that drivers read."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | None
"""Text, a whole number, or seconds since the epoch (for timestamps)."""

TEXT = "text"
NUMBER = "fixed"
TIMESTAMP = "timestamp_ltz"

_MAX_TEXT = 16_777_216
SYSTEM_CONTROL = 0x4000
"""Statement type of what has a result and is no query; drivers take DML's (0x3000 and up) for row counts."""


@dataclass(frozen=True)
class Column:
    """A result's column; `type` is TEXT, NUMBER or TIMESTAMP."""

    name: str
    type: str = TEXT

    def as_json(self) -> dict[str, object]:
        """The column's entry in `rowtype`."""
        text = self.type == TEXT
        return {
            "name": self.name,
            "type": self.type,
            "nullable": True,
            "length": _MAX_TEXT if text else None,
            "byteLength": _MAX_TEXT if text else None,
            "precision": None if text else 38 if self.type == NUMBER else 0,
            "scale": None if text else 0 if self.type == NUMBER else 9,
            "database": "",
            "schema": "",
            "table": "",
            "collation": None,
        }


@dataclass(frozen=True)
class Table:
    """Columns and rows."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def as_json(self, statement_type: int = SYSTEM_CONTROL) -> dict[str, object]:
        """The `data` of a query response, context apart."""
        return {
            "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
            "rowtype": [column.as_json() for column in self.columns],
            "rowset": [[_text(cell) for cell in row] for row in self.rows],
            "total": len(self.rows),
            "returned": len(self.rows),
            "queryId": str(uuid.uuid4()),
            "queryResultFormat": "json",
            "statementTypeId": statement_type,
        }


def status(text: str = "Statement executed successfully.") -> Table:
    """The one-cell answer of DDL."""
    return Table([Column("status")], [[text]])


def _text(cell: Cell) -> str | None:
    if cell is None:
        return None
    return f"{cell:.9f}" if isinstance(cell, float) else str(cell)
