"""Warehouses, databases, schemas and account roles."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sandbox.plugins.resource import Change, Field
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.object import COMMENT, FULLY_QUALIFIED_NAME, Option, SnowflakeObject, parameter
from sandbox.plugins.snowflake.session import Row, SnowflakeSession
from sandbox.plugins.values import Properties

_SIZES: Mapping[str, str] = {
    "2XLARGE": "XXLARGE",
    "3XLARGE": "XXXLARGE",
    **{f"{size}XLARGE": f"X{size}LARGE" for size in (4, 5, 6)},
}


def _size(size: str) -> str:
    """One spelling of a size: SHOW says ``2X-Large`` for what CREATE calls XXLARGE."""
    plain = size.upper().replace("-", "")
    return _SIZES.get(plain, plain)


class Warehouse(SnowflakeObject):
    """A virtual warehouse: https://docs.snowflake.com/en/sql-reference/sql/create-warehouse."""

    token = "snowflake:index/warehouse:Warehouse"  # noqa: S105 - a type token
    noun = "Snowflake warehouse"
    kind, plural = "WAREHOUSE", "WAREHOUSES"
    fields = (
        Field(name="name", required=True, canonical=names.plain),
        Option(name="warehouseType", sql="WAREHOUSE_TYPE", column="type", default="STANDARD", canonical=str.upper),
        Option(
            name="warehouseSize", sql="WAREHOUSE_SIZE", column="size", default="XSMALL", canonical=_size, parse=_size
        ),
        Option(name="maxClusterCount", sql="MAX_CLUSTER_COUNT", type="integer", style="plain", default=1),
        Option(name="minClusterCount", sql="MIN_CLUSTER_COUNT", type="integer", style="plain", default=1),
        Option(name="scalingPolicy", sql="SCALING_POLICY", default="STANDARD", canonical=str.upper),
        Option(name="autoSuspend", sql="AUTO_SUSPEND", type="integer", style="plain", default=600),
        Option(name="autoResume", sql="AUTO_RESUME", style="plain", default="true", canonical=str.lower),
        Option(
            name="initiallySuspended",
            sql="INITIALLY_SUSPENDED",
            type="boolean",
            style="plain",
            source="none",
            readable=False,
            compared=False,
        ),
        Option(name="resourceMonitor", sql="RESOURCE_MONITOR", style="name", canonical=names.bare),
        COMMENT,
        Option(
            name="enableQueryAcceleration",
            sql="ENABLE_QUERY_ACCELERATION",
            style="plain",
            default="false",
            canonical=str.lower,
        ),
        Option(
            name="queryAccelerationMaxScaleFactor",
            sql="QUERY_ACCELERATION_MAX_SCALE_FACTOR",
            type="integer",
            style="plain",
            default=8,
        ),
        Option(name="resourceConstraint", sql="RESOURCE_CONSTRAINT", server_set=True, canonical=str.upper),
        Option(name="generation", sql="GENERATION", server_set=True),
        parameter("maxConcurrencyLevel", type="integer"),
        parameter("statementQueuedTimeoutInSeconds", type="integer"),
        parameter("statementTimeoutInSeconds", type="integer"),
        FULLY_QUALIFIED_NAME,
    )

    def replaces(self, change: Change, inputs: Properties) -> bool:
        """A size that is no longer declared can't be taken back otherwise."""
        return super().replaces(change, inputs) or (change.field.name == "warehouseSize" and change.will_be is None)

    def update(
        self,
        session: SnowflakeSession,
        state: Properties,
        inputs: Properties,
        changed: Collection[str],
    ) -> None:
        """The type changes only while it is suspended."""
        if "warehouseType" in changed:
            shown = self.show(session, state)
            if shown and shown["state"] != "SUSPENDED":
                session.run(f"ALTER WAREHOUSE {self.address(state)} SUSPEND")
        super().update(session, state, inputs, changed)


_STORAGE_PARAMETERS = (
    parameter("dataRetentionTimeInDays", type="integer"),
    parameter("maxDataExtensionTimeInDays", type="integer"),
    parameter("externalVolume"),
    parameter("catalog"),
    parameter("replaceInvalidCharacters", type="boolean"),
    parameter("defaultDdlCollation"),
    parameter("storageSerializationPolicy", canonical=str.upper),
    parameter("logLevel", canonical=str.upper),
    parameter("traceLevel", canonical=str.upper),
    parameter("suspendTaskAfterNumFailures", type="integer"),
    parameter("taskAutoRetryAttempts", type="integer"),
    parameter("userTaskManagedInitialWarehouseSize", canonical=_size),
    parameter("userTaskTimeoutMs", type="integer"),
    parameter("userTaskMinimumTriggerIntervalInSeconds", type="integer"),
    parameter("quotedIdentifiersIgnoreCase", type="boolean"),
    parameter("enableConsoleOutput", type="boolean"),
)


