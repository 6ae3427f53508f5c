"""Account-level statements: dataclasses, and the reader that makes them.

`parse` answers None for a statement that is not about the account: that one is the data layer's.
Grammar: docs.snowflake.com/en/sql-reference/sql-all (CREATE/ALTER/DROP <object>, GRANT, REVOKE, SHOW, USE).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlglot.tokenizer_core import Token

from sandbox.snowflake.names import Name
from sandbox.snowflake.privileges import MANAGED_KINDS, PLURALS, SECURABLE_KINDS
from sandbox.snowflake.tokens import Reader, Value

Properties = dict[str, Value]

TRIGGERS = "TRIGGERS"
"""Property of a resource monitor: texts like '80 NOTIFY', in the order given."""


@dataclass(frozen=True)
class Create:
    """CREATE of an account object, database or schema."""

    kind: str
    name: Name
    properties: Properties = field(default_factory=dict)
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class Rename:
    """RENAME TO of an ALTER."""

    name: Name


@dataclass(frozen=True)
class SetProperties:
    """SET of an ALTER; a None value unsets."""

    properties: Properties


@dataclass(frozen=True)
class Action:
    """A verb of an ALTER: SUSPEND, RESUME, ENABLE MANAGED ACCESS..."""

    verb: str


@dataclass(frozen=True)
class Alter:
    """ALTER of an account object, database or schema."""

    kind: str
    name: Name
    change: Rename | SetProperties | Action
    if_exists: bool = False


@dataclass(frozen=True)
class Drop:
    """DROP of an account object, database or schema."""

    kind: str
    name: Name
    if_exists: bool = False


@dataclass(frozen=True)
class Scope:
    """Where a SHOW looks: `IN DATABASE "D"`, `TO ROLE R`, `OF ROLE R`; name empty for ACCOUNT."""

    preposition: str
    kind: str
    name: Name = ()


@dataclass(frozen=True)
class Show:
    """SHOW of a listing (`what` in the plural)."""

    what: str
    scope: Scope | None = None
    like: str | None = None
    starts_with: str = ""
    limit: int | None = None
    future: bool = False


@dataclass(frozen=True)
class Describe:
    """DESCRIBE of an account object, database or schema."""

    kind: str
    name: Name


@dataclass(frozen=True)
class GrantRole:
    """GRANT or REVOKE of a role."""

    role: str
    grantee_kind: str
    grantee: str
    revoke: bool = False


@dataclass(frozen=True)
class GrantPrivileges:
    """GRANT or REVOKE of privileges on one object, or on ALL or FUTURE ones in a container.

    `privileges` is ("ALL",) for ALL PRIVILEGES. `bulk` is '', 'ALL' or 'FUTURE'; if set, `name` is the
    container, a database or a schema (`container_kind`).
    """

    privileges: tuple[str, ...]
    kind: str
    name: Name
    role: str
    bulk: str = ""
    container_kind: str = ""
    revoke: bool = False
    grant_option: bool = False
    grant_option_only: bool = False
    current_grants: str = ""


@dataclass(frozen=True)
class Use:
    """USE ROLE, WAREHOUSE, DATABASE, SCHEMA or SECONDARY ROLES."""

    kind: str
    name: Name


@dataclass(frozen=True)
class AlterSession:
    """ALTER SESSION SET or UNSET; a None value unsets."""

    parameters: Properties


Statement = Create | Alter | Drop | Show | Describe | GrantRole | GrantPrivileges | Use | AlterSession

_LISTINGS = (
    "WAREHOUSES",
    "DATABASES",
    "SCHEMAS",
    "ROLES",
    "USERS",
    "RESOURCE MONITORS",
    "NETWORK POLICIES",
    "PARAMETERS",
    "GRANTS",
    "REPLICATION DATABASES",
)
_ACTIONS = (
    "SUSPEND",
    "RESUME",
    "RESUME IF SUSPENDED",
    "ABORT ALL QUERIES",
    "ENABLE MANAGED ACCESS",
    "DISABLE MANAGED ACCESS",
)


def parse(tokens: Sequence[Token]) -> Statement | None:
    """Read one statement.

    Raises:
        SnowflakeError: an account-level statement with a syntax error.
    """
    reader = Reader(tokens)
    verb = reader.accept_any(_READERS)
    statement = _READERS[verb](reader) if verb else None
    if statement is not None and not reader.at_end():
        raise reader.error()
    return statement


def _create(reader: Reader) -> Create | None:
    or_replace = reader.accept("OR REPLACE")
    properties: Properties = {"TRANSIENT": "TRUE"} if reader.accept("TRANSIENT") else {}
    kind = reader.accept_any(MANAGED_KINDS)
    if not kind:
        return None
    if_not_exists = reader.accept("IF NOT EXISTS")
    name = reader.take_name()
    if reader.accept("WITH MANAGED ACCESS"):
        properties["MANAGED ACCESS"] = "TRUE"
    reader.accept("WITH")
    properties |= _settings(reader)
    return Create(kind, name, properties, or_replace, if_not_exists)


def _settings(reader: Reader) -> Properties:
    """Properties, and the TRIGGERS clause that ends those of a resource monitor."""
    properties = reader.take_properties()
    if reader.accept(TRIGGERS):
        triggers: list[str] = []
        while reader.accept("ON"):
            percent = reader.take_number()
            reader.take("PERCENT DO")
            triggers.append(f"{percent} {reader.take_any(('NOTIFY', 'SUSPEND', 'SUSPEND_IMMEDIATE'))}")
        properties[TRIGGERS] = triggers
    return properties


def _alter(reader: Reader) -> Alter | AlterSession | None:
    if reader.accept("SESSION"):
        return AlterSession(_changes(reader).properties)
    kind = reader.accept_any(MANAGED_KINDS)
    if not kind:
        return None
    if_exists = reader.accept("IF EXISTS")
    name = reader.take_name()
    if reader.accept("RENAME TO"):
        return Alter(kind, name, Rename(reader.take_name()), if_exists)
    if verb := reader.accept_any(_ACTIONS):
        return Alter(kind, name, Action(verb), if_exists)
    return Alter(kind, name, _changes(reader), if_exists)


def _changes(reader: Reader) -> SetProperties:
    if reader.take_any(("SET", "UNSET")) == "SET":
        return SetProperties(_settings(reader))
    keys = [reader.take_word()]
    while reader.accept(","):
        keys.append(reader.take_word())
    return SetProperties(dict.fromkeys(keys))


def _drop(reader: Reader) -> Drop | None:
    kind = reader.accept_any(MANAGED_KINDS)
    if not kind:
        return None
    if_exists = reader.accept("IF EXISTS")
    statement = Drop(kind, reader.take_name(), if_exists)
    reader.accept_any(("CASCADE", "RESTRICT"))
    return statement


def _show(reader: Reader) -> Show | None:
    reader.accept("TERSE")
    future = reader.accept("FUTURE")
    what = reader.accept_any(_LISTINGS)
    if not what:
        return None
    reader.accept("HISTORY")
    scope: Scope | None = None
    like: str | None = None
    starts_with, limit = "", None
    while not reader.at_end():
        if reader.accept("LIKE"):
            like = reader.take_string()
        elif reader.accept("STARTS WITH"):
            starts_with = reader.take_string()
        elif reader.accept("LIMIT"):
            limit = reader.take_number()
        elif reader.accept("WITH PRIMARY"):
            reader.take_name()  # nothing is replicated, so the primary makes no difference
        else:
            scope = _scope(reader)
    return Show(what, scope, like, starts_with, limit, future)


def _scope(reader: Reader) -> Scope:
    preposition = reader.take_any(("IN", "ON", "TO", "OF", "FOR"))
    kind = reader.accept_any((*SECURABLE_KINDS, "SESSION")) or "DATABASE"
    bare = kind == "SESSION" or kind == "ACCOUNT" or reader.peek() in ("LIKE", "STARTS", "LIMIT")
    return Scope(preposition, kind, () if bare or reader.at_end() else reader.take_name())


def _describe(reader: Reader) -> Describe | None:
    kind = reader.accept_any(MANAGED_KINDS)
    return Describe(kind, reader.take_name()) if kind else None


def _grant(reader: Reader) -> GrantRole | GrantPrivileges:
    return _grant_role(reader, False) if reader.accept("ROLE") else _grant_privileges(reader, False)


def _revoke(reader: Reader) -> GrantRole | GrantPrivileges:
    return _grant_role(reader, True) if reader.accept("ROLE") else _grant_privileges(reader, True)


def _grant_role(reader: Reader, revoke: bool) -> GrantRole:
    role = reader.take_identifier()
    reader.take("FROM" if revoke else "TO")
    grantee_kind = reader.take_any(("ROLE", "USER"))
    return GrantRole(role, grantee_kind, reader.take_identifier(), revoke)


def _grant_privileges(reader: Reader, revoke: bool) -> GrantPrivileges:
    option_only = revoke and reader.accept("GRANT OPTION FOR")
    privileges = [_privilege(reader)]
    while reader.accept(","):
        privileges.append(_privilege(reader))
    reader.take("ON")
    bulk = reader.accept_any(("ALL", "FUTURE"))
    container_kind, name = "", Name()
    if bulk:
        kind = PLURALS[reader.take_any(PLURALS)]
        reader.take("IN")
        container_kind = reader.take_any(("DATABASE", "SCHEMA"))
        name = reader.take_name()
    else:
        kind = reader.take_any(SECURABLE_KINDS)
        if kind != "ACCOUNT":
            name = reader.take_name()
    reader.take("FROM" if revoke else "TO")
    reader.accept("ROLE")
    role = reader.take_identifier()
    grant_option = current_grants = ""
    if not revoke:
        grant_option = reader.accept_any(("WITH GRANT OPTION",))
        current_grants = reader.accept_any(("COPY CURRENT GRANTS", "REVOKE CURRENT GRANTS"))
    else:
        reader.accept_any(("CASCADE", "RESTRICT"))
    return GrantPrivileges(
        tuple(privileges),
        kind,
        name,
        role,
        bulk,
        container_kind,
        revoke,
        bool(grant_option),
        option_only,
        current_grants,
    )


def _privilege(reader: Reader) -> str:
    words = [reader.take_word()]
    while reader.peek() not in (",", "ON", ""):
        words.append(reader.take_word())
    privilege = " ".join(words)
    return "ALL" if privilege == "ALL PRIVILEGES" else privilege


def _use(reader: Reader) -> Use:
    kind = reader.accept_any(("SECONDARY ROLES", "ROLE", "WAREHOUSE", "DATABASE", "SCHEMA"))
    name = reader.take_name()
    return Use(kind or ("DATABASE" if len(name) == 1 else "SCHEMA"), name)


_READERS: dict[str, Callable[[Reader], Statement | None]] = {
    "CREATE": _create,
    "ALTER": _alter,
    "DROP": _drop,
    "SHOW": _show,
    "DESCRIBE": _describe,
    "DESC": _describe,
    "GRANT": _grant,
    "REVOKE": _revoke,
    "USE": _use,
}
