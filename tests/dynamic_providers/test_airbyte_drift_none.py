"""What Airbyte changes by itself is no drift, and what it switches off is drift with a reason."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte.errors import InvalidStreamsError
from sandbox.airbyte import catalog
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings as ServerSettings
from tests.dynamic_providers import generated
from tests.dynamic_providers.conftest import CLIENT_SECRET, FINGERPRINT_KEY, Airbyte, Life
from tests.dynamic_providers.drift import seen

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Database, Properties


@pytest.fixture
def items(database: Database) -> Iterator[str]:
    """A table that changes while it is synced."""
    database.execute("CREATE TABLE drift_items (id bigint, label text, updated_at timestamptz)")
    database.execute("GRANT SELECT ON drift_items TO airbyte")
    yield "drift_items"
    database.execute("DROP TABLE IF EXISTS drift_items")


@pytest.fixture
def standard(source_inputs: Properties) -> Properties:
    """The source, with cursors of the program's own."""
    return {**source_inputs, "config": {**source_inputs["config"], "replication_method": {"method": "Standard"}}}


@pytest.fixture
def program(
    items: str, a_source: Life, a_destination: Life, standard: Properties, destination_inputs: Properties
) -> Properties:
    """A connection that syncs some columns of that table, and all of another."""
    a_source.up(standard)
    a_destination.up(destination_inputs)
    incremental = {"sync_mode": "incremental", "destination_sync_mode": "append", "cursor_field": ["updated_at"]}
    return {
        "connection_name": "production",
        "source_id": a_source.id,
        "destination_id": a_destination.id,
        "streams": {
            items: {**incremental, "fields": ["id", "updated_at"], "primary_key": [["id"]]},
            "users": incremental,
        },
        "schedule": {"type": "manual"},
        "namespace_definition": "destination",
        "schema_changes": "propagate_columns",
        "status": "active",
    }


def sync(airbyte: Airbyte, connection: Life) -> str:
    """Run a sync: it discovers the source and takes over what changed; the destination is one that cannot run here."""
    job = airbyte.post("connections/sync", {"connectionId": connection.id})["job"]["id"]
    airbyte.http.post("/sandbox/v1/jobs/wait", json={"timeoutSeconds": 30}, timeout=60)
    return str(airbyte.post("jobs/get", {"id": job})["job"]["status"])


def untouched(life: Life, program: Properties) -> bool:
    return life.refresh() == () and life.up(program) == ()


# -- no false alarm --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preference", ["propagate_columns", "propagate_fully"])
def test_columns_that_airbyte_takes_over_are_no_drift(
    airbyte: Airbyte, database: Database, a_connection: Life, program: Properties, preference: str
) -> None:
    program = {**program, "schema_changes": preference}
    a_connection.up(program)
    before = airbyte.read("connections", a_connection.id)
    database.execute("ALTER TABLE drift_items ADD COLUMN colour text")
    sync(airbyte, a_connection)
    after = airbyte.read("connections", a_connection.id)
    assert after["syncCatalog"] != before["syncCatalog"], "the column was taken over"
    assert after["sourceCatalogId"] != before["sourceCatalogId"]
    assert untouched(a_connection, program)


def test_tables_that_airbyte_takes_over_are_no_drift(
    airbyte: Airbyte, database: Database, a_connection: Life, program: Properties
) -> None:
    program = {**program, "schema_changes": "propagate_fully"}
    a_connection.up(program)
    database.execute("CREATE TABLE drift_more (id bigint PRIMARY KEY)")
    try:
        database.execute("GRANT SELECT ON drift_more TO airbyte")
        sync(airbyte, a_connection)
        names = [e["stream"]["name"] for e in airbyte.read("connections", a_connection.id)["syncCatalog"]["streams"]]
        assert "drift_more" in names
        assert untouched(a_connection, program)
    finally:
        database.execute("DROP TABLE drift_more")


