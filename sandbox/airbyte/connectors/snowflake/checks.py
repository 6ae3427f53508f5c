"""Whether the destination can work: the steps that a load takes, with one row."""

from __future__ import annotations

import secrets

from sandbox.airbyte.connectors.base import Json, RefusalError
from sandbox.airbyte.connectors.snowflake.names import Target, identifier, quoted
from sandbox.airbyte.connectors.snowflake.session import Session, execute


def check(session: Session, config: Json) -> None:
    """Make the schema if it is missing, then make, fill, count and drop a table in it.

    Raises:
        RefusalError: with Snowflake's own words.
    """
    test = f"_AIRBYTE_CONNECTION_TEST_{secrets.token_hex(8)}".upper()
    table = Target(identifier(config["database"]), identifier(config["schema"]), test)
    ensure_schema(session, table.database, table.schema)
    execute(session, f'CREATE OR REPLACE TABLE {table.sql} ("ID" NUMBER(38, 0), "NAME" VARCHAR)')
    try:
        # S608: identifiers are quoted
        execute(session, f"INSERT INTO {table.sql} VALUES (?, ?)", (1, "check"))  # noqa: S608
        count = execute(session, f"SELECT COUNT(*) FROM {table.sql}")[0][0]  # noqa: S608
    finally:
        execute(session, f"DROP TABLE IF EXISTS {table.sql}")
    if int(count) != 1:
        raise RefusalError(f"The table {table.sql} has {count} rows after one was inserted.")


def ensure_schema(session: Session, database: str, schema: str) -> None:
    """Create a schema, but only if it is missing: an existing one needs no right to create.

    Raises:
        RefusalError: with Snowflake's own words.
    """
    query = f"SELECT COUNT(*) FROM {quoted(database)}.INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = ?"  # noqa: S608
    if not int(execute(session, query, (schema,))[0][0]):
        execute(session, f"CREATE SCHEMA IF NOT EXISTS {quoted(database)}.{quoted(schema)}")
