"""Privileges of account roles: https://docs.snowflake.com/en/sql-reference/sql/grant-privilege."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.grant_target import Target, block_key, bulk_block
from sandbox.plugins.snowflake.session import SnowflakeSession
from sandbox.plugins.values import Properties, Value, is_known

_FORM = (
    'the form is "ROLE"|GRANT OPTION|false|PRIVILEGE,PRIVILEGE|KIND|..., with KIND one of OnAccount, OnAccountObject, '
    "OnSchema and OnSchemaObject"
)
_BLOCKS = ("onAccount", "onAccountObject", "onSchema", "onSchemaObject")


def _upper(privileges: list[str]) -> list[str]:
    return [privilege.upper() for privilege in privileges]


class GrantPrivilegesToAccountRole(Resource[SnowflakeSession]):
    """Privileges of one role on one target. Only those declared are looked at: others may be granted elsewhere.

    As with the official provider, neither `allPrivileges` nor a grant on all objects of a kind is read back.
    """

    token = "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole"  # noqa: S105 - a type token
    noun = "Snowflake grant of privileges"
    fields = (
        Field(name="accountRoleName", required=True, replace=True, canonical=names.bare),
        Field(name="privileges", type="strings", unordered=True, canonical=_upper),
        Field(name="allPrivileges", type="boolean", default=False),
        Field(name="onAccount", type="boolean", default=False, replace=True),
        Field(name="onAccountObject", type="object", replace=True, canonical=block_key),
        Field(name="onSchema", type="object", replace=True, canonical=block_key),
        Field(name="onSchemaObject", type="object", replace=True, canonical=block_key),
        Field(name="withGrantOption", type="boolean", default=False, replace=True),
    )

    def complaints(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """One target, and privileges or all of them."""
        if bool(inputs.get("privileges")) == bool(inputs.get("allPrivileges")):
            yield "privileges", "give either privileges or allPrivileges"
        blocks = [name for name in _BLOCKS if inputs.get(name)]
        if len(blocks) != 1:
            yield (blocks or ["onAccount"])[0], f"give exactly one of {', '.join(_BLOCKS)}"
            return
        privileges = inputs.get("privileges", [])
        try:
            if is_known(inputs[blocks[0]]):
                _target(inputs)
        except ValueError as error:
            yield blocks[0], str(error)
        try:
            if is_known(privileges):
                list(map(names.words, privileges))
        except ValueError as error:
            yield "privileges", str(error)

    def identity(self, properties: Properties) -> str:
        """As the official provider forms it."""
        kind, target = _target(properties)
        option = "true" if properties.get("withGrantOption") else "false"
        privileges = "ALL" if properties.get("allPrivileges") else ",".join(_upper(properties.get("privileges") or []))
        parts = [names.quoted(properties["accountRoleName"]), option, "false", privileges, kind, target.identifier]
        return "|".join(part for part in parts if part)

    def locate(self, identifier: str) -> Properties:
        """An id tells all there is."""
        parts = identifier.split("|")
        if len(parts) < 5:
            raise ValueError(_FORM)
        role, option, _, privileges, kind, *rest = parts
        everything = privileges in ("ALL", "ALL PRIVILEGES")
        return {
            "accountRoleName": names.bare(role),
            "withGrantOption": option == "true",
            "allPrivileges": everything,
            "privileges": None if everything else privileges.split(","),
            **_block(kind, rest),
        }

    def create(self, session: SnowflakeSession, inputs: Properties) -> None:
        """GRANT."""
        _grant(session, inputs, _listed(inputs))

    def read(self, session: SnowflakeSession, state: Properties) -> Properties | None:
        """Those of the declared privileges that are still there; gone when the role or the target is."""
        role = names.bare(state["accountRoleName"])
        if not any(row["name"] == role for row in session.run(f"SHOW ROLES LIKE {names.text(role)}")):
            return None
        _, target = _target(state)
        if state.get("allPrivileges") or not target.show:
            return dict(state)
        rows = session.find(target.show)
        if rows is None:
            return None
        option = "true" if state.get("withGrantOption") else "false"
        held = {
            row["privilege"].upper()
            for row in rows
            if names.bare(row["grantee_name"]) == role
            and str(row["grant_option"]).lower() == option
            and row.get("grant_on") in (None, target.future.replace(" ", "_"))
        }
        return {**state, "privileges": [name for name in state["privileges"] if name.upper() in held]}

    def update(
        self,
        session: SnowflakeSession,
        state: Properties,
        inputs: Properties,
        changed: Collection[str],
    ) -> None:
        """GRANT what is new before REVOKE of what is no more: nobody is without in between."""
        was, wanted = set(_listed(state)), set(_listed(inputs))
        if "allPrivileges" in changed:
            _revoke(session, state, sorted(was))
            was = set()
        if wanted - was:
            _grant(session, inputs, sorted(wanted - was))
        if was - wanted:
            _revoke(session, inputs, sorted(was - wanted))

    def delete(self, session: SnowflakeSession, state: Properties) -> None:
        """REVOKE; fine when role or target are gone."""
        if privileges := _listed(state):
            _revoke(session, state, privileges)


def _listed(properties: Properties) -> list[str]:
    if properties.get("allPrivileges"):
        return ["ALL PRIVILEGES"]
    return [names.words(privilege) for privilege in properties.get("privileges") or []]


def _grant(session: SnowflakeSession, inputs: Properties, privileges: Sequence[str]) -> None:
    _, target = _target(inputs)
    role = names.quoted(inputs["accountRoleName"])
    option = " WITH GRANT OPTION" if inputs.get("withGrantOption") else ""
    session.run(f"GRANT {', '.join(privileges)} ON {target.clause} TO ROLE {role}{option}")


def _revoke(session: SnowflakeSession, state: Properties, privileges: Sequence[str]) -> None:
    _, target = _target(state)
    role = names.quoted(state["accountRoleName"])
    session.find(f"REVOKE {', '.join(privileges)} ON {target.clause} FROM ROLE {role}")


def _target(properties: Properties) -> tuple[str, Target]:
    """The target and its kind, the part of the id before it; raises ValueError."""
    if properties.get("onAccount"):
        return "OnAccount", Target.account()
    if block := properties.get("onAccountObject"):
        return "OnAccountObject", _one(block)
    if block := properties.get("onSchema"):
        return _on_schema(block)
    block = properties["onSchemaObject"]
    if block.get("all"):
        return "OnSchemaObject|OnAll", Target.bulk("ALL", block["all"])
    if block.get("future"):
        return "OnSchemaObject|OnFuture", Target.bulk("FUTURE", block["future"])
    return "OnSchemaObject|OnObject", _one(block)


def _one(block: Properties) -> Target:
    if not block.get("objectType") or not block.get("objectName"):
        raise ValueError("needs objectType and objectName")
    return Target.one(block["objectType"], block["objectName"])


_SCHEMAS = {
    "schemaName": "OnSchema",
    "allSchemasInDatabase": "OnAllSchemasInDatabase",
    "futureSchemasInDatabase": "OnFutureSchemasInDatabase",
}


def _on_schema(block: Properties) -> tuple[str, Target]:
    given = [name for name in _SCHEMAS if block.get(name)]
    if len(given) != 1:
        raise ValueError(f"needs exactly one of {', '.join(_SCHEMAS)}")
    name = block[given[0]]
    if given[0] == "schemaName":
        target = Target.one("SCHEMA", name)
    else:
        which = "ALL" if given[0].startswith("all") else "FUTURE"
        target = Target.many(which, "SCHEMAS", "DATABASE", name)
    # The id of this kind names no object type: it is in the name of the kind.
    address = Target(target.clause, names.quoted(name), target.show, target.future)
    return f"OnSchema|{_SCHEMAS[given[0]]}", address


def _block(kind: str, rest: Sequence[str]) -> dict[str, Value]:
    """The `on...` property that the end of an id tells; raises ValueError."""
    if kind == "OnAccount" and not rest:
        return {"onAccount": True}
    if kind == "OnAccountObject" and len(rest) == 2:
        return {"onAccountObject": {"objectType": rest[0], "objectName": names.bare(rest[1])}}
    if kind == "OnSchema" and len(rest) == 2 and rest[0] in _SCHEMAS.values():
        block = next(name for name, part in _SCHEMAS.items() if part == rest[0])
        return {"onSchema": {block: rest[1]}}
    if kind == "OnSchemaObject" and len(rest) == 3 and rest[0] == "OnObject":
        return {"onSchemaObject": {"objectType": rest[1], "objectName": rest[2]}}
    if kind == "OnSchemaObject" and len(rest) == 4 and rest[0] in ("OnAll", "OnFuture"):
        return {"onSchemaObject": {rest[0][2:].lower(): bulk_block(rest[1:])}}
    raise ValueError(_FORM)
