"""Tags against a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte import connection_api
from dynamic_providers.airbyte.errors import AlreadyExistsError
from dynamic_providers.airbyte.tag import TagResource

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

FINANCE = {"tag_name": "finance", "color": "#00aa7f"}


@pytest.fixture
def life(manage: Callable[..., Life]) -> Life:
    return manage(TagResource)


def tags(airbyte: Airbyte) -> list[tuple[str, str]]:
    session = airbyte.session()
    listed = session.client.post_many("tags/list", {"workspaceId": session.workspace()})
    return sorted((tag["name"], tag["color"]) for tag in listed)


def make(airbyte: Airbyte, name: str, color: str) -> Properties:
    body = {"workspaceId": airbyte.session().workspace(), "name": name, "color": color}
    tag: Properties = airbyte.post("tags/create", body)
    return tag


def change(airbyte: Airbyte, tag_id: str, name: str, color: str) -> None:
    body = {"tagId": tag_id, "workspaceId": airbyte.session().workspace(), "name": name, "color": color}
    airbyte.post("tags/update", body)


def test_a_tag_is_made_renamed_recoloured_and_deleted(airbyte: Airbyte, life: Life) -> None:
    assert life.up(FINANCE) == ("create",)
    assert tags(airbyte) == [("finance", "00AA7F")]
    assert life.refresh() == ()
    assert life.up(FINANCE) == ()
    assert life.up({"tag_name": "money", "color": "112233"}) == ("tag_name", "color")
    assert tags(airbyte) == [("money", "112233")]
    life.resource().delete(life.id, life.outputs)
    assert tags(airbyte) == []
    life.resource().delete(life.id, life.outputs)  # a second time is fine
    assert life.refresh() == ("gone",)


def test_the_spelling_of_a_colour_is_no_difference(airbyte: Airbyte, life: Life) -> None:
    life.up(FINANCE)
    assert life.up({**FINANCE, "color": "00AA7F"}) == ()
    change(airbyte, life.id, "finance", "00aa7f")
    assert life.refresh() == ()


def test_a_change_by_somebody_else_is_seen_and_set_right(airbyte: Airbyte, life: Life) -> None:
    life.up(FINANCE)
    change(airbyte, life.id, "cash", "000000")
    assert life.drift() == {"tag_name": ("finance", "cash"), "color": ("00AA7F", "000000")}
    life.up(FINANCE)
    assert tags(airbyte) == [("finance", "00AA7F")]


def test_what_an_interrupted_run_left_is_taken_over_without_a_write(airbyte: Airbyte, life: Life) -> None:
    left = make(airbyte, "finance", "00AA7F")
    with airbyte.counted() as calls:
        life.up(FINANCE)
    assert life.id == left["tagId"]
    assert [call for call in calls if call.endswith(("create", "update"))] == []


def test_a_create_whose_answer_is_lost_leaves_one_tag(airbyte: Airbyte, life: Life) -> None:
    airbyte.fault(path="/v1/tags/create", status=504, when="after")
    life.up(FINANCE)
    assert tags(airbyte) == [("finance", "00AA7F")]


def test_somebody_elses_tag_is_only_taken_over_when_told(airbyte: Airbyte, life: Life) -> None:
    make(airbyte, "finance", "ABCDEF")
    with pytest.raises(AlreadyExistsError, match=r"exists as .* another colour .*adopt"):
        life.up(FINANCE)
    assert tags(airbyte) == [("finance", "ABCDEF")]
    life.up({**FINANCE, "adopt": True})
    assert tags(airbyte) == [("finance", "00AA7F")]


def test_the_tag_that_a_connection_made_in_passing_is_taken_over(airbyte: Airbyte, life: Life) -> None:
    session = airbyte.session()
    made = connection_api.tags(session, ["finance"], session.workspace())
    life.up(FINANCE)
    assert life.id == made[0]["tagId"]
    assert tags(airbyte) == [("finance", "00AA7F")]


def test_a_connection_that_is_quicker_is_no_conflict(airbyte: Airbyte, life: Life) -> None:
    resource: Any = life.resource()
    assert resource.session.inventory.listed(("tags", resource.session.workspace()), list) == []  # read before
    made = make(airbyte, "finance", connection_api.TAG_COLOR)
    id_, _ = resource.create({"tag_name": "finance", "color": "00AA7F"})
    assert id_ == made["tagId"]
    assert tags(airbyte) == [("finance", "00AA7F")]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"tag_name": "finance", "color": "green"}, "'green' is no colour"),
        ({"tag_name": "x" * 31, "color": "00AA7F"}, "between 1 and 30 letters"),
        ({"tag_name": "", "color": "00AA7F"}, "between 1 and 30 letters"),
    ],
)
def test_what_the_server_would_refuse_is_refused_in_the_preview(life: Life, inputs: Properties, says: str) -> None:
    checked = life.resource().check({}, inputs)
    assert len(checked.failures) == 1
    assert says in checked.failures[0]


def test_refreshing_many_tags_costs_one_list(airbyte: Airbyte, manage: Callable[..., Life]) -> None:
    lives = [manage(TagResource) for _ in range(5)]
    for number, each in enumerate(lives):
        each.up({"tag_name": f"tag-{number}", "color": "00AA7F"})
    resource = TagResource(airbyte.session())
    with airbyte.counted() as calls:
        assert all(resource.read(each.id, each.outputs) for each in lives)
    assert calls.count("/v1/tags/list") == 1
