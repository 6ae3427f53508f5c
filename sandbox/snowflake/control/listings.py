"""The columns of SHOW for each kind of object, and how each is filled.

Names, order and the written forms of the values are those of docs.snowflake.com/en/sql-reference/sql/show-<kind>s.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.snowflake import names, warehouses
from sandbox.snowflake.catalog import Catalog, Entry
from sandbox.snowflake.results import NUMBER, TEXT, TIMESTAMP, Cell, Column
from sandbox.snowflake.session import Session


@dataclass(frozen=True)
class Row:
    """One object to be listed, and who asks."""

    entry: Entry
    session: Session
    roles: frozenset[str]
    catalog: Catalog

    @property
    def name(self) -> str:
        """The object's own name."""
        return self.entry.name[-1]

    def number(self, key: str, default: int) -> Cell:
        """A property that is a whole number."""
        return int(self.entry.text(key, str(default)))

    def boolean(self, key: str, default: bool = False) -> Cell:
        """A property as the text 'true' or 'false'."""
        return "true" if self.entry.flag(key, default) else "false"

    def has(self, key: str) -> Cell:
        """Whether a property is set, as text."""
        return "true" if key in self.entry.properties else "false"

    def time(self, key: str) -> Cell:
        """A property that is a time, or that of the object's creation."""
        return float(self.entry.text(key, str(self.entry.created)))


@dataclass(frozen=True)
class Field:
    """One column and its value."""

    name: str
    value: Callable[[Row], Cell]
    type: str = TEXT

    @property
    def column(self) -> Column:
        """The result's column."""
        return Column(self.name, self.type)


def _property(name: str, key: str = "") -> Field:
    return Field(name, lambda row: row.entry.text(key or name.upper()))


def _boolean(name: str, default: bool = False) -> Field:
    return Field(name, lambda row: row.boolean(name.upper(), default))


def _number(name: str, default: int) -> Field:
    return Field(name, lambda row: row.number(name.upper(), default), NUMBER)


def _fixed(name: str, value: Cell = "", type_: str = TEXT) -> Field:
    return Field(name, lambda _row: value, type_)


def _count(name: str, key: str) -> Field:
    return Field(name, lambda row: len(row.entry.items(key)), NUMBER)


def _yes(condition: bool) -> str:
    return "Y" if condition else "N"


CREATED_ON = Field("created_on", lambda row: row.entry.created, TIMESTAMP)
NAME = Field("name", lambda row: row.name)
OWNER = Field("owner", lambda row: row.entry.owner)
OWNER_ROLE_TYPE = _fixed("owner_role_type", "ROLE")
COMMENT = _property("comment")


# Warehouses


def _is_started(row: Row) -> bool:
    return warehouses.state(row.entry) == warehouses.STARTED


def _share(name: str, started: str) -> Field:
    """A percentage of the warehouse's compute, empty while it is suspended."""
    return Field(name, lambda row: started if _is_started(row) else "")


