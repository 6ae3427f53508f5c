"""Sources and destinations beyond secrets: tombstones, names, lists, resources."""

from __future__ import annotations

import pytest

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import NOBODY, POSTGRES, POSTGRES_CONFIG, Api, Json

RESOURCES = {"default": {"cpu_limit": "1"}}


def update(api: Api, source: Json, **fields: object) -> Json:
    body = {"sourceId": source["sourceId"], "name": "n", "connectionConfiguration": POSTGRES_CONFIG}
    found: Json = api.post("sources/update", **(body | fields))
    return found


def test_source_name_is_the_name_of_the_definition(api: Api) -> None:
    source = api.source(name="mine")
    assert (source["name"], source["sourceName"]) == ("mine", "Postgres")
    assert api.destination()["destinationName"] == "Snowflake"


def test_omitting_the_resource_allocation_in_an_update_clears_it(api: Api) -> None:
    source = api.source()
    assert update(api, source, resourceAllocation=RESOURCES)["resourceAllocation"] == RESOURCES
    assert "resourceAllocation" not in update(api, source)


def test_names_need_not_be_unique(api: Api) -> None:
    assert api.source(name="twin")["sourceId"] != api.source(name="twin")["sourceId"]


def test_a_deleted_source_still_answers_but_without_configuration_and_in_no_list(api: Api) -> None:
    source, kept = api.source(name="gone"), api.source(name="kept")
    for _ in range(2):  # deletion is idempotent
        assert api.call("sources/delete", sourceId=source["sourceId"]).status_code == 204
    read = api.post("sources/get", sourceId=source["sourceId"])
    assert read["name"] == "gone"
    assert "connectionConfiguration" not in read
    page = {"pageSize": 100, "rowOffset": 0}
    listed = api.post("sources/list_paginated", workspaceIds=[api.workspace], pagination=page)["sources"]
    assert [item["sourceId"] for item in listed] == [kept["sourceId"]]
    everything = api.post("sources/list_paginated", workspaceIds=[api.workspace], pagination=page, includeDeleted=True)[
        "sources"
    ]
    assert len(everything) == 2


def test_updating_a_deleted_source_is_500(api: Api) -> None:
    source = api.source()
    api.call("sources/delete", sourceId=source["sourceId"])
    body = {"sourceId": source["sourceId"], "name": "n", "connectionConfiguration": POSTGRES_CONFIG}
    assert api.call("sources/update", **body).status_code == 500


def test_deleting_an_actor_deprecates_its_connections_which_still_answer(api: Api) -> None:
    source = api.source()
    connection = api.connection(source)
    api.call("sources/delete", sourceId=source["sourceId"])
    assert api.post("connections/get", connectionId=connection["connectionId"])["status"] == "deprecated"
    assert api.post("connections/list", workspaceId=api.workspace)["connections"] == []
    assert len(api.post("connections/list_all", workspaceId=api.workspace)["connections"]) == 1


def test_a_connection_can_be_made_on_a_deleted_source(api: Api) -> None:
    source = api.source()
    api.call("sources/delete", sourceId=source["sourceId"])
    assert api.connection(source)["status"] == "active"


def test_lists_say_whether_and_by_how_many_connections_an_actor_is_used(api: Api) -> None:
    source = api.source()
    api.connection(source, status="inactive")
    listed = api.post("sources/list", workspaceId=api.workspace)["sources"][0]
    assert (listed["status"], listed["numConnections"]) == ("inactive", 1)
    api.connection(source)
    assert api.post("sources/list", workspaceId=api.workspace)["sources"][0]["status"] == "active"


@pytest.mark.parametrize("version", ["1.7.0", "1.8.0"])
def test_lists_are_whole_up_to_1_7_and_pages_of_20_since_1_8(start_airbyte: StartAirbyte, version: str) -> None:
    api = start_airbyte(version)
    names = {f"s{number:02}" for number in range(45)}
    for name in names:
        api.source(name=name)
    first = api.post("sources/list", workspaceId=api.workspace)
    if version == "1.7.0":
        assert {item["name"] for item in first["sources"]} == names
        return
    assert (len(first["sources"]), first["num_connections"], first["page_size"]) == (20, 45, 20)
    seen: list[str] = []
    cursor: Json = {}
    while page := api.post("sources/list", workspaceId=api.workspace, **cursor)["sources"]:
        seen += [item["name"] for item in page]
        cursor = {"cursor": page[-1]["sourceId"]}
    assert seen == sorted(names)


def test_the_paged_list_sorts_and_filters(api: Api) -> None:
    for name in ("beta", "alpha", "gamma"):
        api.source(name=name)
    body = {"workspaceId": api.workspace, "sortKey": "actorName_desc", "filters": {"searchTerm": "A"}}
    assert [s["name"] for s in api.post("sources/list", **body)["sources"]] == ["gamma", "beta", "alpha"]
    body["filters"] = {"searchTerm": "ALP"}
    assert [s["name"] for s in api.post("sources/list", **body)["sources"]] == ["alpha"]


def test_unknown_workspaces_and_definitions_are_404(api: Api) -> None:
    body = {"workspaceId": NOBODY, "name": "x", "connectionConfiguration": POSTGRES_CONFIG}
    assert api.call("sources/create", sourceDefinitionId=POSTGRES, **body).status_code == 404
    assert api.call("sources/create", sourceDefinitionId=NOBODY, **body).status_code == 404
    assert api.call("destinations/create", destinationDefinitionId=POSTGRES, **body).status_code == 404
