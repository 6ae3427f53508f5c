"""What a change makes Airbyte forget, and what it leaves behind in the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte import after_change, state_loss
from dynamic_providers.airbyte.errors import AfterChangeError, OutcomeUnknownError, StateLossError
from dynamic_providers.values import UNKNOWN
from sandbox.airbyte.jobs import Jobs

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

INCREMENTAL = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup", "primary_key": [["id"]]}
FULL = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite", "allow_full_refresh": "a small table"}


def program(inputs: Properties, *, name: str = "orders", **changes: Any) -> Properties:
    """The program with one stream changed."""
    stream = {key: value for key, value in {**inputs["streams"][name], **changes}.items() if value is not None}
    return {**inputs, "streams": {**inputs["streams"], name: stream}}


def jobs(airbyte: Airbyte, life: Life, *kinds: str) -> list[tuple[str, list[str]]]:
    """Kind and streams of the connection's jobs, oldest first."""
    body = {"configTypes": list(kinds or ("refresh", "clear")), "configId": life.id}
    found = [entry["job"] for entry in airbyte.post("jobs/list", body)["jobs"]]
    return [
        (job["configType"], sorted(stream["name"] for stream in job["enabledStreams"]))
        for job in sorted(found, key=lambda job: int(job["id"]))
    ]


def wait_for_jobs(airbyte: Airbyte) -> None:
    assert airbyte.http.post("/sandbox/v1/jobs/wait", json={"timeoutSeconds": 30}, timeout=60).is_success


@pytest.fixture
def loaded(airbyte: Airbyte, a_connection: Life, connection_inputs: Properties) -> Life:
    """A connection that has synced."""
    a_connection.up(connection_inputs)
    airbyte.post("connections/sync", {"connectionId": a_connection.id})
    wait_for_jobs(airbyte)
    return a_connection


# -- the state -------------------------------------------------------------------------------------------------------


def test_what_is_lost_is_named_stream_by_stream() -> None:
    olds = {"source_id": "s", "destination_id": "d", "streams": {"orders": INCREMENTAL, "rates": FULL}}
    found = state_loss.losses(olds, {**olds, "destination_id": UNKNOWN})
    assert len(found) == 1
    assert "deleted with the sync state of stream orders, and" in found[0]
    assert state_loss.losses(olds, {**olds, "streams": {"orders": FULL, "rates": FULL}})[0].startswith("Stream orders")
    assert state_loss.losses({}, olds) == []