WAREHOUSES = (
    NAME,
    Field("state", lambda row: warehouses.state(row.entry)),
    Field("type", lambda row: row.entry.text("WAREHOUSE_TYPE", "STANDARD")),
    Field("size", lambda row: warehouses.pretty_size(row.entry.text("WAREHOUSE_SIZE", "XSMALL"))),
    _number("min_cluster_count", 1),
    _number("max_cluster_count", 1),
    Field("started_clusters", lambda row: int(_is_started(row)), NUMBER),
    _fixed("running", 0, NUMBER),
    _fixed("queued", 0, NUMBER),
    _fixed("is_default", "N"),
    Field("is_current", lambda row: _yes(row.session.warehouse == row.name)),
    Field("auto_suspend", lambda row: warehouses.auto_suspend(row.entry), NUMBER),
    _boolean("auto_resume", default=True),
    _share("available", "100"),
    _share("provisioning", "0"),
    _share("quiescing", "0"),
    _share("other", "0"),
    CREATED_ON,
    Field("resumed_on", lambda row: row.time(warehouses.RESUMED_AT), TIMESTAMP),
    Field("updated_on", lambda row: row.entry.created, TIMESTAMP),
    OWNER,
    COMMENT,
    _boolean("enable_query_acceleration"),
    _number("query_acceleration_max_scale_factor", 8),
    Field("resource_monitor", lambda row: row.entry.text("RESOURCE_MONITOR", "null")),
    _fixed("actives", 0, NUMBER),
    _fixed("pendings", 0, NUMBER),
    _fixed("failed", 0, NUMBER),
    _fixed("suspended", 0, NUMBER),
    Field("uuid", lambda row: str(int(row.entry.created * 1000))),
    Field("scaling_policy", lambda row: row.entry.text("SCALING_POLICY", "STANDARD")),
    _fixed("budget", None),
    OWNER_ROLE_TYPE,
    Field("resource_constraint", lambda row: row.entry.text("RESOURCE_CONSTRAINT") or None),
    Field("generation", lambda row: row.entry.text("GENERATION", "1")),
)


# Databases and schemas


def _options(row: Row) -> Cell:
    keys = ("TRANSIENT", "MANAGED ACCESS")
    return ", ".join(key for key in keys if row.entry.flag(key))


def _retention(row: Row) -> Cell:
    key = "DATA_RETENTION_TIME_IN_DAYS"
    database = row.catalog.find("DATABASE", row.entry.name[:1])
    return row.entry.text(key, database.text(key, "1") if database else "1")


DATABASES = (
    CREATED_ON,
    NAME,
    _fixed("is_default", "N"),
    Field("is_current", lambda row: _yes(row.session.database == row.name)),
    _fixed("origin"),
    OWNER,
    COMMENT,
    Field("options", _options),
    Field("retention_time", _retention),
    _fixed("kind", "STANDARD"),
    _fixed("budget", None),
    OWNER_ROLE_TYPE,
)

SCHEMAS = (
    CREATED_ON,
    NAME,
    _fixed("is_default", "N"),
    Field("is_current", lambda row: _yes((row.session.database, row.session.schema) == row.entry.name)),
    Field("database_name", lambda row: row.entry.name[0]),
    OWNER,
    COMMENT,
    Field("options", _options),
    Field("retention_time", _retention),
    OWNER_ROLE_TYPE,
    _fixed("budget", None),
)


# Roles and users


def _granted_to(kind: str) -> Callable[[Row], Cell]:
    return lambda row: sum(member.grantee_kind == kind for member in row.catalog.members(row.name))


ROLES = (
    CREATED_ON,
    NAME,
    _fixed("is_default", "N"),
    Field("is_current", lambda row: _yes(row.session.role == row.name)),
    Field("is_inherited", lambda row: _yes(row.name in row.roles - {row.session.role})),
    Field("assigned_to_users", _granted_to("USER"), NUMBER),
    Field("granted_to_roles", _granted_to("ROLE"), NUMBER),
    Field("granted_roles", lambda row: len(row.catalog.roles_of("ROLE", row.name)), NUMBER),
    OWNER,
    COMMENT,
)


def secondary_roles(user: Entry) -> list[str]:
    """DEFAULT_SECONDARY_ROLES: all, unless set otherwise (docs: CREATE USER)."""
    return (
        [role.upper() for role in user.items("DEFAULT_SECONDARY_ROLES")]
        if ("DEFAULT_SECONDARY_ROLES" in user.properties)
        else ["ALL"]
    )


