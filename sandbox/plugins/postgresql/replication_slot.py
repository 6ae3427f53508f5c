"""Replication slots: https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-REPLICATION."""

from __future__ import annotations

from sandbox.plugins.postgresql.schema import database_and_name
from sandbox.plugins.postgresql.session import PostgresSession, one
from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.values import Properties


class ReplicationSlot(Resource[PostgresSession]):
    """A logical slot; its id is ``database.name``. A slot has nothing to alter: every change replaces it."""

    token = "postgresql:index/replicationSlot:ReplicationSlot"  # noqa: S105 - a type token
    noun = "PostgreSQL replication slot"
    fields = (
        Field(name="name", required=True, replace=True),
        Field(name="database", server_set=True, replace=True),
        Field(name="plugin", required=True, replace=True),
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
        """Reserve it, from now on."""
        with session.write(inputs["database"]) as connection:
            one(
                connection,
                "SELECT FROM pg_create_logical_replication_slot(%s, %s)",
                *(inputs["name"], inputs["plugin"]),
            )

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """Slots of all databases are listed in each."""
        query = "SELECT plugin::text FROM pg_replication_slots WHERE slot_name = %s AND database = %s"
        with session.read() as connection:
            row = one(connection, query, state["name"], state["database"])
        return row and {"name": state["name"], "database": state["database"], "plugin": row["plugin"]}

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """Drop it; the server refuses while somebody reads from it."""
        if self.read(session, state) is not None:
            with session.write(state["database"]) as connection:
                one(connection, "SELECT pg_drop_replication_slot(%s)", state["name"])


class PhysicalReplicationSlot(Resource[PostgresSession]):
    """A physical slot; its id is its name."""

    token = "postgresql:index/physicalReplicationSlot:PhysicalReplicationSlot"  # noqa: S105 - a type token
    noun = "PostgreSQL physical replication slot"
    fields = (Field(name="name", required=True, replace=True),)

    def identity(self, properties: Properties) -> str:
        """The slot's name."""
        return str(properties["name"])

    def locate(self, identifier: str) -> Properties:
        """An id is the name."""
        return {"name": identifier}

    def create(self, session: PostgresSession, inputs: Properties) -> None:
        """Make it; it keeps nothing until a standby connects."""
        with session.write() as connection:
            one(connection, "SELECT FROM pg_create_physical_replication_slot(%s)", inputs["name"])

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """Its name is all there is."""
        query = (
            "SELECT slot_name::text AS name FROM pg_replication_slots WHERE slot_name = %s AND slot_type = 'physical'"
        )
        with session.read() as connection:
            return one(connection, query, state["name"])

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """Drop it; the server refuses while a standby reads from it."""
        if self.read(session, state) is not None:
            with session.write() as connection:
                one(connection, "SELECT pg_drop_replication_slot(%s)", state["name"])
