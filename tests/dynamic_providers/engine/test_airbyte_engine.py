"""The resources on the real Pulumi engine, against a server."""

from __future__ import annotations

import copy
from collections.abc import Callable
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
    "schedule": {"type": "cron", "expression": "0 */6 * * *"},
}
PIN = {"connector": "source-postgres", "version": "3.6.1"}


@pytest.fixture
def declared(source_inputs: Properties, destination_inputs: Properties) -> Properties:
    """A pinned source, a destination and a connection."""
    source, destination = copy.deepcopy(source_inputs), copy.deepcopy(destination_inputs)
    for inputs in (source, destination):
        del inputs["fingerprint_key"]
    source |= {"origin": "pipelines/production.yaml:1"}
    return {"pin": PIN, "source": source, "destination": destination, "connection": copy.deepcopy(CONNECTION)}


def lines(text: str, sign: str) -> list[str]:
    """The lines of a --diff that begin with a sign, without it and without decoration."""
    return [line.strip()[1:].strip() for line in text.splitlines() if line.strip().startswith(f"{sign} ")]


def changed(text: str) -> list[str]:
    """The property lines that changed: ``name : old => new``, in one space."""
    return [" ".join(line.split()) for line in lines(text, "~") if "=>" in line]


def test_a_second_preview_and_a_refresh_show_nothing(program: Program) -> None:
    for _ in range(2):
        program.preview(0, "--expect-no-changes")
        program.refresh(0, "--expect-no-changes")


def test_a_drift_shows_by_property_and_is_set_right(program: Program, airbyte: Airbyte) -> None:
    source, connection = program.resource("source")["id"], program.resource("connection")["id"]
    live = airbyte.read("sources", source)
    config = {**live["connectionConfiguration"], "database": "staging"}
    airbyte.post("sources/update", {"sourceId": source, "name": live["name"], "connectionConfiguration": config})
    catalog = airbyte.read("connections", connection)["syncCatalog"]
    catalog["streams"][0]["config"]["destinationSyncMode"] = "append"
    airbyte.post("connections/update", {"connectionId": connection, "syncCatalog": catalog, "prefix": "raw_"})

    program.run("refresh", "--preview-only", "--expect-no-changes", "--stack=test", code=7)
    program.refresh()
    preview = program.preview()

    assert 'database : "staging" => "production"' in changed(preview)
    assert 'destination_sync_mode: "append" => "append_dedup"' in changed(preview)
    assert [line for line in lines(preview, "-") if line.startswith("prefix")]
    assert len(changed(preview)) == 2
    assert "[secret]" in preview
    program.up()
    program.run("preview", "--refresh", "--expect-no-changes", "--stack=test")


def test_an_object_somebody_deleted_is_made_again(program: Program, airbyte: Airbyte) -> None:
    airbyte.post("connections/delete", {"connectionId": program.resource("connection")["id"]})
    program.refresh()
    assert "1 created" in program.up()
    assert airbyte.ids("connections") == [program.resource("connection")["id"]]


