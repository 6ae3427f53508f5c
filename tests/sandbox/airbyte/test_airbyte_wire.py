"""Wire conventions, authentication, error bodies."""

from __future__ import annotations

import time
import uuid

import jwt
import pytest

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import NOBODY, POSTGRES, SECRET, Api, stream


def test_health_and_instance_configuration_need_no_token(api: Api) -> None:
    del api.http.headers["Authorization"]
    assert api.http.get("/api/v1/health").json() == {"available": True}
    found = api.http.get("/api/v1/instance_configuration").json()
    assert found["version"] == "2.0.0"
    assert found["defaultUserId"] == "00000000-0000-0000-0000-000000000000"
    assert found["defaultWorkspaceId"] == api.workspace


def test_null_members_are_left_out_and_omitted_arrays_come_back_empty(api: Api) -> None:
    read = api.connection()
    assert "prefix" not in read
    assert "scheduleData" not in read
    assert read["tags"] == [] == read["operationIds"]
    config = read["syncCatalog"]["streams"][0]["config"]
    assert [config[key] for key in ("cursorField", "primaryKey", "mappers", "hashedFields", "selectedFields")] == [
        []
    ] * 5


def test_unknown_members_are_ignored_and_enums_take_any_case(api: Api) -> None:
    entry = stream("users", syncMode="FULL_REFRESH", destinationSyncMode="Append")
    read = api.connection(status="ACTIVE", surprise=1, syncCatalog={"streams": [entry]})
    assert read["status"] == "active"
    assert read["syncCatalog"]["streams"][0]["config"]["destinationSyncMode"] == "append"


def test_deletes_answer_204_without_body_but_pin_deletion_answers_200(api: Api) -> None:
    source = api.source()
    pin = api.pin(POSTGRES, "source", "3.6.1", "actor", source["sourceId"]).json()["data"]
    answer = api.call("scoped_configuration/delete", scopedConfigurationId=pin["id"])
    assert (answer.status_code, answer.json()) == (200, {"scopedConfigurationId": pin["id"]})
    gone = api.call("sources/delete", sourceId=source["sourceId"])
    assert (gone.status_code, gone.content) == (204, b"")


def test_a_call_without_token_or_with_a_foreign_one_is_401(api: Api) -> None:
    for header in ("", "Bearer nonsense", "Bearer " + jwt.encode({"exp": 9999999999}, "k" * 32), "Basic YTpi"):
        api.http.headers["Authorization"] = header
        assert api.call("workspaces/get", workspaceId=api.workspace).status_code == 401


@pytest.mark.parametrize(("version", "minutes"), [("1.5.0", 24 * 60), ("1.8.0", 15), ("2.0.0", 15)])
def test_a_token_lives_as_long_as_in_the_release(start_airbyte: StartAirbyte, version: str, minutes: int) -> None:
    api = start_airbyte(version)
    token = api.http.headers["Authorization"].split()[1]
    left = jwt.decode(token, options={"verify_signature": False})["exp"] - time.time()
    assert minutes * 60 - 30 < left <= minutes * 60


def test_an_expired_token_is_401_and_a_new_one_works(api: Api) -> None:
    api.sandbox("POST", "tokens/expire")
    assert api.call("workspaces/get", workspaceId=api.workspace).status_code == 401
    token = api.post("applications/token", client_id="sandbox", client_secret=SECRET)["access_token"]
    api.http.headers["Authorization"] = f"Bearer {token}"
    assert api.call("workspaces/get", workspaceId=api.workspace).status_code == 200


def test_a_token_past_its_exp_is_401(start_airbyte: StartAirbyte) -> None:
    api = start_airbyte(token_lifetime_seconds=-1)
    assert api.call("workspaces/get", workspaceId=api.workspace).status_code == 401


def test_a_wrong_client_is_400_in_simple_mode_and_anything_passes_without_authentication(
    start_airbyte: StartAirbyte,
) -> None:
    strict = start_airbyte()
    assert strict.call("applications/token", client_id="sandbox", client_secret="wrong").status_code == 400
    open_to_all = start_airbyte(auth=False)
    del open_to_all.http.headers["Authorization"]
    assert open_to_all.call("workspaces/get", workspaceId=open_to_all.workspace).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("sources/get", {"sourceId": NOBODY}, 404),
        ("sources/get", {}, 400),
        ("sources/get", {"sourceId": "not-a-uuid"}, 422),
        ("sources/create", {"name": 7}, 400),
        ("jobs/list", {"configTypes": []}, 500),
    ],
)
def test_errors_hide_their_text_since_2_and_show_it_before(
    start_airbyte: StartAirbyte, path: str, body: dict[str, object], status: int
) -> None:
    opaque = start_airbyte("2.0.0").call(path, **body)
    assert opaque.status_code == status
    assert set(opaque.json()) == {"errorId"}
    uuid.UUID(opaque.json()["errorId"])
    legacy = start_airbyte("1.8.0").call(path, **body)
    assert legacy.status_code == status
    assert legacy.json()["message"]
    assert legacy.json()["exceptionClassName"].count(".") >= 2


def test_a_missing_field_is_named_before_2(start_airbyte: StartAirbyte) -> None:
    answer = start_airbyte("1.8.0").call("sources/get")
    assert answer.json()["validationErrors"][0]["propertyPath"] == "sourceId"


def test_a_body_that_is_no_json_is_422(api: Api) -> None:
    assert api.http.post("/api/v1/sources/get", content=b"{").status_code == 422
    assert api.http.post("/api/v1/sources/get", content=b"[]").status_code == 422


@pytest.mark.parametrize("version", ["1.8.0", "2.0.0"])
def test_a_schema_violation_is_told_in_every_release_and_repeats_the_schema_but_no_value(
    start_airbyte: StartAirbyte, version: str
) -> None:
    api = start_airbyte(version)
    body = {
        "sourceDefinitionId": POSTGRES,
        "workspaceId": api.workspace,
        "name": "x",
        "connectionConfiguration": {"host": "h", "port": "hunter2", "username": "u"},
    }
    answer = api.call("sources/create", **body)
    assert answer.status_code == 422
    text = answer.json()["message"]
    assert text.startswith("The provided configuration does not fulfill the specification. Errors: ")
    assert "$.database: is missing but it is required" in text
    assert "$.port: string found, integer expected" in text
    assert '"airbyte_secret": true' in text.split("\nSchema:")[1]
    assert "hunter2" not in text


def test_paths_that_a_release_lacks_are_404(start_airbyte: StartAirbyte) -> None:
    newer, older = start_airbyte("1.7.0"), start_airbyte("1.6.0")
    assert newer.call("workspaces/list").status_code == 404
    assert older.post("workspaces/list")["workspaces"][0]["workspaceId"] == older.workspace
    assert older.call("commands/status", id="x").json() == {
        "message": "Not Found",
        "_links": {"self": {"href": "/api/v1/commands/status"}},
    }
