"""Connectors that are manifests, against a server."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte import manifest as manifests
from dynamic_providers.airbyte.declarative_connector import DeclarativeConnectorResource
from dynamic_providers.airbyte.errors import AlreadyExistsError, InUseError, InvalidConfigError

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

MANIFEST: dict[str, Any] = {
    "version": "6.48.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["shops"]},
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "shops",
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url_base": "https://shops.example.com", "path": "/shops"},
                "paginator": {"type": "NoPagination", "page_size": 50.0, "cursor": None},
            },
        }
    ],
    "spec": {
        "type": "Spec",
        "documentation_url": "https://wiki.example.com/shops",
        "connection_specification": {
            "type": "object",
            "properties": {"api_key": {"type": "string", "airbyte_secret": True}},
        },
    },
}
SHOPS = {"connector_name": "Shops", "manifest": MANIFEST}


@pytest.fixture
def life(manage: Callable[..., Life]) -> Life:
    return manage(DeclarativeConnectorResource)


def with_path(path: str) -> Properties:
    manifest = copy.deepcopy(MANIFEST)
    manifest["streams"][0]["retriever"]["requester"]["path"] = path
    return {**SHOPS, "manifest": manifest}


def projects(airbyte: Airbyte) -> list[Properties]:
    listed = airbyte.post("connector_builder_projects/list", {"workspaceId": airbyte.session().workspace()})
    found: list[Properties] = listed["projects"]
    return found


def definitions(airbyte: Airbyte) -> list[Properties]:
    body = {"workspaceId": airbyte.session().workspace()}
    listed = airbyte.post("source_definitions/list_for_workspace", body)["sourceDefinitions"]
    return [read for read in listed if read["custom"]]


def versions(airbyte: Airbyte, life: Life) -> list[tuple[int, bool]]:
    body = {"workspaceId": airbyte.session().workspace(), "sourceDefinitionId": life.id}
    listed = airbyte.post("declarative_source_definitions/list_manifests", body)["manifestVersions"]
    return [(version["version"], version["isActive"]) for version in listed]


def publish_by_hand(airbyte: Airbyte, life: Life, number: int, manifest: Properties) -> None:
    """Publish a new version, as a person in the Connector Builder would."""
    body = {
        "workspaceId": airbyte.session().workspace(),
        "sourceDefinitionId": life.id,
        "setAsActiveManifest": True,
        "declarativeManifest": {
            "version": number,
            "description": "by hand",
            "manifest": manifest,
            "spec": manifests.specification(manifest),
        },
    }
    airbyte.post("declarative_source_definitions/create_manifest", body)


def forget(life: Life) -> str:
    """What a killed engine does: the object is there and the state does not know."""
    id_, life.id, life.inputs, life.outputs = life.id, "", {}, {}
    return id_


def test_a_manifest_becomes_a_connector_with_its_specification(airbyte: Airbyte, life: Life) -> None:
    assert life.up(SHOPS) == ("create",)
    (made,) = definitions(airbyte)
    assert (made["sourceDefinitionId"], made["name"]) == (life.id, "Shops")
    assert life.outputs["connector_version"] == made["dockerImageTag"]
    body = {"sourceDefinitionId": life.id, "workspaceId": airbyte.session().workspace()}
    spec = airbyte.post("source_definition_specifications/get", body)
    assert "api_key" in spec["connectionSpecification"]["properties"]
    assert spec["documentationUrl"] == "https://wiki.example.com/shops"
    assert life.refresh() == ()
    assert life.up(SHOPS) == ()


def test_numbers_and_nulls_of_the_wire_are_no_difference(life: Life) -> None:
    life.up(SHOPS)
    manifest = copy.deepcopy(MANIFEST)
    manifest["streams"][0]["retriever"]["paginator"] = {"type": "NoPagination", "page_size": 50}
    assert life.up({**SHOPS, "manifest": manifest}) == ()


def test_a_changed_manifest_is_a_new_active_version(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    assert life.up(with_path("/v2/shops")) == ("manifest",)
    assert versions(airbyte, life) == [(1, False), (2, True)]
    assert life.outputs["manifest_version"] == 2
    assert life.refresh() == ()


def test_a_source_made_of_it_has_its_secrets_masked_by_the_present_manifest(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    body = {
        "sourceDefinitionId": life.id,
        "workspaceId": airbyte.session().workspace(),
        "name": "shops",
        "connectionConfiguration": {"api_key": "k-123456", "token": "t-123456"},
    }
    source = airbyte.post("sources/create", body)["sourceId"]
    assert airbyte.read("sources", source)["connectionConfiguration"] == {"api_key": "**********", "token": "t-123456"}
    manifest = copy.deepcopy(MANIFEST)
    manifest["spec"]["connection_specification"]["properties"]["token"] = {"type": "string", "airbyte_secret": True}
    life.up({**SHOPS, "manifest": manifest})
    assert airbyte.read("sources", source)["connectionConfiguration"]["token"] == "**********"


def test_a_version_published_by_hand_is_drift_and_set_right(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    publish_by_hand(airbyte, life, 2, with_path("/by-hand")["manifest"])
    assert life.refresh() == ("manifest",)
    assert life.up(SHOPS) == ("manifest",)
    assert versions(airbyte, life) == [(1, False), (2, False), (3, True)]
    assert life.refresh() == ()


def test_an_older_version_put_back_by_hand_is_drift(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    life.up(with_path("/v2/shops"))
    body = {"workspaceId": airbyte.session().workspace(), "sourceDefinitionId": life.id, "version": 1}
    airbyte.post("declarative_source_definitions/update_active_manifest", body)
    assert life.refresh() == ("manifest",)


def test_a_draft_in_the_builder_is_no_drift(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    draft(airbyte, "Shops")
    assert life.refresh() == ()


def draft(airbyte: Airbyte, name: str) -> None:
    """Leave a draft in the project, as a person at work in the Connector Builder does."""
    (project,) = projects(airbyte)
    body = {
        "workspaceId": airbyte.session().workspace(),
        "builderProjectId": project["builderProjectId"],
        "builderProject": {"name": name, "draftManifest": with_path("/draft")["manifest"]},
    }
    airbyte.post("connector_builder_projects/update", body)


def test_a_rename_keeps_the_connector_and_the_draft(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    draft(airbyte, "Shops")
    assert life.up({**SHOPS, "connector_name": "Stores"}) == ("connector_name",)
    assert [read["name"] for read in definitions(airbyte)] == ["Stores"]
    assert [(project["name"], project["hasDraft"]) for project in projects(airbyte)] == [("Stores", True)]
    draft(airbyte, "Mine")
    assert life.drift() == {"connector_name": ("Stores", "Mine")}


def test_components_come_and_go_with_their_version(life: Life) -> None:
    life.up({**SHOPS, "components": "class A: ..."})
    assert life.refresh() == ()
    assert life.up({**SHOPS, "components": "class B: ..."}) == ("components",)
    assert life.refresh() == ()
    assert life.up(SHOPS) == ("components",)
    assert life.refresh() == ()


@pytest.mark.parametrize("operation", ["create", "publish"])
def test_a_create_whose_answer_is_lost_leaves_one_connector(airbyte: Airbyte, life: Life, operation: str) -> None:
    airbyte.fault(path=f"/v1/connector_builder_projects/{operation}", status=504, when="after")
    life.up(SHOPS)
    assert len(projects(airbyte)) == len(definitions(airbyte)) == 1


@pytest.mark.parametrize("operation", ["create", "publish"])
def test_a_run_that_dies_on_the_way_is_gone_on_with(airbyte: Airbyte, life: Life, operation: str) -> None:
    airbyte.fault(path=f"/v1/connector_builder_projects/{operation}", status=500, when="after")
    with pytest.raises(Exception, match="HTTP 500"):
        life.up(SHOPS)
    life.up(SHOPS)
    assert len(projects(airbyte)) == len(definitions(airbyte)) == 1


def test_what_an_interrupted_run_left_is_taken_over_without_a_write(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    left = forget(life)
    with airbyte.counted() as calls:
        life.up(SHOPS)
    assert life.id == left
    assert [call for call in calls if call.endswith(("create", "publish", "update", "create_manifest"))] == []


def test_a_new_version_whose_answer_is_lost_is_made_once(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    airbyte.fault(path="/v1/declarative_source_definitions/create_manifest", status=504, when="after")
    life.up(with_path("/v2/shops"))
    assert versions(airbyte, life) == [(1, False), (2, True)]


def test_somebody_elses_project_is_only_taken_over_when_told(airbyte: Airbyte, life: Life) -> None:
    life.up(with_path("/theirs"))
    theirs = forget(life)
    with pytest.raises(AlreadyExistsError, match=r"project Shops .*another manifest.*adopt"):
        life.up(SHOPS)
    assert len(projects(airbyte)) == 1
    life.up({**SHOPS, "adopt": True})
    assert life.id == theirs
    assert life.refresh() == ()


def test_a_connector_that_somebody_deleted_is_made_again_in_its_project(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    deleted = life.id
    airbyte.post("source_definitions/delete", {"sourceDefinitionId": deleted})
    assert life.refresh() == ("gone",)
    life.inputs, life.outputs = {}, {}
    assert life.up(SHOPS) == ("create",)
    assert life.id != deleted
    assert [read["sourceDefinitionId"] for read in definitions(airbyte)] == [life.id]
    assert len(projects(airbyte)) == 1
    assert life.refresh() == ()


def test_a_connector_in_use_is_not_deleted_unless_told(airbyte: Airbyte, life: Life) -> None:
    life.up(SHOPS)
    body = {
        "sourceDefinitionId": life.id,
        "workspaceId": airbyte.session().workspace(),
        "name": "shops",
        "connectionConfiguration": {"api_key": "k-123456"},
    }
    airbyte.post("sources/create", body)
    with pytest.raises(InUseError, match=r"Connector Shops .*shops.*delete_in_use"):
        life.resource().delete(life.id, life.outputs)
    assert len(projects(airbyte)) == len(definitions(airbyte)) == 1
    life.up({**SHOPS, "delete_in_use": "the shops are closed"})
    life.resource().delete(life.id, life.outputs)
    assert (projects(airbyte), definitions(airbyte), airbyte.ids("sources")) == ([], [], [])
    life.resource().delete(life.id, life.outputs)
    assert life.refresh() == ("gone",)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"type": "Source"}, "type is DeclarativeSource"),
        ({"version": None}, "needs a version"),
        ({"spec": {}}, "spec.connection_specification.properties"),
    ],
)
def test_what_the_server_would_break_on_is_refused_in_the_preview(life: Life, changes: Properties, says: str) -> None:
    checked = life.resource().check({}, {**SHOPS, "manifest": {**MANIFEST, **changes}})
    assert len(checked.failures) == 1
    assert says in checked.failures[0]


def test_a_manifest_is_read_from_yaml_and_json(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("type: DeclarativeSource\nstreams:\n  - $ref: '#/definitions/a'\n    n: null\n")
    assert manifests.load(tmp_path / "m.yaml") == {
        "type": "DeclarativeSource",
        "streams": [{"$ref": "#/definitions/a"}],
    }
    (tmp_path / "m.json").write_text('{"type": "DeclarativeSource"}')
    assert manifests.load(tmp_path / "m.json") == {"type": "DeclarativeSource"}


@pytest.mark.parametrize(
    ("text", "says"), [("- a\n", "holds no mapping"), ("a: [\n", r"m.yaml:2 is no YAML"), (None, "can't be read")]
)
def test_a_file_that_holds_no_manifest_is_named(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(InvalidConfigError, match=says):
        manifests.load(tmp_path / "m.yaml")
