"""What must be true before a sync can work; each failure in the connector's words with the server's behind them."""

from __future__ import annotations

import psycopg
from psycopg import sql

from sandbox.airbyte.connectors.base import RefusalError
from sandbox.airbyte.connectors.postgres import tables
from sandbox.airbyte.connectors.postgres.config import Replication
from sandbox.airbyte.connectors.postgres.session import Session, explained, server_words

_TABLES_OF_SCHEMAS = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY (%s) ORDER BY 1, 2
"""


def check(session: Session, database: str, schemas: list[str], replication: Replication) -> None:
    """Check rights and, for CDC, the server's replication set-up.

    Raises:
        ConnectorError: the first thing that is not as it must be.
    """
    if replication.is_cdc:
        _check_wal_level(session)
        _check_role(session)
        _check_slot(session, str(replication.slot), database)
        _check_publication(session, str(replication.publication))
    _check_tables(session, schemas, replication)


def _check_wal_level(session: Session) -> None:
    level = _one(session, "SHOW wal_level")
    if level != "logical":
        raise RefusalError(f"CDC needs the server setting wal_level = logical; this server has wal_level = {level}.")


def _check_role(session: Session) -> None:
    row = session.execute(
        "SELECT rolname, rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row and not row[1]:
        raise RefusalError(
            f"CDC needs a user with the REPLICATION attribute; '{row[0]}' has not got it. "
            f'Run: ALTER USER "{row[0]}" REPLICATION'
        )


def _check_slot(session: Session, slot: str, database: str) -> None:
    row = session.execute(
        "SELECT plugin, database, wal_status FROM pg_replication_slots WHERE slot_name = %s", (slot,)
    ).fetchone()
    if row is None:
        raise RefusalError(
            f'Expected exactly one replication slot but found 0: replication slot "{slot}" does not exist. '
            f"Create it with pg_create_logical_replication_slot('{slot}', 'pgoutput')."
        )
    plugin, its_database, status = row
    if plugin != "pgoutput":
        has = f"it has {plugin}" if plugin else "it is a physical one"
        raise RefusalError(f'The replication slot "{slot}" is not a logical slot of the plugin pgoutput: {has}.')
    if its_database != database:
        raise RefusalError(
            f'The replication slot "{slot}" belongs to the database "{its_database}", not to "{database}".'
        )
    if status == "lost":
        raise RefusalError(f'The replication slot "{slot}" has lost its write-ahead log and must be made anew.')


def _check_publication(session: Session, publication: str) -> None:
    if _one(session, "SELECT count(*) FROM pg_publication WHERE pubname = %s", publication) == 0:
        raise RefusalError(f'Expected exactly one publication but found 0: publication "{publication}" does not exist.')


def _check_tables(session: Session, schemas: list[str], replication: Replication) -> None:
    """At least one table can be read and, with CDC, every published table of the schemas can."""
    if replication.publication:
        published = tables.published(session, replication.publication)
        wanted = sorted(str_key(key) for key in published if not schemas or key[0] in schemas)
        if not wanted:
            names = ", ".join(schemas) or "any schema"
            raise RefusalError(f'The publication "{replication.publication}" has no table of {names}.')
    elif schemas:
        with explained("Reading the catalog of the database"):
            wanted = [(schema, name) for schema, name in session.execute(_TABLES_OF_SCHEMAS, (schemas,))]
    else:
        wanted = []
    can_read = tables.readable(session, schemas)
    denied = [key for key in wanted if key not in can_read]
    if denied and (replication.is_cdc or not can_read):
        raise RefusalError(_why_denied(session, *denied[0]))
    if not can_read:
        raise RefusalError(f"No table to read in the schemas {', '.join(schemas) or '(all)'}.")


def str_key(key: tuple[str | None, str]) -> tuple[str, str]:
    """A table's key with its schema as a plain text."""
    return key[0] or "", key[1]


def _why_denied(session: Session, schema: str, name: str) -> str:
    """The server's own words on why a table cannot be read."""
    try:
        session.execute(sql.SQL("SELECT 1 FROM {} LIMIT 0").format(sql.Identifier(schema, name)))
    except psycopg.Error as error:
        return f"The user cannot read the table {schema}.{name}: {server_words(error)}"
    return f"The user cannot read the table {schema}.{name}."


def _one(session: Session, query: str, *parameters: object) -> object:
    with explained("Reading the server's settings"):
        row = session.execute(sql.SQL(query), parameters or None).fetchone()
    return row[0] if row else None