class Database(SnowflakeObject):
    """A database: https://docs.snowflake.com/en/sql-reference/sql/create-database."""

    token = "snowflake:index/database:Database"  # noqa: S105 - a type token
    noun = "Snowflake database"
    kind, plural, separator = "DATABASE", "DATABASES", ", "
    fields = (
        Field(name="name", required=True, canonical=names.plain),
        Field(name="isTransient", type="boolean", default=False, replace=True),
        Field(name="dropPublicSchemaOnCreation", type="boolean", default=False, readable=False, compared=False),
        *_STORAGE_PARAMETERS,
        COMMENT,
        FULLY_QUALIFIED_NAME,
    )

    def opening(self, inputs: Properties) -> str:
        """TRANSIENT is part of it."""
        transient = "TRANSIENT " if inputs.get("isTransient") else ""
        return f"CREATE {transient}DATABASE {self.address(inputs)}"

    def create(self, session: SnowflakeSession, inputs: Properties) -> None:
        """CREATE, and drop the schema PUBLIC that comes with every database if so declared."""
        super().create(session, inputs)
        if inputs.get("dropPublicSchemaOnCreation"):
            session.run(f"DROP SCHEMA IF EXISTS {names.quote(*self.path(inputs), 'PUBLIC')}")

    def told(self, shown: Row) -> Properties:
        """What SHOW tells in its column of options."""
        return {"isTransient": "TRANSIENT" in str(shown["options"])}


class Schema(SnowflakeObject):
    """A schema: https://docs.snowflake.com/en/sql-reference/sql/create-schema. Its id is ``"DATABASE"."NAME"``."""

    token = "snowflake:index/schema:Schema"  # noqa: S105 - a type token
    noun = "Snowflake schema"
    kind, plural, separator = "SCHEMA", "SCHEMAS", ", "
    fields = (
        Field(name="name", required=True, canonical=names.plain),
        Field(name="database", required=True, replace=True, canonical=names.bare),
        Field(name="isTransient", default="false", replace=True, canonical=str.lower),
        Field(name="withManagedAccess", default="false", canonical=str.lower),
        *_STORAGE_PARAMETERS,
        parameter("pipeExecutionPaused", type="boolean"),
        COMMENT,
        FULLY_QUALIFIED_NAME,
    )

    def path(self, properties: Properties) -> tuple[str, ...]:
        """Database and name."""
        return names.plain(properties["database"]), names.plain(properties["name"])

    def identity(self, properties: Properties) -> str:
        """The full name, quoted."""
        return self.address(properties)

    def locate(self, identifier: str) -> Properties:
        """An id names both."""
        parts = names.split(identifier)
        if len(parts) != 2:
            raise ValueError('the form is "DATABASE"."NAME"')
        return {"database": parts[0], "name": parts[1]}

    def within(self, state: Properties) -> str:
        """Its database."""
        return f" IN DATABASE {names.quoted(state['database'])}"

    def opening(self, inputs: Properties) -> str:
        """TRANSIENT and WITH MANAGED ACCESS are part of it."""
        transient = "TRANSIENT " if _true(inputs.get("isTransient")) else ""
        managed = " WITH MANAGED ACCESS" if _true(inputs.get("withManagedAccess")) else ""
        return f"CREATE {transient}SCHEMA {self.address(inputs)}{managed}"

    def create(self, session: SnowflakeSession, inputs: Properties) -> None:
        """CREATE; the schema PUBLIC comes with every database, so that one is taken and altered."""
        existing = self.read(session, inputs) if self.path(inputs)[-1] == "PUBLIC" else None
        if existing is None:
            super().create(session, inputs)
            return
        changed = {change.field.name for change in self.diff(existing, inputs)}
        self.update(session, existing, inputs, changed)

    def told(self, shown: Row) -> Properties:
        """Its database, and what SHOW tells in its column of options."""
        options = str(shown["options"])
        return {
            "database": shown["database_name"],
            "isTransient": "true" if "TRANSIENT" in options else "false",
            "withManagedAccess": "true" if "MANAGED ACCESS" in options else "false",
        }

    def update(
        self,
        session: SnowflakeSession,
        state: Properties,
        inputs: Properties,
        changed: Collection[str],
    ) -> None:
        """Managed access is switched by a statement of its own."""
        super().update(session, state, inputs, changed)
        if "withManagedAccess" in changed:
            word = "ENABLE" if _true(inputs.get("withManagedAccess")) else "DISABLE"
            session.run(f"ALTER SCHEMA {self.address(inputs)} {word} MANAGED ACCESS")


class AccountRole(SnowflakeObject):
    """A role: https://docs.snowflake.com/en/sql-reference/sql/create-role."""

    token = "snowflake:index/accountRole:AccountRole"  # noqa: S105 - a type token
    noun = "Snowflake account role"
    kind, plural = "ROLE", "ROLES"
    fields = (Field(name="name", required=True, canonical=names.plain), COMMENT, FULLY_QUALIFIED_NAME)


def _true(value: object) -> bool:
    return str(value).lower() == "true"