def test_a_rotated_secret_is_one_line_and_the_only_secret_written(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    source = program.resource("source")["id"]
    before = airbyte.http.get("/sandbox/v1/secrets").json()["configurations"][source]
    declared["destination"]["config"]["password"] = "rotated-warehouse-password"
    program.declare(**declared)

    preview = program.preview()

    assert len(changed(preview)) == 1
    assert changed(preview)[0].startswith('password: "')
    with airbyte.counted() as calls:
        program.up()
    assert [call for call in calls if call.endswith("/update")] == ["/v1/destinations/update"]
    assert airbyte.http.get("/sandbox/v1/secrets").json()["configurations"][source] == before
    assert "rotated-warehouse-password" in airbyte.stored_secrets()
    program.preview(0, "--expect-no-changes")


def test_a_moved_version_is_one_line_on_the_pin_and_keeps_what_hangs_on_it(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    before = (airbyte.ids("sources"), airbyte.ids("connections"))
    program.declare(**{**declared, "pin": {**PIN, "version": "3.7.0"}})

    preview = program.preview()

    assert changed(preview) == [
        'version : "3.6.1" => "3.7.0"',
        'connector_version : "3.6.1" => "3.7.0"',  # the source is checked again at its new version
        'version : "3.6.1" => "3.7.0"',  # the stack's output
    ]
    assert "replace" not in preview
    assert "2 to update" in preview
    program.up()
    assert (airbyte.ids("sources"), airbyte.ids("connections")) == before


def test_a_source_that_changes_in_place_leaves_its_connection_alone(program: Program, declared: Properties) -> None:
    declared["source"]["config"]["jdbc_url_params"] = "loginTimeout=5"
    program.declare(**declared)
    preview = program.preview()
    assert "1 to update" in preview
    assert "replace" not in preview


def test_a_change_that_loses_the_syncs_state_is_refused_in_the_preview(program: Program, declared: Properties) -> None:
    full = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite", "allow_full_refresh": "small"}
    declared["connection"]["streams"]["users"] = full
    program.declare(**declared)
    assert "allow_state_loss" in program.preview(code=None)


def test_no_secret_is_in_state_or_in_anything_printed(program: Program, declared: Properties) -> None:
    program.refresh()
    declared["source"]["config"]["password"] = "not-the-password"
    program.declare(**declared)
    program.up(code=None)
    printed = program.printed
    kept = program.run("stack", "export", "--show-secrets", "--stack=test")
    program.printed = printed
    assert "source-password-1" in kept, "the test looks for what the state really keeps"
    assert "warehouse-password-1" in kept
    for secret in ("source-password-1", "not-the-password", "warehouse-password-1", "emulator-client-secret"):
        assert secret not in printed
        assert secret not in program.state_text()


def test_errors_are_a_paragraph_each_and_no_traceback(program: Program, declared: Properties) -> None:
    declared["source"]["config"]["password"] = "not-the-password"
    declared["destination"]["config"]["hots"] = "x"
    program.declare(**declared)
    printed = program.up(code=None)
    for expected in (
        "pipelines/production.yaml:1: Source postgres_production (source-postgres 3.6.1) does not pass its connection",
        "hots is no field of this connector. Did you mean host?",
    ):
        assert len([line for line in printed.splitlines() if expected in line]) == 1, printed
    assert "Traceback" not in printed
    assert "Error(" not in printed


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"airbyteUrl": ""}, "airbyteUrl is not set"),
        ({"airbyteClientSecret": "wrong-client-secret"}, "does not accept airbyteClientId"),
    ],
)
def test_settings_that_do_not_do_are_told_in_the_preview(
    make_program: Callable[[dict[str, str]], Program], declared: Properties, config: dict[str, str], expected: str
) -> None:
    program = make_program(config)
    program.declare(**declared)
    printed = program.preview(code=None)
    assert expected in printed
    assert "Traceback" not in printed
    assert "wrong-client-secret" not in printed


def test_a_clean_preview_and_refresh_cost_the_same_few_calls_at_any_size(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    costs = {}
    for copies in (1, 8):
        if copies > 1:
            program.declare(**declared, copies=copies)
            program.up()
        with airbyte.counted() as previewed:
            program.preview(0, "--expect-no-changes")
        with airbyte.counted() as refreshed:
            program.run("preview", "--refresh", "--expect-no-changes", "--stack=test")
        costs[copies] = (sorted(previewed), sorted(refreshed))
    assert costs[1] == costs[8]
    assert len(costs[8][0]) <= 10
    assert len(costs[8][1]) <= 10


def test_a_destroy_leaves_nothing(program: Program, airbyte: Airbyte) -> None:
    program.destroy()
    assert [airbyte.ids(kind) for kind in ("sources", "destinations", "connections")] == [[], [], []]
    assert airbyte.session().inventory.pins() == []
