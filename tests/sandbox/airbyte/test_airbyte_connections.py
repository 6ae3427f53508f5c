"""Connections: patch rules, canonical catalogs, mappers, tags, operations."""

from __future__ import annotations

import pytest

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import MASK, NOBODY, SNOWFLAKE, SNOWFLAKE_CONFIG, Api, Json, stream


def update(api: Api, connection: Json, **fields: object) -> Json:
    found: Json = api.post("connections/update", connectionId=connection["connectionId"], **fields)
    return found


def only_stream(connection: Json) -> Json:
    streams = connection["syncCatalog"]["streams"]
    assert len(streams) == 1
    found: Json = streams[0]
    return found


def test_a_new_connection_has_airbytes_defaults(api: Api) -> None:
    read = api.connection(api.source(name="s"), api.destination(name="d"))
    assert read["name"] == "s <> d"
    assert read["namespaceDefinition"] == "source"
    assert read["scheduleType"] == "manual"
    assert read["nonBreakingChangesPreference"] == "ignore"
    assert read["backfillPreference"] == "disabled"
    assert read["breakingChange"] is False
    assert "workspaceId" not in read


def test_creation_drops_the_email_flag_and_an_update_keeps_it(api: Api) -> None:
    connection = api.connection(notifySchemaChanges=True, notifySchemaChangesByEmail=True)
    assert connection["notifySchemaChanges"] is True
    assert "notifySchemaChangesByEmail" not in connection
    assert update(api, connection, notifySchemaChangesByEmail=True)["notifySchemaChangesByEmail"] is True


def test_an_update_is_a_patch_in_which_null_changes_nothing(api: Api) -> None:
    resources = {"cpu_request": "1", "memory_limit": "1Gi", "ephemeral_storage_limit": "1Gi"}
    connection = api.connection(prefix="p_", namespaceFormat="x", resourceRequirements=resources)
    assert connection["resourceRequirements"] == {"cpu_request": "1", "memory_limit": "1Gi"}
    same = update(api, connection, prefix=None, namespaceFormat=None, resourceRequirements=None, syncCatalog=None)
    assert same == connection
    cleared = update(api, connection, prefix="", resourceRequirements={})
    assert (cleared["prefix"], cleared["resourceRequirements"]) == ("", {})
    assert update(api, connection, sourceId=NOBODY)["sourceId"] == connection["sourceId"]


def test_unselected_streams_are_not_stored(api: Api) -> None:
    entries = [stream("a"), stream("b", selected=False), stream("c")]
    connection = api.connection(syncCatalog={"streams": entries})
    assert [e["stream"]["name"] for e in connection["syncCatalog"]["streams"]] == ["a", "c"]
    replaced = update(api, connection, syncCatalog={"streams": [stream("c")]})
    assert only_stream(replaced)["stream"]["name"] == "c"


def test_the_catalog_comes_back_in_canonical_form(api: Api) -> None:
    entry = stream("odd name!", namespace="dropped", aliasName="ignored", suggested=True, generationId=7)
    read = only_stream(api.connection(syncCatalog={"streams": [entry]}))
    assert read["config"]["aliasName"] == "odd_name_"
    assert read["config"]["suggested"] is False
    assert "namespace" not in read["config"]
    assert "generationId" not in read["config"]
    assert read["stream"]["sourceDefinedCursor"] is False


def test_modes_cursors_and_keys_are_believed_unseen(api: Api) -> None:
    entry = stream("a", syncMode="incremental", destinationSyncMode="update", cursorField=["no"], primaryKey=[["nor"]])
    entry["stream"]["supportedSyncModes"] = []
    config = only_stream(api.connection(syncCatalog={"streams": [entry]}))["config"]
    assert (config["destinationSyncMode"], config["cursorField"], config["primaryKey"]) == ("update", ["no"], [["nor"]])


def test_field_selection_trims_the_schema(api: Api) -> None:
    chosen = stream("a", fieldSelectionEnabled=True, selectedFields=[{"fieldPath": ["id"]}])
    read = only_stream(api.connection(syncCatalog={"streams": [chosen]}))
    assert list(read["stream"]["jsonSchema"]["properties"]) == ["id"]
    assert read["config"]["selectedFields"] == [{"fieldPath": ["id"]}]
    ignored = stream("a", selectedFields=[{"fieldPath": ["id"]}])
    assert only_stream(api.connection(syncCatalog={"streams": [ignored]}))["config"]["selectedFields"] == []


