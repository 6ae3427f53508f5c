"""Checks, discovery, and the commands API."""

from __future__ import annotations

import threading
import time

import pytest

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import FAKER, MASK, MYSQL, NESTED, POSTGRES, POSTGRES_CONFIG, Api, Json, stream

FAKER_PATH = "connector:{}:airbyte/source-faker"


def fault(api: Api, operation: str, **members: object) -> None:
    api.sandbox("POST", "faults", {"path": FAKER_PATH.format(operation)} | members)


def test_a_check_has_three_outcomes_and_all_are_200(api: Api) -> None:
    source = api.source(FAKER, {"count": 10})
    good = api.post("sources/check_connection", sourceId=source["sourceId"])
    assert good["status"] == "succeeded"
    assert good["jobInfo"]["succeeded"] is True
    fault(api, "check", connector={"message": "no such thing"})
    refused = api.post("sources/check_connection", sourceId=source["sourceId"])
    assert (refused["status"], refused["message"]) == ("failed", "no such thing")
    assert refused["jobInfo"]["succeeded"] is True
    fault(api, "check", connector={"crash": True})
    crashed = api.post("sources/check_connection", sourceId=source["sourceId"])
    assert "status" not in crashed
    assert crashed["jobInfo"]["succeeded"] is False
    assert crashed["jobInfo"]["failureReason"]["externalMessage"].startswith("Something went wrong")


def test_a_connector_that_cannot_run_here_says_so_unless_checks_are_assumed_to_pass(
    start_airbyte: StartAirbyte,
) -> None:
    config = {"host": "h", "port": 1, "database": "d", "username": "u", "replication_method": {"method": "STANDARD"}}
    for assumed in (False, True):
        api = start_airbyte(assume_checks_pass=assumed)
        source = api.source(MYSQL, config)
        check = api.post("sources/check_connection", sourceId=source["sourceId"])
        assert check.get("status") == ("succeeded" if assumed else None)
        if not assumed:
            reason = check["jobInfo"]["failureReason"]
            assert reason["internalMessage"] == "this sandbox cannot run airbyte/source-mysql"


def test_an_unreachable_server_is_a_failed_check_with_the_reason(api: Api) -> None:
    source = api.source()
    check = api.post("sources/check_connection", sourceId=source["sourceId"])
    assert check["status"] == "failed"
    assert "Connection refused" in check["message"]
    assert "127.0.0.1:1" in check["message"]
    destination = api.destination()
    check = api.post("destinations/check_connection", destinationId=destination["destinationId"])
    assert check["status"] == "failed"
    assert "offline-sandbox.snowflakecomputing.com" in check["message"]


def test_a_check_before_creation_stores_nothing_and_validates_no_schema(api: Api) -> None:
    body = {
        "sourceDefinitionId": FAKER,
        "workspaceId": api.workspace,
        "connectionConfiguration": {"count": 3, "seed": "x"},
    }
    assert api.post("scheduler/sources/check_connection", **body)["status"] == "succeeded"
    assert api.post("sources/list", workspaceId=api.workspace)["sources"] == []
    assert api.sandbox("GET", "secrets")["secrets"] == {}
    assert api.call("sources/create", name="x", **body).status_code == 422


def test_a_check_for_an_update_takes_the_masked_secrets_from_the_store(api: Api) -> None:
    source = api.source(POSTGRES, POSTGRES_CONFIG | {"tunnel_method": {"tunnel_method": "NO_TUNNEL"}})
    body = {"sourceId": source["sourceId"], "name": "x"}
    check = api.post(
        "sources/check_connection_for_update",
        connectionConfiguration=source["connectionConfiguration"] | {"port": 2},
        **body,
    )
    assert "127.0.0.1:2" in check["message"]
    assert api.stored(source["sourceId"])["port"] == 1


def test_a_mask_that_a_secrets_pattern_refuses_is_422_in_a_check_for_an_update(api: Api) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nabc"
    config: Json = {"endpoint": "e", "proxy": {"auth": {"mode": "signed", "key": key}}}
    source = api.source(NESTED, config)
    masked = {"endpoint": "e", "proxy": {"auth": {"mode": "signed", "key": MASK}}}
    body = {"sourceId": source["sourceId"], "name": "x", "connectionConfiguration": masked}
    assert api.call("sources/check_connection_for_update", **body).status_code == 422


def discover(api: Api, source: Json, **fields: object) -> Json:
    found: Json = api.post("sources/discover_schema", sourceId=source["sourceId"], **fields)
    return found


def test_discovery_proposes_modes_and_selects_suggested_streams(api: Api) -> None:
    catalog = discover(api, api.source(FAKER, {}))["catalog"]
    users = next(entry for entry in catalog["streams"] if entry["stream"]["name"] == "users")
    assert users["stream"]["sourceDefinedPrimaryKey"] == [["id"]]
    config = users["config"]
    assert (config["syncMode"], config["destinationSyncMode"], config["selected"]) == (
        "incremental",
        "append_dedup",
        True,
    )
    assert (config["cursorField"], config["primaryKey"]) == (["updated_at"], [["id"]])


