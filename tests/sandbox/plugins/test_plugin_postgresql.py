"""The kinds of resource of the PostgreSQL stand-in, each through its life on a real server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sandbox.plugins.postgresql.provider import PostgreSQL
from sandbox.plugins.provider import Provider
from sandbox.plugins.values import Properties
from sandbox.postgres import Server

Refusal = Callable[[Callable[[], object]], str]

if TYPE_CHECKING:
    from tests.sandbox.plugins.conftest import Engine

Admin = psycopg.Connection[dict[str, Any]]
PASSWORD = "correct horse battery staple"


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
    imported: Properties | None = None


ROLE = {"name": "reader", "login": True, "password": PASSWORD}
GRANT = {"role": "grantee", "database": "production"}
LIVES = [
    Life(
        "role:Role",
        {**ROLE, "replication": True, "validUntil": "2031-05-01"},
        "reader",
        then={
            "connectionLimit": 3,
            "searchPaths": ["public", "two words"],
            "statementTimeout": 1000,
            "roles": ["grantee"],
        },
        drift="ALTER ROLE reader NOREPLICATION",
        seen="replication",
        gone="DROP ROLE reader",
        imported={
            "name": "reader",
            "login": True,
            "replication": True,
            "validUntil": "2031-05-01 00:00:00+00",
            "connectionLimit": 3,
            "searchPaths": ["public", "two words"],
            "statementTimeout": 1000,
            "roles": ["grantee"],
        },
    ),
    Life(
        "grantRole:GrantRole",
        {"role": "grantee", "grantRole": "pg_monitor"},
        "grantee_pg_monitor_false",
        drift="GRANT pg_monitor TO grantee WITH ADMIN OPTION",
        seen="withAdminOption",
        gone="REVOKE pg_monitor FROM grantee",
    ),
    Life(
        "grant:Grant",
        {**GRANT, "objectType": "database", "privileges": ["CONNECT"]},
        "grantee_production_database",
        then={"privileges": ["CREATE", "CONNECT"]},
        drift="REVOKE CREATE ON DATABASE production FROM grantee",
        seen="privileges",
    ),
    Life(
        "grant:Grant",
        {**GRANT, "objectType": "schema", "schema": "public", "privileges": ["ALL"]},
        "grantee_production_public_schema",
        then={"privileges": ["USAGE"]},
        drift="GRANT CREATE ON SCHEMA public TO grantee",
        seen="privileges",
    ),
    Life(
        "grant:Grant",
        {**GRANT, "objectType": "table", "schema": "public", "privileges": ["SELECT"]},
        "grantee_production_public_table",
        then={"privileges": ["INSERT", "SELECT"]},
        drift="CREATE TABLE a_new_one ()",
        seen="privileges",
    ),
    Life(
        "grant:Grant",
        {**GRANT, "objectType": "table", "schema": "public", "objects": ["users", "orders"], "privileges": ["SELECT"]},
        "grantee_production_public_table_orders_users",
        drift="GRANT SELECT ON users, orders TO grantee WITH GRANT OPTION",
        seen="withGrantOption",
    ),
    Life(
        "grant:Grant",
        {
            **GRANT,
            "objectType": "column",
            "schema": "public",
            "objects": ["users"],
            "columns": ["id"],
            "privileges": ["SELECT"],
        },
        "grantee_production_public_column_users_id",
        drift="REVOKE SELECT (id) ON users FROM grantee",
        seen="privileges",
    ),
    Life(
        "grant:Grant",
        {**GRANT, "objectType": "function", "schema": "public", "objects": ["twice(int)"], "privileges": ["EXECUTE"]},
        "grantee_production_public_function_twice(int)",
        drift="REVOKE EXECUTE ON FUNCTION twice(int) FROM grantee",
        seen="privileges",
    ),
    Life(
        "defaultPrivileges:DefaultPrivileges",
        {**GRANT, "owner": "postgres", "schema": "public", "objectType": "table", "privileges": ["SELECT"]},
        "grantee_production_public_postgres_table",
        then={"privileges": ["INSERT", "SELECT"]},
        drift="ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE INSERT ON TABLES FROM grantee",
        seen="privileges",
        gone="ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM grantee",
    ),
    Life(
        "database:Database",
        {"name": "archive", "connectionLimit": 5},
        "archive",
        then={"connectionLimit": 7, "allowConnections": False},
        drift="ALTER DATABASE archive CONNECTION LIMIT 1",
        seen="connectionLimit",
        gone="DROP DATABASE archive",
        imported={
            "name": "archive",
            "connectionLimit": 7,
            "allowConnections": False,
            "owner": "postgres",
            "encoding": "UTF8",
            "tablespaceName": "pg_default",
            "isTemplate": False,
        },
    ),
    Life(
        "schema:Schema",
        {"name": "landing", "database": "production"},
        "production.landing",
        then={"owner": "grantee"},
        drift="ALTER SCHEMA landing OWNER TO postgres",
        seen="owner",
        gone="DROP SCHEMA landing",
        imported={"name": "landing", "database": "production", "owner": "grantee"},
    ),
    Life(
        "publication:Publication",
        {"name": "CDC", "database": "production", "tables": ["users", "public.orders"]},
        "production.CDC",
        then={"tables": ["public.users"], "publishParams": ["insert"], "publishViaPartitionRootParam": True},
        drift='ALTER PUBLICATION "CDC" ADD TABLE orders',
        seen="tables",
        gone='DROP PUBLICATION "CDC"',
        imported={
            "name": "CDC",
            "database": "production",
            "tables": ["public.users"],
            "owner": "postgres",
            "allTables": False,
            "publishParams": ["insert"],
            "publishViaPartitionRootParam": True,
        },
    ),
    Life(
        "replicationSlot:ReplicationSlot",
        {"name": "cdc", "database": "production", "plugin": "pgoutput"},
        "production.cdc",
        gone="SELECT pg_drop_replication_slot('cdc')",
        imported={"name": "cdc", "database": "production", "plugin": "pgoutput"},
    ),
    Life(
        "physicalReplicationSlot:PhysicalReplicationSlot",
        {"name": "standby"},
        "standby",
        gone="SELECT pg_drop_replication_slot('standby')",
        imported={"name": "standby"},
    ),
]


@pytest.fixture
def engine(postgres: Server, engine_of: Callable[[Provider[Any]], Engine]) -> Engine:
    engine = engine_of(PostgreSQL())
    engine.configure(
        host=postgres.host,
        port=str(postgres.port),
        database="production",
        username=postgres.admin_user,
        password=postgres.admin_password,
        sslmode="require",
        superuser="true",
    )
    return engine


@pytest.fixture(autouse=True)
def neighbours(admin: Admin) -> Iterator[None]:
    """What the resources refer to, and nothing left of it."""
    admin.execute("CREATE ROLE grantee")
    admin.execute("CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql RETURN 2 * $1")
    admin.execute("REVOKE ALL ON FUNCTION twice(int) FROM PUBLIC")
    yield
    admin.execute("DROP TABLE IF EXISTS a_new_one")
    admin.execute("DROP FUNCTION twice(int)")
    admin.execute("DROP ROLE IF EXISTS reader")
    admin.execute("DROP OWNED BY grantee")
    admin.execute("DROP ROLE grantee")


def names(lives: list[Life]) -> list[str]:
    return [f"{life.type.partition(':')[0]}-{life.declared.get('objectType', '')}".strip("-") for life in lives]


@pytest.mark.parametrize("life", LIVES, ids=names(LIVES))
def test_a_life(life: Life, engine: Engine, admin: Admin) -> None:
    token = f"postgresql:index/{life.type}"

    # created: as declared, under the official provider's id, and clean
    made = engine.create(token, **life.declared)
    assert made.id == life.id
    assert made.inputs == {**made.inputs, **life.declared}
    assert engine.changes(made) == {}
    assert engine.refresh(made) == made

    # updated in place: just what changed, and clean again
    declared = {**life.declared, **life.then}
    if life.then:
        assert engine.changes(made, **declared).keys() == life.then.keys()
        made = engine.update(made, **declared)
        assert engine.changes(made) == {}
        assert engine.refresh(made) == made

    # found by its id alone
    if life.imported is not None:
        found = engine.read_by_id(token, life.id)
        assert found is not None
        assert found.id == life.id
        assert found.inputs == {**found.inputs, **life.imported}
        assert engine.changes(found, **{**declared, "password": None}) == {}

    # changed by somebody else: that property and no other shows, and is put right
    if life.drift:
        admin.execute(life.drift)
        found = engine.refresh(made)
        assert found is not None
        assert [name for name in found.outputs if found.outputs[name] != made.outputs.get(name)] == [life.seen]
        assert found.inputs.get(life.seen) == found.outputs[life.seen]
        made = engine.repair(found, **declared)
        assert engine.changes(made) == {}

    # removed by somebody else: gone, and deleting it is still fine
    if life.gone:
        admin.execute(life.gone)
        assert engine.refresh(made) is None
        engine.delete(made)
        made = engine.create(token, **declared)

    # deleted: nothing is left
    engine.delete(made)
    left = engine.refresh(made)
    assert left is None or left.outputs["privileges"] == []


# -- passwords


def test_the_role_can_log_in_and_its_password_never_reached_the_server_in_clear(
    engine: Engine, admin: Admin, postgres: Server
) -> None:
    admin.execute("ALTER SYSTEM SET log_statement = 'all'")
    admin.execute("SELECT pg_reload_conf()")
    try:
        made = engine.create("postgresql:index/role:Role", **ROLE)
        engine.update(made, **{**ROLE, "password": PASSWORD + "2"})
        with psycopg.connect(postgres.conninfo(user="reader", password=PASSWORD + "2")) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("reader",)
        engine.delete(made)
    finally:
        admin.execute("ALTER SYSTEM RESET log_statement")
        admin.execute("SELECT pg_reload_conf()")
    log = postgres.log.read_text()
    assert "CREATE ROLE" in log
    assert PASSWORD not in log


def test_a_password_is_state_s_word_and_a_change_elsewhere_is_not_seen(engine: Engine, admin: Admin) -> None:
    made = engine.create("postgresql:index/role:Role", **ROLE)
    admin.execute("ALTER ROLE reader PASSWORD 'another'")
    assert engine.refresh(made) == made
    engine.delete(made)


def test_a_renamed_role_keeps_its_password_and_is_found_under_its_new_name(engine: Engine, postgres: Server) -> None:
    made = engine.create("postgresql:index/role:Role", **ROLE)
    renamed = engine.update(made, **{**ROLE, "name": "reporter"})
    psycopg.connect(postgres.conninfo(user="reporter", password=PASSWORD)).close()
    found = engine.refresh(renamed)
    assert found is not None
    assert (found.id, found.outputs["name"]) == ("reporter", "reporter")
    engine.delete(found)


# -- errors


def test_an_existing_role_is_refused_in_the_server_s_words_with_what_to_do(engine: Engine, refusal: Refusal) -> None:
    said = refusal(lambda: engine.create("postgresql:index/role:Role", name="grantee", password=PASSWORD))
    assert said == (
        'The PostgreSQL role grantee could not be created: role "grantee" already exists [42710]. '
        "Import it, or drop it first."
    )


def test_a_failed_creation_leaves_nothing(engine: Engine, admin: Admin, refusal: Refusal) -> None:
    said = refusal(lambda: engine.create("postgresql:index/role:Role", **ROLE, roles=["nobody"]))
    assert 'role "nobody" does not exist' in said
    assert admin.execute("SELECT FROM pg_roles WHERE rolname = 'reader'").fetchone() is None


def test_a_server_that_is_not_there_is_named_without_the_password(
    engine_of: Callable[[Provider[Any]], Engine], caplog: pytest.LogCaptureFixture, refusal: Refusal
) -> None:
    engine = engine_of(PostgreSQL())
    engine.configure(host="127.0.0.1", port="1", password=PASSWORD)
    with caplog.at_level(logging.DEBUG):
        said = refusal(lambda: engine.create("postgresql:index/role:Role", name="reader"))
    assert 'server at "127.0.0.1", port 1 failed' in said
    assert "Check host, port, username and password of the postgresql provider" in said
    assert PASSWORD not in said + caplog.text


@pytest.mark.parametrize("kind", ["grant:Grant", "grantRole:GrantRole", "defaultPrivileges:DefaultPrivileges"])
def test_what_the_official_provider_can_not_import_is_refused(kind: str, engine: Engine, refusal: Refusal) -> None:
    assert "can't be imported" in refusal(lambda: engine.read_by_id(f"postgresql:index/{kind}", "a_b_c"))


@pytest.mark.parametrize(
    ("declared", "property_"),
    [
        ({"objectType": "table", "privileges": ["SELECT"]}, "schema"),
        ({"objectType": "table", "schema": "public", "privileges": ["USAGE"]}, "privileges"),
        ({"objectType": "tables", "schema": "public", "privileges": ["SELECT"]}, "objectType"),
        ({"objectType": "database", "objects": ["x"], "privileges": ["CONNECT"]}, "objects"),
        ({"objectType": "column", "schema": "public", "objects": ["x"], "privileges": ["SELECT"]}, "columns"),
    ],
)
def test_a_grant_that_can_not_be_is_refused_before_anything_is_done(
    declared: Properties, property_: str, engine: Engine
) -> None:
    checked = engine.check("postgresql:index/grant:Grant", {**GRANT, **declared})
    assert [failure.property for failure in checked.failures] == [property_]


def test_resources_of_a_dropped_database_are_gone_and_can_be_deleted(engine: Engine, admin: Admin) -> None:
    base = {"database": "doomed"}
    engine.create("postgresql:index/database:Database", name="doomed")
    made = [
        engine.create("postgresql:index/schema:Schema", **base, name="s"),
        engine.create("postgresql:index/publication:Publication", **base, name="p", allTables=True),
        engine.create(
            "postgresql:index/grant:Grant", **base, role="grantee", objectType="database", privileges=["CONNECT"]
        ),
    ]
    admin.execute("DROP DATABASE doomed WITH (FORCE)")
    assert [engine.refresh(resource) for resource in made] == [None, None, None]
    for resource in made:
        engine.delete(resource)
