"""Connector definitions, version pins, breaking changes, the registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import (
    FAKER,
    GITHUB,
    NIL,
    NOBODY,
    POSTGRES,
    SNOWFLAKE,
    SNOWFLAKE_CONFIG,
    Api,
    Json,
    stream,
)

GITHUB_CONFIG = {
    "credentials": {"option_title": "PAT Credentials", "personal_access_token": "t"},
    "repositories": ["o/r"],
}


def running(api: Api, destination: Json) -> Json:
    found: Json = api.post("actor_definition_versions/get_for_destination", destinationId=destination["destinationId"])
    return found


def move_default(api: Api, tag: str) -> None:
    body = {"destinationDefinitionId": SNOWFLAKE, "dockerImageTag": tag, "workspaceId": api.workspace}
    assert api.post("destination_definitions/update", **body)["dockerImageTag"] == tag


def context(api: Api, scope_type: str, scope_id: str, definition: str = SNOWFLAKE) -> Json:
    found: Json = api.post(
        "scoped_configuration/get_context",
        config_key="connector_version",
        resource_type="actor_definition",
        resource_id=definition,
        scope_type=scope_type,
        scope_id=scope_id,
    )
    return found


def test_the_narrowest_pin_wins_and_decides_specification_and_flag(api: Api) -> None:
    destination = api.destination()
    tags = [running(api, destination)["dockerImageTag"]]
    scopes = (("organization", NIL), ("workspace", api.workspace), ("actor", destination["destinationId"]))
    for (scope, scope_id), tag in zip(scopes, ("4.0.10", "3.14.0", "3.1.18"), strict=True):
        assert api.pin(SNOWFLAKE, "destination", tag, scope, scope_id).status_code == 200
        tags.append(running(api, destination)["dockerImageTag"])
    assert tags == ["4.0.33", "4.0.10", "3.14.0", "3.1.18"]
    assert running(api, destination)["isVersionOverrideApplied"] is True
    spec = api.post(
        "destination_definition_specifications/get_for_destination", destinationId=destination["destinationId"]
    )
    assert "cdc_deletion_mode" not in spec["connectionSpecification"]["properties"]
    listed = api.post("destination_definitions/list_for_workspace", workspaceId=api.workspace)
    snowflake = [d for d in listed["destinationDefinitions"] if d["destinationDefinitionId"] == SNOWFLAKE]
    assert snowflake[0]["dockerImageTag"] == "3.14.0"
    assert api.post("destination_definitions/get", destinationDefinitionId=SNOWFLAKE)["dockerImageTag"] == "4.0.33"


def test_resolve_is_404_for_unknown_tags_and_when_the_registry_is_unreachable(api: Api) -> None:
    body = {"actorDefinitionId": POSTGRES, "actorType": "source"}
    assert api.call("actor_definition_versions/resolve", dockerImageTag="9.9.9", **body).status_code == 404
    assert api.call("actor_definition_versions/resolve", dockerImageTag="3.6.1", **body).status_code == 200
    api.sandbox("POST", "registry/online", {"online": False})
    assert api.call("actor_definition_versions/resolve", dockerImageTag="3.6.1", **body).status_code == 404
    assert api.post("source_definitions/list_latest") == {"sourceDefinitions": []}


def test_a_second_pin_for_a_scope_is_500_and_an_update_replaces_it(api: Api) -> None:
    first = api.pin(POSTGRES, "source", "3.6.1", "workspace", api.workspace).json()["data"]
    assert first["value_name"] == "3.6.1"
    assert api.pin(POSTGRES, "source", "3.7.0", "workspace", api.workspace).status_code == 500
    version = api.post(
        "actor_definition_versions/resolve", actorDefinitionId=POSTGRES, actorType="source", dockerImageTag="3.7.0"
    )["versionId"]
    data = {key: first[key] for key in first if key not in ("id", "created_at", "updated_at")} | {"value": version}
    updated = api.post("scoped_configuration/update", scopedConfigurationId=first["id"], data=data)["data"]
    assert (updated["id"], updated["value_name"]) == (first["id"], "3.7.0")
    assert api.post("scoped_configuration/get", scopedConfigurationId=first["id"])["data"] == updated


@pytest.mark.parametrize(
    "wrong", [{"origin": NOBODY}, {"value": NOBODY}, {"scope_id": NOBODY}, {"resource_id": NOBODY}]
)
def test_a_pin_on_what_does_not_exist_is_400(api: Api, wrong: Json) -> None:
    pin = api.pin(POSTGRES, "source", "3.6.1", "workspace", api.workspace).json()["data"]
    api.post("scoped_configuration/delete", scopedConfigurationId=pin["id"])
    keys = ("config_key", "value", "scope_type", "scope_id", "origin_type", "origin", "resource_type", "resource_id")
    body = {key: pin[key] for key in keys} | wrong
    assert api.call("scoped_configuration/create", **body).status_code == 400


def test_pins_are_listed_by_key_or_by_upper_case_origin_and_by_nothing_else(api: Api) -> None:
    api.pin(POSTGRES, "source", "3.6.1", "workspace", api.workspace)
    path = "scoped_configuration/list"
    assert len(api.post(path, config_key="connector_version")["scopedConfigurations"]) == 1
    assert len(api.post(path, origin_type="USER")["scopedConfigurations"]) == 1
    for body in ({}, {"config_key": "connector_version", "origin_type": "USER"}, {"origin_type": "user"}):
        assert api.call(path, **body).status_code == 500


def test_the_context_tells_the_active_pin_and_those_above_and_below(api: Api) -> None:
    destination = api.destination()
    api.pin(SNOWFLAKE, "destination", "4.0.10", "workspace", api.workspace)
    seen = context(api, "actor", destination["destinationId"])
    assert seen["activeConfiguration"]["scope_type"] == "workspace"
    assert len(seen["ancestorConfigurations"]) == 1
    api.pin(SNOWFLAKE, "destination", "3.14.0", "actor", destination["destinationId"])
    assert context(api, "actor", destination["destinationId"])["activeConfiguration"]["value_name"] == "3.14.0"
    below = context(api, "workspace", api.workspace)["descendantConfigurations"]
    assert [pin["scope_type"] for pin in below] == ["actor"]
    body = {"config_key": "product_limits", "scope_type": "workspace", "scope_id": api.workspace}
    assert api.call("scoped_configuration/get_context", **body).status_code == 400


def test_moving_the_default_across_a_breaking_change_holds_unpinned_actors(api: Api) -> None:
    held, pinned = api.destination(), api.destination()
    api.pin(SNOWFLAKE, "destination", "4.0.10", "actor", pinned["destinationId"])
    move_default(api, "5.0.0")
    version = running(api, held)
    assert version["dockerImageTag"] == "4.0.33"
    assert version["isVersionOverrideApplied"] is False
    upcoming = version["breakingChanges"]["upcomingBreakingChanges"]
    assert [change["version"] for change in upcoming] == ["5.0.0"]
    assert upcoming[0]["message"]
    pin = context(api, "actor", held["destinationId"])["activeConfiguration"]
    assert (pin["origin_type"], pin["origin"]) == ("breaking_change", "5.0.0")
    # upgrading lets it go on; without a pin it does nothing; a user's pin is a 500
    for _ in range(2):
        assert api.call("destinations/upgrade_version", destinationId=held["destinationId"]).status_code == 204
    assert running(api, held)["dockerImageTag"] == "5.0.0"
    assert api.call("destinations/upgrade_version", destinationId=pinned["destinationId"]).status_code == 500


def test_going_back_below_a_breaking_change_removes_its_pins(api: Api) -> None:
    held = api.destination()
    move_default(api, "5.0.0")
    move_default(api, "4.0.10")
    assert "activeConfiguration" not in context(api, "actor", held["destinationId"])
    assert running(api, held)["dockerImageTag"] == "4.0.10"


def test_a_breaking_change_of_streams_holds_only_actors_that_sync_them(api: Api) -> None:
    concerned, free = api.source(GITHUB, GITHUB_CONFIG), api.source(GITHUB, GITHUB_CONFIG)
    api.connection(concerned, syncCatalog={"streams": [stream("workflow_runs")]})
    api.connection(free, syncCatalog={"streams": [stream("issues")]})
    body = {"sourceDefinitionId": GITHUB, "dockerImageTag": "3.0.0", "workspaceId": api.workspace}
    api.post("source_definitions/update", **body)
    tags = [
        api.post("actor_definition_versions/get_for_source", sourceId=source["sourceId"])["dockerImageTag"]
        for source in (concerned, free)
    ]
    assert tags == ["2.1.0", "3.0.0"]


def test_an_unknown_tag_as_default_is_500(api: Api) -> None:
    body = {"destinationDefinitionId": SNOWFLAKE, "dockerImageTag": "9.9.9", "workspaceId": api.workspace}
    assert api.call("destination_definitions/update", **body).status_code == 500


def test_the_update_of_a_definition_needs_a_workspace_only_in_newer_releases(start_airbyte: StartAirbyte) -> None:
    source = {"sourceDefinitionId": POSTGRES, "dockerImageTag": "3.6.1"}
    destination = {"destinationDefinitionId": SNOWFLAKE, "dockerImageTag": "4.0.10"}
    expected = {"1.5.0": (200, 200), "1.6.0": (400, 200), "1.8.0": (400, 400)}
    for version, statuses in expected.items():
        api = start_airbyte(version)
        answers = (
            api.call("source_definitions/update", **source),
            api.call("destination_definitions/update", **destination),
        )
        assert tuple(answer.status_code for answer in answers) == statuses


@pytest.mark.parametrize(("days", "state"), [(30, "deprecated"), (-30, "unsupported")])
def test_the_support_state_follows_the_deadline(api: Api, days: int, state: str) -> None:
    deadline = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    change = {"message": "m", "upgradeDeadline": deadline, "migrationDocumentationUrl": "https://example.com"}
    api.sandbox("POST", "registry", {"id": SNOWFLAKE, "breakingChanges": {"5.0.0": change}})
    destination = api.destination()
    assert running(api, destination)["supportState"] == "supported"
    move_default(api, "5.0.0")
    assert running(api, destination)["supportState"] == state
    read = api.post("destinations/get", destinationId=destination["destinationId"])
    assert read["supportState"] == state
    assert read["breakingChanges"]["minUpgradeDeadline"] == deadline


def test_the_registrys_tick_moves_definitions_that_nobody_uses_and_no_others(api: Api) -> None:
    api.destination()
    gone = api.source(FAKER, {})
    api.call("sources/delete", sourceId=gone["sourceId"])
    api.sandbox("POST", "registry", {"id": FAKER, "latestTag": "6.3.0", "tags": ["6.2.20", "6.3.0"]})
    api.sandbox("POST", "registry", {"id": POSTGRES, "latestTag": "3.8.0", "tags": ["3.7.0", "3.8.0"]})
    api.sandbox("POST", "registry/tick")
    tags = {
        d["sourceDefinitionId"]: d["dockerImageTag"] for d in api.post("source_definitions/list")["sourceDefinitions"]
    }
    assert tags[POSTGRES] == "3.8.0"
    assert tags[FAKER] == "6.2.20"  # a deleted actor still counts as use
    snowflake = api.post("destination_definitions/get", destinationDefinitionId=SNOWFLAKE)
    assert snowflake["dockerImageTag"] == "4.0.33"
    latest = api.post("destination_definitions/list_latest")["destinationDefinitions"]
    assert {d["destinationDefinitionId"]: d["dockerImageTag"] for d in latest}[SNOWFLAKE] == "5.0.0"


def test_deleting_a_pin_that_holds_back_a_breaking_change_converts_it_in_the_head(start_airbyte: StartAirbyte) -> None:
    for version, held_tag in (("2.0.0", "4.0.33"), ("HEAD", "3.14.0")):
        api = start_airbyte(version)
        for scope in ("actor", "workspace"):
            destination = api.destination({k: v for k, v in SNOWFLAKE_CONFIG.items() if k != "cdc_deletion_mode"})
            scope_id = destination["destinationId"] if scope == "actor" else api.workspace
            pin = api.pin(SNOWFLAKE, "destination", "3.14.0", scope, scope_id).json()["data"]
            api.post("scoped_configuration/delete", scopedConfigurationId=pin["id"])
            assert running(api, destination)["dockerImageTag"] == held_tag
            if version == "HEAD":
                active = context(api, "actor", destination["destinationId"])["activeConfiguration"]
                assert active["origin_type"] == "breaking_change"
                assert active["origin"] == "4.0.0"


def test_deleting_a_definition_deletes_its_actors_and_their_connections(api: Api) -> None:
    source = api.source()
    connection = api.connection(source)
    assert api.call("source_definitions/delete", sourceDefinitionId=POSTGRES).status_code == 204
    assert "connectionConfiguration" not in api.post("sources/get", sourceId=source["sourceId"])
    assert api.post("connections/get", connectionId=connection["connectionId"])["status"] == "deprecated"


def test_a_custom_definition_needs_an_image_that_exists(api: Api) -> None:
    wanted = {
        "name": "Mine",
        "dockerRepository": "acme/source-mine",
        "dockerImageTag": "1.0.0",
        "documentationUrl": "https://example.com",
    }
    body = {"workspaceId": api.workspace, "sourceDefinition": wanted}
    assert api.call("source_definitions/create_custom", **body).status_code == 500
    entry = {
        "id": NOBODY,
        "kind": "source",
        "name": "Mine",
        "repository": "acme/source-mine",
        "defaultTag": "1.0.0",
        "latestTag": "1.0.0",
        "tags": ["1.0.0"],
        "specs": [{"since": "0.0.0", "spec": {"type": "object", "properties": {"k": {"airbyte_secret": True}}}}],
    }
    api.sandbox("POST", "registry", entry)
    made = api.post("source_definitions/create_custom", **body)
    assert made["custom"] is True
    assert api.source(made["sourceDefinitionId"], {"k": "v"})["connectionConfiguration"]["k"] == "*" * 10


def test_overwrite_dedup_is_offered_where_the_destination_can_refresh(api: Api) -> None:
    path = "destination_definition_specifications/get"
    modes = api.post(path, destinationDefinitionId=SNOWFLAKE, workspaceId=api.workspace)[
        "supportedDestinationSyncModes"
    ]
    assert modes == ["overwrite", "append", "append_dedup", "overwrite_dedup"]
    s3 = "4816b78f-1489-44c1-9060-4b19d5fa9362"
    modes = api.post(path, destinationDefinitionId=s3, workspaceId=api.workspace)["supportedDestinationSyncModes"]
    assert modes == ["overwrite", "append"]
