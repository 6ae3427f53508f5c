"""Connectors of one's own image against a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte.custom_connector import CustomConnectorResource
from dynamic_providers.airbyte.errors import AlreadyExistsError, InUseError, InvalidConfigError, UnknownVersionError
from dynamic_providers.airbyte.kinds import SOURCE

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

LOYALTY = {
    "kind": "source",
    "connector_name": "Loyalty",
    "docker_repository": "registry.example.com/source-loyalty",
    "docker_image_tag": "1.0.0",
    "documentation_url": "https://wiki.example.com/loyalty",
    "resources": {"memory_limit": "1Gi"},
}
SPEC = {"type": "object", "properties": {"url": {"type": "string"}}}


@pytest.fixture(params=["2.0.0", "1.8.0"])
def airbyte(request: pytest.FixtureRequest, start_airbyte: Callable[..., Any]) -> Iterator[Airbyte]:
    """A server with tickets, and one that holds requests."""
    with start_airbyte(request.param) as server:
        yield server


@pytest.fixture(autouse=True)
def images(airbyte: Airbyte) -> None:
    """The images that the platform can pull."""
    for kind, id_ in (
        ("source", "5f3f0a3e-7a76-4c3f-9a55-0d4a3c2b1a01"),
        ("destination", "5f3f0a3e-7a76-4c3f-9a55-0d4a3c2b1a02"),
    ):
        entry = {
            "id": id_,
            "kind": kind,
            "name": f"image of {kind}",
            "repository": f"registry.example.com/{kind}-loyalty",
            "defaultTag": "1.0.0",
            "latestTag": "1.1.0",
            "tags": ["1.0.0", "1.1.0"],
            "specs": [{"since": "0.0.0", "spec": SPEC}],
        }
        assert airbyte.http.post("/sandbox/v1/registry", json=entry).is_success


@pytest.fixture
def life(manage: Callable[..., Life]) -> Life:
    return manage(CustomConnectorResource)


def custom(airbyte: Airbyte, kind: str = "source") -> list[Properties]:
    session = airbyte.session()
    listed = session.client.post(f"{kind}_definitions/list_for_workspace", {"workspaceId": session.workspace()})
    return [read for read in listed[f"{kind}Definitions"] if read["custom"]]


def change(airbyte: Airbyte, id_: str, **changes: Any) -> None:
    ids = {"sourceDefinitionId": id_, "workspaceId": airbyte.session().workspace()}
    airbyte.post("source_definitions/update", {**ids, "dockerImageTag": "1.0.0", **changes})


def make_source(airbyte: Airbyte, definition_id: str) -> str:
    body = {
        "sourceDefinitionId": definition_id,
        "workspaceId": airbyte.session().workspace(),
        "name": "shops",
        "connectionConfiguration": {"url": "https://shops.example.com"},
    }
    return str(airbyte.post("sources/create", body)["sourceId"])


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_a_connector_is_made_changed_in_place_and_deleted(airbyte: Airbyte, life: Life, kind: str) -> None:
    program = {**LOYALTY, "kind": kind, "docker_repository": f"registry.example.com/{kind}-loyalty"}
    assert life.up(program) == ("create",)
    (made,) = custom(airbyte, kind)
    assert (made[f"{kind}DefinitionId"], made["dockerImageTag"]) == (life.id, "1.0.0")
    assert made["documentationUrl"] == "https://wiki.example.com/loyalty"
    assert life.refresh() == ()
    assert life.up(program) == ()

    changed = {**program, "connector_name": "Points", "docker_image_tag": "1.1.0", "resources": None}
    assert life.up(changed) == ("connector_name", "docker_image_tag", "resources")
    (made,) = custom(airbyte, kind)
    assert (made["name"], made["dockerImageTag"]) == ("Points", "1.1.0")
    assert made["resourceRequirements"] == {"default": {}}
    assert life.refresh() == ()

    life.resource().delete(life.id, life.outputs)
    assert custom(airbyte, kind) == []
    life.resource().delete(life.id, life.outputs)
    assert life.refresh() == ("gone",)


def test_another_image_is_another_connector(life: Life) -> None:
    life.up(LOYALTY)
    assert life.up({**LOYALTY, "docker_repository": "registry.example.com/other"}) == ("docker_repository",)


def test_every_change_by_somebody_else_is_seen_and_set_right(airbyte: Airbyte, life: Life) -> None:
    life.up(LOYALTY)
    changes: dict[str, dict[str, Any]] = {
        "connector_name": {"name": "Mine"},
        "docker_image_tag": {"dockerImageTag": "1.1.0"},
        "resources": {"resourceRequirements": {"default": {"memory_limit": "9Gi"}}},
    }
    for shows, sent in changes.items():
        change(airbyte, life.id, **sent)
        assert life.refresh() == (shows,)
        assert life.up(LOYALTY) == (shows,)
        assert life.refresh() == ()


def test_an_image_that_cannot_be_pulled_is_refused_by_name(airbyte: Airbyte, life: Life) -> None:
    with pytest.raises(UnknownVersionError, match=r"source-loyalty:9\.9\.9.* was not written") as caught:
        life.up({**LOYALTY, "docker_image_tag": "9.9.9"})
    assert "cannot pull image" in str(caught.value)
    assert custom(airbyte) == []
    life.up(LOYALTY)
    with pytest.raises(UnknownVersionError, match=r"source-loyalty:9\.9\.9"):
        life.up({**LOYALTY, "docker_image_tag": "9.9.9"})


def test_a_create_whose_answer_is_lost_is_never_repeated(airbyte: Airbyte, life: Life) -> None:
    operations = ("/v1/source_definitions/create_custom", "/v1/actor_definitions/create")
    for operation in operations:
        airbyte.fault(path=operation, status=504, when="after")
    with airbyte.counted() as calls:
        life.up(LOYALTY)
    assert len([call for call in calls if call in operations]) == 1
    assert [read["sourceDefinitionId"] for read in custom(airbyte)] == [life.id]


def test_what_an_interrupted_run_left_is_taken_over_without_a_write(airbyte: Airbyte, life: Life) -> None:
    life.up(LOYALTY)
    left, life.id, life.inputs, life.outputs = life.id, "", {}, {}
    with airbyte.counted() as calls:
        life.up(LOYALTY)
    assert life.id == left
    assert [call for call in calls if call.endswith(("create_custom", "create", "update"))] == []


def test_somebody_elses_connector_is_only_taken_over_when_told(airbyte: Airbyte, life: Life) -> None:
    life.up({**LOYALTY, "docker_image_tag": "1.1.0"})
    theirs, life.id, life.inputs, life.outputs = life.id, "", {}, {}
    with pytest.raises(AlreadyExistsError, match=r"at version 1\.1\.0.*adopt"):
        life.up(LOYALTY)
    life.up({**LOYALTY, "adopt": True})
    assert life.id == theirs
    assert custom(airbyte)[0]["dockerImageTag"] == "1.0.0"


def test_a_connector_in_use_is_not_deleted_unless_told(airbyte: Airbyte, life: Life) -> None:
    life.up(LOYALTY)
    source = make_source(airbyte, life.id)
    with pytest.raises(InUseError, match=r"Loyalty .*shops.*delete_in_use"):
        life.resource().delete(life.id, life.outputs)
    assert airbyte.ids("sources") == [source]

    assert life.up({**LOYALTY, "delete_in_use": "the shops are closed"}) == ("delete_in_use",)
    life.resource().delete(life.id, life.outputs)
    assert airbyte.ids("sources") == []
    assert custom(airbyte) == []


def test_a_connector_whose_sources_were_deleted_before_it_is_free(airbyte: Airbyte, life: Life) -> None:
    life.up(LOYALTY)
    source = make_source(airbyte, life.id)
    session = airbyte.session()
    assert len(session.inventory.actors(SOURCE, session.workspace())) == 1
    airbyte.post("sources/delete", {"sourceId": source})
    CustomConnectorResource(session).delete(life.id, life.outputs)
    assert custom(airbyte) == []


def test_a_documentation_url_is_for_good(life: Life) -> None:
    life.up(LOYALTY)
    with pytest.raises(InvalidConfigError, match="documentation_url"):
        life.up({**LOYALTY, "documentation_url": "https://elsewhere.example.com"})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"docker_image_tag": "latest"}, "'latest' is no version that stays what it is"),
        ({"kind": "sauce"}, "kind is source or destination"),
        ({"resources": {"memory_limits": "1Gi"}}, "Did you mean memory_limit"),
    ],
)
def test_what_can_be_told_without_a_server_is_refused_in_the_preview(
    life: Life, changes: Properties, says: str
) -> None:
    checked = life.resource().check({}, {**LOYALTY, **changes})
    assert len(checked.failures) == 1
    assert says in checked.failures[0]
