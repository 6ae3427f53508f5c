"""What a user reads in a preview of a change that has consequences, on the real engine."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Properties
    from tests.dynamic_providers.engine.conftest import Program

pytestmark = pytest.mark.e2e

STREAM = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup", "primary_key": [["id"]]}
CONNECTION: dict[str, Any] = {
    "connection_name": "production",
    "streams": {"orders": STREAM, "users": STREAM},
    "schedule": {"type": "manual"},
}
CHANGE = {
    "message": "Version 4.0.0 reads tables in another order.",
    "upgradeDeadline": "2999-01-01",
    "migrationDocumentationUrl": "https://docs.example/migrate",
}


@pytest.fixture
def declared(source_inputs: Properties, destination_inputs: Properties) -> Properties:
    source, destination = copy.deepcopy(source_inputs), copy.deepcopy(destination_inputs)
    for inputs in (source, destination):
        del inputs["fingerprint_key"]
    pin = {"connector": "source-postgres", "version": "3.7.0", "origin": "connectors.yaml:1"}
    return {"pin": pin, "source": source, "destination": destination, "connection": copy.deepcopy(CONNECTION)}


@pytest.mark.slow
def test_rows_left_behind_are_told_beside_the_diff_and_the_offer_is_taken(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    airbyte.post("connections/sync", {"connectionId": program.resource("connection")["id"]})
    declared["connection"]["streams"]["orders"] = {**STREAM, "hash": ["status"]}
    program.declare(**declared)
    preview = program.preview()
    assert "warning: Connection production: Stream orders changes its hashed columns" in preview
    assert "after_change: refresh" in preview
    program.up()
    assert program.resource("connection")["outputs"]["stale_streams"].keys() == {"orders"}
    airbyte.http.post("/sandbox/v1/jobs/wait", json={"timeoutSeconds": 30}, timeout=60)

    declared["connection"]["after_change"] = "refresh"
    program.declare(**declared)
    assert "after_change" in program.up()
    assert "stale_streams" not in program.resource("connection")["outputs"]
    program.preview(0, "--refresh", "--expect-no-changes")


def test_a_breaking_change_stops_the_preview_and_is_crossed_when_named(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    body = {
        "id": declared["source"]["definition_id"],
        "tags": ["3.7.0", "4.0.0"],
        "latestTag": "4.0.0",
        "breakingChanges": {"4.0.0": CHANGE},
    }
    assert airbyte.http.post("/sandbox/v1/registry", json=body).is_success
    update = {
        "sourceDefinitionId": declared["source"]["definition_id"],
        "dockerImageTag": "4.0.0",
        "workspaceId": airbyte.session().workspace(),
    }
    airbyte.post("source_definitions/update", update)

    declared["pin"]["version"] = "4.0.0"
    program.declare(**declared)
    refused = program.preview(None)
    assert "connectors.yaml:1: source-postgres 3.7.0 to 4.0.0 crosses the breaking change 4.0.0" in refused
    for told in (CHANGE["message"], CHANGE["upgradeDeadline"], CHANGE["migrationDocumentationUrl"], "accept_breaking"):
        assert told in refused
    declared["pin"]["accept_breaking"] = ["4.0.0"]
    program.declare(**declared)
    program.up()
    version = airbyte.post("actor_definition_versions/get_for_source", {"sourceId": program.resource("source")["id"]})
    assert version["dockerImageTag"] == "4.0.0"
    program.preview(0, "--refresh", "--expect-no-changes")
