"""Ownership: https://docs.snowflake.com/en/sql-reference/sql/grant-ownership."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.grant_target import Target, block_key, bulk_block
from sandbox.plugins.snowflake.session import SnowflakeSession
from sandbox.plugins.values import Properties, Value, is_known

_FORM = (
    'the form is ToAccountRole|"ROLE"|[COPY or REVOKE]|OnObject|TYPE|NAME, or with OnAll or OnFuture|TYPES|In...|NAME'
)


class GrantOwnership(Resource[SnowflakeSession]):
    """Who owns an object. Deleting it hands the object to the provider's own role, as nothing is without owner."""

    token = "snowflake:index/grantOwnership:GrantOwnership"  # noqa: S105 - a type token
    noun = "Snowflake ownership"
    fields = (
        Field(name="accountRoleName", required=True, replace=True, canonical=names.bare),
        Field(name="outboundPrivileges", replace=True, readable=False, canonical=str.upper),
        Field(name="on", type="object", required=True, replace=True, canonical=block_key),
    )

    def complaints(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """What `on` and `outboundPrivileges` can be."""
        outbound = inputs.get("outboundPrivileges", "COPY")
        if is_known(outbound) and outbound.upper() not in ("COPY", "REVOKE"):
            yield "outboundPrivileges", "is either COPY or REVOKE"
        if is_known(inputs["on"]):
            try:
                _target(inputs["on"])
            except ValueError as error:
                yield "on", str(error)

    def identity(self, properties: Properties) -> str:
        """As the official provider forms it."""
        how, target = _target(properties["on"])
        outbound = str(properties.get("outboundPrivileges") or "").upper()
        return "|".join(
            ["ToAccountRole", names.quoted(properties["accountRoleName"]), outbound, how, target.identifier]
        )

    def locate(self, identifier: str) -> Properties:
        """An id tells all there is."""
        recipient, role, outbound, how, *rest = [*identifier.split("|"), "", "", "", ""][: identifier.count("|") + 4]
        rest = [part for part in rest if part]
        sizes = {"OnObject": 2, "OnAll": 3, "OnFuture": 3}
        if recipient != "ToAccountRole" or len(rest) != sizes.get(how):
            raise ValueError(_FORM)
        on: dict[str, Value] = {"objectType": rest[0], "objectName": rest[1]}
        if how != "OnObject":
            on = {how[2:].lower(): bulk_block(rest)}
        return {"accountRoleName": names.bare(role), "outboundPrivileges": outbound or None, "on": on}

    def create(self, session: SnowflakeSession, inputs: Properties) -> None:
        """GRANT OWNERSHIP."""
        outbound = inputs.get("outboundPrivileges")
        copy = f" {names.words(outbound)} CURRENT GRANTS" if outbound else ""
        _, target = _target(inputs["on"])
        role = names.quoted(inputs["accountRoleName"])
        session.run(f"GRANT OWNERSHIP ON {target.clause} TO ROLE {role}{copy}")

    def read(self, session: SnowflakeSession, state: Properties) -> Properties | None:
        """The live owner; gone when the object is. Ownership of all objects of a kind is not looked at."""
        how, target = _target(state["on"])
        if not target.show:
            return dict(state)
        rows = session.find(target.show)
        owners = [
            names.bare(row["grantee_name"])
            for row in rows or []
            if row["privilege"] == "OWNERSHIP" and row.get("grant_on") in (None, target.future.replace(" ", "_"))
        ]
        if how == "OnFuture":
            return dict(state) if names.bare(state["accountRoleName"]) in owners else None
        return {**state, "accountRoleName": owners[0]} if owners else None

    def delete(self, session: SnowflakeSession, state: Properties) -> None:
        """Back to the role that is logged in; fine when the object is gone."""
        how, target = _target(state["on"])
        if how == "OnFuture":
            role = names.quoted(state["accountRoleName"])
            session.find(f"REVOKE OWNERSHIP ON {target.clause} FROM ROLE {role}")
            return
        current = session.run("SELECT CURRENT_ROLE() AS role")[0]["role"]
        session.find(f"GRANT OWNERSHIP ON {target.clause} TO ROLE {names.quote(current)} COPY CURRENT GRANTS")


def _target(on: Properties) -> tuple[str, Target]:
    if on.get("all"):
        return "OnAll", Target.bulk("ALL", on["all"])
    if on.get("future"):
        return "OnFuture", Target.bulk("FUTURE", on["future"])
    if on.get("objectType") and on.get("objectName"):
        return "OnObject", Target.one(on["objectType"], on["objectName"])
    raise ValueError("needs objectType and objectName, or all, or future")