def test_another_order_of_anything_that_has_none_is_no_drift(
    airbyte: Airbyte, a_connection: Life, program: Properties
) -> None:
    program = {**program, "tags": ["a", "b"]}
    key = {**program["streams"]["drift_items"], "primary_key": [["id"], ["updated_at"]], "hash": ["id"]}
    program["streams"] = {**program["streams"], "drift_items": key}
    a_connection.up(program)
    live = airbyte.read("connections", a_connection.id)
    catalog = copy.deepcopy(live["syncCatalog"])
    catalog["streams"].reverse()
    for entry in catalog["streams"]:
        for name in ("primaryKey", "selectedFields", "mappers"):
            entry["config"][name] = entry["config"].get(name, [])[::-1]
    change = {"syncCatalog": catalog, "tags": live["tags"][::-1]}
    airbyte.post("connections/update", {"connectionId": a_connection.id, **change})
    assert airbyte.read("connections", a_connection.id)["syncCatalog"] != live["syncCatalog"]
    assert untouched(a_connection, program)
    assert a_connection.up({**program, "tags": ["b", "a"], "streams": dict(reversed(program["streams"].items()))}) == ()


def test_a_schema_that_was_refreshed_in_the_ui_is_no_drift(
    airbyte: Airbyte, a_source: Life, a_connection: Life, program: Properties
) -> None:
    a_connection.up(program)
    catalog = airbyte.post("sources/discover_schema", {"sourceId": a_source.id, "disable_cache": True})
    change = {"connectionId": a_connection.id, "sourceCatalogId": catalog["catalogId"]}
    airbyte.post("connections/update", {**change, "notifySchemaChanges": False})
    assert untouched(a_connection, program)


@pytest.mark.parametrize("release", ["1.5.0", "1.8.0", "2.0.0", "HEAD"])
def test_what_a_release_fills_in_is_no_drift(
    start_airbyte: Callable[[str], AbstractContextManager[Airbyte]],
    a_source: Life,
    a_destination: Life,
    a_connection: Life,
    items: str,
    standard: Properties,
    destination_inputs: Properties,
    release: str,
) -> None:
    """A program that says next to nothing, and one that says everything."""
    with start_airbyte(release) as server:
        for life in (a_source, a_destination, a_connection):
            life.airbyte = server
        a_source.up(standard)
        a_destination.up({**destination_inputs, "resources": {"default": {"memory_limit": "1Gi"}}})
        stream: dict[str, Any] = {"sync_mode": "incremental", "destination_sync_mode": "append"}
        bare = {
            "connection_name": "production",
            "source_id": a_source.id,
            "destination_id": a_destination.id,
            "streams": {items: {**stream, "cursor_field": ["updated_at"]}},
            "schedule": {"type": "manual"},
            "namespace_definition": "source",
            "schema_changes": "ignore",
            "status": "active",
        }
        full = {
            **bare,
            "connection_name": "all of it",
            "resources": {"cpu_limit": "1"},
            "tags": ["daily"],
            "notify_schema_changes": True,
            "notify_schema_changes_by_email": True,
            "backfill_new_columns": True,
        }
        for life, program in ((a_connection, bare), (Life(a_connection.make, server), full)):
            life.up(program)
            assert untouched(life, program), release
        assert (a_source.refresh(), a_destination.refresh()) == ((), ())


