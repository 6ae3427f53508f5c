"""SnowflakeWarehouse: what Airbyte needs in a Snowflake account, and no more.

A warehouse with a resource monitor, the databases and schemas the pipelines land in, one role, and one
service user that logs in by key pair only (password sign-in for service users is gone:
https://docs.snowflake.com/en/user-guide/admin-user-management#types-of-users).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import pulumi
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from components.errors import ConfigurationError, Problem
from components.keys import KeyPair
from components.lazy import lazy_import
from components.pipeline_file import Actor, DestinationSpec
from components.settings import SnowflakeSettings, require

if TYPE_CHECKING:
    import pulumi_snowflake as snowflake
else:
    snowflake = lazy_import("pulumi_snowflake")

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_$]{0,254}$")]
"""Upper case only: a quoted lower-case name would have to be quoted in every query ever written."""

_SCHEMA_PRIVILEGES = ("CREATE FILE FORMAT", "CREATE STAGE", "CREATE TABLE", "CREATE VIEW", "USAGE")
"""What the direct-load connector uses in a schema; it owns the tables it makes."""


class SnowflakeAdmin(BaseModel):
    """How Pulumi reaches the account, as a user that may create all of this."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    organization: str
    account: str
    user: str
    role: str = "ACCOUNTADMIN"
    private_key: pulumi.Output[str]
    """PKCS8 PEM."""
    address: Mapping[str, Any] = Field(default_factory=dict)
    """``host``, ``port`` and ``protocol`` where the account is not at its usual address."""


class SnowflakeWarehouseArgs(BaseModel):
    """Arguments of SnowflakeWarehouse."""

    model_config = ConfigDict(frozen=True)

    admin: SnowflakeAdmin

    warehouses: tuple[Identifier, ...] = Field(min_length=1)
    schemas: Mapping[Identifier, tuple[Identifier, ...]] = Field(min_length=1)
    """Database -> the schemas in it."""
    role: Identifier
    user: Identifier
    public_key: str
    size: str = "XSMALL"
    auto_suspend_seconds: int = 60
    credit_quota: int = 50
    """Credits a month, 0 for no monitor."""
    allowed_cidrs: tuple[str, ...] = ()


