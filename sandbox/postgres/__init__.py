"""A real PostgreSQL on loopback, with logical replication, TLS and passwords, filled with sample data.

    with start(Path("somewhere")) as server:
        psycopg.connect(server.conninfo())

or ``python -m sandbox.postgres --port 54321 --data somewhere`` in the foreground.
"""

from sandbox.postgres.errors import PostgresError
from sandbox.postgres.server import Server, destroy, start, stop

__all__ = ["PostgresError", "Server", "destroy", "start", "stop"]
