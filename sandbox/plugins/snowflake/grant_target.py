"""What a privilege or ownership is granted on: one object, all of a kind, or those yet to be made.

The ids are those of Terraform's provider, whose imports take them:
https://registry.terraform.io/providers/snowflakedb/snowflake/latest/docs/resources/grant_privileges_to_account_role
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.plugins.snowflake import names
from sandbox.plugins.values import Value


@dataclass(frozen=True)
class Target:
    """One target of a grant.

    :param clause: what comes after ON.
    :param identifier: its part of the id.
    :param show: the statement that lists the grants on it, or "" when there is none.
    :param future: the kind of object that future grants are about, or "".
    """

    clause: str
    identifier: str
    show: str
    future: str = ""

    @classmethod
    def account(cls) -> Target:
        """The account itself."""
        return cls("ACCOUNT", "", "SHOW GRANTS ON ACCOUNT")

    @classmethod
    def one(cls, kind: str, name: str) -> Target:
        """One object; raises ValueError on what is no object type or name."""
        word, address = names.words(kind), names.quoted(name)
        return cls(f"{word} {address}", f"{word}|{address}", f"SHOW GRANTS ON {word} {address}")

    @classmethod
    def many(cls, which: str, plural: str, scope: str, name: str) -> Target:
        """`which` is ALL or FUTURE, `scope` DATABASE or SCHEMA; raises ValueError."""
        words, address = names.words(plural), names.quoted(name)
        where = f"IN {scope} {address}"
        identifier = f"{words}|In{scope.capitalize()}|{address}"
        if which == "ALL":
            return cls(f"ALL {words} {where}", identifier, "")
        return cls(f"FUTURE {words} {where}", identifier, f"SHOW FUTURE GRANTS {where}", future=singular(words))

    @classmethod
    def bulk(cls, which: str, block: Mapping[str, Value]) -> Target:
        """From a block of `objectTypePlural` and `inDatabase` or `inSchema`; raises ValueError."""
        scopes = [("DATABASE", block.get("inDatabase")), ("SCHEMA", block.get("inSchema"))]
        given = [(scope, name) for scope, name in scopes if name]
        if len(given) != 1 or not block.get("objectTypePlural"):
            raise ValueError("needs objectTypePlural, and either inDatabase or inSchema")
        return cls.many(which, block["objectTypePlural"], *given[0])


def block_key(block: Mapping[str, Value]) -> dict[str, Value]:
    """One form for all spellings of an `on...` block: quoted or not, types in either case."""
    return {
        key: block_key(value)
        if isinstance(value, Mapping)
        else value.upper()
        if key.startswith("objectType")
        else names.bare(value)
        for key, value in block.items()
        if value
    }


def singular(plural: str) -> str:
    """The kind of object in an upper-case plural: TABLES, FILE FORMATS, MASKING POLICIES."""
    return plural.removesuffix("IES") + "Y" if plural.endswith("IES") else plural.removesuffix("S")


def bulk_block(parts: Sequence[str]) -> dict[str, Value]:
    """The block of `objectTypePlural` and its place that an id tells; raises ValueError."""
    plural, scope, name = parts
    if scope not in ("InDatabase", "InSchema"):
        raise ValueError(f"{scope!r} is neither InDatabase nor InSchema")
    return {"objectTypePlural": plural, "i" + scope[1:]: name}
