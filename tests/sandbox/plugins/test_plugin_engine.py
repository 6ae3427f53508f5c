"""A program of the typed SDKs, run by the real engine with the stand-ins against real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sandbox.postgres import Server
from tests.sandbox.plugins.stack import EXPECTED_NO_CHANGES, Stack, stand_in_stack

if TYPE_CHECKING:
    from tests.sandbox.plugins.conftest import Account

pytestmark = pytest.mark.e2e

PASSWORD = "a password of the role"
PROGRAM = """
import json, os
import pulumi, pulumi_postgresql as postgresql, pulumi_snowflake as snowflake

given = json.loads(os.environ["GIVEN"])
secret = pulumi.Output.secret

server = postgresql.Provider("server", host=given["host"], port=given["port"], username=given["user"],
    password=secret(given["password"]), database="production", sslmode="require")
here = pulumi.ResourceOptions(provider=server)
role = postgresql.Role("role", name="replicator", login=True, replication=True,
    password=secret(given["role_password"]), opts=here)
postgresql.Grant("read", role=role.name, database="production", schema="public", object_type="table",
    privileges=["SELECT"], opts=here)
publication = postgresql.Publication("publication", name="changes", database="production",
    tables=["public.orders", "public.users"], opts=here)
slot = postgresql.ReplicationSlot("slot", name="changes", database="production", plugin="pgoutput",
    opts=pulumi.ResourceOptions(provider=server, depends_on=[publication]))
named = postgresql.Schema("named-by-the-engine", database="production", opts=here)

account = snowflake.Provider("account", **{**given["account"], "private_key": secret(given["account"]["private_key"])})
there = pulumi.ResourceOptions(provider=account)
warehouse = snowflake.Warehouse("warehouse", name="LOAD", warehouse_size="XSMALL", auto_suspend=60,
    initially_suspended=True, opts=there)
database = snowflake.Database("database", name="LAKE_OF_TEST", opts=there)
schema = snowflake.Schema("schema", name="LANDING", database=database.name, opts=there)
loader = snowflake.AccountRole("loader", name="LOADER_OF_TEST", opts=there)
user = snowflake.ServiceUser("user", name="SERVANT_OF_TEST", default_role=loader.name,
    default_warehouse=warehouse.name, opts=there)
snowflake.GrantAccountRole("membership", role_name=loader.name, user_name=user.name, opts=there)
snowflake.GrantPrivilegesToAccountRole("privileges", account_role_name=loader.name, privileges=["USAGE"],
    on_schema={"schema_name": schema.fully_qualified_name}, opts=there)

if "extension" in given:
    postgresql.Extension("extension", name="hstore", opts=here)
pulumi.export("schema", schema.fully_qualified_name)
"""


@pytest.fixture
def stack(
    tmp_path: Path, project_root: Path, postgres: Server, account: Account, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    snake = {"organizationName": "organization_name", "accountName": "account_name", "privateKey": "private_key"}
    given = {
        "host": postgres.host,
        "port": postgres.port,
        "user": postgres.admin_user,
        "password": postgres.admin_password,
        "role_password": PASSWORD,
        "account": {snake.get(name, name): value for name, value in account.provider.items()},
    }
    stack = stand_in_stack(tmp_path, project_root, monkeypatch, PROGRAM, given)
    yield stack
    stack.run("destroy", "--yes", "--skip-preview")


def test_a_stack_lives_its_life(stack: Stack, admin: psycopg.Connection[dict[str, Any]], account: Account) -> None:
    def there() -> list[tuple[Any, ...]]:
        query = (
            "SELECT rolname::text AS name FROM pg_roles WHERE rolname = 'replicator' UNION ALL"
            " SELECT slot_name::text FROM pg_replication_slots UNION ALL SELECT pubname::text FROM pg_publication"
            " UNION ALL SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'named%'"
        )
        return [tuple(row.values()) for row in admin.execute(query).fetchall()]

    # a preview changes nothing
    assert "15 to create" in stack.run("preview")
    assert there() == []

    # an update makes everything, and then there is nothing to do
    stack.run("up", "--yes", "--skip-preview")
    assert len(there()) == 4
    stack.run("preview", "--expect-no-changes")
    stack.run("refresh", "--preview-only", "--expect-no-changes")
    assert stack.run("stack", "output", "schema").strip() == '"LAKE_OF_TEST"."LANDING"'

    # what somebody else changes is seen, property by property, and put right
    admin.execute("ALTER ROLE replicator NOREPLICATION")
    admin.execute("SELECT pg_drop_replication_slot('changes')")
    admin.execute("REVOKE SELECT ON users FROM replicator")
    admin.execute("ALTER PUBLICATION changes DROP TABLE users")
    seen = stack.run("refresh", "--preview-only", "--expect-no-changes", "--diff", exits=EXPECTED_NO_CHANGES)
    assert "replication: true => false" in seen
    assert "- postgresql:index/replicationSlot:ReplicationSlot: (delete)" in seen
    assert '- [0]: "SELECT"' in seen
    assert '- [1]: "public.users"' in seen
    assert "4 changes. 11 unchanged" in seen
    stack.run("up", "--yes", "--skip-preview", "--refresh")
    stack.run("refresh", "--preview-only", "--expect-no-changes")

    # a kind that is not covered is refused by its name, before anything is changed
    stack.given["extension"] = True
    refused = stack.run("preview", exits=1)
    assert "postgresql:index/extension:Extension is not covered by this stand-in" in refused
    del stack.given["extension"]

    # a failure is one paragraph
    admin.execute("DROP PUBLICATION changes")
    admin.execute("CREATE PUBLICATION changes")
    admin.execute("SELECT pg_drop_replication_slot('changes')")
    stack.run("refresh", "--yes", "--skip-preview")
    admin.execute("SELECT pg_create_physical_replication_slot('changes')")
    failed = stack.run("up", "--yes", "--skip-preview", exits=1)
    assert 'replication slot "changes" already exists' in failed
    assert "Traceback" not in failed
    admin.execute("SELECT pg_drop_replication_slot('changes')")

    # a destroy leaves nothing
    stack.run("destroy", "--yes", "--skip-preview")
    assert there() == []

    # and no secret was shown or kept in clear
    for secret in (PASSWORD, stack.given["password"], account.private_key.splitlines()[1]):
        assert secret not in stack.said
        assert secret not in stack.state()


def test_what_exists_is_imported_and_then_there_is_nothing_to_do(
    stack: Stack, admin: psycopg.Connection[dict[str, Any]]
) -> None:
    admin.execute("CREATE PUBLICATION changes FOR TABLE orders, users")
    admin.execute("SELECT pg_create_logical_replication_slot('changes', 'pgoutput')")
    program = stack.folder / "__main__.py"
    importing = PROGRAM.replace(
        '"public.users"], opts=here)', '"public.users"],\n    opts=taken("production.changes"))'
    )
    importing = importing.replace(
        "(provider=server, depends_on=[publication])", "(provider=server, import_='production.changes')"
    )
    importing = importing.replace(
        "role = postgresql", "taken = lambda id: pulumi.ResourceOptions(provider=server, import_=id)\nrole = postgresql"
    )
    program.write_text(importing)
    assert "2 imported" in stack.run("up", "--yes", "--skip-preview")
    program.write_text(PROGRAM)
    stack.run("preview", "--expect-no-changes")
