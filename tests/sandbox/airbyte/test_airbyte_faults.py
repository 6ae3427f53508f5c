"""Injected faults and the call log."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import POSTGRES, POSTGRES_CONFIG, Api


def create(api: Api) -> httpx.Response:
    body = {"sourceDefinitionId": POSTGRES, "workspaceId": api.workspace, "name": "x"}
    return api.call("sources/create", connectionConfiguration=POSTGRES_CONFIG, **body)


def sources(api: Api) -> int:
    return len(api.post("sources/list", workspaceId=api.workspace)["sources"])


def test_an_answer_lost_after_the_write_leaves_the_object(api: Api) -> None:
    api.sandbox("POST", "faults", {"path": "/v1/sources/create", "when": "after", "status": 504, "body": "html"})
    lost = create(api)
    assert lost.status_code == 504
    assert lost.headers["content-type"].startswith("text/html")
    assert sources(api) == 1
    assert create(api).status_code == 200
    assert sources(api) == 2


def test_an_answer_before_the_write_leaves_nothing(api: Api) -> None:
    fault = {"path": "/v1/sources/*", "status": 429, "headers": {"Retry-After": "1"}}
    api.sandbox("POST", "faults", fault)
    refused = create(api)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert sources(api) == 0


def test_a_connection_can_break_off_after_the_write(api: Api) -> None:
    api.sandbox("POST", "faults", {"path": "/v1/sources/create", "when": "after", "disconnect": True})
    with pytest.raises(httpx.RemoteProtocolError):
        create(api)
    assert sources(api) == 1


def test_a_fault_strikes_the_nth_call_and_so_many_times(api: Api) -> None:
    api.sandbox("POST", "faults", {"path": "/v1/workspaces/get", "skip": 1, "times": 2, "status": 502})
    statuses = [api.call("workspaces/get", workspaceId=api.workspace).status_code for _ in range(4)]
    assert statuses == [200, 502, 502, 200]
    api.sandbox("POST", "faults", {"path": "/v1/workspaces/get", "times": 0, "status": 503})
    assert {api.call("workspaces/get").status_code for _ in range(3)} == {503}
    api.sandbox("DELETE", "faults")
    assert api.call("workspaces/get", workspaceId=api.workspace).status_code == 200


def test_tokens_can_expire_in_the_middle_of_a_run(api: Api) -> None:
    api.sandbox("POST", "faults", {"path": "/v1/sources/create", "expire": True})
    assert create(api).status_code == 401
    assert api.call("workspaces/get", workspaceId=api.workspace).status_code == 401


def test_an_unknown_fault_is_refused(api: Api) -> None:
    answer = api.http.post("/sandbox/v1/faults", json={"path": "/v1/*", "explode": True})
    assert answer.status_code == 400
    assert "explode" in answer.json()["message"]


def test_latency_is_added_to_every_call(start_airbyte: StartAirbyte) -> None:
    api = start_airbyte(latency_ms=60)
    started = time.monotonic()
    for _ in range(5):
        api.post("workspaces/get", workspaceId=api.workspace)
    assert time.monotonic() - started >= 0.3


def test_calls_are_counted_by_path_without_their_bodies(api: Api) -> None:
    api.sandbox("DELETE", "calls")
    create(api)
    api.call("no/such/path")
    report = api.sandbox("GET", "calls")
    assert report["total"] == 2
    assert report["byPath"] == {"/v1/sources/create": 1, "/v1/no/such/path": 1}
    assert [call["status"] for call in report["calls"]] == [200, 404]
    assert "first" not in str(report)
