"""Checks and discovery of a real PostgreSQL: each thing that is not as it must be, in the connector's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from sandbox import postgres
from sandbox.airbyte.connectors.base import RefusalError
from sandbox.airbyte.connectors.postgres import checks
from sandbox.airbyte.connectors.postgres.config import Replication
from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.databases import Database
from tests.sandbox.airbyte.harness import POSTGRES, Api, Json

STANDARD: Json = {"method": "Standard"}


@pytest.fixture
def verdict(start_airbyte: StartAirbyte) -> Callable[[Json], str]:
    """What a check before creation says: nothing, a message, or the reason of a crash."""
    api = start_airbyte(connect_timeout_seconds=2, connect_to={"db.example.com": ("127.0.0.1", 1)})

    def check(config: Json) -> str:
        body = {"sourceDefinitionId": POSTGRES, "workspaceId": api.workspace, "connectionConfiguration": config}
        found = api.post("scheduler/sources/check_connection", **body)
        if "status" not in found:
            return str(found["jobInfo"]["failureReason"]["internalMessage"])
        return str(found.get("message", ""))

    return check


def cdc(shop: Database, **changes: str) -> Json:
    return {"method": "CDC", "replication_slot": shop.slot, "publication": "airbyte_publication"} | changes


def test_a_good_configuration_passes(shop: Database, verdict: Callable[[Json], str]) -> None:
    assert verdict(shop.config()) == ""
    assert verdict(shop.config(replication_method=STANDARD)) == ""
    assert verdict(shop.config(ssl_mode={"mode": "require"})) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"port": 1}, "State code: 08001; Message: Could not connect to PostgreSQL at 127.0.0.1:1: Connection refused"),
        ({"host": "db.example.com"}, "Could not connect to PostgreSQL at db.example.com"),
        ({"password": "wr0ng"}, 'State code: 28P01; Message: FATAL: password authentication failed for user "airbyte"'),
        ({"database": "nowhere"}, 'State code: 3D000; Message: FATAL: database "nowhere" does not exist'),
        ({"schemas": ["other"]}, 'The publication "airbyte_publication" has no table of other'),
        ({"replication_method": {"method": "Xmin"}}, "does not offer the replication method Xmin"),
        ({"tunnel_method": {"tunnel_method": "SSH_KEY_AUTH"}}, "cannot open SSH tunnels"),
        ({"port": "no number"}, "ValueError in airbyte/source-postgres:3.7.0"),
    ],
)
def test_a_wrong_configuration_is_refused_with_the_reason(
    shop: Database, verdict: Callable[[Json], str], change: Json, words: str
) -> None:
    said = verdict(shop.config(**change))
    assert words in said
    assert "wr0ng" not in said


def test_slot_and_publication_must_be_there_and_fit(shop: Database, verdict: Callable[[Json], str]) -> None:
    assert 'replication slot "gone" does not exist' in verdict(
        shop.config(replication_method=cdc(shop, replication_slot="gone"))
    )
    assert 'publication "gone" does not exist' in verdict(shop.config(replication_method=cdc(shop, publication="gone")))
    shop.run("SELECT pg_create_physical_replication_slot('bytes_slot')")
    said = verdict(shop.config(replication_method=cdc(shop, replication_slot="bytes_slot")))
    shop.run("SELECT pg_drop_replication_slot('bytes_slot')")
    assert '"bytes_slot" is not a logical slot of the plugin pgoutput' in said
    with psycopg.connect(shop.session.info.dsn, password=shop.session.info.password, dbname="postgres") as other:
        other.autocommit = True
        other.execute("SELECT pg_create_logical_replication_slot('foreign_slot', 'pgoutput')")
        said = verdict(shop.config(replication_method=cdc(shop, replication_slot="foreign_slot")))
        other.execute("SELECT pg_drop_replication_slot('foreign_slot')")
    assert f'belongs to the database "postgres", not to "{shop.name}"' in said


@pytest.fixture
def plain_role(shop: Database) -> Iterator[str]:
    """A role that may log in and nothing else."""
    shop.run("CREATE ROLE plain LOGIN PASSWORD 'secret'")
    yield "plain"
    shop.run("DROP OWNED BY plain")
    shop.run("DROP ROLE plain")


def test_rights_are_asked_for_one_after_the_other(
    shop: Database, plain_role: str, verdict: Callable[[Json], str]
) -> None:
    config = shop.config(username=plain_role)
    assert "has not got it" in verdict(config)
    assert "permission denied for table orders" in verdict(config | {"replication_method": STANDARD})
    shop.run("ALTER ROLE plain REPLICATION")
    assert "State code: 42501; Message: ERROR: permission denied for table orders" in verdict(config)
    shop.run("GRANT SELECT ON orders TO plain")
    assert verdict(config) == ""
    shop.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    assert "permission denied for schema public" in verdict(config)


def test_the_servers_certificate_is_verified_when_asked(
    shop: Database, postgres_server: postgres.Server, verdict: Callable[[Json], str]
) -> None:
    certificate = postgres_server.certificate.read_text()
    assert verdict(shop.config(ssl_mode={"mode": "verify-ca", "ca_certificate": certificate})) == ""
    said = verdict(shop.config(ssl_mode={"mode": "verify-ca", "ca_certificate": "no certificate"}))
    assert "08001" in said


class Answers:
    """A session that answers everything with one value."""

    def __init__(self, value: str) -> None:
        self.value = value

    def execute(self, *_: object) -> Answers:
        return self

    def fetchone(self) -> tuple[str]:
        return (self.value,)


def test_a_server_without_logical_decoding_is_refused() -> None:
    session: Any = Answers("replica")
    with pytest.raises(RefusalError, match="wal_level = replica"):
        checks.check(session, "production", ["public"], Replication("slot", "publication"))


def discovered(api: Api, config: Json) -> dict[str, Any]:
    body = {"sourceDefinitionId": POSTGRES, "workspaceId": api.workspace, "connectionConfiguration": config}
    streams = api.post("scheduler/sources/discover_schema", **body)["catalog"]["streams"]
    return {f"{entry['stream']['namespace']}.{entry['stream']['name']}": entry["stream"] for entry in streams}


def test_discovery_shows_what_can_be_read_and_how(shop: Database, api: Api) -> None:
    shop.run("CREATE TABLE keyless (note text)")
    shop.run("CREATE TABLE unpublished (id int PRIMARY KEY)")
    shop.run("CREATE TABLE pairs (a int, b int, PRIMARY KEY (b, a))")
    shop.run("CREATE TABLE hidden (id int PRIMARY KEY)")
    shop.run("REVOKE ALL ON hidden FROM airbyte")
    shop.run("CREATE SCHEMA other")
    shop.run("CREATE TABLE other.far (id int PRIMARY KEY)")
    shop.run("ALTER PUBLICATION airbyte_publication ADD TABLE pairs")
    found = discovered(api, shop.config())
    assert set(found) == {"public.orders", "public.keyless", "public.unpublished", "public.pairs"}
    orders = found["public.orders"]
    assert orders["supportedSyncModes"] == ["full_refresh", "incremental"]
    assert (orders["sourceDefinedCursor"], orders["defaultCursorField"]) == (True, ["_ab_cdc_lsn"])
    assert set(orders["jsonSchema"]["properties"]) == {
        "id", "status", "updated_at", "_ab_cdc_lsn", "_ab_cdc_updated_at", "_ab_cdc_deleted_at",
    }  # fmt: skip
    assert found["public.pairs"]["sourceDefinedPrimaryKey"] == [["b"], ["a"]]
    assert found["public.keyless"]["supportedSyncModes"] == ["full_refresh"]
    assert found["public.unpublished"]["supportedSyncModes"] == ["full_refresh"]


def test_without_cdc_every_table_is_incremental_with_a_cursor_of_the_users(shop: Database, api: Api) -> None:
    shop.run("CREATE SCHEMA other")
    shop.run("CREATE VIEW other.recent AS SELECT * FROM public.orders")
    shop.run("GRANT USAGE ON SCHEMA other TO airbyte")
    shop.run("GRANT SELECT ON other.recent TO airbyte")
    found = discovered(api, shop.config(replication_method=STANDARD, schemas=["other", "public"]))
    assert set(found) == {"other.recent", "public.orders"}
    for stream in found.values():
        assert stream["supportedSyncModes"] == ["full_refresh", "incremental"]
        assert stream["sourceDefinedCursor"] is False
        assert set(stream["jsonSchema"]["properties"]) == {"id", "status", "updated_at"}
    assert set(discovered(api, shop.config(replication_method=STANDARD, schemas=[]))) == set(found)
