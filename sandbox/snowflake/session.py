"""A session: who is logged in, with which role, and where."""

from dataclasses import dataclass, field
from itertools import count
from time import time

from sandbox.snowflake.names import Name

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