class SnowflakeWarehouse(pulumi.ComponentResource):
    """Warehouses, databases, schemas, role, service user, grants and monitor."""

    names: pulumi.Output[dict[str, Any]]
    """``role``, ``user``, ``warehouses`` and ``schemas`` as created."""
    ready: list[pulumi.Resource]
    """What must exist before Airbyte can load."""

    def __init__(self, name: str, args: SnowflakeWarehouseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airbyte-as-code:snowflake:SnowflakeWarehouse", name, None, opts)
        admin = snowflake.Provider(
            f"{name}-admin",
            organization_name=args.admin.organization,
            account_name=args.admin.account,
            user=args.admin.user,
            role=args.admin.role,
            authenticator="SNOWFLAKE_JWT",
            private_key=args.admin.private_key,
            opts=pulumi.ResourceOptions(parent=self),
            **args.admin.address,
        )
        aliases = [pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]
        self._child = pulumi.ResourceOptions(parent=self, provider=admin, aliases=aliases)
        role = snowflake.AccountRole(
            f"{name}-role", name=args.role, comment="Airbyte loads with this role", opts=self._child
        )
        # Without a parent, not even an administrator could read or clean up what Airbyte loaded.
        # https://docs.snowflake.com/en/user-guide/security-access-control-considerations
        snowflake.GrantAccountRole(
            f"{name}-role-parent", role_name=role.name, parent_role_name="SYSADMIN", opts=self._child
        )
        self.ready = [role]
        warehouses = self._warehouses(name, args, role)
        schemas = self._schemas(name, args, role)
        user = self._user(name, args, role)
        self.names = pulumi.Output.all(
            role=role.name,
            user=user.name,
            warehouses=[warehouse.name for warehouse in warehouses],
            schemas=[pulumi.Output.concat(schema.database, ".", schema.name) for schema in schemas],
        )
        self.register_outputs({"names": self.names})

    def _grant(self, name: str, role: snowflake.AccountRole, privileges: Iterable[str], **on: Any) -> None:
        self.ready.append(
            snowflake.GrantPrivilegesToAccountRole(
                name, account_role_name=role.name, privileges=sorted(privileges), opts=self._child, **on
            )
        )

    def _warehouses(
        self, name: str, args: SnowflakeWarehouseArgs, role: snowflake.AccountRole
    ) -> list[snowflake.Warehouse]:
        warehouses, monitor = [], None
        if args.credit_quota:
            monitor = snowflake.ResourceMonitor(
                f"{name}-monitor",
                name=f"{args.role}_MONITOR",
                credit_quota=args.credit_quota,
                frequency="MONTHLY",
                start_timestamp="IMMEDIATELY",
                notify_triggers=[50, 80],
                suspend_trigger=100,
                suspend_immediate_trigger=110,
                opts=self._child,
            )
        for warehouse_name in args.warehouses:
            warehouse = snowflake.Warehouse(
                f"{name}-{warehouse_name}",
                name=warehouse_name,
                warehouse_size=args.size,
                auto_suspend=args.auto_suspend_seconds,
                auto_resume="true",
                initially_suspended=True,
                resource_monitor=monitor.name if monitor else None,
                comment="Airbyte loads with this warehouse",
                opts=self._child,
            )
            on = snowflake.GrantPrivilegesToAccountRoleOnAccountObjectArgs(
                object_type="WAREHOUSE", object_name=warehouse.name
            )
            # OPERATE lets the connector resume it by hand where automatic resumption is turned off.
            self._grant(f"{name}-{warehouse_name}-use", role, ("OPERATE", "USAGE"), on_account_object=on)
            warehouses.append(warehouse)
        return warehouses

    def _schemas(self, name: str, args: SnowflakeWarehouseArgs, role: snowflake.AccountRole) -> list[snowflake.Schema]:
        schemas = []
        for database_name, schema_names in sorted(args.schemas.items()):
            database = snowflake.Database(f"{name}-{database_name}", name=database_name, opts=self._child)
            on = snowflake.GrantPrivilegesToAccountRoleOnAccountObjectArgs(
                object_type="DATABASE", object_name=database.name
            )
            # CREATE SCHEMA: connections that mirror the source's schemas make theirs.
            self._grant(f"{name}-{database_name}-use", role, ("CREATE SCHEMA", "USAGE"), on_account_object=on)
            for schema_name in sorted(schema_names):
                schema = snowflake.Schema(
                    f"{name}-{database_name}-{schema_name}",
                    name=schema_name,
                    database=database.name,
                    opts=self._child,
                )
                on_schema = snowflake.GrantPrivilegesToAccountRoleOnSchemaArgs(schema_name=schema.fully_qualified_name)
                self._grant(
                    f"{name}-{database_name}-{schema_name}-load",
                    role,
                    _SCHEMA_PRIVILEGES,
                    on_schema=on_schema,
                )
                schemas.append(schema)
        return schemas

    def _user(self, name: str, args: SnowflakeWarehouseArgs, role: snowflake.AccountRole) -> snowflake.ServiceUser:
        policy = None
        if args.allowed_cidrs:
            policy = snowflake.NetworkPolicy(
                f"{name}-network",
                name=f"{args.user}_NETWORK",
                allowed_ip_lists=list(args.allowed_cidrs),
                opts=self._child,
            )
        user = snowflake.ServiceUser(
            f"{name}-user",
            name=args.user,
            login_name=args.user,
            default_role=role.name,
            default_warehouse=args.warehouses[0],
            rsa_public_key=args.public_key,
            network_policy=policy.name if policy else None,
            comment="Airbyte connects as this user",
            opts=self._child,
        )
        grant = snowflake.GrantAccountRole(
            f"{name}-user-role", role_name=role.name, user_name=user.name, opts=self._child
        )
        self.ready += [user, grant]
        return user


def loads_stack_account(destination: DestinationSpec, settings: SnowflakeSettings) -> bool:
    """Whether a destination is the Snowflake account of the stack's settings."""
    host = destination.config.get("host")
    return destination.connector == "destination-snowflake" and host in (
        "${SNOWFLAKE_HOST}",
        settings.account_host,
    )


def complete_destination_config(config: Mapping[str, Any], settings: SnowflakeSettings) -> dict[str, Any]:
    """Fill in what a destination's config leaves out and the settings know."""
    known = {
        "role": settings.role,
        "username": settings.user,
        "credentials": {"auth_type": "Key Pair Authentication", "private_key": "${SNOWFLAKE_PRIVATE_KEY}"},
    }
    return {**known, **config}


def service_key(settings: SnowflakeSettings) -> KeyPair:
    """The service user's key pair; raises ConfigurationError where it is missing or unfit."""
    return KeyPair.load("snowflake", "private_key", settings.private_key, settings.private_key_file)


def plan_snowflake(settings: SnowflakeSettings, actors: Iterable[Actor]) -> SnowflakeWarehouseArgs | None:
    """All that the destinations in this account need; nothing where unmanaged.

    Raises ConfigurationError where a setting or a field that this needs is missing.
    """
    loading = [
        actor
        for actor in actors
        if isinstance(actor.spec, DestinationSpec) and loads_stack_account(actor.spec, settings)
    ]
    if not settings.managed or not loading:
        return None
    why = "The stack creates the warehouse, schemas, role, user and grants."
    require("snowflake", settings, "organization", "account", "admin_user", why=why)
    warehouses: set[str] = set()
    schemas: dict[str, set[str]] = {}
    problems: list[Problem] = []
    for destination in loading:
        config = destination.spec.config
        unfit = [_unfit(destination, field, config.get(field)) for field in ("warehouse", "database", "schema")]
        problems += filter(None, unfit)
        if not problems:
            warehouses.add(config["warehouse"])
            schemas.setdefault(config["database"], set()).add(config["schema"])
    if problems:
        raise ConfigurationError(problems)
    return SnowflakeWarehouseArgs(
        admin=_admin(settings),
        warehouses=tuple(sorted(warehouses)),
        schemas={database: tuple(sorted(names)) for database, names in schemas.items()},
        role=settings.role,
        user=settings.user,
        public_key=service_key(settings).public_body,
        size=settings.warehouse_size,
        auto_suspend_seconds=settings.auto_suspend_seconds,
        credit_quota=settings.credit_quota,
        allowed_cidrs=tuple(settings.allowed_cidrs),
    )


def _unfit(destination: Actor, field: str, value: Any) -> Problem | None:
    where = destination.where("config", field)
    if not isinstance(value, str) or not value:
        return Problem(where, f"`{field}` is missing.", "The stack creates it, so it must be named.")
    if "${" in value:
        return Problem(where, "can't be a variable: the stack creates it.", "Write its name.")
    if value != value.upper():
        return Problem(where, f"`{value}` would be a quoted, lower-case name.", f"Write it as {value.upper()}.")
    return None


def _admin(settings: SnowflakeSettings) -> SnowflakeAdmin:
    key = KeyPair.load("snowflake", "admin_private_key", settings.admin_private_key, settings.admin_private_key_file)
    address = {"host": settings.api_host, "port": settings.api_port, "protocol": settings.api_protocol}
    return SnowflakeAdmin(
        organization=settings.organization,
        account=settings.account,
        user=settings.admin_user,
        role=settings.admin_role,
        private_key=pulumi.Output.secret(key.private_pem),
        address=address if settings.api_host else {},
    )
