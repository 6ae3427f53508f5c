"""What the Postgres and Snowflake components declare."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pulumi

from components.plan import Plan
from components.postgres_cdc import PostgresCdcSource
from components.snowflake_warehouse import SnowflakeWarehouse

if TYPE_CHECKING:
    from tests.components.conftest import Declared
else:
    Declared = Any

StackConfig = Callable[..., None]


def when_ready(component: PostgresCdcSource | SnowflakeWarehouse, check: Callable[[dict[str, Any]], None]) -> Any:
    """Run a check with the component's names, once all that it declares is registered."""
    return pulumi.Output.all(component.names, *[each.urn for each in component.ready]).apply(
        lambda all_: check(all_[0])
    )


@pulumi.runtime.test
def test_postgres_gets_a_replication_role_that_reads_the_synced_tables_only(
    stack_config: StackConfig, declared: Declared
) -> Any:
    source = PostgresCdcSource("postgres", Plan.load().postgres["production"])

    def check(names: dict[str, Any]) -> None:
        (role,) = declared.of_type("postgresql:index/role:Role").values()
        assert (role["name"], role["login"], role["replication"]) == ("airbyte", True, True)
        grants = declared.of_type("postgresql:index/grant:Grant").values()
        assert {(each["objectType"], *each["privileges"], *each.get("objects", ())) for each in grants} == {
            ("database", "CONNECT"),
            ("schema", "USAGE"),
            ("table", "SELECT", "orders", "users"),
        }
        (publication,) = declared.of_type("postgresql:index/publication:Publication").values()
        assert publication["tables"] == ["public.orders", "public.users"]
        (slot,) = declared.of_type("postgresql:index/replicationSlot:ReplicationSlot").values()
        assert (slot["name"], slot["plugin"]) == ("airbyte_slot", "pgoutput")
        assert names == {"role": "airbyte", "publications": ["airbyte_publication"], "slots": ["airbyte_slot"]}

    return when_ready(source, check)


@pulumi.runtime.test
def test_the_slot_is_made_after_its_publication(stack_config: StackConfig, declared: Declared) -> Any:
    source = PostgresCdcSource("postgres", Plan.load().postgres["production"])

    def check(_: Any) -> None:
        order = [each.typ.rsplit(":", 1)[1] for each in declared.resources]
        assert order.index("Publication") < order.index("ReplicationSlot")

    return when_ready(source, check)


@pulumi.runtime.test
def test_snowflake_gets_a_key_pair_user_with_the_least_it_needs(stack_config: StackConfig, declared: Declared) -> Any:
    stack_config(snowflakeAllowedCidrs='["203.0.113.0/24"]')
    plan = Plan.load()
    assert plan.snowflake is not None
    warehouse = SnowflakeWarehouse("snowflake", plan.snowflake)

    def check(names: dict[str, Any]) -> None:
        (user,) = declared.of_type("snowflake:index/serviceUser:ServiceUser").values()
        assert user["name"] == "AIRBYTE_USER"
        assert "BEGIN" not in user["rsaPublicKey"]
        assert "password" not in user
        assert user["networkPolicy"] == "AIRBYTE_USER_NETWORK"
        (made,) = declared.of_type("snowflake:index/warehouse:Warehouse").values()
        assert (made["name"], made["autoSuspend"], made["resourceMonitor"]) == (
            "AIRBYTE_WH",
            60,
            "AIRBYTE_ROLE_MONITOR",
        )
        grants = declared.of_type("snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole")
        assert {name: each["privileges"] for name, each in grants.items()} == {
            "snowflake-AIRBYTE_WH-use": ["OPERATE", "USAGE"],
            "snowflake-RAW-use": ["CREATE SCHEMA", "USAGE"],
            "snowflake-RAW-PRODUCTION-load": [
                "CREATE FILE FORMAT",
                "CREATE STAGE",
                "CREATE TABLE",
                "CREATE VIEW",
                "USAGE",
            ],
        }
        assert names["schemas"] == ["RAW.PRODUCTION"]

    return when_ready(warehouse, check)


@pulumi.runtime.test
def test_without_a_credit_quota_there_is_no_monitor(stack_config: StackConfig, declared: Declared) -> Any:
    stack_config(snowflakeCreditQuota="0")
    plan = Plan.load()
    assert plan.snowflake is not None
    warehouse = SnowflakeWarehouse("snowflake", plan.snowflake)

    def check(_: Any) -> None:
        assert declared.of_type("snowflake:index/resourceMonitor:ResourceMonitor") == {}

    return when_ready(warehouse, check)