@pytest.mark.parametrize(
    "config",
    [
        {"destinationSyncMode": "append_dedup", "primaryKey": [["id"]], "syncMode": "full_refresh"},
        {"syncMode": "incremental", "cursorField": ["id"]},
        {"selectedFields": [{"fieldPath": ["name", "deep"]}]},
    ],
)
def test_field_selection_must_keep_cursor_and_key_and_stay_at_the_top(api: Api, config: Json) -> None:
    entry = stream("a", **({"fieldSelectionEnabled": True, "selectedFields": [{"fieldPath": ["name"]}]} | config))
    connection = api.connection()
    body = {"connectionId": connection["connectionId"], "syncCatalog": {"streams": [entry]}}
    assert api.call("connections/update", **body).status_code == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"syncCatalog": {"streams": [stream("a"), stream("a")]}},
        {"schedule": {"timeUnit": "hours", "units": 1}},
        {"scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 1}}},
        {"scheduleType": "manual", "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 1}}},
    ],
)
def test_some_mistakes_of_a_client_are_500(api: Api, fields: Json) -> None:
    connection = api.connection()
    answer = api.call("connections/update", connectionId=connection["connectionId"], **fields)
    assert answer.status_code == 500
    assert set(answer.json()) == {"errorId"}


def test_source_and_destination_must_share_a_workspace(api: Api) -> None:
    other = api.post("workspaces/create", name="other", organizationId="00000000-0000-0000-0000-000000000000")
    body = {"destinationDefinitionId": SNOWFLAKE, "workspaceId": other["workspaceId"], "name": "d"}
    destination = api.post("destinations/create", connectionConfiguration=SNOWFLAKE_CONFIG, **body)
    ids = {"sourceId": api.source()["sourceId"], "destinationId": destination["destinationId"]}
    assert api.call("connections/create", status="active", syncCatalog={"streams": []}, **ids).status_code == 500


def test_mappers_get_ids_and_keep_them(api: Api) -> None:
    hashing = {"type": "hashing", "mapperConfiguration": {"targetField": "name", "method": "SHA-256"}}
    connection = api.connection(syncCatalog={"streams": [stream("a", mappers=[hashing])]})
    mapper = only_stream(connection)["config"]["mappers"][0]
    assert mapper["id"]
    assert mapper["mapperConfiguration"]["fieldNameSuffix"] == "_hashed"
    assert only_stream(connection)["config"]["hashedFields"] == [{"fieldPath": ["name"]}]
    again = update(api, connection, syncCatalog=connection["syncCatalog"])
    assert only_stream(again)["config"]["mappers"] == [mapper]
    by_field = stream("a", hashedFields=[{"fieldPath": ["name"]}])
    made = only_stream(api.connection(syncCatalog={"streams": [by_field]}))["config"]["mappers"][0]
    assert (made["type"], made["mapperConfiguration"]["targetField"]) == ("hashing", "name")


def test_the_key_of_an_encryption_mapper_is_masked_and_restored_by_id(api: Api) -> None:
    settings = {"algorithm": "AES", "targetField": "name", "mode": "GCM", "padding": "NoPadding", "key": "k3y"}
    entry = stream("a", mappers=[{"type": "encryption", "mapperConfiguration": settings}])
    connection = api.connection(syncCatalog={"streams": [entry]})
    mapper = only_stream(connection)["config"]["mappers"][0]
    assert mapper["mapperConfiguration"]["key"] == MASK
    assert "k3y" not in api.call("connections/list", workspaceId=api.workspace).text
    update(api, connection, syncCatalog=connection["syncCatalog"])
    stored = api.server.instance.store.connections.get(connection["connectionId"])
    assert stored.streams[0]["config"]["mappers"][0]["mapperConfiguration"]["key"] == "k3y"
    mapper["id"] = NOBODY
    body = {"connectionId": connection["connectionId"], "syncCatalog": connection["syncCatalog"]}
    answer = api.call("connections/update", **body)
    assert (answer.status_code, answer.json()["type"]) == (400, "error:mapper-validation/secret-not-found")


