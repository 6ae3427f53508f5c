"""The gates before a write: how a check ended, checks that outlast a proxy, connectors past their support."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dynamic_providers.airbyte import commands
from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import (
    CheckCrashedError,
    CheckFailedError,
    CheckNotRunError,
    DiscoverFailedError,
    NoAnswerError,
    ServerError,
    UnreachableError,
    UnsupportedConnectorError,
)
from dynamic_providers.airbyte.kinds import SOURCE
from dynamic_providers.airbyte.releases import Release
from dynamic_providers.airbyte.settings import Settings

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

CHECK = "/v1/scheduler/sources/check_connection"
CONNECTOR = "connector:check:airbyte/source-postgres"


def cut_off(airbyte: Airbyte, path: str, status: int = 504) -> None:
    """A proxy gives up on every such call, before or while the server works on it."""
    airbyte.fault(path=path, status=status, body="html", times=0)


def make(airbyte: Airbyte, inputs: Properties) -> None:
    resource = ActorResource(airbyte.session(), SOURCE)
    resource.create(resource.check({}, dict(inputs)).inputs)


# -- three ways not to pass ------------------------------------------------------------------------------------------


def test_a_no_of_the_connector_is_its_own_words(airbyte: Airbyte, source_inputs: Properties) -> None:
    airbyte.fault(path=CONNECTOR, connector={"message": "FATAL: password authentication failed"})
    with pytest.raises(CheckFailedError, match=r"does not pass .*The connector says: FATAL: password") as caught:
        make(airbyte, source_inputs)
    assert type(caught.value) is CheckFailedError


def test_a_crash_is_told_with_its_reason_and_not_as_a_no(airbyte: Airbyte, source_inputs: Properties) -> None:
    airbyte.fault(path=CONNECTOR, connector={"crash": True, "message": "ImagePullBackOff airbyte/source-postgres"})
    with pytest.raises(CheckCrashedError, match=r"broke down before .*Airbyte says: ImagePullBackOff") as caught:
        make(airbyte, source_inputs)
    assert "The connector says" not in str(caught.value)
    assert "skip_check" in str(caught.value)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_check_that_can_not_be_run_says_nothing_about_the_configuration(
    start_airbyte: Callable[..., AbstractContextManager[Airbyte]], source_inputs: Properties, status: int
) -> None:
    with start_airbyte("1.5.0") as airbyte:
        cut_off(airbyte, CHECK, status)
        with pytest.raises(CheckNotRunError, match=f"could not be run.*nothing is said.*HTTP {status}") as caught:
            make(airbyte, source_inputs)
        assert airbyte.ids("sources") == []
    assert "skip_check" in str(caught.value)


@pytest.mark.parametrize("fault", [{"status": 504}, {"connector": {"message": "no"}}])
def test_a_waived_check_is_not_run(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties, fault: Properties
) -> None:
    airbyte.fault(path=CHECK if "status" in fault else CONNECTOR, times=0, **fault)
    a_source.up({**source_inputs, "skip_check": "the database comes up after this"})
    assert a_source.outputs["skip_check"] == "the database comes up after this"


# -- past a proxy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("version", ["1.8.0", "2.0.0"])
def test_a_check_that_a_proxy_cuts_off_goes_on_as_a_command(
    start_airbyte: Callable[..., AbstractContextManager[Airbyte]], source_inputs: Properties, version: str, status: int
) -> None:
    with start_airbyte(version) as airbyte:
        cut_off(airbyte, CHECK, status)
        with airbyte.counted() as calls:
            make(airbyte, source_inputs)
        assert len(airbyte.ids("sources")) == 1
    assert calls.count(CHECK) == 1, "each try starts a pod"
    assert calls.count("/v1/commands/run/check") == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [({"message": "no pg_hba.conf entry"}, CheckFailedError), ({"crash": True, "message": "OOM"}, CheckCrashedError)],
)
def test_a_command_tells_a_no_from_a_crash_too(
    airbyte: Airbyte, source_inputs: Properties, said: Properties, expected: type[CheckFailedError]
) -> None:
    cut_off(airbyte, CHECK)
    airbyte.fault(path=CONNECTOR, connector=said)
    with pytest.raises(CheckFailedError, match=said["message"]) as caught:
        make(airbyte, source_inputs)
    assert type(caught.value) is expected


def test_a_command_whose_answer_is_lost_runs_once(airbyte: Airbyte, source_inputs: Properties) -> None:
    cut_off(airbyte, CHECK)
    airbyte.fault(path="/v1/commands/run/check", status=504, when="after")
    airbyte.fault(path=CONNECTOR, times=0)
    make(airbyte, source_inputs)
    faults = airbyte.http.get("/sandbox/v1/faults").json()["faults"]
    assert [fault["struck"] for fault in faults if fault["path"] == CONNECTOR] == [1]


def test_a_discovery_that_a_proxy_cuts_off_goes_on_as_a_command(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    cut_off(airbyte, "/v1/sources/discover_schema")
    a_connection.up(connection_inputs)
    assert a_connection.refresh() == ()
    assert airbyte.read("connections", a_connection.id)["sourceCatalogId"]


@pytest.mark.parametrize("path", [CHECK, "/v1/sources/discover_schema"])
def test_what_a_dropped_connection_cuts_off_goes_on_as_a_command(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties, source_inputs: Properties, path: str
) -> None:
    airbyte.fault(path=path, disconnect=True, times=0)
    with airbyte.counted() as calls:
        make(airbyte, {**source_inputs, "source_name": "another"})
        a_connection.up(connection_inputs)
    assert a_connection.refresh() == ()
    assert calls.count(path) == 1, "each try starts a pod"
    assert [call for call in calls if call.startswith("/v1/commands/run/")] == [
        "/v1/commands/run/check" if path == CHECK else "/v1/commands/run/discover"
    ]


def test_without_commands_a_dropped_check_is_tried_twice_and_told(
    start_airbyte: Callable[..., AbstractContextManager[Airbyte]], source_inputs: Properties
) -> None:
    with start_airbyte("1.5.0") as airbyte:
        airbyte.fault(path=CHECK, disconnect=True, times=0)
        with airbyte.counted() as calls, pytest.raises(CheckNotRunError, match=r"could not be run.*nothing is said"):
            make(airbyte, source_inputs)
        assert airbyte.ids("sources") == []
    assert calls.count(CHECK) == 2


def test_a_discovery_that_fails_as_a_command_gives_the_connectors_reason(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    cut_off(airbyte, "/v1/sources/discover_schema")
    airbyte.fault(path="connector:discover:airbyte/source-postgres", connector={"message": "permission denied"})
    with pytest.raises(DiscoverFailedError, match=r"can't say .*permission denied"):
        a_connection.up(connection_inputs)


def test_a_discovery_that_can_not_be_run_is_told_so(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    cut_off(airbyte, "/v1/sources/discover_schema", 500)
    with pytest.raises(DiscoverFailedError, match=r"could not be asked .*HTTP 500"):
        a_connection.up(connection_inputs)
    assert airbyte.ids("connections") == []


class Answers:
    """A server that cuts checks off and whose command has these statuses in turn, the last for ever."""

    def __init__(self, *statuses: str, cut: Exception | None = None, version: str = "1.8.2") -> None:
        self.statuses, self.cut, self.version = list(statuses), cut, version
        self.asked: list[str] = []
        self.ids: set[str] = set()
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        self.asked.append(path)
        if path == "instance_configuration":
            return httpx.Response(200, json={"version": self.version})
        if path.endswith("check_connection"):
            if self.cut is not None:
                raise self.cut
            return httpx.Response(504, text="<html><title>504 Gateway Time-out</title></html>")
        self.ids.add(httpx.Response(200, content=request.content).json()["id"])
        if path == "commands/status":
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            return httpx.Response(200, json={"status": status})
        return httpx.Response(200, json={"status": "succeeded"})

    def check(self) -> Any:
        client = Client(Settings("http://airbyte"), transport=httpx.MockTransport(self), sleep=self.slept.append)
        return commands.check(client, SOURCE, definition_id="d", workspace_id="w", config={}, actor_id=None)


def test_a_command_is_waited_for_with_growing_pauses() -> None:
    server = Answers("pending", *["running"] * 12, "completed")
    assert server.check().status == "succeeded"
    assert len(server.ids) == 1
    assert server.slept == sorted(server.slept)
    assert (server.slept[0], server.slept[-1]) == (0.5, 10.0)


@pytest.mark.parametrize(
    "cut", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone"), httpx.ReadError("reset")]
)
def test_a_check_that_is_never_answered_goes_on_as_a_command(cut: Exception) -> None:
    server = Answers("completed", cut=cut)
    assert server.check().status == "succeeded"
    assert server.asked.count("scheduler/sources/check_connection") == 1


def test_a_server_that_can_not_be_reached_is_not_asked_for_a_command() -> None:
    server = Answers("completed", cut=httpx.ConnectError("refused"))
    with pytest.raises(UnreachableError):
        server.check()
    assert "commands/run/check" not in server.asked


def test_without_commands_a_check_that_is_never_answered_is_an_error() -> None:
    server = Answers("completed", cut=httpx.ReadTimeout("slow"), version="1.6.0")
    with pytest.raises(NoAnswerError, match="ReadTimeout"):
        server.check()


def test_a_command_that_does_not_end_is_cancelled_at_the_deadline() -> None:
    server = Answers("running")
    with pytest.raises(ServerError, match="still running after 10 minutes"):
        server.check()
    assert 600 <= sum(server.slept) <= 610
    assert server.asked[-1] == "commands/cancel"


def test_a_command_that_somebody_cancelled_is_an_error() -> None:
    with pytest.raises(ServerError, match="cancelled"):
        Answers("running", "cancelled").check()


@pytest.mark.parametrize(
    ("version", "commands_"),
    [("1.5.0", False), ("v1.6.3", False), ("1.7.0", True), ("2.0.0-rc1", True), ("dev", True), ("", True)],
)
def test_what_a_release_can_do(version: str, commands_: bool) -> None:
    assert Release.parse(version).has_commands is commands_


# -- connectors past their support -----------------------------------------------------------------------------------


def publish_breaking(airbyte: Airbyte, definition_id: str, deadline: str) -> None:
    """The destination's next version is breaking, with a deadline; its existing user stays behind."""
    change = {"message": "m", "upgradeDeadline": deadline, "migrationDocumentationUrl": "https://docs.example/migrate"}
    body = {"id": definition_id, "tags": ["2.4.7", "3.0.0"], "latestTag": "3.0.0", "breakingChanges": {"3.0.0": change}}
    assert airbyte.http.post("/sandbox/v1/registry", json=body).is_success
    workspace = airbyte.session().workspace()
    update = {"destinationDefinitionId": definition_id, "dockerImageTag": "3.0.0", "workspaceId": workspace}
    airbyte.post("destination_definitions/update", update)


def test_an_unsupported_connector_is_connected_for_a_reason_only(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties, destination_inputs: Properties
) -> None:
    publish_breaking(airbyte, destination_inputs["definition_id"], "2024-01-01")
    with pytest.raises(UnsupportedConnectorError, match=r"warehouse .*3\.0\.0 by 2024-01-01.*allow_unsupported"):
        a_connection.up(connection_inputs)
    assert airbyte.ids("connections") == []
    a_connection.up({**connection_inputs, "allow_unsupported": "upgraded next week"})
    assert a_connection.refresh() == ()
    assert a_connection.outputs["allow_unsupported"] == "upgraded next week"


def test_a_deprecated_connector_is_connected_with_a_warning(
    airbyte: Airbyte,
    a_connection: Life,
    connection_inputs: Properties,
    destination_inputs: Properties,
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish_breaking(airbyte, destination_inputs["definition_id"], "2999-01-01")
    a_connection.up(connection_inputs)
    assert "warehouse runs a connector version that is deprecated" in capsys.readouterr().err
