"""Jobs without databases: listings, failures, retries, auto-disable, restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import FAKER, Api, Json

KINDS = ["sync", "refresh", "reset_connection", "clear"]


def listed(api: Api, **fields: object) -> list[int]:
    return [item["job"]["id"] for item in api.post("jobs/list", **({"configTypes": KINDS} | fields))["jobs"]]


def failing(api: Api, **fields: str) -> Json:
    """A connection whose source nobody answers."""
    return api.connection(**fields)


def test_a_failed_sync_tells_who_and_why(api: Api) -> None:
    connection = failing(api)
    info = api.sync(connection)
    assert info["job"]["status"] == "failed"
    assert len(info["attempts"]) == 1  # a wrong configuration is not tried again
    reason = info["attempts"][0]["attempt"]["failureSummary"]["failures"][0]
    assert (reason["failureOrigin"], reason["failureType"]) == ("source", "config_error")
    assert "Connection refused" in reason["externalMessage"]
    assert reason["timestamp"] > 10**12  # milliseconds
    assert info["attempts"][0]["logs"]["logLines"]
    last = api.post("jobs/get_last_replication_job", connectionId=connection["connectionId"])
    assert last["job"]["id"] == info["job"]["id"]
    debug = api.post("jobs/get_debug_info", id=info["job"]["id"])["job"]
    assert debug["sourceDefinition"] == {"dockerImageTag": "3.7.0"}
    assert debug["destinationDefinition"] == {"dockerImageTag": "4.0.33"}


def test_a_transient_failure_is_tried_again(start_airbyte: StartAirbyte) -> None:
    api = start_airbyte(max_attempts=2)
    fault = {"path": "connector:sync:airbyte/source-faker", "times": 0, "connector": {"crash": True, "message": "boom"}}
    api.sandbox("POST", "faults", fault)
    info = api.sync(api.connection(api.source(FAKER, {})))
    assert [item["attempt"]["status"] for item in info["attempts"]] == ["failed", "failed"]


def test_jobs_are_listed_newest_first_and_filtered(api: Api) -> None:
    one, two = failing(api), failing(api)
    first, second = api.sync(one)["job"]["id"], api.sync(two)["job"]["id"]
    third = api.sync(one)["job"]["id"]
    assert listed(api) == [third, second, first]
    assert listed(api, configId=one["connectionId"]) == [third, first]
    assert listed(api, orderByMethod="ASC", orderByField="createdAt") == [first, second, third]
    assert listed(api, pagination={"pageSize": 1, "rowOffset": 1}) == [second]
    assert listed(api, statuses=["succeeded"]) == []
    assert listed(api, configTypes=["refresh"]) == []
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert listed(api, updatedAtStart=soon) == []
    assert listed(api, updatedAtEnd=soon) == [third, second, first]
    assert listed(api, pagination={"pageSize": 2, "rowOffset": 0}, includingJobId=first) == [first]
    assert api.post("jobs/list", configTypes=KINDS)["totalJobCount"] == 3


def test_a_connection_that_only_fails_is_disabled(start_airbyte: StartAirbyte) -> None:
    api = start_airbyte(failed_jobs_before_disable=3)
    connection = failing(api)
    for _ in range(3):
        api.sync(connection)
    read = api.post("connections/get", connectionId=connection["connectionId"])
    assert read["status"] == "inactive"
    events = api.post("connections/events/list", connectionId=connection["connectionId"])["events"]
    assert [event["eventType"] for event in events[:2]] == ["CONNECTION_DISABLED", "SYNC_FAILED"]
    assert "TOO_MANY_FAILED_JOBS" in events[0]["summary"]["disabledReason"]
    only = api.post("connections/events/list", connectionId=connection["connectionId"], eventTypes=["SYNC_STARTED"])[
        "events"
    ]
    assert len(only) == 3


def test_an_inactive_connection_cannot_sync(api: Api) -> None:
    connection = failing(api, status="inactive")
    assert api.call("connections/sync", connectionId=connection["connectionId"]).status_code == 500


def test_the_status_of_a_connection(start_airbyte: StartAirbyte) -> None:
    api = start_airbyte()
    connection = failing(api)
    ids = [connection["connectionId"]]
    assert api.post("connections/status", connectionIds=ids)[0]["connectionSyncStatus"] == "pending"
    job = api.sync(connection)["job"]
    status = api.post("connections/status", connectionIds=ids)[0]
    assert (status["connectionSyncStatus"], status["lastSyncJobId"]) == ("failed", job["id"])
    api.post("connections/update", connectionId=ids[0], status="inactive")
    assert api.post("connections/status", connectionIds=ids)[0]["connectionSyncStatus"] == "paused"
    old = start_airbyte("1.0.0")
    before = old.post("connections/status", connectionIds=[failing(old)["connectionId"]])[0]
    assert before["isRunning"] is False
    assert "connectionSyncStatus" not in before


def test_a_restart_keeps_everything_and_fails_what_was_running(start_airbyte: StartAirbyte, tmp_path: Path) -> None:
    first = start_airbyte(data=tmp_path / "data", assume_checks_pass=True)
    connection = failing(first)
    finished = first.sync(connection)["job"]
    interrupted = first.server.instance.store.jobs.get(finished["id"])
    interrupted.status = "running"
    first.server.instance.store.jobs.save(interrupted)
    first.server.stop()
    second = start_airbyte(data=tmp_path / "data")
    assert second.workspace == first.workspace
    assert second.post("connections/get", connectionId=connection["connectionId"]) == connection
    assert second.post("jobs/get", id=finished["id"])["job"]["status"] == "failed"
    assert second.sync(connection)["job"]["id"] == finished["id"] + 1
    assert (tmp_path / "data" / "airbyte.sqlite").stat().st_mode & 0o077 == 0
    second.http.headers["Authorization"] = first.http.headers["Authorization"]  # tokens survive, too
    assert second.call("workspaces/get", workspaceId=second.workspace).status_code == 200
