"""Masks, stored secrets, coordinates."""

from __future__ import annotations

import copy

import pytest

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import MASK, NESTED, POSTGRES, POSTGRES_CONFIG, Api, Json

NESTED_CONFIG: Json = {
    "endpoint": "https://example.com",
    "api_keys": ["one", "two"],
    "accounts": [{"name": "a", "token": "ta"}, {"name": "b", "token": "tb"}],
    "pin_code": 1234,
    "service_account": {"id": 1},
    "proxy": {"url": "http://proxy", "auth": {"mode": "basic", "user": "me", "password": "pw"}},
}


def put(api: Api, source: Json, config: Json, path: str = "sources/update") -> Json:
    found: Json = api.post(path, sourceId=source["sourceId"], name="again", connectionConfiguration=config)
    return found


def test_every_secret_is_masked_wherever_the_schema_has_one(api: Api) -> None:
    source = api.source(NESTED, NESTED_CONFIG)
    shown = source["connectionConfiguration"]
    assert shown["api_keys"] == [MASK, MASK]
    assert shown["accounts"] == [{"name": "a", "token": MASK}, {"name": "b", "token": MASK}]
    assert shown["pin_code"] == MASK == shown["service_account"]
    # `user` is plain in this branch, but secret in another one of the same oneOf
    assert shown["proxy"] == {"url": "http://proxy", "auth": {"mode": "basic", "user": MASK, "password": MASK}}
    assert shown["endpoint"] == "https://example.com"
    assert api.stored(source["sourceId"]) == NESTED_CONFIG


@pytest.mark.parametrize("path", ["sources/get", "sources/list", "sources/list_paginated", "sources/search"])
def test_no_read_shows_a_secret(api: Api, path: str) -> None:
    source = api.source()
    page = {"pageSize": 10, "rowOffset": 0}
    body = {"sourceId": source["sourceId"], "workspaceId": api.workspace, "workspaceIds": [api.workspace]}
    answer = api.call(path, pagination=page, **body)
    assert answer.status_code == 200
    assert MASK in answer.text
    assert "first" not in answer.text


def test_a_secret_that_is_not_there_is_not_invented(api: Api) -> None:
    config = {key: value for key, value in POSTGRES_CONFIG.items() if key != "password"}
    assert "password" not in api.source(POSTGRES, config)["connectionConfiguration"]


def test_the_masks_follow_the_resolved_version(api: Api) -> None:
    source = api.source(NESTED, NESTED_CONFIG)
    assert api.pin(NESTED, "source", "1.1.0", "actor", source["sourceId"]).status_code == 200
    shown = api.post("sources/get", sourceId=source["sourceId"])["connectionConfiguration"]
    assert shown["endpoint"] == MASK  # 1.1.0 declares it secret


def test_a_full_update_with_masks_keeps_the_secrets(api: Api) -> None:
    source = api.source()
    put(api, source, source["connectionConfiguration"] | {"port": 2})
    assert api.stored(source["sourceId"]) == POSTGRES_CONFIG | {"port": 2}


def test_a_full_update_restores_masks_in_the_branch_that_the_new_value_fulfils(api: Api) -> None:
    source = api.source(NESTED, NESTED_CONFIG)
    config = copy.deepcopy(NESTED_CONFIG)
    config["proxy"]["auth"]["password"] = MASK
    put(api, source, config)
    assert api.stored(source["sourceId"])["proxy"]["auth"]["password"] == "pw"
    # the pattern of another branch's secret refuses a mask
    config["proxy"]["auth"] = {"mode": "signed", "key": MASK}
    body = {"sourceId": source["sourceId"], "name": "x", "connectionConfiguration": config}
    assert api.call("sources/update", **body).status_code == 422


def test_a_full_update_stores_masks_in_arrays_literally(api: Api) -> None:
    source = api.source(NESTED, NESTED_CONFIG)
    put(api, source, NESTED_CONFIG | {"api_keys": [MASK, "new"]})
    assert api.stored(source["sourceId"])["api_keys"] == [MASK, "new"]


def test_a_full_update_without_a_secret_removes_it(api: Api) -> None:
    source = api.source()
    config = {key: value for key, value in source["connectionConfiguration"].items() if key != "password"}
    assert "password" not in put(api, source, config)["connectionConfiguration"]
    assert api.sandbox("GET", "secrets")["secrets"] == {}


def test_a_partial_update_corrupts_a_masked_secret_and_merges_the_rest(api: Api) -> None:
    source = api.source()
    patch = {"password": MASK, "replication_method": {"publication": "other"}}
    put(api, source, patch, "sources/partial_update")
    stored = api.stored(source["sourceId"])
    assert stored["password"] == MASK
    assert stored["replication_method"] == POSTGRES_CONFIG["replication_method"] | {"publication": "other"}


def test_creating_with_a_mask_stores_asterisks(api: Api) -> None:
    source = api.source(POSTGRES, POSTGRES_CONFIG | {"password": MASK})
    assert api.stored(source["sourceId"])["password"] == MASK


def version_of(api: Api, source: Json) -> int:
    coordinate = api.coordinates(source["sourceId"])["password"]["_secret"]
    assert coordinate.startswith(f"airbyte_workspace_{api.workspace}_secret_")
    return int(coordinate.rpartition("_v")[2])


def test_every_raw_write_makes_a_new_version_even_of_the_same_value_and_a_mask_makes_none(api: Api) -> None:
    source = api.source()
    versions = [version_of(api, source)]
    for password in ("first", MASK, "second", MASK):
        put(api, source, POSTGRES_CONFIG | {"password": password})
        versions.append(version_of(api, source))
    assert versions == [1, 2, 2, 3, 3]
    assert list(api.sandbox("GET", "secrets")["secrets"].values()) == ["second"]  # older versions are gone


def test_coordinates_show_in_the_public_get_since_1_7_and_in_the_config_api_of_the_head(
    start_airbyte: StartAirbyte,
) -> None:
    api = start_airbyte("HEAD")
    source = api.source()
    coordinate = "secret_coordinate::" + api.coordinates(source["sourceId"])["password"]["_secret"]
    path = f"/api/public/v1/sources/{source['sourceId']}"
    assert api.http.get(path).json()["configuration"]["password"] == MASK
    query = {"includeSecretCoordinates": "true"}
    assert api.http.get(path, params=query).json()["configuration"]["password"] == coordinate
    read = api.post("sources/get_with_metadata", sourceId=source["sourceId"], includeSecretCoordinates=True)
    assert read["connectionConfiguration"]["password"] == coordinate
    older = start_airbyte("1.6.0")
    path = f"/api/public/v1/sources/{older.source()['sourceId']}"
    assert older.http.get(path, params=query).json()["configuration"]["password"] == MASK


def test_a_coordinate_of_the_customers_own_is_referenced_and_never_managed(api: Api) -> None:
    api.sandbox("PUT", "secrets", {"id": "vault/pg", "value": "theirs"})
    source = api.source(POSTGRES, POSTGRES_CONFIG | {"password": "secret_coordinate::vault/pg"})
    assert api.coordinates(source["sourceId"])["password"] == {"_secret": "vault/pg"}
    api.call("sources/delete", sourceId=source["sourceId"])
    assert api.sandbox("GET", "secrets")["secrets"] == {"vault/pg": "theirs"}


def test_deleting_an_actor_deletes_its_secrets(api: Api) -> None:
    source = api.source()
    api.call("sources/delete", sourceId=source["sourceId"])
    assert api.sandbox("GET", "secrets")["secrets"] == {}