USERS = (
    NAME,
    CREATED_ON,
    Field("login_name", lambda row: row.entry.text("LOGIN_NAME", row.name.upper())),
    Field("display_name", lambda row: row.entry.text("DISPLAY_NAME", row.name)),
    _property("first_name"),
    _property("last_name"),
    _property("email"),
    _property("mins_to_unlock"),
    _property("days_to_expiry"),
    COMMENT,
    _boolean("disabled"),
    _boolean("must_change_password"),
    _fixed("snowflake_lock", "false"),
    _property("default_warehouse"),
    _property("default_namespace"),
    _property("default_role"),
    Field("default_secondary_roles", lambda row: json.dumps(secondary_roles(row.entry))),
    _fixed("ext_authn_duo", "false"),
    _fixed("ext_authn_uid"),
    _property("mins_to_bypass_mfa"),
    OWNER,
    _fixed("last_success_login", None, TIMESTAMP),
    _fixed("expires_at_time", None, TIMESTAMP),
    _fixed("locked_until_time", None, TIMESTAMP),
    Field("has_password", lambda row: row.has("PASSWORD")),
    Field("has_rsa_public_key", lambda row: row.has("RSA_PUBLIC_KEY")),
    _property("type"),
    _fixed("has_mfa", "false"),
    _fixed("has_workload_identity", "false"),
)


# Resource monitors and network policies


def _triggers(action: str) -> Callable[[Row], Cell]:
    def percentages(row: Row) -> Cell:
        triggers = [trigger.split() for trigger in row.entry.items("TRIGGERS")]
        return ",".join(f"{percent}%" for percent, act in triggers if act == action) or None

    return percentages


def _quota(row: Row) -> Cell:
    quota = row.entry.text("CREDIT_QUOTA")
    return f"{float(quota):.2f}" if quota else None


def _start_time(row: Row) -> Cell:
    start = row.entry.text("START_TIMESTAMP", "IMMEDIATELY")
    midnight = time.strftime("%Y-%m-%d 00:00:00.000 +0000", time.gmtime(row.entry.created))
    return midnight if start.upper() == "IMMEDIATELY" else start


def _level(row: Row) -> Cell:
    watched = {warehouse.text("RESOURCE_MONITOR") for warehouse in row.catalog.entries("WAREHOUSE")}
    return "WAREHOUSE" if row.name in watched else None


RESOURCE_MONITORS = (
    NAME,
    Field("credit_quota", _quota),
    _fixed("used_credits", "0.00"),
    Field("remaining_credits", _quota),
    Field("level", _level),
    Field("frequency", lambda row: row.entry.text("FREQUENCY", "MONTHLY")),
    Field("start_time", _start_time),
    Field("end_time", lambda row: row.entry.text("END_TIMESTAMP") or None),
    Field("notify_at", _triggers("NOTIFY")),
    Field("suspend_at", _triggers("SUSPEND")),
    Field("suspend_immediately_at", _triggers("SUSPEND_IMMEDIATE")),
    CREATED_ON,
    OWNER,
    _fixed("comment", None),
    Field("notify_users", lambda row: ", ".join(row.entry.items("NOTIFY_USERS"))),
)

NETWORK_POLICIES = (
    CREATED_ON,
    NAME,
    COMMENT,
    _count("entries_in_allowed_ip_list", "ALLOWED_IP_LIST"),
    _count("entries_in_blocked_ip_list", "BLOCKED_IP_LIST"),
    _count("entries_in_allowed_network_rules", "ALLOWED_NETWORK_RULE_LIST"),
    _count("entries_in_blocked_network_rules", "BLOCKED_NETWORK_RULE_LIST"),
)

LISTINGS: dict[str, Sequence[Field]] = {
    "WAREHOUSE": WAREHOUSES,
    "DATABASE": DATABASES,
    "SCHEMA": SCHEMAS,
    "ROLE": ROLES,
    "USER": USERS,
    "RESOURCE MONITOR": RESOURCE_MONITORS,
    "NETWORK POLICY": NETWORK_POLICIES,
}
"""Kind of object to the columns of its SHOW."""


def wanted(row: Row, like: str | None, starts_with: str) -> bool:
    """Whether LIKE and STARTS WITH (which minds case) let the row through."""
    return (like is None or names.matches(like, row.name)) and row.name.startswith(starts_with)
