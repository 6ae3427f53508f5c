"""Version pins against a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.connector_version import ConnectorVersionResource
from dynamic_providers.airbyte.errors import UnknownVersionError
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.settings import Settings

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life

POSTGRES = {"connector": "source-postgres", "version": "3.6.1"}


def resolved(airbyte: Airbyte, life: Life) -> str:
    session = airbyte.session()
    body = {"sourceDefinitionId": life.id, "workspaceId": session.workspace()}
    return str(session.client.post("source_definitions/get_for_workspace", body)["dockerImageTag"])


def test_a_pin_holds_the_workspace_at_its_version(airbyte: Airbyte, a_pin: Life) -> None:
    assert a_pin.up(POSTGRES) == ("create",)
    assert resolved(airbyte, a_pin) == "3.6.1"
    assert a_pin.refresh() == ()
    assert a_pin.up(POSTGRES) == ()


def test_a_moved_version_is_one_changed_property(airbyte: Airbyte, a_pin: Life) -> None:
    a_pin.up(POSTGRES)
    assert a_pin.up({**POSTGRES, "version": "3.7.0"}) == ("version",)
    assert resolved(airbyte, a_pin) == "3.7.0"
    assert len(airbyte.session().inventory.pins()) == 1


def test_a_pin_that_somebody_moved_is_seen_and_set_right(airbyte: Airbyte, a_pin: Life) -> None:
    a_pin.up(POSTGRES)
    pin = airbyte.session().inventory.pins()[0]
    resource = ConnectorVersionResource(airbyte.session())
    resource.update(a_pin.id, a_pin.outputs, {**a_pin.inputs, "version": "3.7.0"})
    assert airbyte.session().inventory.pins()[0].id == pin.id

    assert a_pin.drift() == {"version": ("3.6.1", "3.7.0")}
    assert a_pin.up(POSTGRES) == ("version",)
    assert resolved(airbyte, a_pin) == "3.6.1"


def test_a_pin_that_somebody_removed_is_seen_and_set_again(airbyte: Airbyte, a_pin: Life) -> None:
    a_pin.up(POSTGRES)
    pin = airbyte.session().inventory.pins()[0]
    airbyte.post("scoped_configuration/delete", {"scopedConfigurationId": pin.id})
    assert a_pin.drift()["pin"] == ("workspace", "none")
    assert "pin" in a_pin.up(POSTGRES)
    assert resolved(airbyte, a_pin) == "3.6.1"


def test_deleting_the_pin_lets_the_default_count_again(airbyte: Airbyte, a_pin: Life) -> None:
    a_pin.up(POSTGRES)
    a_pin.resource().delete(a_pin.id, a_pin.outputs)
    assert airbyte.session().inventory.pins() == []


def test_a_version_that_does_not_exist_is_refused_before_anything_is_written(airbyte: Airbyte, a_pin: Life) -> None:
    with pytest.raises(UnknownVersionError, match=r"no version 9\.9\.9 .* now runs \d+\.\d+\.\d+"):
        a_pin.up({**POSTGRES, "version": "9.9.9"})
    assert airbyte.session().inventory.pins() == []


def test_an_unknown_connector_is_refused_in_the_preview_with_the_nearest(airbyte: Airbyte, a_pin: Life) -> None:
    checked = a_pin.resource().check({}, {"connector": "source-postgress", "version": "3.7.0", "origin": "p.yaml:3"})
    assert len(checked.failures) == 1
    assert checked.failures[0].startswith("p.yaml:3: ")
    assert "Did you mean source-postgres" in checked.failures[0]


def test_a_preview_before_the_server_exists_asks_once_and_passes() -> None:
    client = Client(Settings("http://127.0.0.1:9"), sleep=lambda _: pytest.fail("a preview does not wait"))
    resource = ConnectorVersionResource(Session(client))
    for _ in range(3):
        assert resource.check({}, dict(POSTGRES)).failures == ()


def test_a_create_whose_answer_is_lost_leaves_one_pin(airbyte: Airbyte, a_pin: Life) -> None:
    airbyte.fault(path="/v1/scoped_configuration/create", status=504, when="after")
    a_pin.up(POSTGRES)
    assert len(airbyte.session().inventory.pins()) == 1
