"""A connection that two make at once, or whose create comes late, exists once; and none that has synced goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte.connection import ConnectionResource
from dynamic_providers.airbyte.errors import AlreadyExistsError
from sandbox.airbyte.jobs import Jobs
from tests.dynamic_providers.conftest import Life

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Properties

Poll = Callable[[Callable[[], bool | None], float], bool]
CREATE, LOOK_AFTER = "/v1/connections/create", "/v1/web_backend/connections/list"


@contextmanager
def held(airbyte: Airbyte, poll: Poll, inputs: Properties, path: str) -> Iterator[list[Any]]:
    """An `up` of another run, held at a call while the block runs; gives, after that, the connection or the error."""
    other = Life(ConnectionResource, airbyte)
    ended: list[Any] = []

    def up() -> None:
        try:
            other.up(inputs)
            ended.append(other)
        except AlreadyExistsError as error:
            ended.append(error)

    airbyte.fault(path=path, hold=True)
    thread = threading.Thread(target=up)
    thread.start()
    try:
        poll(lambda: airbyte.http.get("/sandbox/v1/faults").json()["faults"][0]["struck"] or None, 20)
        yield ended
    finally:
        airbyte.http.delete("/sandbox/v1/faults")
        thread.join(20)


def made_at(airbyte: Airbyte, id_: str, *, seconds: int) -> None:
    """Move the time at which a connection was made."""
    store = airbyte.server.instance.store
    with store.lock:
        connection = store.connections.get(id_)
        connection.created_at += seconds
        store.connections.save(connection)


def made_by_hand(airbyte: Airbyte, inputs: Properties, **settings: Any) -> str:
    body = {
        "name": inputs["connection_name"],
        "sourceId": inputs["source_id"],
        "destinationId": inputs["destination_id"],
        "status": "active",
        "syncCatalog": {"streams": []},
        **settings,
    }
    return str(airbyte.post("connections/create", body)["connectionId"])


def synced(airbyte: Airbyte, id_: str) -> None:
    state = {"stateType": "legacy", "connectionId": id_, "state": {"cursor": 1}}
    airbyte.post("state/create_or_update_safe", {"connectionId": id_, "connectionState": state})


def test_a_create_that_comes_after_the_next_up_is_taken_back(
    airbyte: Airbyte, poll: Poll, a_connection: Life, connection_inputs: Properties
) -> None:
    with held(airbyte, poll, connection_inputs, CREATE) as ended:
        a_connection.up(connection_inputs)
    [error] = ended
    assert isinstance(error, AlreadyExistsError)
    assert f"made by somebody else at the same time, as {a_connection.id}" in str(error)
    assert airbyte.ids("connections") == [a_connection.id]
    assert a_connection.refresh() == ()
    assert a_connection.up(connection_inputs) == ()


def test_the_first_one_stays(airbyte: Airbyte, poll: Poll, a_connection: Life, connection_inputs: Properties) -> None:
    with held(airbyte, poll, connection_inputs, LOOK_AFTER) as ended:
        [first] = airbyte.ids("connections")
        made_at(airbyte, made_by_hand(airbyte, connection_inputs), seconds=5)
    assert isinstance(ended[0], Life)
    assert ended[0].id == first
    assert first in airbyte.ids("connections")


def test_one_that_has_synced_stays_though_it_is_the_later(
    airbyte: Airbyte, poll: Poll, connection_inputs: Properties
) -> None:
    with held(airbyte, poll, connection_inputs, LOOK_AFTER) as ended:
        later = made_by_hand(airbyte, connection_inputs)
        made_at(airbyte, later, seconds=5)
        synced(airbyte, later)
    assert isinstance(ended[0], AlreadyExistsError)
    assert airbyte.ids("connections") == [later]


@pytest.mark.parametrize("by", ["state", "job"])
def test_nothing_that_has_synced_is_taken_back(
    airbyte: Airbyte, poll: Poll, connection_inputs: Properties, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(Jobs, "_run", lambda *_: None)
    with held(airbyte, poll, connection_inputs, LOOK_AFTER) as ended:
        [ours] = airbyte.ids("connections")
        if by == "state":
            synced(airbyte, ours)
        else:
            airbyte.post("connections/sync", {"connectionId": ours})
        made_at(airbyte, made_by_hand(airbyte, connection_inputs), seconds=-5)
    assert len(airbyte.ids("connections")) == 2
    assert all(id_ in str(ended[0]) for id_ in airbyte.ids("connections"))
    assert "none was removed" in str(ended[0])


@pytest.mark.parametrize("other", [{"name": "another"}, {"status": "deprecated"}], ids=["name", "deleted"])
def test_another_connection_of_the_same_ends_is_no_twin(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties, other: Properties
) -> None:
    made_by_hand(airbyte, connection_inputs, **other)
    a_connection.up(connection_inputs)
    assert a_connection.id in airbyte.ids("connections")


def test_looking_after_a_create_is_one_short_call_whatever_else_there_is(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    with airbyte.counted() as calls:
        a_connection.up(connection_inputs)
    after = calls[calls.index(CREATE) + 1 :]
    assert after == [LOOK_AFTER]


def test_one_that_a_dead_run_left_behind_is_told_by_a_refresh(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody is there any more to take it back."""
    a_connection.up(connection_inputs)
    left = made_by_hand(airbyte, connection_inputs)
    assert a_connection.refresh() == ()
    told = capfd.readouterr().err
    assert f"Connection production is {a_connection.id}, and {left} has the same name" in told
    airbyte.post("connections/delete", {"connectionId": left})
    a_connection.refresh()
    assert "the same name" not in capfd.readouterr().err


def test_an_interrupted_create_that_lacks_what_only_an_update_sets_is_finished(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    program = {**connection_inputs, "notify_schema_changes_by_email": True}
    airbyte.fault(path="/v1/connections/update", status=500)
    with pytest.raises(Exception, match="connections/update"):
        a_connection.up(program)
    [made] = airbyte.ids("connections")
    a_connection.up(program)
    assert a_connection.id == made
    assert airbyte.read("connections", made)["notifySchemaChangesByEmail"] is True
    assert a_connection.refresh() == ()
