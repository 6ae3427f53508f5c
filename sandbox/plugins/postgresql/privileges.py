"""What can be granted on what: https://www.postgresql.org/docs/current/ddl-priv.html."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from psycopg import sql

from sandbox.plugins.postgresql.session import Connection, one
from sandbox.plugins.values import Properties, is_known

PRIVILEGES: Mapping[str, tuple[str, ...]] = {
    "database": ("CREATE", "CONNECT", "TEMPORARY"),
    "schema": ("CREATE", "USAGE"),
    "table": ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"),
    "column": ("SELECT", "INSERT", "UPDATE", "REFERENCES"),
    "sequence": ("USAGE", "SELECT", "UPDATE"),
    "function": ("EXECUTE",),
    "procedure": ("EXECUTE",),
    "routine": ("EXECUTE",),
    "type": ("USAGE",),
    "foreign_data_wrapper": ("USAGE",),
    "foreign_server": ("USAGE",),
}
_SINCE_17 = {"MAINTAIN"}
PUBLIC = "public"


def complaints(inputs: Properties, allowed: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with `objectType` and `privileges`; `allowed` are the object types the resource takes."""
    kind, privileges = inputs["objectType"], inputs["privileges"]
    if not is_known(kind):
        return
    if kind not in allowed:
        yield "objectType", f"{kind!r} is none of {', '.join(allowed)}"
        return
    if is_known(privileges):
        for privilege in privileges:
            if privilege not in ("ALL", *PRIVILEGES[kind]):
                possible = ", ".join(("ALL", *PRIVILEGES[kind]))
                yield "privileges", f"{privilege!r} can't be granted on a {kind}, only {possible}"


def spelled(granted: Collection[str], declared: Collection[str], kind: str) -> list[str]:
    """The granted privileges, as ALL where that is what was declared and nothing is missing."""
    everything = set(PRIVILEGES[kind]) - _SINCE_17
    if "ALL" in declared and set(granted) >= everything:
        return list(declared)
    return sorted(granted)


def grantee(role: str) -> sql.Composable:
    """The role as the target of a GRANT, where `public` is a keyword."""
    return sql.SQL("PUBLIC") if role == PUBLIC else sql.Identifier(role)


def grantee_oid(connection: Connection, role: str) -> int | None:
    """The role's oid as access control lists name it (0 is everybody), or None when there is no such role."""
    if role == PUBLIC:
        return 0
    row = one(connection, "SELECT oid::bigint AS oid FROM pg_roles WHERE rolname = %s", role)
    return None if row is None else int(row["oid"])
