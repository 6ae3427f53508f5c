"""The same life of every kind of object on each Airbyte release: made, read, changed, drifted, refused, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.errors import AirbyteError, CheckFailedError, NotFoundError, RefusedError
from dynamic_providers.airbyte.kinds import SOURCE

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

RELEASES = ["1.5.0", "1.8.0", "2.0.0", "HEAD"]


@pytest.fixture(params=RELEASES)
def airbyte(
    request: pytest.FixtureRequest, start_airbyte: Callable[..., AbstractContextManager[Airbyte]]
) -> Iterator[Airbyte]:
    """In place of the one server of the other tests, one of each release."""
    with start_airbyte(request.param) as server:
        yield server


def delete(life: Life) -> None:
    life.resource().delete(life.id, dict(life.outputs))


def test_pins(airbyte: Airbyte, a_pin: Life) -> None:
    pin = a_pin
    program = {"connector": "source-postgres", "version": "3.6.1"}
    assert pin.up(program) == ("create",)
    assert pin.refresh() == ()
    assert pin.up({**program, "version": "3.7.0"}) == ("version",)
    assert pin.refresh() == ()
    airbyte.post("scoped_configuration/delete", {"scopedConfigurationId": airbyte.session().inventory.pins()[0].id})
    assert pin.drift() == {"pin": ("workspace", "none")}
    assert pin.up({**program, "version": "3.7.0"}) == ("pin",)
    with pytest.raises(AirbyteError, match=r"no version 9\.9\.9"):
        pin.up({**program, "version": "9.9.9"})
    delete(pin)
    assert airbyte.session().inventory.pins() == []


def test_sources(airbyte: Airbyte, a_source: Life, source_inputs: Properties) -> None:
    source = a_source
    assert source.up(source_inputs) == ("create",)
    assert source.refresh() == ()
    assert source.up(source_inputs) == ()
    prefer = {**source_inputs["config"], "ssl_mode": {"mode": "allow"}}
    assert source.up({**source_inputs, "config": prefer}) == ("config",)
    assert source.refresh() == ()
    live = airbyte.read("sources", source.id)
    airbyte.post("sources/update", {**live, "name": "renamed"})
    assert source.drift() == {"source_name": ("postgres_production", "renamed")}
    source.up(source_inputs)
    with pytest.raises(CheckFailedError, match="The connector says"):
        source.up({**source_inputs, "config": {**source_inputs["config"], "database": "nowhere"}})
    assert airbyte.read("sources", source.id)["connectionConfiguration"]["database"] == "production"
    assert airbyte.stored_secrets() == [source_inputs["config"]["password"]]
    delete(source)
    assert source.refresh() == ("gone",)


def test_destinations(a_destination: Life, destination_inputs: Properties) -> None:
    destination = a_destination
    assert destination.up(destination_inputs) == ("create",)
    assert destination.refresh() == ()
    changed = {**destination_inputs, "config": {**destination_inputs["config"], "schema": "other"}}
    assert destination.up(changed) == ("config",)
    assert destination.refresh() == ()
    delete(destination)
    delete(destination)
    assert destination.refresh() == ("gone",)


def test_connections(airbyte: Airbyte, a_connection: Life, connection_inputs: Properties) -> None:
    connection = a_connection
    program = {**connection_inputs, "tags": ["finance"]}
    assert connection.up(program) == ("create",)
    assert connection.refresh() == ()
    assert connection.up({**program, "prefix": "raw_", "tags": ["daily"]}) == ("prefix", "tags")
    assert connection.refresh() == ()
    catalog = airbyte.read("connections", connection.id)["syncCatalog"]
    catalog["streams"][0]["config"]["destinationSyncMode"] = "append"
    airbyte.post("connections/update", {"connectionId": connection.id, "syncCatalog": catalog, "status": "inactive"})
    assert {"streams", "status"} <= set(connection.refresh())
    connection.up(program)
    assert connection.refresh() == ()
    delete(connection)
    assert connection.refresh() == ("gone",)


def test_more_actors_than_a_page_of_the_newer_lists(airbyte: Airbyte, destination_inputs: Properties) -> None:
    # From 1.8 on the plain lists stop at 20.
    for number in range(25):
        body = {
            "destinationDefinitionId": destination_inputs["definition_id"],
            "workspaceId": airbyte.session().workspace(),
            "name": f"warehouse {number}",
            "connectionConfiguration": destination_inputs["config"],
        }
        airbyte.post("destinations/create", body)
    assert len(airbyte.ids("destinations")) == 25


def test_errors_say_what_was_asked_for_whatever_the_server_says(airbyte: Airbyte) -> None:
    session = airbyte.session()
    nowhere = "00000000-0000-0000-0000-00000000abcd"
    with pytest.raises(NotFoundError, match="sources/get"):
        session.client.post("sources/get", {"sourceId": nowhere})
    with pytest.raises(RefusedError, match="sources/create") as caught:
        session.client.post("sources/create", {"name": "x"})
    assert caught.value.status == 400
    airbyte.fault(path="/v1/sources/get", status=502, body="html")
    with pytest.raises(NotFoundError):
        session.client.post("sources/get", {"sourceId": nowhere})


def test_the_version_is_asked_once(airbyte: Airbyte, source_inputs: Properties) -> None:
    session = airbyte.session()
    resource = ActorResource(session, SOURCE)
    with airbyte.counted() as calls:
        id_, outputs = resource.create(resource.check({}, dict(source_inputs)).inputs)
        resource.read(id_, outputs)
    assert calls.count("/v1/instance_configuration") == 1
