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


def test_a_second_preview_and_a_refresh_show_nothing(program: Program, airbyte: Airbyte, declared: Properties) -> None:
    program.declare(**declared)
    program.up()
    for _ in range(2):
        program.preview(0, "--expect-no-changes")
        program.refresh(0, "--expect-no-changes")


def test_a_clean_preview_and_refresh_cost_the_same_few_calls_at_any_size(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    costs = {}
    for copies in (1, 8):
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


def test_a_drift_shows_by_property_and_is_set_right(program: Program, airbyte: Airbyte, declared: Properties) -> None:
    program.declare(**declared)
    program.up()
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
    assert "prefix" in "".join(lines(preview, "-"))
    assert "[secret]" in preview
    program.up()
    program.preview(0, "--expect-no-changes")
    program.refresh(0, "--expect-no-changes")


def test_an_object_somebody_deleted_is_made_again(program: Program, airbyte: Airbyte, declared: Properties) -> None:
    program.declare(**declared)
    program.up()
    airbyte.post("connections/delete", {"connectionId": program.resource("connection")["id"]})
    program.refresh()
    assert "1 to create" in program.preview()
    program.up()
    assert len(airbyte.ids("connections")) == 1


def test_a_rotated_secret_is_one_line_and_the_only_secret_written(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    program.declare(**declared)
    program.up()
    source_before = airbyte.http.get("/sandbox/v1/secrets").json()["configurations"]
    declared["destination"]["config"]["password"] = "rotated-warehouse-password"
    program.declare(**declared)

    preview = program.preview()

    assert len(changed(preview)) == 1
    assert changed(preview)[0].startswith('password: "')
    with airbyte.counted() as calls:
        program.up()
    assert [call for call in calls if call.endswith("/update")] == ["/v1/destinations/update"]
    source = program.resource("source")["id"]
    after = airbyte.http.get("/sandbox/v1/secrets").json()["configurations"]
    assert after[source] == source_before[source]
    assert "rotated-warehouse-password" in airbyte.stored_secrets()
    program.preview(0, "--expect-no-changes")


def test_a_moved_version_is_one_line_on_the_pin_and_keeps_what_hangs_on_it(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    program.declare(**declared)
    program.up()
    before = (airbyte.ids("sources"), airbyte.ids("connections"))
    program.declare(**{**declared, "pin": {**PIN, "version": "3.7.0"}})

    preview = program.preview()

    assert 'version : "3.6.1" => "3.7.0"' in changed(preview)
    assert "replace" not in preview
    assert "2 to update" in preview, "the pin, and the source that is checked again at its new version"
    program.up()
    assert (airbyte.ids("sources"), airbyte.ids("connections")) == before


def test_a_source_that_changes_in_place_leaves_its_connection_alone(
    program: Program, airbyte: Airbyte, declared: Properties
) -> None:
    program.declare(**declared)
    program.up()
    declared["source"]["config"]["jdbc_url_params"] = "loginTimeout=5"
    program.declare(**declared)
    preview = program.preview()
    assert "1 to update" in preview
    assert "replace" not in preview


def test_no_secret_is_in_state_or_in_anything_printed(program: Program, airbyte: Airbyte, declared: Properties) -> None:
    program.declare(**declared)
    program.up()
    program.refresh()
    declared["source"]["config"]["password"] = "not-the-password"
    program.declare(**declared)
    program.up(code=None)
    key = program.run("stack", "export", "--show-secrets", "--stack=test")
    program.printed = program.printed.replace(key, "")
    secrets = ["source-password-1", "not-the-password", "warehouse-password-1", "emulator-client-secret"]
    assert all(secret in key for secret in secrets[:1]), "the test looks for what the state really keeps"
    for secret in secrets:
        assert secret not in program.printed
        assert secret not in program.state_text()


BREAKS: list[tuple[str, Callable[[Properties], Any], str]] = [
    (
        "the connection check",
        lambda d: d["source"]["config"].update(password="not-the-password"),
        "pipelines/production.yaml:1: Source postgres_production (source-postgres 3.6.1) does not pass its connection",
    ),
    ("the spec", lambda d: d["source"]["config"].update(hots="x"), "hots is no field of this connector"),
    ("the version", lambda d: d.update(pin={**PIN, "version": "9.9.9"}), "has no version 9.9.9"),
    (
        "the streams",
        lambda d: d["connection"]["streams"].update(order=STREAM),
        "The source has no stream order. Did you mean orders?",
    ),
]


@pytest.mark.parametrize(("what", "spoil", "expected"), BREAKS, ids=[what for what, _, _ in BREAKS])
def test_an_error_is_one_paragraph_and_no_traceback(
    program: Program,
    airbyte: Airbyte,
    declared: Properties,
    what: str,
    spoil: Callable[[Properties], Any],
    expected: str,
) -> None:
    spoil(declared)
    program.declare(**declared)
    printed = program.up(code=None)
    ours = [line for line in printed.splitlines() if expected in line]
    assert len(ours) == 1, printed
    assert "Traceback" not in printed
    assert "AirbyteError" not in printed


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"airbyteUrl": ""}, "airbyteUrl is not set"),
        ({"airbyteClientSecret": "${NO_SUCH_VARIABLE}"}, "NO_SUCH_VARIABLE, which is not set"),
        ({"airbyteClientSecret": "wrong"}, "does not accept airbyteClientId"),
    ],
)
def test_settings_that_do_not_do_are_one_paragraph(
    make_program: Callable[[dict[str, str]], Program], declared: Properties, config: dict[str, str], expected: str
) -> None:
    program = make_program(config)
    program.declare(**declared)
    printed = program.up(code=None)
    assert expected in printed
    assert "Traceback" not in printed


def test_a_destroy_leaves_nothing(program: Program, airbyte: Airbyte, declared: Properties) -> None:
    program.declare(**declared)
    program.up()
    program.destroy()
    assert [airbyte.ids(kind) for kind in ("sources", "destinations", "connections")] == [[], [], []]
    assert airbyte.session().inventory.pins() == []
