"""The kinds of resource of the Snowflake stand-in, each through its life on an account."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.plugins.provider import Provider
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.provider import Snowflake
from sandbox.plugins.snowflake.session import SnowflakeSession
from sandbox.plugins.values import Properties

if TYPE_CHECKING:
    from tests.sandbox.plugins.conftest import Account, Created, Engine


def public_key() -> str:
    key = rsa.generate_private_key(65537, 2048).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


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
def provider() -> Snowflake:
    return Snowflake()


@pytest.fixture
def engine(account: Account, provider: Snowflake, engine_of: Callable[[Provider[Any]], Engine]) -> Engine:
    engine = engine_of(provider)
    engine.configure(**{**account.provider, "port": str(account.port)})
    return engine


@pytest.fixture
def sql(engine: Engine, provider: Snowflake) -> Callable[[str], list[dict[str, Any]]]:
    """What somebody else does to the account."""
    return lambda statement: provider.session().run(statement)


@pytest.fixture(autouse=True)
def neighbours(sql: Callable[[str], object]) -> None:
    """What the resources refer to."""
    for statement in (
        'CREATE OR REPLACE WAREHOUSE "WH" INITIALLY_SUSPENDED = true',
        'CREATE OR REPLACE DATABASE "LAKE"',
        'CREATE OR REPLACE SCHEMA "LAKE"."STORE"',
        'CREATE OR REPLACE ROLE "LOADER"',
        "CREATE OR REPLACE NETWORK POLICY \"FENCE\" ALLOWED_IP_LIST = ('127.0.0.1')",
    ):
        sql(statement)


def label(life: Life) -> str:
    block = next((key for key in life.declared if key.startswith("on")), "")
    inner = life.declared.get(block)
    return "-".join([life.type.partition(":")[0], block, *(inner if isinstance(inner, dict) else [])]).strip("-")


@pytest.mark.parametrize("life", LIVES, ids=map(label, LIVES))
def test_a_life(life: Life, engine: Engine, sql: Callable[[str], object]) -> None:
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
        sql(life.drift)
        found = engine.refresh(made)
        assert found is not None
        differing = {
            name for name in {*found.outputs, *made.outputs} if found.outputs.get(name) != made.outputs.get(name)
        }
        assert differing == {life.seen}
        assert found.inputs.get(life.seen) == found.outputs.get(life.seen)
        made = repaired(engine, found, declared)
        assert engine.changes(made) == {}

    # removed by somebody else: gone, and deleting it is still fine
    if life.gone:
        sql(life.gone)
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


def repaired(engine: Engine, found: Created, declared: Properties) -> Created:
    changes = engine.changes(found, **declared)
    assert changes, "the drift is a change for the next update"
    if any(kind.endswith("REPLACE") for kind in changes.values()):
        engine.delete(found)
        return engine.create(found.type, **declared)
    return engine.update(found, **declared)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return str(refused.value.details())


def test_one_process_logs_in_once(engine: Engine, provider: Snowflake, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.shut()
    logins: list[Properties] = []
    opened = provider.open

    def counted(configuration: Properties) -> SnowflakeSession:
        logins.append(configuration)
        return opened(configuration)

    monkeypatch.setattr(provider, "open", counted)
    for name in ("ONE", "TWO"):
        engine.delete(engine.create("snowflake:index/accountRole:AccountRole", name=name))
    assert len(logins) == 1


def test_an_underscore_in_a_name_matches_nothing_but_itself(engine: Engine, sql: Callable[[str], object]) -> None:
    sql('CREATE OR REPLACE ROLE "A_B"')
    sql("CREATE OR REPLACE ROLE \"AXB\" COMMENT = 'another'")
    sql("CREATE OR REPLACE ROLE \"a_b\" COMMENT = 'another'")
    found = engine.read_by_id("snowflake:index/accountRole:AccountRole", "A_B")
    assert found is not None
    assert found.inputs == {"name": "A_B"}


def test_the_schema_public_of_a_new_database_is_taken_as_it_is(engine: Engine) -> None:
    made = engine.create("snowflake:index/schema:Schema", name="PUBLIC", database="LAKE", comment="ours")
    assert made.outputs["comment"] == "ours"
    assert engine.refresh(made) == made


def test_a_database_can_be_made_without_its_schema_public(engine: Engine, sql: Callable[[str], Any]) -> None:
    made = engine.create("snowflake:index/database:Database", name="BARE", dropPublicSchemaOnCreation=True)
    assert "PUBLIC" not in [row["name"] for row in sql('SHOW SCHEMAS IN DATABASE "BARE"')]
    assert engine.refresh(made) == made
    engine.delete(made)


def test_what_can_not_be_changed_in_place_is_replaced(engine: Engine) -> None:
    warehouse = engine.create("snowflake:index/warehouse:Warehouse", name="BIG", warehouseSize="LARGE")
    assert engine.changes(warehouse, name="BIG") == {"warehouseSize": "DELETE_REPLACE"}
    monitor = engine.create("snowflake:index/resourceMonitor:ResourceMonitor", name="CAP", suspendTrigger=90)
    assert engine.changes(monitor, name="CAP") == {"suspendTrigger": "DELETE_REPLACE"}
    for made in (warehouse, monitor):
        engine.delete(made)


def test_a_user_that_became_a_person_is_made_anew(engine: Engine, sql: Callable[[str], object]) -> None:
    made = engine.create("snowflake:index/serviceUser:ServiceUser", name="WALTZ")
    sql('ALTER USER "WALTZ" SET TYPE = PERSON')
    found = engine.refresh(made)
    assert found is not None
    assert engine.changes(found, name="WALTZ") == {"userType": "DELETE_REPLACE"}
    engine.delete(made)


@pytest.mark.parametrize(
    ("kind", "declared", "property_"),
    [
        ("grantAccountRole:GrantAccountRole", {"roleName": "R"}, "userName"),
        ("grantAccountRole:GrantAccountRole", {"roleName": "R", "userName": "U", "parentRoleName": "P"}, "userName"),
        (PRIVILEGES, {**LOADER, "onAccount": True}, "privileges"),
        (PRIVILEGES, {**LOADER, "privileges": ["USAGE"]}, "onAccount"),
        (PRIVILEGES, {**LOADER, "privileges": ["USAGE; DROP"], "onAccount": True}, "privileges"),
        (
            PRIVILEGES,
            {**LOADER, "privileges": ["USAGE"], "onSchema": {}, "onAccountObject": {"objectType": "X"}},
            "onAccountObject",
        ),
        (PRIVILEGES, {**LOADER, "privileges": ["USAGE"], "onAccount": True, "alwaysApply": True}, "alwaysApply"),
        ("grantOwnership:GrantOwnership", {**LOADER, "on": {"objectType": "TABLE"}}, "on"),
        ("resourceMonitor:ResourceMonitor", {"name": "M", "frequency": "DAILY"}, "startTimestamp"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_is_done(
    kind: str, declared: Properties, property_: str, engine: Engine
) -> None:
    checked = engine.check(f"snowflake:index/{kind}", declared)
    assert [failure.property for failure in checked.failures] == [property_]


def test_an_id_of_another_form_is_refused_with_the_form(engine: Engine) -> None:
    for kind in (PRIVILEGES, "grantOwnership:GrantOwnership", "grantAccountRole:GrantAccountRole"):
        assert "the form is" in refusal(lambda kind=kind: engine.read_by_id(f"snowflake:index/{kind}", "LOADER|X"))  # type: ignore[misc]


def test_an_existing_object_is_refused_in_the_server_s_words(engine: Engine) -> None:
    said = refusal(lambda: engine.create("snowflake:index/accountRole:AccountRole", name="LOADER"))
    assert said.startswith("The Snowflake account role LOADER could not be created: ")
    assert "already exists" in said
    assert "Import it, or drop it first." in said


def test_a_refused_login_names_the_user_and_never_the_key(
    account: Account, engine_of: Callable[[Provider[Any]], Engine]
) -> None:
    engine = engine_of(Snowflake())
    engine.configure(**{**account.provider, "port": str(account.port), "user": "NOBODY"})
    said = refusal(lambda: engine.create("snowflake:index/accountRole:AccountRole", name="X"))
    assert "can't log in as user NOBODY of OFFLINE-SANDBOX at 127.0.0.1" in said
    assert account.private_key.splitlines()[1] not in said


def test_a_key_that_is_none_and_missing_settings_are_told_apart(engine_of: Callable[[Provider[Any]], Engine]) -> None:
    engine = engine_of(Snowflake())
    role = "snowflake:index/accountRole:AccountRole"
    engine.configure(organizationName="O", accountName="A", user="U", privateKey="not a key at all")
    said = refusal(lambda: engine.create(role, name="X"))
    assert "privateKey can't be read" in said
    assert "not a key at all" not in said
    other = engine_of(Snowflake())
    other.configure(organizationName="O")
    assert "needs accountName, user" in refusal(lambda: other.create(role, name="X"))


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("RAW", ("RAW",)),
        ("RAW.PUBLIC", ("RAW", "PUBLIC")),
        ('"a.b"."say ""hi"""', ("a.b", 'say "hi"')),
    ],
)
def test_names_are_taken_apart_and_quoted_again(written: str, parts: tuple[str, ...]) -> None:
    assert names.split(written) == parts
    assert names.split(names.quote(*parts)) == parts


@pytest.mark.parametrize("written", ["", "A..B", '"A"B', "A."])
def test_what_is_no_name_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        names.split(written)
