"""Roles: https://www.postgresql.org/docs/current/sql-createrole.html.

The server keeps a hash of a password, so a password that was changed elsewhere is not seen; what state holds is
believed, as by the official provider.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from psycopg import sql

from sandbox.plugins.postgresql.session import Connection, PostgresSession, Row, every, identifiers, one, run
from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.values import Properties, Value

_ATTRIBUTES: Mapping[str, tuple[str, str]] = {
    "superuser": ("rolsuper", "SUPERUSER"),
    "createDatabase": ("rolcreatedb", "CREATEDB"),
    "createRole": ("rolcreaterole", "CREATEROLE"),
    "inherit": ("rolinherit", "INHERIT"),
    "login": ("rolcanlogin", "LOGIN"),
    "replication": ("rolreplication", "REPLICATION"),
    "bypassRowLevelSecurity": ("rolbypassrls", "BYPASSRLS"),
}
_SETTINGS: Mapping[str, str] = {
    "searchPaths": "search_path",
    "statementTimeout": "statement_timeout",
    "idleInTransactionSessionTimeout": "idle_in_transaction_session_timeout",
    "assumeRole": "role",
}
_HASHED = ("SCRAM-SHA-256$", "md5")


def _moment(text: str) -> str:
    """One spelling of a moment; one without offset is taken as UTC, which :func:`_spelling` asks the server about."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text.lower()
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


class Role(Resource[PostgresSession]):
    """A role; its id is its name."""

    token = "postgresql:index/role:Role"  # noqa: S105 - a type token
    noun = "PostgreSQL role"
    fields = (
        Field(name="name", required=True),
        Field(name="password", secret=True, readable=False),
        Field(name="encryptedPassword", type="boolean", default=True, readable=False),
        *(Field(name=name, type="boolean", default=name == "inherit") for name in _ATTRIBUTES),
        Field(name="connectionLimit", type="integer", default=-1),
        Field(name="validUntil", default="infinity", canonical=_moment),
        # GrantRole also makes members, so only a declared list is compared.
        Field(name="roles", type="strings", server_set=True, unordered=True),
        Field(name="searchPaths", type="strings"),
        Field(name="statementTimeout", type="integer", default=0),
        Field(name="idleInTransactionSessionTimeout", type="integer", default=0),
        Field(name="assumeRole"),
        Field(name="skipDropRole", type="boolean", default=False, readable=False),
        Field(name="skipReassignOwned", type="boolean", default=False, readable=False),
    )

    def identity(self, properties: Properties) -> str:
        """The role's name."""
        return str(properties["name"])

    def locate(self, identifier: str) -> Properties:
        """An id is the name."""
        return {"name": identifier}

    def create(self, session: PostgresSession, inputs: Properties) -> None:
        """CREATE ROLE with all attributes, then memberships and settings, in one transaction."""
        with session.write() as connection:
            options = _options(connection, inputs, [field.name for field in self.fields])
            run(connection, "CREATE ROLE {} WITH {}", inputs["name"], options)
            _grant(connection, inputs, inputs.get("roles") or [])
            _set(connection, inputs, [name for name in _SETTINGS if inputs.get(name)])

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """All but the password."""
        columns = sql.SQL(", ").join(sql.Identifier(column) for column, _ in _ATTRIBUTES.values())
        query = sql.SQL(
            "SELECT rolname, rolconnlimit, rolconfig, coalesce(rolvaliduntil::text, 'infinity') AS valid_until,"
            " {}, ARRAY(SELECT pg_get_userbyid(roleid)::text FROM pg_auth_members WHERE member = r.oid) AS roles"
            " FROM pg_roles AS r WHERE rolname = %s"
        ).format(columns)
        with session.read() as connection:
            row = one(connection, query, state["name"])
            if row is None:
                return None
            live: Properties = {name: row[column] for name, (column, _) in _ATTRIBUTES.items()}
            valid_until = _spelling(connection, row["valid_until"], state.get("validUntil"))
        live.update(name=row["rolname"], connectionLimit=row["rolconnlimit"], validUntil=valid_until)
        return {**live, **_settings(row), "roles": sorted(row["roles"])}

    def update(self, session: PostgresSession, state: Properties, inputs: Properties, changed: Collection[str]) -> None:
        """ALTER ROLE for what changed, in one transaction."""
        with session.write() as connection:
            if "name" in changed:
                run(connection, "ALTER ROLE {} RENAME TO {}", state["name"], inputs["name"])
            if options := _options(connection, inputs, changed):
                run(connection, "ALTER ROLE {} WITH {}", inputs["name"], options)
            if "roles" in changed:
                wanted, granted = set(inputs.get("roles") or []), _memberships(connection, inputs["name"])
                if surplus := sorted(granted - wanted):
                    run(connection, "REVOKE {} FROM {}", identifiers(surplus), inputs["name"])
                _grant(connection, inputs, sorted(wanted - granted))
            _set(connection, inputs, [name for name in _SETTINGS if name in changed])

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """Hand over what it owns, drop what it was granted, then DROP ROLE, unless told to skip these."""
        with session.write() as connection:
            if one(connection, "SELECT FROM pg_roles WHERE rolname = %s", state["name"]) is None:
                return
            if not state.get("skipReassignOwned"):
                run(connection, "REASSIGN OWNED BY {} TO CURRENT_USER", state["name"])
                run(connection, "DROP OWNED BY {}", state["name"])
            if not state.get("skipDropRole"):
                run(connection, "DROP ROLE {}", state["name"])