def test_a_mapper_without_its_parameters_is_a_problem(api: Api) -> None:
    connection = api.connection()
    entry = stream("a", mappers=[{"type": "hashing", "mapperConfiguration": {"targetField": "name"}}])
    body = {"connectionId": connection["connectionId"], "syncCatalog": {"streams": [entry]}}
    answer = api.call("connections/update", **body)
    assert (answer.status_code, answer.json()["type"]) == (400, "error:mapper-validation/missing-required-param")


def test_changing_a_sync_mode_drops_that_streams_state_and_no_other(api: Api) -> None:
    entries = [stream(name, syncMode="incremental") for name in ("a", "b")]
    connection = api.connection(syncCatalog={"streams": entries})
    states = [
        {"streamDescriptor": {"name": n, "namespace": "public"}, "streamState": {"cursor": n}} for n in ("a", "b")
    ]
    state = {"stateType": "stream", "connectionId": connection["connectionId"], "streamState": states}
    body = {"connectionId": connection["connectionId"]}
    api.post("state/create_or_update_safe", connectionState=state, **body)
    assert api.post("state/get", **body)["streamState"] == states
    entries[0]["config"]["syncMode"] = "full_refresh"
    entries[1]["config"]["destinationSyncMode"] = "append_dedup"
    update(api, connection, syncCatalog={"streams": entries})
    assert api.post("state/get", **body)["streamState"] == states[1:]
    update(api, connection, syncCatalog={"streams": entries[:1]})  # deselecting keeps the state
    assert api.post("state/get", **body)["streamState"] == states[1:]


def test_tags_belong_to_the_workspace_and_follow_their_changes(api: Api) -> None:
    tag = api.post("tags/create", workspaceId=api.workspace, name="prod", color="00FF00")
    connection = api.connection(tags=[tag])
    assert connection["tags"] == [tag]
    assert update(api, connection, name="x")["tags"] == [tag]
    api.post("tags/update", tagId=tag["tagId"], workspaceId=api.workspace, name="live", color="00FF00")
    assert update(api, connection, name="y")["tags"][0]["name"] == "live"
    body = {"connectionId": connection["connectionId"], "tags": [tag | {"tagId": NOBODY}]}
    assert api.call("connections/update", **body).status_code == 400
    assert update(api, connection, tags=[])["tags"] == []


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"name": "prod"}, 409, "error:tag-already-exists"),
        ({"color": "green!"}, 400, "error:tag-invalid-hex-color"),
        ({"name": "x" * 31}, 400, "error:tag-name-too-long"),
    ],
)
def test_bad_tags_are_problems(api: Api, fields: Json, status: int, kind: str) -> None:
    body = {"workspaceId": api.workspace, "name": "other", "color": "00FF00"}
    api.post("tags/create", **(body | {"name": "prod"}))
    answer = api.call("tags/create", **(body | fields))
    assert (answer.status_code, answer.json()["type"]) == (status, kind)


def test_tags_are_unknown_before_1_5(start_airbyte: StartAirbyte) -> None:
    api = start_airbyte("1.3.0")
    assert "tags" not in api.connection()
    assert api.call("tags/list", workspaceId=api.workspace).status_code == 404


def test_operations_detach_with_an_empty_list_and_stay(api: Api) -> None:
    webhook = {"operatorType": "webhook", "webhook": {"executionUrl": "http://x", "webhookType": "dbtCloud"}}
    body = {"workspaceId": api.workspace, "name": "dbt", "operatorConfiguration": webhook}
    operation = api.post("operations/create", **body)
    connection = api.connection(operationIds=[operation["operationId"]])
    assert update(api, connection, name="x")["operationIds"] == [operation["operationId"]]
    assert update(api, connection, operationIds=[])["operationIds"] == []
    assert api.post("operations/get", operationId=operation["operationId"])["name"] == "dbt"
    body["operatorConfiguration"] = {"operatorType": "normalization"}
    assert api.call("operations/create", **body).status_code == 500
