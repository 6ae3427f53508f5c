"""Users for programs: https://docs.snowflake.com/en/sql-reference/sql/create-user."""

from __future__ import annotations

from sandbox.plugins.resource import Field
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.object import COMMENT, FULLY_QUALIFIED_NAME, Option, SnowflakeObject, parameter
from sandbox.plugins.snowflake.session import Row
from sandbox.plugins.values import Properties, Value


def _key(key: str) -> str:
    """The base64 body of a public key, whether or not it came with the lines of PEM."""
    return "".join(line.strip() for line in key.splitlines() if "-----" not in line)


class _SecondaryRoles(Option):
    """ALL or NONE as the list that Snowflake takes."""

    def assignment(self, value: Value) -> str:
        return f"{self.sql} = {names.texts(['ALL'] if value.upper() == 'ALL' else [])}"


class ServiceUser(SnowflakeObject):
    """A user of TYPE = SERVICE, which logs in with a key pair."""

    token = "snowflake:index/serviceUser:ServiceUser"  # noqa: S105 - a type token
    noun = "Snowflake service user"
    kind, plural = "USER", "USERS"
    fields = (
        Field(name="name", required=True, canonical=names.plain),
        Option(name="loginName", sql="LOGIN_NAME", secret=True, server_set=True, canonical=str.upper),
        Option(name="displayName", sql="DISPLAY_NAME", server_set=True),
        Option(name="email", sql="EMAIL", secret=True),
        Option(name="disabled", sql="DISABLED", style="plain", default="false", canonical=str.lower),
        Option(name="defaultWarehouse", sql="DEFAULT_WAREHOUSE", style="name", canonical=names.bare),
        Option(name="defaultNamespace", sql="DEFAULT_NAMESPACE", style="name", canonical=names.bare),
        Option(name="defaultRole", sql="DEFAULT_ROLE", style="name", canonical=names.bare),
        _SecondaryRoles(
            name="defaultSecondaryRolesOption",
            sql="DEFAULT_SECONDARY_ROLES",
            server_set=True,
            canonical=str.upper,
            parse=lambda told: "ALL" if "ALL" in told else "NONE",
        ),
        Option(name="rsaPublicKey", sql="RSA_PUBLIC_KEY", source="describe", canonical=_key),
        Option(name="rsaPublicKey2", sql="RSA_PUBLIC_KEY_2", source="describe", canonical=_key),
        Option(name="daysToExpiry", sql="DAYS_TO_EXPIRY", type="integer", style="plain", source="none", readable=False),
        Option(name="minsToUnlock", sql="MINS_TO_UNLOCK", type="integer", style="plain", source="none", readable=False),
        Option(name="networkPolicy", sql="NETWORK_POLICY", style="name", source="parameter", canonical=names.bare),
        parameter("timezone"),
        parameter("queryTag"),
        parameter("statementTimeoutInSeconds", type="integer"),
        parameter("statementQueuedTimeoutInSeconds", type="integer"),
        parameter("enableUnredactedQuerySyntaxError", type="boolean"),
        COMMENT,
        # Somebody made it a user of another type: only a new one can be of this one.
        Field(name="userType", output=True, default="SERVICE", replace=True, canonical=str.upper),
        FULLY_QUALIFIED_NAME,
    )

    def opening(self, inputs: Properties) -> str:
        """The type is part of it."""
        return f"CREATE USER {self.address(inputs)} TYPE = SERVICE"

    def told(self, shown: Row) -> Properties:
        """Its type, which is empty for a user that was made without."""
        return {"userType": str(shown["type"] or "PERSON").upper()}
