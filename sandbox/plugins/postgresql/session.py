"""How the kinds of resource reach PostgreSQL, and how its errors become what a user reads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row

from sandbox.plugins.resource import PluginError
from sandbox.plugins.values import Properties

Row: TypeAlias = dict[str, Any]
Connection: TypeAlias = "psycopg.Connection[Row]"

# What to do about an error, by SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_ADVICE: Mapping[type[psycopg.Error], str] = {
    errors.DuplicateObject: "Import it, or drop it first",
    errors.DuplicateDatabase: "Import it, or drop it first",
    errors.DuplicateSchema: "Import it, or drop it first",
    errors.InsufficientPrivilege: "Connect as a superuser, or as the owner with the right to do this",
    errors.ObjectInUse: "Stop what uses it, then run the update again",
    errors.DependentObjectsStillExist: "Remove what depends on it first, or let it be dropped along with it",
    errors.ObjectNotInPrerequisiteState: "The server needs wal_level = logical for logical replication",
    errors.ConfigurationLimitExceeded: "Drop a replication slot that is not used, or raise max_replication_slots",
}


class PostgresSession:
    """Connections to one server. Each operation takes its own, which is cheap on loopback and never goes stale."""

    def __init__(self, configuration: Properties) -> None:
        self.database: str = configuration["database"]
        self._parameters = {
            "host": configuration["host"],
            "port": configuration["port"],
            "user": configuration["username"],
            "password": configuration["password"],
            "sslmode": configuration["sslmode"],
            "sslrootcert": configuration["sslrootcert"],
            "connect_timeout": configuration["connectTimeout"],
            "application_name": "pulumi",
        }
        # Two GRANTs on one object at a time fail with "tuple concurrently updated".
        self._writing = threading.Lock()

    @contextmanager
    def read(self, database: str | None = None) -> Iterator[Connection]:
        """A connection to `database` (else the configured one) for reading."""
        with self._translated(), self._connect(database) as connection:
            yield connection

    @contextmanager
    def write(self, database: str | None = None) -> Iterator[Connection]:
        """A transaction in `database` that commits when the block ends well; one at a time."""
        with self._writing, self._translated(), self._connect(database) as connection:
            yield connection

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """A connection for what can't run in a transaction, such as CREATE DATABASE; one at a time."""
        with self._writing, self._translated(), self._connect(None) as connection:
            connection.autocommit = True
            yield connection

    def has_database(self, name: str) -> bool:
        """Whether there is a database of that name to connect to."""
        if name == self.database:
            return True
        with self.read() as connection:
            return one(connection, "SELECT FROM pg_database WHERE datname = %s", name) is not None

    def _connect(self, database: str | None) -> Connection:
        return psycopg.connect(dbname=database or self.database, row_factory=dict_row, **self._parameters)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise PluginError(_explained(error)) from error


def one(connection: Connection, query: str | sql.Composed, *parameters: object) -> Row | None:
    """The first row of a query, or None."""
    return connection.execute(_query(query), parameters or None).fetchone()


def every(connection: Connection, query: str | sql.Composed, *parameters: object) -> list[Row]:
    """All rows of a query."""
    return connection.execute(_query(query), parameters or None).fetchall()


def run(connection: Connection, statement: str, *names: object, **parts: sql.Composable) -> None:
    """Run a statement with names and literals put into its braces, each quoted by psycopg.

    A plain string stands for an identifier; anything composed stands as it is.
    """
    positional = [name if isinstance(name, sql.Composable) else sql.Identifier(str(name)) for name in names]
    connection.execute(sql.SQL(statement).format(*positional, **parts))


def keywords(words: Sequence[str]) -> sql.Composable:
    """Words of SQL that were checked against a list before, such as privileges, separated by commas."""
    return sql.SQL(", ").join(sql.SQL(word) for word in words)


def identifiers(names: Sequence[str]) -> sql.Composable:
    """Quoted names, separated by commas."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


def qualified(name: str) -> sql.Identifier:
    """`schema.table` as a quoted name; without a dot the server's search path finds it."""
    return sql.Identifier(*name.split(".", 1))


def _query(query: str | sql.Composed) -> sql.Composed | sql.SQL:
    return query if isinstance(query, sql.Composed) else sql.SQL(query)


def _explained(error: psycopg.Error) -> str:
    """The server's own words without the statement, which may hold a password's hash, and what to do."""
    words = error.diag.message_primary
    if words is None:
        reason = " ".join(str(error).split()).rstrip("?.")
        return f"{reason}. Check host, port, username and password of the postgresql provider"
    detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
    hint = error.diag.message_hint or _ADVICE.get(type(error), "")
    return f"{words}{detail} [{error.sqlstate}]" + (f". {hint}" if hint else "")
