"""The web page's endpoints, whose side effects a client should not want."""

from __future__ import annotations

import pytest

from tests.sandbox.airbyte.harness import FAKER, Api, Json, stream


def jobs(api: Api, connection: Json) -> list[str]:
    body = {"configTypes": ["sync", "refresh", "reset_connection", "clear"], "configId": connection["connectionId"]}
    return [item["job"]["configType"] for item in api.post("jobs/list", **body)["jobs"]]


@pytest.mark.parametrize(("fields", "expected"), [({}, ["refresh"]), ({"skipReset": True}, [])])
def test_its_update_refreshes_changed_streams_unless_told_not_to(api: Api, fields: Json, expected: list[str]) -> None:
    connection = api.connection()
    changed = {"streams": [stream("users", destinationSyncMode="overwrite")]}
    body = {"connectionId": connection["connectionId"], "syncCatalog": changed} | fields
    api.post("web_backend/connections/update", **body)
    assert jobs(api, connection) == expected


def test_the_plain_update_never_starts_a_job(api: Api) -> None:
    connection = api.connection()
    changed = {"streams": [stream("users", destinationSyncMode="overwrite")]}
    api.post("connections/update", connectionId=connection["connectionId"], syncCatalog=changed)
    assert jobs(api, connection) == []


def test_its_read_shows_discovered_streams_that_are_not_selected(api: Api) -> None:
    source = api.source(FAKER, {})
    discovered = api.post("sources/discover_schema", sourceId=source["sourceId"])["catalog"]["streams"]
    connection = api.connection(source, syncCatalog={"streams": discovered[:1]})
    read = api.post("web_backend/connections/get", connectionId=connection["connectionId"])
    shown = {e["stream"]["name"]: e["config"]["selected"] for e in read["syncCatalog"]["streams"]}
    first = discovered[0]["stream"]["name"]
    assert shown == {name: name == first for name in ("users", "products", "purchases")}
    assert read["source"]["sourceName"] == "Sample Data (Faker)"


def test_refreshing_the_catalog_may_disable_the_connection(api: Api) -> None:
    lost = stream("users", syncMode="incremental", cursorField=["gone"])
    del lost["stream"]["namespace"]
    lost["stream"]["sourceDefinedPrimaryKey"] = [["gone"]]
    connection = api.connection(api.source(FAKER, {}), syncCatalog={"streams": [lost]})
    body = {"connectionId": connection["connectionId"]}
    assert api.post("web_backend/connections/get", **body)["status"] == "active"
    assert api.post("web_backend/connections/get", withRefreshedCatalog=True, **body)["status"] == "inactive"
