"""Roles granted to users and to other roles: https://docs.snowflake.com/en/sql-reference/sql/grant-role."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.session import SnowflakeSession
from sandbox.plugins.values import Properties


class GrantAccountRole(Resource[SnowflakeSession]):
    """A role for a user or for a parent role; the id is ``"ROLE"|USER|"NAME"`` or ``"ROLE"|ROLE|"NAME"``."""

    token = "snowflake:index/grantAccountRole:GrantAccountRole"  # noqa: S105 - a type token
    noun = "Snowflake role grant"
    fields = (
        Field(name="roleName", required=True, replace=True, canonical=names.bare),
        Field(name="userName", replace=True, canonical=names.bare),
        Field(name="parentRoleName", replace=True, canonical=names.bare),
    )

    def complaints(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Exactly one of the two that it can be granted to."""
        if ("userName" in inputs) == ("parentRoleName" in inputs):
            yield "userName", "give either userName or parentRoleName"

    def identity(self, properties: Properties) -> str:
        """As the official provider forms it."""
        kind, name = _grantee(properties)
        return f"{names.quoted(properties['roleName'])}|{kind}|{names.quoted(name)}"

    def locate(self, identifier: str) -> Properties:
        """An id tells all there is."""
        parts = identifier.split("|")
        if len(parts) != 3 or parts[1] not in ("USER", "ROLE"):
            raise ValueError('the form is "ROLE"|USER|"NAME" or "ROLE"|ROLE|"NAME"')
        grantee = "userName" if parts[1] == "USER" else "parentRoleName"
        return {"roleName": names.bare(parts[0]), grantee: names.bare(parts[2])}

    def create(self, session: SnowflakeSession, inputs: Properties) -> None:
        """GRANT ROLE."""
        kind, name = _grantee(inputs)
        session.run(f"GRANT ROLE {names.quoted(inputs['roleName'])} TO {kind} {names.quoted(name)}")

    def read(self, session: SnowflakeSession, state: Properties) -> Properties | None:
        """Gone when the grant is, or the role."""
        kind, name = _grantee(state)
        rows = session.find(f"SHOW GRANTS OF ROLE {names.quoted(state['roleName'])}")
        for row in rows or []:
            if row["granted_to"] == kind and names.bare(row["grantee_name"]) == names.bare(name):
                return dict(state)
        return None

    def delete(self, session: SnowflakeSession, state: Properties) -> None:
        """REVOKE ROLE; fine when either of the two is gone."""
        kind, name = _grantee(state)
        session.find(f"REVOKE ROLE {names.quoted(state['roleName'])} FROM {kind} {names.quoted(name)}")


def _grantee(properties: Properties) -> tuple[str, str]:
    user = properties.get("userName")
    return ("USER", user) if user else ("ROLE", properties["parentRoleName"])
