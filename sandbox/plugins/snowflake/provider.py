"""The provider's configuration, with the variables of the official one, and the kinds it covers."""

from __future__ import annotations

from sandbox.plugins.provider import Provider
from sandbox.plugins.resource import Field, PluginError
from sandbox.plugins.snowflake.grants import GrantAccountRole
from sandbox.plugins.snowflake.network_policy import NetworkPolicy
from sandbox.plugins.snowflake.objects import AccountRole, Database, Schema, Warehouse
from sandbox.plugins.snowflake.ownership import GrantOwnership
from sandbox.plugins.snowflake.privileges import GrantPrivilegesToAccountRole
from sandbox.plugins.snowflake.resource_monitor import ResourceMonitor
from sandbox.plugins.snowflake.service_user import ServiceUser
from sandbox.plugins.snowflake.session import SnowflakeSession
from sandbox.plugins.values import Properties


class Snowflake(Provider[SnowflakeSession]):
    """Stands in for pulumi-snowflake (Terraform's snowflakedb/snowflake) of this version."""

    package = "snowflake"
    version = "2.22.0"
    config = (
        Field(name="organizationName"),
        Field(name="accountName"),
        Field(name="user"),
        Field(name="password", secret=True),
        Field(name="authenticator", default="SNOWFLAKE"),
        Field(name="privateKey", secret=True),
        Field(name="privateKeyPassphrase", secret=True),
        Field(name="role"),
        Field(name="warehouse"),
        Field(name="host"),
        Field(name="port", type="integer"),
        Field(name="protocol"),
        Field(name="loginTimeout", type="integer", default=60),
    )
    environment = {  # noqa: RUF012 - declared as a ClassVar in the base
        "organizationName": "SNOWFLAKE_ORGANIZATION_NAME",
        "accountName": "SNOWFLAKE_ACCOUNT_NAME",
        "user": "SNOWFLAKE_USER",
        "password": "SNOWFLAKE_PASSWORD",
        "authenticator": "SNOWFLAKE_AUTHENTICATOR",
        "privateKey": "SNOWFLAKE_PRIVATE_KEY",
        "privateKeyPassphrase": "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
        "role": "SNOWFLAKE_ROLE",
        "warehouse": "SNOWFLAKE_WAREHOUSE",
        "host": "SNOWFLAKE_HOST",
        "port": "SNOWFLAKE_PORT",
        "protocol": "SNOWFLAKE_PROTOCOL",
    }
    tolerated = frozenset(
        {
            "clientTimeout",
            "disableTelemetry",
            "driverTracing",
            "experimentalFeaturesDisableds",
            "experimentalFeaturesEnableds",
            "jwtClientTimeout",
            "jwtExpireTimeout",
            "keepSessionAlive",
            "maxRetryCount",
            "previewFeaturesEnabled",
            "requestTimeout",
            "validateDefaultParameters",
        }
    )
    resources = (
        Warehouse(),
        Database(),
        Schema(),
        AccountRole(),
        ServiceUser(),
        ResourceMonitor(),
        NetworkPolicy(),
        GrantAccountRole(),
        GrantPrivilegesToAccountRole(),
        GrantOwnership(),
    )

    def open(self, configuration: Properties) -> SnowflakeSession:
        """Log in, once for all resources."""
        missing = [name for name in ("organizationName", "accountName", "user") if not configuration[name]]
        if missing:
            raise PluginError(
                f"The Snowflake provider needs {', '.join(missing)}: give them to the provider resource, as stack "
                f"config (`pulumi config set snowflake:{missing[0]} ...`) or in the environment."
            )
        return SnowflakeSession(configuration)

    def close(self, session: SnowflakeSession) -> None:
        """Log out."""
        session.close()
