"""What the PostgreSQL sandbox raises."""

from sandbox.errors import SandboxError


class PostgresError(SandboxError):
    """The PostgreSQL server could not be made, started or reached."""
