"""The statements that move staged rows into a final table."""

from __future__ import annotations

from sandbox.airbyte.connectors.snowflake.columns import EXTRACTED_AT, Column
from sandbox.airbyte.connectors.snowflake.names import Target, quoted

# S608 throughout: identifiers are quoted, there are no values.
# ruff: noqa: S608


def insert_statement(final: Target, staging: Target, columns: list[Column], order: str) -> str:
    """Append every staged row, in the order they came."""
    names = ", ".join(column.sql for column in columns)
    values = ", ".join(column.from_text for column in columns)
    return f"INSERT INTO {final.sql} ({names}) SELECT {values} FROM {staging.sql} ORDER BY {order}"


def merge_statement(
    final: Target, staging: Target, columns: list[Column], *, key: list[str], cursor: str | None, hard_delete: bool
) -> str:
    """Merge the newest staged row of each key, which is the one with the highest cursor, and of those the last.

    Args:
        key: The key's columns.
        cursor: A row that is older than the table's is left out.
        hard_delete: Deleted rows go; otherwise they stay and carry when they were deleted.
    """
    values = ", ".join(f"{column.from_text} AS {column.sql}" for column in columns)
    keys = ", ".join(quoted(name) for name in key)
    newest = ", ".join([*([f"{quoted(cursor)} DESC NULLS LAST"] if cursor else []), '"_AIRBYTE_SEQUENCE" DESC'])
    source = (
        f'SELECT * FROM (SELECT typed.*, ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY {newest}) AS "_AIRBYTE_RANK" '
        f'FROM (SELECT {values}, "_AIRBYTE_SEQUENCE", "_AIRBYTE_DELETED" FROM {staging.sql}) AS typed) AS ranked '
        f'WHERE "_AIRBYTE_RANK" = 1'
    )
    same = " AND ".join(f"final.{quoted(name)} = staged.{quoted(name)}" for name in key)
    newer = _newer(cursor)
    update = ", ".join(f"{column.sql} = staged.{column.sql}" for column in columns)
    names = ", ".join(column.sql for column in columns)
    inserted = ", ".join(f"staged.{column.sql}" for column in columns)
    deletes = f'WHEN MATCHED AND staged."_AIRBYTE_DELETED" AND {newer} THEN DELETE ' if hard_delete else ""
    insert_if = ' AND NOT staged."_AIRBYTE_DELETED"' if hard_delete else ""
    return (
        f"MERGE INTO {final.sql} AS final USING ({source}) AS staged ON {same} {deletes}"
        f"WHEN MATCHED AND {newer} THEN UPDATE SET {update} "
        f"WHEN NOT MATCHED{insert_if} THEN INSERT ({names}) VALUES ({inserted})"
    )


def _newer(cursor: str | None) -> str:
    """Whether the staged row is not older than the table's."""
    name = quoted(cursor or EXTRACTED_AT)
    return f"(final.{name} IS NULL OR staged.{name} IS NULL OR staged.{name} >= final.{name})"
