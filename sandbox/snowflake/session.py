"""A session: who is logged in, with which role, and where."""

from dataclasses import dataclass, field
from itertools import count
from time import time

from sandbox.snowflake.errors import no_current
from sandbox.snowflake.names import Name
from sandbox.snowflake.privileges import SCHEMA_OBJECT_KINDS

_ids = count(int(time()))


@dataclass
class Session:
    """The state that USE and CREATE change. Database, schema and warehouse are '' when there is none."""

    user: str
    role: str
    secondary_roles: bool = False
    warehouse: str = ""
    database: str = ""
    schema: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    temporary_tables: set[Name] = field(default_factory=set)
    id: int = field(default_factory=lambda: next(_ids))

    def qualify(self, kind: str, name: Name, command: str = "SELECT") -> Name:
        """The full name of an object of this kind: what is left out is the session's current.

        Raises:
            SnowflakeError: 090105 or 090106, there is no current database or schema.
        """
        missing = (3 if kind in SCHEMA_OBJECT_KINDS else 2 if kind == "SCHEMA" else 1) - len(name)
        for what in ("database", "schema")[:missing]:
            if not getattr(self, what):
                raise no_current(what, command)
        return (self.database, self.schema)[:missing] + name if missing > 0 else name
