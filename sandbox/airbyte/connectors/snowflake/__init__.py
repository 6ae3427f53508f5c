"""``destination-snowflake``: checks a real Snowflake session and loads typed tables through it.

It speaks through ``snowflake-connector-python``, so it works with an account as with the sandbox's own server. Rows are
staged as text and then inserted or merged with their types; ``disable_type_dedupe: true`` writes raw tables only.
"""

from __future__ import annotations

from sandbox.airbyte.connectors.base import ConfiguredStream, Json, Placement, Writer
from sandbox.airbyte.connectors.snowflake import checks
from sandbox.airbyte.connectors.snowflake.loader import SnowflakeWriter
from sandbox.airbyte.connectors.snowflake.names import target
from sandbox.airbyte.connectors.snowflake.session import Address, Session, connect, error_words, execute


class Snowflake:
    """The connector.

    Args:
        connect_to: Where to connect really, over HTTP, when a configuration names a host.
        timeout_seconds: How long to wait for a login.
    """

    def __init__(self, connect_to: dict[str, Address], timeout_seconds: int) -> None:
        self._connect_to = connect_to
        self._timeout = timeout_seconds

    def check(self, config: Json) -> None:
        """Log in, make the schema if it is missing, and make, fill, count and drop a table.

        Raises:
            ConnectorError: with Snowflake's own words.
        """
        with connect(config, self._connect_to, self._timeout) as session:
            checks.check(session, config)

    def write(self, config: Json, streams: list[ConfiguredStream], placement: Placement, sync_id: int) -> Writer:
        """Begin a load.

        Raises:
            ConnectorError: the login fails.
        """
        session = connect(config, self._connect_to, self._timeout)
        return SnowflakeWriter(session, config, streams, placement, sync_id)

    def clear(self, config: Json, streams: list[ConfiguredStream], placement: Placement) -> None:
        """Empty the streams' tables, where they exist.

        Raises:
            ConnectorError: with Snowflake's own words.
        """
        with connect(config, self._connect_to, self._timeout) as session:
            for stream in streams:
                table = target(config, stream, placement)
                if _exists(session, table.database, table.schema, table.name):
                    execute(session, f"TRUNCATE TABLE {table.sql}")


def _exists(session: Session, database: str, schema: str, name: str) -> bool:
    # S608: identifiers are quoted, values are bound
    query = f'SELECT COUNT(*) FROM "{database}".INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?'  # noqa: S608
    return bool(execute(session, query, (schema, name))[0][0])


__all__ = ["Snowflake", "error_words"]
