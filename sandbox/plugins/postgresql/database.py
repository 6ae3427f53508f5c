"""Databases: https://www.postgresql.org/docs/current/sql-createdatabase.html."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from psycopg import sql

from sandbox.plugins.postgresql.session import PostgresSession, one, run
from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.values import Properties

# Property, keyword, and what the official provider says when the program does not.
_OPTIONS: Mapping[str, tuple[str, str | None]] = {
    "owner": ("OWNER", None),
    "template": ("TEMPLATE", "template0"),
    "encoding": ("ENCODING", "UTF8"),
    "lcCollate": ("LC_COLLATE", None),
    "lcCtype": ("LC_CTYPE", None),
    "tablespaceName": ("TABLESPACE", None),
}
_LITERAL = ("encoding", "lcCollate", "lcCtype")
_FLAGS = (("allowConnections", "ALLOW_CONNECTIONS", True), ("isTemplate", "IS_TEMPLATE", False))


class Database(Resource[PostgresSession]):
    """A database; its id is its name."""

    token = "postgresql:index/database:Database"  # noqa: S105 - a type token
    noun = "PostgreSQL database"
    fields = (
        Field(name="name", required=True),
        Field(name="owner", server_set=True),
        Field(name="template", server_set=True, replace=True, readable=False, default="template0"),
        Field(name="encoding", server_set=True, replace=True),
        Field(name="lcCollate", server_set=True, replace=True),
        Field(name="lcCtype", server_set=True, replace=True),
        Field(name="tablespaceName", server_set=True),
        Field(name="connectionLimit", type="integer", default=-1),
        Field(name="allowConnections", type="boolean", default=True),
        Field(name="isTemplate", type="boolean", server_set=True),
    )

    def identity(self, properties: Properties) -> str:
        """The database's name."""
        return str(properties["name"])

    def locate(self, identifier: str) -> Properties:
        """An id is the name."""
        return {"name": identifier}

    def create(self, session: PostgresSession, inputs: Properties) -> None:
        """CREATE DATABASE."""
        options: list[sql.Composable] = []
        for name, (keyword, default) in _OPTIONS.items():
            if value := inputs.get(name) or default:
                options.append(sql.SQL(f"{keyword} {{}}").format(_spelled(name, value)))
        options.append(sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(inputs.get("connectionLimit", -1))))
        for name, keyword, flag in _FLAGS:
            options.append(sql.SQL(f"{keyword} {{}}").format(sql.Literal(inputs.get(name, flag))))
        with session.autocommit() as connection:
            run(connection, "CREATE DATABASE {} {}", inputs["name"], sql.SQL(" ").join(options))

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """All but the template it was made from."""
        query = (
            "SELECT datname AS name, pg_get_userbyid(datdba)::text AS owner, datcollate, datctype, spcname,"
            " pg_encoding_to_char(encoding)::text AS encoding, datconnlimit, datallowconn, datistemplate"
            " FROM pg_database AS d JOIN pg_tablespace AS t ON t.oid = d.dattablespace WHERE datname = %s"
        )
        with session.read() as connection:
            row = one(connection, query, state["name"])
        return row and {
            "name": row["name"],
            "owner": row["owner"],
            "encoding": row["encoding"],
            "lcCollate": row["datcollate"],
            "lcCtype": row["datctype"],
            "tablespaceName": row["spcname"],
            "connectionLimit": row["datconnlimit"],
            "allowConnections": row["datallowconn"],
            "isTemplate": row["datistemplate"],
        }

    def update(self, session: PostgresSession, state: Properties, inputs: Properties, changed: Collection[str]) -> None:
        """ALTER DATABASE, one statement a property: some of them can't run in a transaction."""
        with session.autocommit() as connection:
            if "name" in changed:
                run(connection, "ALTER DATABASE {} RENAME TO {}", state["name"], inputs["name"])
            if "owner" in changed:
                run(connection, "ALTER DATABASE {} OWNER TO {}", inputs["name"], inputs["owner"])
            if "tablespaceName" in changed:
                run(connection, "ALTER DATABASE {} SET TABLESPACE {}", inputs["name"], inputs["tablespaceName"])
            if "connectionLimit" in changed:
                limit = sql.Literal(inputs.get("connectionLimit", -1))
                run(connection, "ALTER DATABASE {} CONNECTION LIMIT {}", inputs["name"], limit)
            for name, keyword, default in _FLAGS:
                if name in changed:
                    flag = sql.Literal(inputs.get(name, default))
                    run(connection, f"ALTER DATABASE {{}} {keyword} {{}}", inputs["name"], flag)

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """DROP DATABASE, closing its connections."""
        with session.autocommit() as connection:
            if one(connection, "SELECT FROM pg_database WHERE datname = %s", state["name"]) is None:
                return
            if state.get("isTemplate"):
                run(connection, "ALTER DATABASE {} IS_TEMPLATE false", state["name"])
            run(connection, "DROP DATABASE {} WITH (FORCE)", state["name"])


def _spelled(name: str, value: str) -> sql.Composable:
    if value.upper() == "DEFAULT":
        return sql.SQL("DEFAULT")
    return sql.Literal(value) if name in _LITERAL else sql.Identifier(value)
