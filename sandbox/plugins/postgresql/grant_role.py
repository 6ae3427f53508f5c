"""Membership of one role in another: https://www.postgresql.org/docs/current/sql-grant.html."""

from __future__ import annotations

from typing import NoReturn

from sandbox.plugins.postgresql.session import PostgresSession, one, run
from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.values import Properties


class GrantRole(Resource[PostgresSession]):
    """`role` becomes a member of `grantRole`; the id is ``role_grantRole_withAdminOption``."""

    token = "postgresql:index/grantRole:GrantRole"  # noqa: S105 - a type token
    noun = "PostgreSQL role membership"
    importable = False
    fields = (
        Field(name="role", required=True, replace=True),
        Field(name="grantRole", required=True, replace=True),
        Field(name="withAdminOption", type="boolean", default=False, replace=True),
    )

    def identity(self, properties: Properties) -> str:
        """As the official provider forms it."""
        admin = "true" if properties.get("withAdminOption") else "false"
        return f"{properties['role']}_{properties['grantRole']}_{admin}"

    def locate(self, identifier: str) -> NoReturn:
        """Names may hold the separator, so an id tells nothing."""
        raise ValueError(identifier)

    def create(self, session: PostgresSession, inputs: Properties) -> None:
        """GRANT, after a REVOKE that takes back a grant with another admin option."""
        with session.write() as connection:
            run(connection, "REVOKE {} FROM {}", inputs["grantRole"], inputs["role"])
            option = " WITH ADMIN OPTION" if inputs.get("withAdminOption") else ""
            run(connection, "GRANT {} TO {}" + option, inputs["grantRole"], inputs["role"])

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """Gone when the membership is, or either role."""
        query = (
            "SELECT bool_or(admin_option) AS admin FROM pg_auth_members"
            " WHERE pg_get_userbyid(member) = %s AND pg_get_userbyid(roleid) = %s"
        )
        with session.read() as connection:
            row = one(connection, query, state["role"], state["grantRole"])
        if row is None or row["admin"] is None:
            return None
        return {"role": state["role"], "grantRole": state["grantRole"], "withAdminOption": row["admin"]}

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """REVOKE; fine when either role is gone, and the membership with it."""
        if self.read(session, state) is not None:
            with session.write() as connection:
                run(connection, "REVOKE {} FROM {}", state["grantRole"], state["role"])
