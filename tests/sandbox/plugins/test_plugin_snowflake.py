"""The kinds of resource of the Snowflake stand-in, beyond the life of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.plugins.provider import Provider
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.provider import Snowflake
from sandbox.plugins.snowflake.session import SnowflakeSession
from sandbox.plugins.values import Properties

Refusal = Callable[[Callable[[], object]], str]

if TYPE_CHECKING:
    from tests.sandbox.plugins.conftest import Account, Engine


PRIVILEGES = "grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole"
LOADER = {"accountRoleName": "LOADER"}


@pytest.fixture
def engine(snowflake: Engine, snowflake_neighbours: None) -> Engine:
    return snowflake


def test_one_process_logs_in_once(
    engine: Engine, snowflake_provider: Snowflake, monkeypatch: pytest.MonkeyPatch
) -> None:
    snowflake_provider.shut()
    logins: list[Properties] = []
    opened = snowflake_provider.open

    def counted(configuration: Properties) -> SnowflakeSession:
        logins.append(configuration)
        return opened(configuration)

    monkeypatch.setattr(snowflake_provider, "open", counted)
    for name in ("ONE", "TWO"):
        engine.delete(engine.create("snowflake:index/accountRole:AccountRole", name=name))
    assert len(logins) == 1


def test_an_underscore_in_a_name_matches_nothing_but_itself(
    engine: Engine, snowflake_sql: Callable[[str], object]
) -> None:
    snowflake_sql('CREATE OR REPLACE ROLE "A_B"')
    snowflake_sql("CREATE OR REPLACE ROLE \"AXB\" COMMENT = 'another'")
    snowflake_sql("CREATE OR REPLACE ROLE \"a_b\" COMMENT = 'another'")
    found = engine.read_by_id("snowflake:index/accountRole:AccountRole", "A_B")
    assert found is not None
    assert found.inputs == {"name": "A_B"}


def test_the_schema_public_of_a_new_database_is_taken_as_it_is(engine: Engine) -> None:
    made = engine.create("snowflake:index/schema:Schema", name="PUBLIC", database="LAKE", comment="ours")
    assert made.outputs["comment"] == "ours"
    assert engine.refresh(made) == made


def test_a_database_can_be_made_without_its_schema_public(engine: Engine, snowflake_sql: Callable[[str], Any]) -> None:
    made = engine.create("snowflake:index/database:Database", name="BARE", dropPublicSchemaOnCreation=True)
    assert "PUBLIC" not in [row["name"] for row in snowflake_sql('SHOW SCHEMAS IN DATABASE "BARE"')]
    assert engine.refresh(made) == made
    engine.delete(made)


def test_what_can_not_be_changed_in_place_is_replaced(engine: Engine) -> None:
    warehouse = engine.create("snowflake:index/warehouse:Warehouse", name="BIG", warehouseSize="LARGE")
    assert engine.changes(warehouse, name="BIG") == {"warehouseSize": "DELETE_REPLACE"}
    monitor = engine.create("snowflake:index/resourceMonitor:ResourceMonitor", name="CAP", suspendTrigger=90)
    assert engine.changes(monitor, name="CAP") == {"suspendTrigger": "DELETE_REPLACE"}
    for made in (warehouse, monitor):
        engine.delete(made)


def test_a_user_that_became_a_person_is_made_anew(engine: Engine, snowflake_sql: Callable[[str], object]) -> None:
    made = engine.create("snowflake:index/serviceUser:ServiceUser", name="WALTZ")
    snowflake_sql('ALTER USER "WALTZ" SET TYPE = PERSON')
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


def test_an_id_of_another_form_is_refused_with_the_form(engine: Engine, refusal: Refusal) -> None:
    for kind in (PRIVILEGES, "grantOwnership:GrantOwnership", "grantAccountRole:GrantAccountRole"):
        assert "the form is" in refusal(lambda kind=kind: engine.read_by_id(f"snowflake:index/{kind}", "LOADER|X"))  # type: ignore[misc]


def test_an_existing_object_is_refused_in_the_server_s_words(engine: Engine, refusal: Refusal) -> None:
    said = refusal(lambda: engine.create("snowflake:index/accountRole:AccountRole", name="LOADER"))
    assert said.startswith("The Snowflake account role LOADER could not be created: ")
    assert "already exists" in said
    assert "Import it, or drop it first." in said


def test_a_refused_login_names_the_user_and_never_the_key(
    account: Account, engine_of: Callable[[Provider[Any]], Engine], refusal: Refusal
) -> None:
    engine = engine_of(Snowflake())
    engine.configure(**{**account.provider, "port": str(account.port), "user": "NOBODY"})
    said = refusal(lambda: engine.create("snowflake:index/accountRole:AccountRole", name="X"))
    assert "can't log in as user NOBODY of OFFLINE-SANDBOX at 127.0.0.1" in said
    assert account.private_key.splitlines()[1] not in said


def test_a_key_that_is_none_and_missing_settings_are_told_apart(
    engine_of: Callable[[Provider[Any]], Engine], refusal: Refusal
) -> None:
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
