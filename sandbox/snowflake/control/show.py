"""SHOW and DESCRIBE of account objects, databases and schemas, their grants and parameters."""

import json
from collections.abc import Sequence

from sandbox.snowflake import credentials
from sandbox.snowflake.access import Access
from sandbox.snowflake.catalog import Catalog, Entry, Grant, Membership
from sandbox.snowflake.control.listings import CREATED_ON, LISTINGS, Row, wanted
from sandbox.snowflake.errors import syntax_error, unsupported
from sandbox.snowflake.names import Name, matches, quote
from sandbox.snowflake.parameters import PARAMETERS, parent_kind
from sandbox.snowflake.privileges import OWNERSHIP, PLURALS
from sandbox.snowflake.results import Cell, Column, Table
from sandbox.snowflake.session import Session
from sandbox.snowflake.statements import Describe, Scope, Show

_REPLICATION_COLUMNS = (
    "region_group snowflake_region created_on account_name name comment is_primary primary"
    " replication_allowed_to_accounts failover_allowed_to_accounts organization_name account_locator"
)
_GRANT_COLUMNS = "privilege granted_on name granted_to grantee_name grant_option granted_by"
_FUTURE_GRANT_COLUMNS = "privilege grant_on name grant_to grantee_name grant_option"
_MEMBER_COLUMNS = "role granted_to grantee_name granted_by"


class Listings:
    """Reads the catalog on behalf of a session, which sees what its roles may."""

    def __init__(self, catalog: Catalog, access: Access) -> None:
        self._catalog = catalog
        self._access = access

    def show(self, statement: Show, session: Session) -> Table:
        """Any SHOW of the account level."""
        match statement.what:
            case "GRANTS":
                table = self._show_grants(statement, session)
            case "PARAMETERS":
                table = self._show_parameters(statement, session)
            case "REPLICATION DATABASES":
                table = Table(_columns(_REPLICATION_COLUMNS), [])
            case plural:
                table = self._show_objects(PLURALS[plural], statement, session)
        return Table(table.columns, table.rows[: statement.limit])

    def _show_objects(self, kind: str, statement: Show, session: Session) -> Table:
        within: Name = ()
        if kind == "SCHEMA":
            within = self._database_of(statement.scope, session)
        roles = self._access.roles(session)
        fields = LISTINGS[kind]
        rows = [
            Row(entry, session, roles, self._catalog)
            for entry in self._catalog.entries(kind, within)
            if self._access.sees(roles, kind, entry.name)
        ]
        return Table(
            [field.column for field in fields],
            [
                [field.value(row) for field in fields]
                for row in rows
                if wanted(row, statement.like, statement.starts_with)
            ],
        )

    def _database_of(self, scope: Scope | None, session: Session) -> Name:
        """Where SHOW SCHEMAS looks: the database said, else the current one, else the account."""
        if scope is None or (scope.kind == "DATABASE" and not scope.name):
            return (session.database,) if session.database else ()
        if scope.kind == "ACCOUNT":
            return ()
        self._access.require_visible(session, "DATABASE", scope.name)
        return scope.name

    # SHOW PARAMETERS

    def _show_parameters(self, statement: Show, session: Session) -> Table:
        scope = statement.scope or Scope("IN", "SESSION")
        if scope.kind not in PARAMETERS:
            raise unsupported(f"SHOW PARAMETERS IN {scope.kind}")
        levels = self._levels(scope, session)
        rows: list[list[Cell]] = []
        for key, default in PARAMETERS[scope.kind].items():
            if statement.like is not None and not matches(statement.like, key):
                continue
            value, level = next(((held[key], kind) for kind, held in levels if key in held), (default, ""))
            rows.append([key, value, default, level, "", _type_of(default)])
        return Table(_columns("key value default level description type"), rows)

    def _levels(self, scope: Scope, session: Session) -> list[tuple[str, dict[str, str]]]:
        """Where a parameter may be set, nearest first: (kind, what is set there)."""
        if scope.kind == "SESSION":
            return [("SESSION", session.parameters)]
        if not scope.name:
            return []
        entry = self._catalog.require(scope.kind, session.qualify(scope.kind, scope.name))
        found = [entry]
        if parent := parent_kind(scope.kind):
            found.append(self._catalog.require(parent, entry.name[:-1]))
        return [(item.kind, {key: item.text(key) for key in item.properties}) for item in found]

    # SHOW GRANTS

    def _show_grants(self, statement: Show, session: Session) -> Table:
        scope = statement.scope or Scope("TO", "USER", (session.user,))
        name = session.qualify(scope.kind, scope.name) if scope.kind != "ACCOUNT" else Name()
        if name:
            self._catalog.require(scope.kind, name)
        match scope.preposition, scope.kind:
            case "IN", ("DATABASE" | "SCHEMA") if statement.future:
                return _future_grants(self._catalog.future_grants_in(name))
            case "TO", "ROLE" if statement.future:
                return _future_grants(self._catalog.future_grants_to(name[0]))
            case "TO", "ROLE":
                owned = [_ownership(entry) for entry in self._catalog.owned_by(name[0])]
                usage = [_usage(member) for member in self._catalog.roles_of("ROLE", name[0])]
                return _grants([*owned, *usage, *self._catalog.grants_to(name[0])])
            case "TO", "USER":
                return _members(self._catalog.roles_of("USER", name[0]))
            case "OF", "ROLE":
                return _members(self._catalog.members(name[0]))
            case "ON", kind if not statement.future:
                entry = self._catalog.find(kind, name)
                owner = [_ownership(entry)] if entry and entry.owner else []
                return _grants([*owner, *self._catalog.grants_on(kind, name)])
        raise syntax_error(0, scope.preposition)

    # DESCRIBE

    def describe(self, statement: Describe, session: Session) -> Table:
        """What is in a database or schema, or the properties of a user, policy or other object."""
        kind, name = statement.kind, statement.name
        entry = self._catalog.require(kind, name)
        self._access.require_visible(session, kind, name)
        match kind:
            case "USER":
                return _describe_user(entry)
            case "NETWORK POLICY":
                return _describe_network_policy(entry)
            case "DATABASE":
                inside = self._catalog.entries("SCHEMA", name)
            case "SCHEMA":
                inside = self._catalog.entries("TABLE", name) + self._catalog.entries("VIEW", name)
            case _:
                inside = [entry]
        roles = self._access.roles(session)
        return Table(
            [CREATED_ON.column, *_columns("name kind")],
            [
                [item.created, item.name[-1], item.kind]
                for item in inside
                if self._access.sees(roles, item.kind, item.name)
            ],
        )