def test_files_that_the_server_chose_to_load_are_no_drift_until_they_are_not(
    airbyte: Airbyte,
    a_connection: Life,
    program: Properties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server decides for a stream of files of which the program says nothing."""
    stream = catalog.canonical_stream
    monkeypatch.setattr(catalog, "canonical_stream", lambda sent: {**stream(sent), "isFileBased": True})
    a_connection.up(program)
    chosen = airbyte.read("connections", a_connection.id)["syncCatalog"]
    assert all(entry["config"]["includeFiles"] for entry in chosen["streams"])
    assert untouched(a_connection, program)
    other = copy.deepcopy(chosen)
    other["streams"][0]["config"]["includeFiles"] = False
    name = other["streams"][0]["stream"]["name"]
    airbyte.post("connections/update", {"connectionId": a_connection.id, "syncCatalog": other})
    assert seen(a_connection) == {f"streams.{name}.include_files"}
    a_connection.refresh()
    assert a_connection.up(program) == ("streams",)
    assert airbyte.read("connections", a_connection.id)["syncCatalog"] == chosen
    without = {key: {**stream, "include_files": False} for key, stream in program["streams"].items()}
    assert a_connection.up({**program, "streams": without}) == ("streams",)
    assert untouched(a_connection, {**program, "streams": without})


def test_a_configuration_in_another_order_or_number_format_is_no_drift(
    airbyte: Airbyte, a_source: Life, standard: Properties
) -> None:
    a_source.up(standard)
    config = dict(reversed(standard["config"].items()))
    body = {"sourceId": a_source.id, "name": standard["source_name"]}
    airbyte.post("sources/update", {**body, "connectionConfiguration": {**config, "port": float(config["port"])}})
    assert untouched(a_source, standard)


def test_a_version_with_another_spec_is_no_drift_of_the_configuration(airbyte: Airbyte, a_source: Life) -> None:
    first = {"type": "object", "properties": {"host": {"type": "string"}, "token": {"type": "string"}}}
    second = copy.deepcopy(first)
    second["properties"]["region"] = {"type": "string", "default": "eu"}  # type: ignore[index]
    second["properties"]["token"]["airbyte_secret"] = True  # type: ignore[index]
    definition = generated.publish(airbyte, first, second)
    program = {
        "source_name": "grown",
        "connector": "source-grown",
        "definition_id": definition,
        "connector_version": "1.0.0",
        "config": {"host": "h", "token": "t-text"},
        "secret_paths": ["token"],
        "fingerprint_key": FINGERPRINT_KEY,
    }
    a_source.up(program)
    workspace = airbyte.session().workspace()
    body = {"sourceDefinitionId": definition, "dockerImageTag": "2.0.0", "workspaceId": workspace}
    airbyte.post("source_definitions/update", body)
    moved = {**program, "connector_version": "2.0.0"}
    assert set(a_source.refresh()) <= {"connector_version"}
    assert set(a_source.up(moved)) <= {"connector_version"}
    assert untouched(a_source, moved)


# -- switched off ----------------------------------------------------------------------------------------------------


def switched_off(connection: Life) -> str:
    """The reason that a refresh shows beside the status."""
    assert connection.drift() == {"status": ("active", "inactive")}
    return str(connection.inputs["status_reason"])


def test_a_breaking_schema_change_is_said_and_the_next_up_shows_both(
    airbyte: Airbyte, database: Database, a_connection: Life, program: Properties, capfd: pytest.CaptureFixture[str]
) -> None:
    a_connection.up(program)
    database.execute("ALTER TABLE drift_items DROP COLUMN updated_at")
    assert sync(airbyte, a_connection) == "cancelled"

    reason = switched_off(a_connection)

    assert reason.startswith("switched off by Airbyte on ")
    assert "a cursor or a primary key in use is gone" in reason
    assert f"warning: Connection production is inactive: {reason}" in capfd.readouterr().err
    assert a_connection.refresh() == ()
    assert a_connection.inputs["status_reason"] == reason, "it stays until somebody acts"
    with airbyte.counted() as calls, pytest.raises(InvalidStreamsError, match="there is no column updated_at"):
        a_connection.up(program)
    assert "/v1/connections/update" not in calls, "its next sync would switch it off again"

    items = {**program["streams"]["drift_items"], "cursor_field": ["id"], "fields": ["id"]}
    repaired = {**program, "streams": {**program["streams"], "drift_items": items}}
    assert a_connection.up(repaired) == ("streams", "status")
    assert "status_reason" not in a_connection.outputs
    live = airbyte.read("connections", a_connection.id)
    assert (live["status"], live["breakingChange"]) == ("active", False)
    assert sync(airbyte, a_connection) != "cancelled"
    assert airbyte.read("connections", a_connection.id)["status"] == "active"
    assert untouched(a_connection, repaired)


def test_a_schema_that_is_as_it_was_again_needs_no_change_of_the_program(
    airbyte: Airbyte, database: Database, a_connection: Life, program: Properties
) -> None:
    a_connection.up(program)
    database.execute("ALTER TABLE drift_items DROP COLUMN updated_at")
    sync(airbyte, a_connection)
    a_connection.refresh()
    assert a_connection.up({**program, "status": "inactive", "prefix": "off_"}) == ("prefix",)
    assert airbyte.read("connections", a_connection.id)["breakingChange"], "nobody has repaired it"
    database.execute("ALTER TABLE drift_items ADD COLUMN updated_at timestamptz")
    assert set(a_connection.up(program)) == {"prefix", "status"}
    live = airbyte.read("connections", a_connection.id)
    assert (live["status"], live["breakingChange"]) == ("active", False)
    assert untouched(a_connection, program)


def test_a_connection_that_is_told_to_stop_at_schema_changes_says_so(
    airbyte: Airbyte, database: Database, a_connection: Life, program: Properties
) -> None:
    a_connection.up({**program, "schema_changes": "disable"})
    database.execute("ALTER TABLE drift_items ADD COLUMN colour text")
    sync(airbyte, a_connection)
    assert "schema_changes is disable" in switched_off(a_connection)


def test_a_person_who_switched_it_off_is_said(airbyte: Airbyte, a_connection: Life, program: Properties) -> None:
    a_connection.up(program)
    airbyte.post("connections/update", {"connectionId": a_connection.id, "status": "inactive"})
    assert switched_off(a_connection).startswith("switched off by a person on ")


def test_another_change_does_not_switch_it_on_again_unseen(
    airbyte: Airbyte, a_connection: Life, program: Properties, capfd: pytest.CaptureFixture[str]
) -> None:
    """It was switched off after the last refresh, so the preview of the change says nothing of it."""
    a_connection.up(program)
    airbyte.post("connections/update", {"connectionId": a_connection.id, "status": "inactive"})
    changed = {**program, "prefix": "other_"}
    assert a_connection.up(changed) == ("prefix",)
    live = airbyte.read("connections", a_connection.id)
    assert (live["status"], live["prefix"]) == ("inactive", "other_")
    assert "Connection production is changed and stays inactive: switched off by a person" in capfd.readouterr().err
    assert switched_off(a_connection)
    assert a_connection.up(changed) == ("status",)
    assert airbyte.read("connections", a_connection.id)["status"] == "active"


def test_an_inactive_connection_that_is_declared_so_asks_nobody_why(
    airbyte: Airbyte, a_connection: Life, program: Properties
) -> None:
    a_connection.up({**program, "status": "inactive"})
    with airbyte.counted() as calls:
        assert a_connection.refresh() == ()
    assert not [call for call in calls if "events" in call]
    assert "status_reason" not in a_connection.inputs


def test_a_server_without_a_timeline_fails_nothing(airbyte: Airbyte, a_connection: Life, program: Properties) -> None:
    a_connection.up(program)
    airbyte.post("connections/update", {"connectionId": a_connection.id, "status": "inactive"})
    airbyte.fault(path="/v1/connections/events/list", status=404)
    assert switched_off(a_connection) == "switched off; this server does not say why (HTTP 404)"


@pytest.fixture
def impatient() -> Iterator[Airbyte]:
    """A server that gives a connection up after two failed syncs."""
    settings = ServerSettings(
        client_secret=CLIENT_SECRET, assume_checks_pass=True, failed_jobs_before_disable=2, max_attempts=1
    )
    with Running(settings) as server:
        yield Airbyte(server, CLIENT_SECRET)


def test_too_many_failed_syncs_are_said(
    impatient: Airbyte,
    start_airbyte: Callable[[], AbstractContextManager[Airbyte]],
    a_source: Life,
    a_destination: Life,
    a_connection: Life,
    items: str,
    standard: Properties,
    destination_inputs: Properties,
) -> None:
    for life in (a_source, a_destination, a_connection):
        life.airbyte = impatient
    a_source.up(standard)
    a_destination.up(destination_inputs)
    stream: dict[str, Any] = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    a_connection.up(
        {
            "connection_name": "production",
            "source_id": a_source.id,
            "destination_id": a_destination.id,
            "streams": {items: {**stream, "allow_full_refresh": "small"}},
            "schedule": {"type": "manual"},
            "namespace_definition": "destination",
            "schema_changes": "ignore",
            "status": "active",
        }
    )
    assert [sync(impatient, a_connection) for _ in range(2)] == ["failed", "failed"]
    assert "too many syncs failed in a row" in switched_off(a_connection)
