"""Privileges on objects yet to be made: https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NoReturn

from psycopg import sql

from sandbox.plugins.postgresql.privileges import PUBLIC, complaints, grantee, grantee_oid, spelled
from sandbox.plugins.postgresql.session import Connection, PostgresSession, every, keywords, run
from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.values import Properties

# pg_default_acl.defaclobjtype
_OBJECT_TYPES: Mapping[str, str] = {
    "table": "r",
    "sequence": "S",
    "function": "f",
    "routine": "f",
    "type": "T",
    "schema": "n",
}


class DefaultPrivileges(Resource[PostgresSession]):
    """What `role` gets on what `owner` will make; the id is ``role_database_schema_owner_objectType``."""

    token = "postgresql:index/defaultPrivileges:DefaultPrivileges"  # noqa: S105 - a type token
    noun = "PostgreSQL set of default privileges"
    importable = False
    fields = (
        Field(name="role", required=True, replace=True),
        Field(name="database", required=True, replace=True),
        Field(name="owner", required=True, replace=True),
        Field(name="schema", replace=True),
        Field(name="objectType", required=True, replace=True),
        Field(name="privileges", type="strings", required=True, unordered=True),
        Field(name="withGrantOption", type="boolean", default=False, replace=True),
    )

    def complaints(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Which of the fields go together, as the official provider has it."""
        yield from complaints(inputs, list(_OBJECT_TYPES))
        if inputs["objectType"] == "schema" and inputs.get("schema"):
            yield "schema", "can't be given for objectType 'schema'"
        if inputs["role"] == PUBLIC and inputs.get("withGrantOption") is True:
            yield "withGrantOption", "can't be true for the role 'public'"

    def identity(self, properties: Properties) -> str:
        """As the official provider forms it."""
        schema = properties.get("schema") or "noschema"
        names = ("role", "database"), ("owner", "objectType")
        before, after = ([str(properties[name]) for name in part] for part in names)
        return "_".join([*before, schema, *after])

    def locate(self, identifier: str) -> NoReturn:
        """Names may hold the separator, so an id tells nothing."""
        raise ValueError(identifier)

    def create(self, session: PostgresSession, inputs: Properties) -> None:
        """REVOKE ALL, then GRANT, in one transaction."""
        with session.write(inputs["database"]) as connection:
            _revoke(connection, inputs)
            if inputs["privileges"]:
                option = sql.SQL(" WITH GRANT OPTION" if inputs.get("withGrantOption") else "")
                privileges = keywords(inputs["privileges"])
                grant = sql.SQL("GRANT {} ON {} TO {}{}").format(
                    privileges, _objects(inputs), grantee(inputs["role"]), option
                )
                run(connection, "ALTER DEFAULT PRIVILEGES FOR ROLE {} {} {}", inputs["owner"], _where(inputs), grant)

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """Gone when no privilege is left although some are declared, or a role or the schema or database is gone."""
        if not session.has_database(state["database"]):
            return None
        query = (
            "SELECT a.privilege_type AS privilege, a.is_grantable AS grantable FROM pg_default_acl AS d"
            " CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace"
            " WHERE d.defaclobjtype = %s AND a.grantee = %s AND pg_get_userbyid(d.defaclrole) = %s"
            " AND coalesce(n.nspname, '') = %s"
        )
        kind = state["objectType"]
        with session.read(state["database"]) as connection:
            oid = grantee_oid(connection, state["role"])
            rows = every(connection, query, _OBJECT_TYPES[kind], oid, state["owner"], state.get("schema") or "")
        declared = state.get("privileges") or []
        if oid is None or (declared and not rows):
            return None
        live = {field.name: state.get(field.name) for field in self.fields}
        live["privileges"] = spelled([row["privilege"] for row in rows], declared, kind)
        if rows:
            live["withGrantOption"] = all(row["grantable"] for row in rows)
        return live

    def update(
        self,
        session: PostgresSession,
        state: Properties,  # noqa: ARG002
        inputs: Properties,
        changed: Collection[str],  # noqa: ARG002
    ) -> None:
        """The same statements as at creation."""
        self.create(session, inputs)

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """REVOKE ALL; fine when there is nothing left to revoke."""
        if self.read(session, state) is not None:
            with session.write(state["database"]) as connection:
                _revoke(connection, state)


def _revoke(connection: Connection, properties: Properties) -> None:
    revoke = sql.SQL("REVOKE ALL ON {} FROM {}").format(_objects(properties), grantee(properties["role"]))
    run(connection, "ALTER DEFAULT PRIVILEGES FOR ROLE {} {} {}", properties["owner"], _where(properties), revoke)


def _where(properties: Properties) -> sql.Composable:
    schema = properties.get("schema")
    return sql.SQL("IN SCHEMA {}").format(sql.Identifier(schema)) if schema else sql.SQL("")


def _objects(properties: Properties) -> sql.Composable:
    return sql.SQL(f"{properties['objectType'].upper()}S")