def test_discovery_is_cached_until_version_or_configuration_change(api: Api) -> None:
    source = api.source(FAKER, {"count": 1})
    first = discover(api, source)
    assert first["jobInfo"]["configId"] == FAKER

    def is_cached(**fields: object) -> bool:
        answer = discover(api, source, **fields)
        assert answer["catalogId"] == first["catalogId"]
        return bool(answer["jobInfo"]["configId"] == "NoConfiguration")

    assert is_cached()
    assert not is_cached(disable_cache=True)
    body = {"sourceId": source["sourceId"], "name": "n", "connectionConfiguration": {"count": 2}}
    api.post("sources/update", **body)
    assert not is_cached()
    assert is_cached()
    api.pin(FAKER, "source", "6.2.10", "actor", source["sourceId"])
    assert not is_cached()


def test_a_rotated_secret_invalidates_the_cache(start_airbyte: StartAirbyte) -> None:
    api = start_airbyte(assume_checks_pass=True)
    source = api.source(NESTED, {"endpoint": "e", "api_keys": ["k"]})
    discover(api, source)
    assert discover(api, source)["jobInfo"]["configId"] == "NoConfiguration"
    body = {
        "sourceId": source["sourceId"],
        "name": "n",
        "connectionConfiguration": {"endpoint": "e", "api_keys": ["k"]},
    }
    api.post("sources/update", **body)
    assert discover(api, source)["jobInfo"]["configId"] == NESTED


def test_a_failed_discovery_is_200_without_catalog(api: Api) -> None:
    answer = discover(api, api.source())
    assert "catalog" not in answer
    assert answer["jobInfo"]["succeeded"] is False
    assert "Connection refused" in answer["jobInfo"]["failureReason"]["externalMessage"]


def test_discovering_an_unsaved_source_stores_nothing(api: Api) -> None:
    body = {"sourceDefinitionId": FAKER, "workspaceId": api.workspace, "connectionConfiguration": {}}
    answer = api.post("scheduler/sources/discover_schema", **body)
    assert len(answer["catalog"]["streams"]) == 3
    assert "catalogId" not in answer


def without(entry: Json, *columns: str) -> Json:
    kept = {k: v for k, v in entry["stream"]["jsonSchema"]["properties"].items() if k not in columns}
    schema = {**entry["stream"]["jsonSchema"], "properties": kept}
    return {**entry, "stream": {**entry["stream"], "jsonSchema": schema}}


@pytest.mark.parametrize(("preference", "status"), [("ignore", "active"), ("disable", "inactive")])
def test_discovering_for_a_connection_may_disable_it(api: Api, preference: str, status: str) -> None:
    source = api.source(FAKER, {})
    entries = [without(e, "age") for e in discover(api, source)["catalog"]["streams"]]
    connection = api.connection(source, syncCatalog={"streams": entries}, nonBreakingChangesPreference=preference)
    discover(api, source)
    assert api.post("connections/get", connectionId=connection["connectionId"])["status"] == "active"
    answer = discover(api, source, connectionId=connection["connectionId"])
    assert (answer["connectionStatus"], answer["breakingChange"]) == (status, False)
    assert answer["catalogDiff"]["transforms"][0]["transformType"] == "update_stream"


def test_a_lost_key_column_is_a_breaking_change_whatever_the_preference(api: Api) -> None:
    source = api.source(FAKER, {})
    lost = stream("users", syncMode="incremental", destinationSyncMode="append_dedup", primaryKey=[["gone"]])
    del lost["stream"]["namespace"]
    connection = api.connection(source, syncCatalog={"streams": [lost]})
    answer = discover(api, source, connectionId=connection["connectionId"])
    assert (answer["connectionStatus"], answer["breakingChange"]) == ("inactive", True)
    events = api.post("connections/events/list", connectionId=connection["connectionId"])["events"]
    assert events[0]["eventType"] == "CONNECTION_DISABLED"
    assert events[0]["summary"]["disabledReason"] == "SCHEMA_CHANGES_ARE_BREAKING"


def test_a_command_runs_once_for_an_id(api: Api) -> None:
    source = api.source(FAKER, {})
    fault(api, "check", times=0, connector={"message": "first run"})
    for _ in range(2):
        assert api.post("commands/run/check", id="mine", actor_id=source["sourceId"]) == {"id": "mine"}
    assert api.sandbox("GET", "faults")["faults"][0]["struck"] == 1
    assert api.post("commands/status", id="mine")["status"] == "completed"
    output = api.post("commands/output/check", id="mine")
    assert (output["status"], output["message"]) == ("failed", "first run")
    api.post("commands/run/discover", id="other", actor_id=source["sourceId"])
    assert len(api.post("commands/output/discover", id="other")["catalog"]["streams"]) == 3


def test_a_slow_check_holds_up_nobody_else(api: Api) -> None:
    source = api.source(FAKER, {})
    fault(api, "check", delay_ms=1500)
    check = threading.Thread(
        target=api.call, args=("sources/check_connection",), kwargs={"sourceId": source["sourceId"]}
    )
    check.start()
    started = time.monotonic()
    api.post("sources/get", sourceId=source["sourceId"])
    assert time.monotonic() - started < 1
    assert check.is_alive()
    check.join()