def _options(connection: Connection, inputs: Properties, names: Collection[str]) -> sql.Composable | None:
    """The options of CREATE and ALTER ROLE for these properties, or None when there are none."""
    options: list[sql.Composable] = []
    for name, (_, keyword) in _ATTRIBUTES.items():
        if name in names:
            on = inputs.get(name, name == "inherit")
            options.append(sql.SQL(keyword if on else f"NO{keyword}"))
    if "connectionLimit" in names:
        options.append(sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(inputs.get("connectionLimit", -1))))
    if "validUntil" in names:
        options.append(sql.SQL("VALID UNTIL {}").format(sql.Literal(inputs.get("validUntil") or "infinity")))
    if ("password" in names or "name" in names) and inputs.get("password"):
        options.append(_password(connection, inputs["name"], inputs["password"]))
    return sql.SQL(" ").join(options) if options else None


def _password(connection: Connection, role: str, password: str) -> sql.Composable:
    """The password hashed here, so that neither the connection nor the server's log carries it in clear."""
    if password.upper() == "NULL":
        return sql.SQL("PASSWORD NULL")
    if not password.startswith(_HASHED):
        hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        password = hashed.decode()
    return sql.SQL("PASSWORD {}").format(sql.Literal(password))


def _grant(connection: Connection, inputs: Properties, roles: Collection[str]) -> None:
    if roles:
        run(connection, "GRANT {} TO {}", identifiers(sorted(roles)), inputs["name"])


def _memberships(connection: Connection, role: str) -> set[str]:
    query = (
        "SELECT pg_get_userbyid(roleid)::text AS granted FROM pg_auth_members"
        " WHERE member = (SELECT oid FROM pg_roles WHERE rolname = %s)"
    )
    return {row["granted"] for row in every(connection, query, role)}


def _set(connection: Connection, inputs: Properties, names: Iterable[str]) -> None:
    for name in names:
        value: Value = inputs.get(name)
        setting = sql.Identifier(_SETTINGS[name])
        if not value:
            run(connection, "ALTER ROLE {} RESET {}", inputs["name"], setting)
        elif isinstance(value, list):
            run(connection, "ALTER ROLE {} SET {} TO {}", inputs["name"], setting, identifiers(value))
        else:
            run(connection, "ALTER ROLE {} SET {} TO {}", inputs["name"], setting, sql.Literal(value))


def _settings(row: Row) -> Properties:
    """The settings of a role, which the catalog keeps as texts of the form ``name=value``."""
    config = dict(entry.split("=", 1) for entry in row["rolconfig"] or [])
    paths = config.get("search_path")
    return {
        "searchPaths": [path.strip('"') for path in paths.split(", ")] if paths else None,
        "statementTimeout": int(config.get("statement_timeout", 0)),
        "idleInTransactionSessionTimeout": int(config.get("idle_in_transaction_session_timeout", 0)),
        "assumeRole": config.get("role"),
    }


def _spelling(connection: Connection, live: str, declared: Value) -> str:
    """The declared spelling of a moment where it is the live one, so that `2030-01-01` is no drift."""
    if isinstance(declared, str) and declared:
        row = one(connection, "SELECT %s::timestamptz = %s::timestamptz AS same", declared, live)
        if row is not None and row["same"]:
            return declared
    return live
