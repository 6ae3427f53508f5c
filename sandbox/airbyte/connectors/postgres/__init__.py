"""``source-postgres``: checks, discovers and reads a real PostgreSQL server.

The replication methods CDC (logical decoding with ``pgoutput``) and Standard (a cursor column) run for real; Xmin, SSH
tunnels and Entra logins are refused by name. ``jdbc_url_params`` is accepted and has no effect.
"""

from __future__ import annotations

from sandbox.airbyte.connectors.base import ConfiguredStream, Json, Reader, State
from sandbox.airbyte.connectors.postgres import checks, tables
from sandbox.airbyte.connectors.postgres.config import replication, schemas
from sandbox.airbyte.connectors.postgres.reader import PostgresReader
from sandbox.airbyte.connectors.postgres.session import Address, connect


class Postgres:
    """The connector.

    Args:
        connect_to: Where to connect really when a configuration names a host.
        timeout_seconds: How long to wait for a connection.
    """

    def __init__(self, connect_to: dict[str, Address], timeout_seconds: int) -> None:
        self._connect_to = connect_to
        self._timeout = timeout_seconds

    def check(self, config: Json) -> None:
        """Log in, and check rights, slot and publication.

        Raises:
            ConnectorError: with what is wrong.
        """
        method = replication(config)
        with connect(config, self._connect_to, self._timeout) as session:
            checks.check(session, str(config["database"]), schemas(config), method)

    def discover(self, config: Json) -> list[Json]:
        """The tables that the user may read.

        Raises:
            ConnectorError: the login fails.
        """
        method = replication(config)
        with connect(config, self._connect_to, self._timeout) as session:
            return tables.streams(session, schemas(config), method)

    def read(self, config: Json, streams: list[ConfiguredStream], state: State) -> Reader:
        """Begin a sync.

        Raises:
            ConnectorError: the login fails.
        """
        session = connect(config, self._connect_to, self._timeout)
        return PostgresReader(session, replication(config), streams, state)
