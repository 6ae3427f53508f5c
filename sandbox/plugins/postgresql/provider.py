"""The provider's configuration, with the defaults and variables of the official one, and the kinds it covers."""

from __future__ import annotations

from sandbox.plugins.postgresql.database import Database
from sandbox.plugins.postgresql.default_privileges import DefaultPrivileges
from sandbox.plugins.postgresql.grant import Grant
from sandbox.plugins.postgresql.grant_role import GrantRole
from sandbox.plugins.postgresql.publication import Publication
from sandbox.plugins.postgresql.replication_slot import PhysicalReplicationSlot, ReplicationSlot
from sandbox.plugins.postgresql.role import Role
from sandbox.plugins.postgresql.schema import Schema
from sandbox.plugins.postgresql.session import PostgresSession
from sandbox.plugins.provider import Provider
from sandbox.plugins.resource import Field
from sandbox.plugins.values import Properties


class PostgreSQL(Provider[PostgresSession]):
    """Stands in for pulumi-postgresql (Terraform's cyrilgdn/postgresql) of this version."""

    package = "postgresql"
    version = "3.18.2"
    config = (
        Field(name="host", default="localhost"),
        Field(name="port", type="integer", default=5432),
        Field(name="database", default="postgres"),
        Field(name="username", default="postgres"),
        Field(name="password", secret=True),
        Field(name="sslmode", default="prefer"),
        Field(name="sslrootcert"),
        Field(name="connectTimeout", type="integer", default=180),
        Field(name="superuser", type="boolean", default=True),
    )
    environment = {  # noqa: RUF012 - declared as a ClassVar in the base
        "host": "PGHOST",
        "port": "PGPORT",
        "database": "PGDATABASE",
        "username": "PGUSER",
        "password": "PGPASSWORD",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
        "connectTimeout": "PGCONNECT_TIMEOUT",
    }
    tolerated = frozenset({"expectedVersion", "maxConnections"})
    resources = (
        Role(),
        GrantRole(),
        Grant(),
        DefaultPrivileges(),
        Database(),
        Schema(),
        Publication(),
        ReplicationSlot(),
        PhysicalReplicationSlot(),
    )

    def open(self, configuration: Properties) -> PostgresSession:
        """A session that connects database by database, as resources need them."""
        return PostgresSession(configuration)

    def close(self, session: PostgresSession) -> None:
        """Nothing is held open between two operations."""