def _columns(words: str) -> list[Column]:
    return [Column(word) for word in words.split()]


def _type_of(default: str) -> str:
    return "BOOLEAN" if default in ("true", "false") else "NUMBER" if default.isdigit() else "STRING"


def _ownership(entry: Entry) -> Grant:
    return Grant(entry.kind, entry.name, OWNERSHIP, entry.owner, True, entry.owner, entry.created)


def _usage(member: Membership) -> Grant:
    return Grant("ROLE", (member.role,), "USAGE", member.grantee, False, member.granted_by, member.created)


def _underscored(kind: str) -> str:
    return kind.replace(" ", "_")


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _grants(grants: Sequence[Grant]) -> Table:
    return Table(
        [CREATED_ON.column, *_columns(_GRANT_COLUMNS)],
        [
            [
                grant.created,
                grant.privilege,
                _underscored(grant.kind),
                quote(grant.name) or "ACCOUNT",
                "ROLE",
                grant.role,
                _boolean(grant.grant_option),
                grant.granted_by,
            ]
            for grant in grants
        ],
    )


def _future_grants(grants: Sequence[Grant]) -> Table:
    return Table(
        [CREATED_ON.column, *_columns(_FUTURE_GRANT_COLUMNS)],
        [
            [
                grant.created,
                grant.privilege,
                _underscored(grant.kind),
                f"{quote(grant.name)}.<{grant.kind}>",
                "ROLE",
                grant.role,
                _boolean(grant.grant_option),
            ]
            for grant in grants
        ],
    )


def _members(members: Sequence[Membership]) -> Table:
    return Table(
        [CREATED_ON.column, *_columns(_MEMBER_COLUMNS)],
        [[member.created, member.role, member.grantee_kind, member.grantee, member.granted_by] for member in members],
    )


_USER_PROPERTIES = (
    "NAME COMMENT DISPLAY_NAME TYPE LOGIN_NAME FIRST_NAME MIDDLE_NAME LAST_NAME EMAIL PASSWORD"
    " MUST_CHANGE_PASSWORD DISABLED DAYS_TO_EXPIRY MINS_TO_UNLOCK DEFAULT_WAREHOUSE DEFAULT_NAMESPACE"
    " DEFAULT_ROLE MINS_TO_BYPASS_MFA RSA_PUBLIC_KEY RSA_PUBLIC_KEY_FP RSA_PUBLIC_KEY_2 RSA_PUBLIC_KEY_2_FP"
    " HAS_MFA"
)


def _describe_user(user: Entry) -> Table:
    """property, value, default, description; an unset value is the text `null`.

    A boolean's default is the text `false`, for clients parse it whenever the value is set.
    """
    name = user.name[0]
    values: dict[str, str] = {
        "NAME": name,
        "LOGIN_NAME": name.upper(),
        "DISPLAY_NAME": name,
        "MUST_CHANGE_PASSWORD": "false",
        "DISABLED": "false",
        "HAS_MFA": "false",
    } | {key: user.text(key) for key in user.properties}
    for key in ("MUST_CHANGE_PASSWORD", "DISABLED"):
        values[key] = values[key].lower()
    if "PASSWORD" in values:
        values["PASSWORD"] = "********"  # noqa: S105 - what DESCRIBE USER shows of any password
    for key in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        if key in values:
            values[f"{key}_FP"] = credentials.fingerprint(values[key])
    rows: list[list[Cell]] = [
        [key, value, "false" if value in ("true", "false") else "null", ""]
        for key in _USER_PROPERTIES.split()
        for value in [values.get(key, "null")]
    ]
    return Table(_columns("property value default description"), rows)


def _describe_network_policy(policy: Entry) -> Table:
    rows: list[list[Cell]] = [
        [key, ",".join(policy.items(key))] for key in ("ALLOWED_IP_LIST", "BLOCKED_IP_LIST") if policy.items(key)
    ]
    rows += [
        [key, json.dumps([{"fullyQualifiedRuleName": rule} for rule in policy.items(key)])]
        for key in ("ALLOWED_NETWORK_RULE_LIST", "BLOCKED_NETWORK_RULE_LIST")
        if policy.items(key)
    ]
    return Table(_columns("name value"), rows)
