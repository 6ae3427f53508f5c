"""The kinds of resource of the Snowflake stand-in, each through its life on an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.plugins.values import Properties
from tests.keys import public_body

Refusal = Callable[[Callable[[], object]], str]

if TYPE_CHECKING:
    from tests.sandbox.plugins.conftest import Created, Engine


def public_key() -> str:
    return public_body(rsa.generate_private_key(65537, 2048))


@dataclass
class Life:
    """One kind: what is declared first and then, and what somebody else does to it, which `seen` shows."""

    type: str
    declared: Properties
    id: str
    then: Properties = field(default_factory=dict)
    drift: str = ""
    seen: str = ""
    gone: str = ""
    imported: Properties = field(default_factory=dict)


KEYS = [public_key(), public_key()]
PRIVILEGES = "grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole"
LOADER = {"accountRoleName": "LOADER"}
LIVES = [
    Life(
        "warehouse:Warehouse",
        {
            "name": "LOAD_WH",
            "warehouseSize": "xsmall",
            "autoSuspend": 60,
            "initiallySuspended": True,
            "comment": "it's \\ ours",
            "autoResume": "true",
        },
        "LOAD_WH",
        then={"warehouseSize": "2X-LARGE", "autoSuspend": 120, "statementTimeoutInSeconds": 3600, "comment": None},
        drift='ALTER WAREHOUSE "LOAD_WH" SET AUTO_SUSPEND = 999',
        seen="autoSuspend",
        gone='DROP WAREHOUSE "LOAD_WH"',
        imported={
            "name": "LOAD_WH",
            "warehouseSize": "XXLARGE",
            "autoSuspend": 120,
            "statementTimeoutInSeconds": 3600,
        },
    ),
    Life(
        "database:Database",
        {"name": "Mixed_Case", "comment": "landing", "dataRetentionTimeInDays": 1},
        "Mixed_Case",
        then={"dataRetentionTimeInDays": 0, "comment": None},
        drift='ALTER DATABASE "Mixed_Case" SET DATA_RETENTION_TIME_IN_DAYS = 5',
        seen="dataRetentionTimeInDays",
        gone='DROP DATABASE "Mixed_Case"',
        imported={"name": "Mixed_Case", "dataRetentionTimeInDays": 0},
    ),
    Life(
        "schema:Schema",
        {"name": "LANDING", "database": "LAKE", "withManagedAccess": "true"},
        '"LAKE"."LANDING"',
        then={"withManagedAccess": "false", "comment": "raw rows"},
        drift='ALTER SCHEMA "LAKE"."LANDING" SET COMMENT = \'cooked\'',
        seen="comment",
        gone='DROP SCHEMA "LAKE"."LANDING"',
        imported={"name": "LANDING", "database": "LAKE", "comment": "raw rows"},
    ),
    Life(
        "accountRole:AccountRole",
        {"name": "ANALYST", "comment": "reads"},
        "ANALYST",
        then={"comment": "reads much"},
        drift='ALTER ROLE "ANALYST" UNSET COMMENT',
        seen="comment",
        gone='DROP ROLE "ANALYST"',
        imported={"name": "ANALYST", "comment": "reads much"},
    ),
    Life(
        "serviceUser:ServiceUser",
        {
            "name": "SERVANT",
            "rsaPublicKey": KEYS[0],
            "defaultRole": "LOADER",
            "defaultWarehouse": "WH",
            "defaultNamespace": "LAKE.STORE",
            "networkPolicy": "FENCE",
            "comment": "loads",
            "defaultSecondaryRolesOption": "NONE",
        },
        "SERVANT",
        then={"rsaPublicKey2": KEYS[1], "defaultNamespace": None, "comment": None, "networkPolicy": None},
        drift='ALTER USER "SERVANT" SET DISABLED = true',
        seen="disabled",
        gone='DROP USER "SERVANT"',
        imported={
            "name": "SERVANT",
            "loginName": "SERVANT",
            "displayName": "SERVANT",
            "rsaPublicKey": KEYS[0],
            "rsaPublicKey2": KEYS[1],
            "defaultRole": "LOADER",
            "defaultWarehouse": "WH",
            "defaultSecondaryRolesOption": "NONE",
        },
    ),
    Life(
        "resourceMonitor:ResourceMonitor",
        {"name": "BUDGET", "creditQuota": 10, "notifyTriggers": [80, 50], "suspendTrigger": 100},
        "BUDGET",
        then={"notifyTriggers": [90], "suspendImmediateTrigger": 110},
        drift='ALTER RESOURCE MONITOR "BUDGET" SET CREDIT_QUOTA = 1000',
        seen="creditQuota",
        gone='DROP RESOURCE MONITOR "BUDGET"',
        imported={
            "name": "BUDGET",
            "creditQuota": 10,
            "frequency": "MONTHLY",
            "notifyTriggers": [90],
            "suspendTrigger": 100,
            "suspendImmediateTrigger": 110,
        },
    ),
    Life(
        "networkPolicy:NetworkPolicy",
        {"name": "WALL", "allowedIpLists": ["127.0.0.1", "10.0.0.0/8"]},
        "WALL",
        then={"blockedIpLists": ["10.1.1.1"], "comment": "keeps out"},
        drift="ALTER NETWORK POLICY \"WALL\" SET ALLOWED_IP_LIST = ('0.0.0.0/0')",
        seen="allowedIpLists",
        gone='DROP NETWORK POLICY "WALL"',
        imported={
            "name": "WALL",
            "allowedIpLists": ["127.0.0.1", "10.0.0.0/8"],
            "blockedIpLists": ["10.1.1.1"],
            "comment": "keeps out",
        },
    ),
    Life(
        "grantAccountRole:GrantAccountRole",
        {"roleName": "LOADER", "userName": "ADMIN"},
        '"LOADER"|USER|"ADMIN"',
        gone='REVOKE ROLE "LOADER" FROM USER "ADMIN"',
        imported={"roleName": "LOADER", "userName": "ADMIN"},
    ),
    Life(
        "grantAccountRole:GrantAccountRole",
        {"roleName": "LOADER", "parentRoleName": "SYSADMIN"},
        '"LOADER"|ROLE|"SYSADMIN"',
        gone='REVOKE ROLE "LOADER" FROM ROLE "SYSADMIN"',
        imported={"roleName": "LOADER", "parentRoleName": "SYSADMIN"},
    ),
    Life(
        PRIVILEGES,
        {
            **LOADER,
            "privileges": ["USAGE", "OPERATE"],
            "onAccountObject": {"objectType": "WAREHOUSE", "objectName": "WH"},
        },
        '"LOADER"|false|false|USAGE,OPERATE|OnAccountObject|WAREHOUSE|"WH"',
        then={"privileges": ["USAGE", "MONITOR"]},
        drift='REVOKE MONITOR ON WAREHOUSE "WH" FROM ROLE "LOADER"',
        seen="privileges",
        imported={**LOADER, "privileges": ["USAGE", "OPERATE"]},
    ),
    Life(
        PRIVILEGES,
        {**LOADER, "privileges": ["USAGE", "CREATE TABLE"], "onSchema": {"schemaName": "LAKE.STORE"}},
        '"LOADER"|false|false|USAGE,CREATE TABLE|OnSchema|OnSchema|"LAKE"."STORE"',
        drift='REVOKE USAGE ON SCHEMA "LAKE"."STORE" FROM ROLE "LOADER"',
        seen="privileges",
        imported={**LOADER, "onSchema": {"schemaName": '"LAKE"."STORE"'}},
    ),
    Life(
        PRIVILEGES,
        {**LOADER, "privileges": ["USAGE"], "onSchema": {"futureSchemasInDatabase": "LAKE"}},
        '"LOADER"|false|false|USAGE|OnSchema|OnFutureSchemasInDatabase|"LAKE"',
        drift='REVOKE USAGE ON FUTURE SCHEMAS IN DATABASE "LAKE" FROM ROLE "LOADER"',
        seen="privileges",
        imported={"onSchema": {"futureSchemasInDatabase": '"LAKE"'}},
    ),
    Life(
        PRIVILEGES,
        {**LOADER, "privileges": ["USAGE"], "onSchema": {"allSchemasInDatabase": "LAKE"}},
        '"LOADER"|false|false|USAGE|OnSchema|OnAllSchemasInDatabase|"LAKE"',
        imported={"onSchema": {"allSchemasInDatabase": '"LAKE"'}},
    ),
    Life(
        PRIVILEGES,
        {
            **LOADER,
            "privileges": ["SELECT"],
            "onSchemaObject": {"future": {"objectTypePlural": "TABLES", "inSchema": "LAKE.STORE"}},
        },
        '"LOADER"|false|false|SELECT|OnSchemaObject|OnFuture|TABLES|InSchema|"LAKE"."STORE"',
        then={"privileges": ["SELECT", "INSERT"]},
        drift='REVOKE INSERT ON FUTURE TABLES IN SCHEMA "LAKE"."STORE" FROM ROLE "LOADER"',
        seen="privileges",
        imported={"onSchemaObject": {"future": {"objectTypePlural": "TABLES", "inSchema": '"LAKE"."STORE"'}}},
    ),
    Life(
        PRIVILEGES,
        {
            **LOADER,
            "privileges": ["SELECT"],
            "onSchemaObject": {"all": {"objectTypePlural": "TABLES", "inDatabase": "LAKE"}},
        },
        '"LOADER"|false|false|SELECT|OnSchemaObject|OnAll|TABLES|InDatabase|"LAKE"',
        imported={"onSchemaObject": {"all": {"objectTypePlural": "TABLES", "inDatabase": '"LAKE"'}}},
    ),
    Life(
        PRIVILEGES,
        {**LOADER, "allPrivileges": True, "onSchema": {"schemaName": '"LAKE"."STORE"'}},
        '"LOADER"|false|false|ALL|OnSchema|OnSchema|"LAKE"."STORE"',
        imported={"allPrivileges": True},
    ),
    Life(
        PRIVILEGES,
        {**LOADER, "privileges": ["MONITOR USAGE"], "onAccount": True},
        '"LOADER"|false|false|MONITOR USAGE|OnAccount',
        drift='REVOKE MONITOR USAGE ON ACCOUNT FROM ROLE "LOADER"',
        seen="privileges",
        imported={**LOADER, "onAccount": True},
    ),
    Life(
        "grantOwnership:GrantOwnership",
        {**LOADER, "outboundPrivileges": "COPY", "on": {"objectType": "SCHEMA", "objectName": "LAKE.STORE"}},
        'ToAccountRole|"LOADER"|COPY|OnObject|SCHEMA|"LAKE"."STORE"',
        drift='GRANT OWNERSHIP ON SCHEMA "LAKE"."STORE" TO ROLE "SYSADMIN" COPY CURRENT GRANTS',
        seen="accountRoleName",
        imported={**LOADER, "on": {"objectType": "SCHEMA", "objectName": '"LAKE"."STORE"'}},
    ),
]


@pytest.fixture
def engine(snowflake: Engine, snowflake_neighbours: None) -> Engine:
    return snowflake


def label(life: Life) -> str:
    block = next((key for key in life.declared if key.startswith("on")), "")
    inner = life.declared.get(block)
    return "-".join([life.type.partition(":")[0], block, *(inner if isinstance(inner, dict) else [])]).strip("-")


@pytest.mark.parametrize("life", LIVES, ids=map(label, LIVES))
def test_a_life(life: Life, engine: Engine, snowflake_sql: Callable[[str], object]) -> None:
    token = f"snowflake:index/{life.type}"

    # created: as declared, under the official provider's id, and clean
    made = engine.create(token, **life.declared)
    assert made.id == life.id
    assert made.inputs == life.declared
    assert engine.changes(made) == {}
    assert engine.refresh(made) == made

    # found by its id alone, where it stands as it was made
    declared = {name: value for name, value in {**life.declared, **life.then}.items() if value is not None}
    if not life.then or life.type == PRIVILEGES:
        check_import(engine, life, life.declared)

    # updated in place: just what changed, and clean again
    if life.then:
        assert engine.changes(made, **declared).keys() == life.then.keys()
        made = engine.update(made, **declared)
        assert engine.changes(made) == {}
        found = engine.refresh(made)
        assert found is not None
        assert (found.inputs, found.outputs) == (made.inputs, made.outputs)
        if life.type != PRIVILEGES:
            check_import(engine, life, declared)

    # changed by somebody else: that property and no other shows, and is put right
    if life.drift:
        snowflake_sql(life.drift)
        found = engine.refresh(made)
        assert found is not None
        differing = {
            name for name in {*found.outputs, *made.outputs} if found.outputs.get(name) != made.outputs.get(name)
        }
        assert differing == {life.seen}
        assert found.inputs.get(life.seen) == found.outputs.get(life.seen)
        made = engine.repair(found, **declared)
        assert engine.changes(made) == {}

    # removed by somebody else: gone, and deleting it is still fine
    if life.gone:
        snowflake_sql(life.gone)
        assert engine.refresh(made) is None
        engine.delete(made)
        made = engine.create(token, **declared)

    # deleted: nothing is left
    engine.delete(made)
    left = engine.refresh(made)
    assert left is None or left.outputs.get("accountRoleName") == "ACCOUNTADMIN" or unread(left)
    engine.delete(made)


def check_import(engine: Engine, life: Life, declared: Properties) -> None:
    found = engine.read_by_id(f"snowflake:index/{life.type}", life.id)
    assert found is not None
    assert found.id == life.id
    assert found.inputs == {**found.inputs, **life.imported}
    assert engine.changes(found, **declared) == {}


def unread(left: Created) -> bool:
    """Privileges that are not looked at, or are looked at and not there."""
    return left.type.endswith(PRIVILEGES) and not (
        left.outputs.get("privileges")
        and not {"all", "allSchemasInDatabase"}
        & {*left.outputs.get("onSchema", {}), *left.outputs.get("onSchemaObject", {})}
    )
