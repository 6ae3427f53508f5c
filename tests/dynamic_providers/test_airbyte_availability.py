"""What comes after a platform is installed waits until its API works, and says meanwhile what it waits for."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from dynamic_providers.airbyte.availability import AirbyteApiResource
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import NotReadyError, UnauthorizedError, UnreachableError
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.settings import Settings

SECRET = "not-to-be-seen"
INPUTS = {"revision": "2.2.0-abc", "deadline_seconds": 300}
HEALTHY = {"available": True}
INSTANCE = {
    "edition": "community",
    "version": "2.2.0",
    "airbyteUrl": "http://airbyte.test",
    "defaultUserId": "u",
    "defaultOrganizationId": "o",
    "defaultWorkspaceId": "w",
    "initialSetupComplete": True,
}


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Server:
    """A server that is installed at 0 s and becomes `healthy_at` and knows the credentials `accepts_at` so many."""

    def __init__(self, clock: Time, healthy_at: float = 0, accepts_at: float = 0, answers_at: float = 0) -> None:
        self.clock, self.started = clock, clock.now
        self.healthy_at, self.accepts_at, self.answers_at = healthy_at, accepts_at, answers_at

    def __call__(self, request: httpx.Request) -> httpx.Response:
        since = self.clock.now - self.started
        path = request.url.path.removeprefix("/api/v1/")
        if since < self.answers_at:
            raise httpx.ConnectError("connection refused")
        if since < self.healthy_at:
            return httpx.Response(503, text="<html><title>no healthy upstream</title></html>")
        if path == "health":
            return httpx.Response(200, json=HEALTHY)
        if path == "instance_configuration":
            return httpx.Response(200, json=INSTANCE)
        if path == "applications/token":
            accepted = since >= self.accepts_at
            return httpx.Response(200 if accepted else 401, json={"access_token": "t"} if accepted else {})
        assert path == "workspaces/get"
        return httpx.Response(200, json={"workspaceId": "w"})


Waiting = Callable[..., AirbyteApiResource]


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def api(clock: Time) -> Iterator[Waiting]:
    def make(**behaviour: float) -> AirbyteApiResource:
        transport = httpx.MockTransport(Server(clock, **behaviour))
        settings = Settings("http://airbyte.test", "id", SECRET)
        return AirbyteApiResource(Session(Client(settings, transport=transport, sleep=clock.sleep)), clock)

    yield make


def test_a_server_that_works_is_not_waited_for(api: Waiting, clock: Time, capfd: Any) -> None:
    _, outputs = api().create(INPUTS)
    assert outputs == {**INPUTS, "version": "2.2.0"}
    assert clock.now == 1000.0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("late", ["answers_at", "healthy_at", "accepts_at"])
def test_a_server_is_waited_for_until_it_answers_is_healthy_and_takes_the_credentials(
    api: Waiting, clock: Time, capfd: Any, late: str
) -> None:
    _, outputs = api(**{late: 45}).create(INPUTS)
    assert outputs["version"] == "2.2.0"
    assert 45 <= clock.now - 1000.0 < 60
    said = capfd.readouterr().err
    assert "waiting for Airbyte at http://airbyte.test, 0 s" in said
    assert "is ready after" in said
    assert SECRET not in said


def test_the_wait_ends_at_its_deadline_with_what_was_last_seen(api: Waiting, clock: Time) -> None:
    with pytest.raises(NotReadyError, match=r"not ready within 300 s.*HTTP 503.*kubectl get pods"):
        api(healthy_at=1e9).create(INPUTS)
    assert 280 <= clock.now - 1000.0 <= 300


def test_credentials_that_stay_wrong_end_the_wait_early(api: Waiting, clock: Time) -> None:
    with pytest.raises(UnauthorizedError, match="does not accept airbyteClientId") as raised:
        api(accepts_at=1e9).create(INPUTS)
    assert clock.now - 1000.0 < 120
    assert SECRET not in str(raised.value)


def test_an_upgrade_waits_again_and_another_deadline_does_not(api: Waiting, clock: Time) -> None:
    resource = api(healthy_at=30)
    olds = {**INPUTS, "version": "2.1.1"}
    assert resource.diff("id", olds, {**INPUTS, "revision": "2.2.0-def"}).changed == ("revision",)
    assert resource.diff("id", olds, {**INPUTS, "deadline_seconds": 60}).changed == ()
    assert resource.update("id", olds, INPUTS)["version"] == "2.2.0"
    assert clock.now - 1000.0 >= 30


def test_a_refresh_sees_the_version_and_does_not_wait(api: Waiting, clock: Time) -> None:
    live = api().read("id", {**INPUTS, "version": "2.1.1"})
    assert live is not None
    assert live.inputs == INPUTS
    assert live.outputs["version"] == "2.2.0"
    with pytest.raises(UnreachableError):
        api(answers_at=1e9).read("id", dict(INPUTS))