def test_a_stream_that_is_taken_out_keeps_its_state_and_is_told_so(
    airbyte: Airbyte, loaded: Life, connection_inputs: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {
        "stateType": "stream",
        "connectionId": loaded.id,
        "streamState": [
            {"streamDescriptor": {"name": name, "namespace": "public"}, "streamState": {"cursor": name}}
            for name in ("orders", "users")
        ],
    }
    airbyte.post("state/create_or_update_safe", {"connectionId": loaded.id, "connectionState": state})
    orders_only = {**connection_inputs, "streams": {"orders": connection_inputs["streams"]["orders"]}}

    assert loaded.up(orders_only) == ("streams",)

    told = capsys.readouterr().err
    assert "Connection production: No longer synced: users." in told
    assert "the sync state stay" in told
    kept = airbyte.post("state/get", {"connectionId": loaded.id})["streamState"]
    assert sorted(item["streamDescriptor"]["name"] for item in kept) == ["orders", "users"]


def test_adopting_a_connection_does_not_lose_state_unasked(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    a_connection.id, a_connection.inputs, a_connection.outputs = "", {}, {}
    full: dict[str, Any] = {**FULL, "primary_key": None}
    other = program(connection_inputs, **full)
    with pytest.raises(StateLossError, match="Stream orders changes from incremental to full_refresh"):
        a_connection.up({**other, "adopt": True})
    a_connection.up({**other, "adopt": True, "allow_state_loss": "the table is small"})
    assert a_connection.refresh() == ()


@pytest.fixture
def unfinished(monkeypatch: pytest.MonkeyPatch, loaded: Life) -> Life:
    """The same, with jobs that go on for longer than the test."""
    monkeypatch.setattr(Jobs, "_run", lambda *_: None)
    return loaded


# -- what was loaded before ------------------------------------------------------------------------------------------

CHANGES: list[tuple[str, Properties, Properties]] = [
    ("mode", {"destination_sync_mode": "append"}, {}),
    ("hash", {"hash": ["status"]}, {}),
    ("prefix", {}, {"prefix": "raw_"}),
    ("namespace", {}, {"namespace_definition": "source"}),
]


@pytest.mark.parametrize(("stream", "settings"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_rows_that_no_longer_fit_are_told_in_the_preview_and_kept_in_mind(
    airbyte: Airbyte,
    loaded: Life,
    connection_inputs: Properties,
    capsys: pytest.CaptureFixture[str],
    stream: Properties,
    settings: Properties,
) -> None:
    changed = {**program(connection_inputs, **stream), **settings}
    loaded.resource().check(dict(loaded.inputs), dict(changed))
    told = capsys.readouterr().err
    assert "orders changes its" in told
    assert "after_change: refresh" in told
    assert "after_change: clear" in told
    loaded.up(changed)
    assert list(loaded.outputs["stale_streams"]) == (["orders"] if stream else ["orders", "users"])
    assert jobs(airbyte, loaded) == []
    assert loaded.refresh() == ()
    assert loaded.up(changed) == ()


def test_an_offer_is_taken_later_for_exactly_the_streams_concerned(
    airbyte: Airbyte, loaded: Life, connection_inputs: Properties
) -> None:
    changed = program(connection_inputs, hash=["status"])
    loaded.up(changed)
    asked = {**changed, "after_change": "refresh"}
    assert loaded.up(asked) == ("after_change",)
    assert jobs(airbyte, loaded) == [("refresh", ["orders"])]
    assert "stale_streams" not in loaded.outputs
    assert loaded.up(asked) == ()
    assert loaded.refresh() == ()


@pytest.mark.parametrize("choice", ["refresh", "clear"])
def test_what_is_asked_for_is_run_with_the_change(
    airbyte: Airbyte, loaded: Life, connection_inputs: Properties, choice: str
) -> None:
    changed = {**program(connection_inputs, hash=["status"]), "after_change": choice}
    with airbyte.counted() as calls:
        assert loaded.up(changed) == ("streams",)
    assert jobs(airbyte, loaded) == [(choice, ["orders"])]
    done = calls.index(f"/v1/connections/{'clear/stream' if choice == 'clear' else 'refresh'}")
    assert calls.index("/v1/connections/update") < done
    assert "stale_streams" not in loaded.outputs


def test_a_history_is_refreshed_without_dropping_it(
    airbyte: Airbyte, loaded: Life, connection_inputs: Properties
) -> None:
    # orders replaces its rows, users appends: two refreshes, and a connection runs one at a time.
    first = program(connection_inputs, name="users", destination_sync_mode="append")
    changed = {**program(first, hash=["status"]), "after_change": "refresh"}
    loaded.up(changed)
    assert jobs(airbyte, loaded) == [("refresh", ["orders"])]
    assert list(loaded.outputs["stale_streams"]) == ["users"]
    wait_for_jobs(airbyte)
    assert loaded.up(changed) == ("after_change",)
    assert jobs(airbyte, loaded) == [("refresh", ["orders"]), ("refresh", ["users"])]
    assert loaded.up(changed) == ()


def test_nothing_is_refreshed_that_was_never_loaded(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    a_connection.up({**program(connection_inputs, hash=["status"]), "after_change": "refresh"})
    assert jobs(airbyte, a_connection) == []
    assert "stale_streams" not in a_connection.outputs


def test_a_cursor_and_a_key_that_the_source_defines_itself_leave_nothing_behind(
    airbyte: Airbyte, loaded: Life, connection_inputs: Properties
) -> None:
    loaded.up({**program(connection_inputs, cursor_field=["updated_at"]), "after_change": "refresh"})
    assert jobs(airbyte, loaded) == []


def test_a_table_that_is_overwritten_anyway_needs_nothing() -> None:
    olds = {"streams": {"rates": FULL}, "prefix": "a_"}
    assert after_change.affected(olds, {**olds, "prefix": "b_"}) == {}


@pytest.mark.parametrize("choice", ["refresh", "clear"])
def test_an_up_that_was_interrupted_after_the_job_began_does_not_run_it_twice(
    airbyte: Airbyte, unfinished: Life, connection_inputs: Properties, choice: str
) -> None:
    life, changed = unfinished, {**program(connection_inputs, hash=["status"]), "after_change": choice}
    resource = life.resource()
    resource.update(life.id, dict(life.outputs), resource.check(dict(life.inputs), dict(changed)).inputs)
    # Killed before its state was written.
    assert life.up(changed) == ("streams",)
    assert jobs(airbyte, life) == [(choice, ["orders"])]
    assert "stale_streams" not in life.outputs


def test_an_up_that_was_interrupted_before_the_job_runs_it(
    airbyte: Airbyte, loaded: Life, connection_inputs: Properties
) -> None:
    changed = {**program(connection_inputs, hash=["status"]), "after_change": "refresh"}
    airbyte.fault(path="/v1/connections/refresh", status=500)
    with pytest.raises(Exception, match="connections/refresh"):
        loaded.up(changed)
    loaded.up(changed)
    assert jobs(airbyte, loaded) == [("refresh", ["orders"])]


def test_a_job_whose_answer_was_lost_is_found(
    airbyte: Airbyte, unfinished: Life, connection_inputs: Properties
) -> None:
    airbyte.fault(path="/v1/connections/refresh", status=504, when="after")
    unfinished.up({**program(connection_inputs, hash=["status"]), "after_change": "refresh"})
    assert jobs(airbyte, unfinished) == [("refresh", ["orders"])]


def test_a_job_that_never_began_is_not_taken_for_one(
    airbyte: Airbyte, loaded: Life, connection_inputs: Properties
) -> None:
    airbyte.fault(path="/v1/connections/refresh", status=504)
    changed = {**program(connection_inputs, hash=["status"]), "after_change": "refresh"}
    with pytest.raises(OutcomeUnknownError):
        loaded.up(changed)
    loaded.up(changed)
    assert jobs(airbyte, loaded) == [("refresh", ["orders"])]


def test_a_running_sync_is_an_error_that_the_next_up_gets_over(
    airbyte: Airbyte, unfinished: Life, connection_inputs: Properties
) -> None:
    life, changed = unfinished, {**program(connection_inputs, hash=["status"]), "after_change": "refresh"}
    sync = airbyte.post("connections/sync", {"connectionId": life.id})["job"]
    with pytest.raises(AfterChangeError, match=r"Another job of it is running.*up` again"):
        life.up(changed)
    airbyte.post("jobs/cancel", {"id": sync["id"]})
    life.up(changed)
    assert jobs(airbyte, life) == [("refresh", ["orders"])]


def test_a_destination_without_refreshes_is_told_to_clear(
    airbyte: Airbyte, loaded: Life, connection_inputs: Properties, destination_inputs: Properties
) -> None:
    body = {"id": destination_inputs["definition_id"], "supportsRefreshes": False}
    assert airbyte.http.post("/sandbox/v1/registry", json=body).is_success
    with pytest.raises(AfterChangeError, match=r"does not support refreshes.*after_change: clear"):
        loaded.up({**program(connection_inputs, hash=["status"]), "after_change": "refresh"})


@pytest.mark.parametrize("operation", ["refresh", "clear/stream", "clear"])
def test_what_somebody_refreshed_or_cleared_in_airbyte_is_stale_no_more(
    airbyte: Airbyte, unfinished: Life, connection_inputs: Properties, operation: str
) -> None:
    life, changed = unfinished, {**connection_inputs, "prefix": "raw_"}
    life.up(changed)
    assert list(life.outputs["stale_streams"]) == ["orders", "users"]
    orders = [{"streamName": "orders", "streamNamespace": "public"}]
    body = {"connectionId": life.id, "refreshMode": "Truncate", "streams": orders}
    number = airbyte.post(f"connections/{operation}", body)["job"]["id"]

    assert life.refresh() == ()
    assert list(life.outputs["stale_streams"]) == ["orders", "users"], "it has not ended"
    done(airbyte, number, "failed")
    life.refresh()
    assert list(life.outputs["stale_streams"]) == ["orders", "users"], "it did nothing"
    done(airbyte, number, "succeeded")
    assert life.refresh() == ()
    left = [] if operation == "clear" else ["users"]
    assert list(life.outputs.get("stale_streams", {})) == left

    asked = {**changed, "after_change": "refresh"}
    assert life.up(asked) == (("after_change",) if left else ())
    assert jobs(airbyte, life, "refresh")[-1:] == ([("refresh", left)] if left else [])


def done(airbyte: Airbyte, number: int, status: str) -> None:
    """Let a job have ended so."""
    store = airbyte.server.instance.store
    with store.lock:
        job = next(job for job in store.jobs if job.id == number)
        job.status = status
        store.jobs.save(job)


def test_a_refresh_from_before_the_change_puts_nothing_right(
    airbyte: Airbyte, unfinished: Life, connection_inputs: Properties
) -> None:
    body = {"connectionId": unfinished.id, "refreshMode": "Truncate", "streams": []}
    done(airbyte, airbyte.post("connections/refresh", body)["job"]["id"], "succeeded")
    unfinished.up({**connection_inputs, "prefix": "raw_"})
    unfinished.refresh()
    assert list(unfinished.outputs["stale_streams"]) == ["orders", "users"]


def test_an_unknown_choice_is_refused_in_the_preview(a_connection: Life, connection_inputs: Properties) -> None:
    failures = a_connection.resource().check({}, {**connection_inputs, "after_change": "reset"}).failures
    assert failures == ("Connection production: after_change: 'reset' is unknown. Use one of refresh, clear, none.",)
