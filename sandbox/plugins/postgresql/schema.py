"""Schemas: https://www.postgresql.org/docs/current/sql-createschema.html."""

from __future__ import annotations

from collections.abc import Collection

from sandbox.plugins.postgresql.session import PostgresSession, one, run
from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.values import Properties


class Schema(Resource[PostgresSession]):
    """A schema of one database; its id is ``database.name``."""

    token = "postgresql:index/schema:Schema"  # noqa: S105 - a type token
    noun = "PostgreSQL schema"
    fields = (
        Field(name="name", required=True),
        Field(name="database", server_set=True, replace=True),
        Field(name="owner", server_set=True),
        Field(name="ifNotExists", type="boolean", default=True, readable=False),
        Field(name="dropCascade", type="boolean", default=False, readable=False),
    )

    def complete(self, session: PostgresSession, inputs: Properties) -> Properties:
        """In the provider's own database when none is declared."""
        return {"database": session.database, **inputs}

    def identity(self, properties: Properties) -> str:
        """As the official provider forms it."""
        return f"{properties['database']}.{properties['name']}"

    def locate(self, identifier: str) -> Properties:
        """An id names both."""
        return database_and_name(identifier)

    def create(self, session: PostgresSession, inputs: Properties) -> None:
        """CREATE SCHEMA, or take the one there is when `ifNotExists` allows it."""
        with session.write(inputs["database"]) as connection:
            missing = "IF NOT EXISTS " if inputs.get("ifNotExists", True) else ""
            run(connection, f"CREATE SCHEMA {missing}{{}}", inputs["name"])
            if inputs.get("owner"):
                run(connection, "ALTER SCHEMA {} OWNER TO {}", inputs["name"], inputs["owner"])

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """Gone when the database is."""
        database = state["database"]
        if not session.has_database(database):
            return None
        query = "SELECT pg_get_userbyid(nspowner)::text AS owner FROM pg_namespace WHERE nspname = %s"
        with session.read(database) as connection:
            row = one(connection, query, state["name"])
        return row and {"name": state["name"], "database": database, "owner": row["owner"]}

    def update(self, session: PostgresSession, state: Properties, inputs: Properties, changed: Collection[str]) -> None:
        """RENAME and OWNER TO."""
        with session.write(state["database"]) as connection:
            if "name" in changed:
                run(connection, "ALTER SCHEMA {} RENAME TO {}", state["name"], inputs["name"])
            if "owner" in changed:
                run(connection, "ALTER SCHEMA {} OWNER TO {}", inputs["name"], inputs["owner"])

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """DROP SCHEMA, with what it holds only when `dropCascade` says so."""
        if session.has_database(state["database"]):
            with session.write(state["database"]) as connection:
                mode = "CASCADE" if state.get("dropCascade") else "RESTRICT"
                run(connection, f"DROP SCHEMA IF EXISTS {{}} {mode}", state["name"])


def database_and_name(identifier: str) -> Properties:
    """The two parts of an id of the form ``database.name``."""
    database, dot, name = identifier.partition(".")
    if not (database and dot and name):
        raise ValueError("the form is DATABASE.NAME")
    return {"database": database, "name": name}
