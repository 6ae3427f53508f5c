"""Reading the rows of a table in the text form that the write-ahead log has too."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from sandbox.airbyte.connectors.base import ConfiguredStream, Record
from sandbox.airbyte.connectors.postgres import types
from sandbox.airbyte.connectors.postgres.session import Session, explained
from sandbox.airbyte.connectors.postgres.tables import CDC_COLUMNS, Table

BATCH = 1000


def plain_columns(stream: ConfiguredStream, table: Table | None) -> list[str]:
    """The selected columns that the table has; all selected ones when nothing is known of the table."""
    wanted = [column for column in stream.columns if column not in CDC_COLUMNS]
    return [column for column in wanted if table is None or column in table.columns]


def select_rows(
    session: Session, stream: ConfiguredStream, table: Table | None, condition: sql.Composable | None = None
) -> Iterator[list[Record]]:
    """The rows of a stream, in portions; within the transaction that the session is in, or one of its own.

    Args:
        condition: What follows the table in the query (``WHERE … ORDER BY …``).

    Raises:
        ConnectorError: the table is gone or may not be read, in the server's words.
    """
    columns = plain_columns(stream, table)
    query = sql.SQL("DECLARE airbyte_rows NO SCROLL CURSOR FOR SELECT {} FROM {} {}").format(
        sql.SQL(", ").join(sql.Identifier(column) for column in columns),
        sql.Identifier(*(part for part in stream.key if part)),
        condition or sql.SQL(""),
    )
    names = [table.columns[column] if table else "text" for column in columns]
    with explained(f"Reading the table {stream.namespace}.{stream.name}"), session.transaction():
        session.execute(query)
        while rows := _fetch(session, columns, names):
            yield rows
        session.execute("CLOSE airbyte_rows")


def _fetch(session: Session, columns: list[str], type_names: list[str]) -> list[Record]:
    with session.cursor() as cursor:
        cursor.execute(sql.SQL("FETCH {} FROM airbyte_rows").format(sql.Literal(BATCH)))
        result = cursor.pgresult
        if result is None:
            return []
        records = []
        for row in range(result.ntuples):
            raw = [result.get_value(row, position) for position in range(len(columns))]
            texts = [None if item is None else bytes(item).decode() for item in raw]
            values = [types.value(name, text) for name, text in zip(type_names, texts, strict=True)]
            records.append(dict(zip(columns, values, strict=True)))
        return records
