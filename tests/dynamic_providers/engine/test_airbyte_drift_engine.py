"""Drift and watched secrets as the engine shows them: what the CRUD layer can't tell."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.airbyte.registry import packaged_entries

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Properties
    from tests.dynamic_providers.engine.conftest import Program

pytestmark = pytest.mark.e2e

NESTED: dict[str, Any] = {
    "source_name": "nested",
    "connector": "sandbox/source-nested-secrets",
    "definition_id": "3f6c2f0e-6f0b-4a4e-9a39-2f3d3a1c7b10",
    "connector_version": "1.0.0",
    "config": {
        "endpoint": "https://api.example.com",
        "service_account": {"client": "c-1", "private_key": "private-key-1"},
        "proxy": {
            "url": "https://proxy",
            "auth": {"mode": "basic", "user": "proxy-user", "password": "proxy-password"},
        },
    },
    "secret_paths": ["proxy.auth.password", "proxy.auth.user", "service_account"],
}
SECRETS = ("private-key-1", "proxy-user", "proxy-password", "theirs-entirely")
STREAM = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite", "allow_full_refresh": "one small stream"}
CONNECTION: dict[str, Any] = {
    "connection_name": "production",
    "streams": {"records": STREAM},
    "schedule": {"type": "manual"},
}


@pytest.fixture(scope="module")
def module_program(make_program: Callable[[dict[str, str]], Program]) -> Program:
    return make_program({"airbyteWatchSecrets": "true"})


@pytest.fixture
def declared(destination_inputs: Properties) -> Properties:
    """A source with secrets of every kind, a destination and a connection."""
    destination = copy.deepcopy(destination_inputs)
    del destination["fingerprint_key"]
    return {"source": copy.deepcopy(NESTED), "destination": destination, "connection": copy.deepcopy(CONNECTION)}


def kept(line: str) -> str:
    return " ".join(line.split())


def test_what_somebody_else_did_shows_with_its_reason_and_is_set_right(program: Program, airbyte: Airbyte) -> None:
    program.run("preview", "--refresh", "--expect-no-changes", "--stack=test")
    source, connection = program.resource("source")["id"], program.resource("connection")["id"]
    theirs = copy.deepcopy(NESTED["config"])
    theirs["proxy"]["auth"]["password"] = "theirs-entirely"
    airbyte.post("sources/update", {"sourceId": source, "name": "nested", "connectionConfiguration": theirs})
    airbyte.post("connections/update", {"connectionId": connection, "status": "inactive"})

    refreshed = program.refresh()
    assert "warning: Connection production is inactive: switched off by a person on" in " ".join(refreshed.split())
    preview = [kept(line) for line in program.preview().splitlines()]
    assert [line for line in preview if line.startswith('~ proxy.auth.password: "changed outside" => "')]
    assert any('status : "inactive" => "active"' in line for line in preview), preview
    assert [line for line in preview if line.startswith("- status_reason") and "switched off by a person" in line]
    with airbyte.counted() as calls:
        program.up()
    assert sorted(call for call in calls if call.endswith("/update")) == [
        "/v1/connections/update",
        "/v1/sources/update",
    ]
    assert "theirs-entirely" not in airbyte.stored_secrets()
    assert "proxy-password" in airbyte.stored_secrets()
    assert airbyte.read("connections", connection)["status"] == "active"
    program.run("preview", "--refresh", "--expect-no-changes", "--stack=test")


def test_what_went_with_a_deleted_source_is_made_again(program: Program, airbyte: Airbyte) -> None:
    airbyte.post("sources/delete", {"sourceId": program.resource("source")["id"]})
    assert airbyte.ids("connections") == []
    program.refresh()
    assert "2 created" in program.up()
    assert airbyte.ids("sources") == [program.resource("source")["id"]]
    assert airbyte.ids("connections") == [program.resource("connection")["id"]]


def test_a_version_that_shows_what_it_masked_puts_nothing_into_state_in_the_clear(
    program: Program, airbyte: Airbyte
) -> None:
    original = next(entry for entry in packaged_entries() if entry["id"] == NESTED["definition_id"])
    plain = {"type": "object", "properties": {name: {} for name in NESTED["config"]}}
    entry = {"tags": ["1.0.0", "9.0.0"], "specs": [*original["specs"], {"since": "9.0.0", "spec": plain}]}
    assert airbyte.http.post("/sandbox/v1/registry", json={**original, **entry}).is_success
    workspace = airbyte.session().workspace()
    body = {"sourceDefinitionId": NESTED["definition_id"], "dockerImageTag": "9.0.0", "workspaceId": workspace}
    airbyte.post("source_definitions/update", body)
    source, config = program.resource("source")["id"], {**NESTED["config"], "theirs": "theirs-entirely"}
    airbyte.post("sources/update", {"sourceId": source, "name": "nested", "connectionConfiguration": config})
    assert airbyte.read("sources", source)["connectionConfiguration"] == config, "the server shows all of it"
    program.refresh()
    program.preview()
    for secret in SECRETS:
        assert secret not in program.state_text()
        assert secret not in program.printed
