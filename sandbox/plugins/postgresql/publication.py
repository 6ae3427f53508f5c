"""Publications: https://www.postgresql.org/docs/current/sql-createpublication.html."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from psycopg import sql

from sandbox.plugins.postgresql.schema import database_and_name
from sandbox.plugins.postgresql.session import Connection, PostgresSession, every, one, qualified, run
from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.values import Properties, is_known

_OPERATIONS = ("insert", "update", "delete", "truncate")


def _with_schema(tables: list[str]) -> list[str]:
    return [table if "." in table else f"public.{table}" for table in tables]


class Publication(Resource[PostgresSession]):
    """A publication of one database; its id is ``database.name``."""

    token = "postgresql:index/publication:Publication"  # noqa: S105 - a type token
    noun = "PostgreSQL publication"
    fields = (
        Field(name="name", required=True),
        Field(name="database", server_set=True, replace=True),
        Field(name="owner", server_set=True),
        Field(name="tables", type="strings", server_set=True, unordered=True, canonical=_with_schema),
        Field(name="allTables", type="boolean", server_set=True, default=False, replace=True),
        Field(name="publishParams", type="strings", server_set=True, unordered=True),
        Field(name="publishViaPartitionRootParam", type="boolean", default=False),
        Field(name="dropCascade", type="boolean", default=False, readable=False),
    )

    def complaints(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Tables or all of them, and known operations."""
        if inputs.get("allTables") is True and inputs.get("tables"):
            yield "tables", "can't be given along with allTables"
        operations = inputs.get("publishParams", [])
        if is_known(operations):
            for unknown in sorted(set(operations) - set(_OPERATIONS)):
                yield "publishParams", f"{unknown!r} is none of {', '.join(_OPERATIONS)}"

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
        """CREATE PUBLICATION."""
        target: sql.Composable = sql.SQL("FOR ALL TABLES") if inputs.get("allTables") else sql.SQL("")
        if inputs.get("tables"):
            target = sql.SQL("FOR TABLE {}").format(_tables(inputs["tables"]))
        with session.write(inputs["database"]) as connection:
            run(connection, "CREATE PUBLICATION {} {}", inputs["name"], target)
            options = [name for name in ("publishParams", "publishViaPartitionRootParam") if name in inputs]
            _set(connection, inputs, options)
            if inputs.get("owner"):
                run(connection, "ALTER PUBLICATION {} OWNER TO {}", inputs["name"], inputs["owner"])

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """Gone when the database is."""
        if not session.has_database(state["database"]):
            return None
        query = (
            "SELECT oid, pg_get_userbyid(pubowner)::text AS owner, puballtables, pubviaroot,"
            " pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_publication WHERE pubname = %s"
        )
        with session.read(state["database"]) as connection:
            row = one(connection, query, state["name"])
            if row is None:
                return None
            # pg_publication_tables lists the partitions in place of the declared table; the members are here.
            members = (
                "SELECT schemaname || '.' || tablename AS name FROM pg_publication_tables WHERE pubname = %s"
                if row["puballtables"]
                else "SELECT relnamespace::regnamespace::text || '.' || relname AS name"
                " FROM pg_publication_rel AS m JOIN pg_class AS c ON c.oid = m.prrelid"
                " WHERE m.prpubid = (SELECT oid FROM pg_publication WHERE pubname = %s)"
            )
            tables = sorted(table["name"] for table in every(connection, members, state["name"]))
        return {
            "name": state["name"],
            "database": state["database"],
            "owner": row["owner"],
            "tables": tables,
            "allTables": row["puballtables"],
            "publishParams": [operation for operation in _OPERATIONS if row[f"pub{operation}"]],
            "publishViaPartitionRootParam": row["pubviaroot"],
        }

    def update(self, session: PostgresSession, state: Properties, inputs: Properties, changed: Collection[str]) -> None:
        """ALTER PUBLICATION for what changed, in one transaction: readers never see half of it."""
        with session.write(state["database"]) as connection:
            if "name" in changed:
                run(connection, "ALTER PUBLICATION {} RENAME TO {}", state["name"], inputs["name"])
            if "owner" in changed:
                run(connection, "ALTER PUBLICATION {} OWNER TO {}", inputs["name"], inputs["owner"])
            if "tables" in changed:
                current, wanted = _with_schema(state.get("tables") or []), _with_schema(inputs["tables"])
                if wanted:
                    run(connection, "ALTER PUBLICATION {} SET TABLE {}", inputs["name"], _tables(wanted))
                elif current:
                    run(connection, "ALTER PUBLICATION {} DROP TABLE {}", inputs["name"], _tables(current))
            _set(connection, inputs, changed)

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """DROP PUBLICATION; fine when the database is gone."""
        if session.has_database(state["database"]):
            with session.write(state["database"]) as connection:
                mode = "CASCADE" if state.get("dropCascade") else "RESTRICT"
                run(connection, f"DROP PUBLICATION IF EXISTS {{}} {mode}", state["name"])


def _tables(names: Collection[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(qualified, sorted(names)))


def _set(connection: Connection, inputs: Properties, changed: Collection[str]) -> None:
    if "publishParams" in changed:
        operations = sql.Literal(", ".join(inputs["publishParams"]))
        run(connection, "ALTER PUBLICATION {} SET (publish = {})", inputs["name"], operations)
    if "publishViaPartitionRootParam" in changed:
        via_root = sql.SQL("true" if inputs.get("publishViaPartitionRootParam") else "false")
        run(connection, "ALTER PUBLICATION {} SET (publish_via_partition_root = {})", inputs["name"], via_root)
