"""``airbyte-cli connections …`` against a server whose destination does as the test says."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from airbyte_cli.__main__ import app
from airbyte_cli.connection_jobs import Jobs
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.settings import Settings
from sandbox.airbyte.connectors.base import Batch, ConnectorError
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings as ServerSettings

CLIENT_SECRET = "secret-of-the-application"
SOURCE_FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
DESTINATION_POSTGRES = "25c5221d-dce2-4163-ade9-739ef790f503"
NOT_LET_IN = "FATAL: password authentication failed for user loader"


class Warehouse:
    """A destination, and at the same time its writer: holds back, fails or takes what it is given."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.fails = False
        self.cleared: list[list[str]] = []

    def check(self, config: Any, /) -> None:
        pass

    def write(self, *arguments: Any) -> Any:
        if isinstance(arguments[0], Batch):
            return None
        assert self.open.wait(20)
        if self.fails:
            raise ConnectorError(NOT_LET_IN)
        return self

    def clear(self, config: Any, streams: Any, placement: Any, /) -> None:
        self.cleared.append(sorted(stream.name for stream in streams))

    def commit(self) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass
class Airbyte:
    """A connection of two streams, and the command line on it."""

    server: Running
    warehouse: Warehouse
    client: Client
    connection_id: str = field(init=False)

    def __post_init__(self) -> None:
        workspace = self.client.instance().default_workspace_id
        ids = {"workspaceId": workspace, "name": "an actor"}
        config = {"host": "h", "port": 5432, "database": "d", "schema": "s", "username": "u", "password": "pppppp"}
        source = self.client.post(
            "sources/create", {**ids, "sourceDefinitionId": SOURCE_FAKER, "connectionConfiguration": {"count": 10}}
        )
        destination = self.client.post(
            "destinations/create",
            {**ids, "destinationDefinitionId": DESTINATION_POSTGRES, "connectionConfiguration": config},
        )
        discovered = self.client.post("sources/discover_schema", {"sourceId": source["sourceId"]})["catalog"]["streams"]
        streams = [s for s in discovered if s["stream"]["name"] in ("users", "products")]
        for stream in streams:
            stream["config"] |= {"selected": True, "syncMode": "full_refresh", "destinationSyncMode": "overwrite"}
        self.pair = {"sourceId": source["sourceId"], "destinationId": destination["destinationId"]}
        self.catalog = {"streams": streams}
        self.connection_id = self.make("production")

    def make(self, name: str) -> str:
        body = {**self.pair, "name": name, "status": "active", "syncCatalog": self.catalog}
        return str(self.client.post("connections/create", body)["connectionId"])

    def start(self, operation: str) -> int:
        """A job that somebody else started."""
        answer = self.client.post(f"connections/{operation}", {"connectionId": self.connection_id})
        return int(answer["job"]["id"])

    def jobs(self) -> list[tuple[str, str]]:
        """Kind and status of all jobs, oldest first."""
        self.server.instance.jobs.wait_all(20)
        return [(job.kind, job.status) for job in self.server.instance.store.jobs]


@pytest.fixture
def airbyte(monkeypatch: pytest.MonkeyPatch) -> Iterator[Airbyte]:
    with Running(ServerSettings(client_secret=CLIENT_SECRET, assume_checks_pass=True, max_attempts=1)) as server:
        warehouse = Warehouse()
        monkeypatch.setattr(server.instance.runs, "destination", lambda version: warehouse)
        monkeypatch.setenv("AIRBYTE_URL", server.url)
        monkeypatch.setenv("AIRBYTE_CLIENT_ID", "sandbox")
        monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", CLIENT_SECRET)
        monkeypatch.delenv("AIRBYTE_WORKSPACE_ID", raising=False)

        def go_on(seconds: float) -> None:
            """Whoever is held back may go on as soon as the command has looked once."""
            warehouse.open.set()
            time.sleep(0.01)

        monkeypatch.setattr(Jobs, "sleep", staticmethod(go_on))
        yield Airbyte(server, warehouse, Client(Settings(server.url, "sandbox", CLIENT_SECRET)))
        warehouse.open.set()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["connections", *arguments])


def test_a_sync_is_followed_to_its_end(airbyte: Airbyte) -> None:
    airbyte.warehouse.open.clear()
    done = run("sync", "production", "--wait")
    assert done.exit_code == 0, done.output
    assert done.stderr.startswith(("Job 1 (sync) is pending", "Job 1 (sync) is running"))
    assert re.fullmatch(r"Job 1 \(sync\) succeeded after \d+ s: 20 records, \d\.\d kB\.\n", done.stdout)
    assert airbyte.jobs() == [("sync", "succeeded")]


def test_json_is_all_that_stdout_gets(airbyte: Airbyte) -> None:
    done = run("sync", airbyte.connection_id, "--wait", "--output", "json")
    assert done.exit_code == 0
    result = json.loads(done.stdout)
    assert (result["jobId"], result["kind"], result["status"]) == (1, "sync", "succeeded")
    assert result["connectionId"] == airbyte.connection_id
    assert result["records"] == 20
    assert "failure" not in result


def test_without_wait_a_job_is_only_started(airbyte: Airbyte) -> None:
    airbyte.warehouse.open.clear()
    done = run("sync", "production")
    assert done.exit_code == 0
    assert "--wait would follow it" in done.stdout
    airbyte.warehouse.open.set()
    assert airbyte.jobs() == [("sync", "succeeded")]


def test_a_failure_is_one_paragraph_with_its_meaning(airbyte: Airbyte) -> None:
    airbyte.warehouse.fails = True
    done = run("sync", "production", "--wait")
    assert done.exit_code == 1
    paragraph = done.stderr.strip().splitlines()[-1]
    assert re.match(r"Job 1 \(sync\) failed after \d+ s\. The destination says: ", paragraph)
    assert f"{NOT_LET_IN}. The user name and the secret do not go together. Correct " in paragraph
    assert json.loads(run("sync", "production", "--wait", "--output", "json").stdout)["failure"].startswith("The dest")


def test_a_busy_connection_is_an_error_without_wait(airbyte: Airbyte) -> None:
    airbyte.warehouse.open.clear()
    airbyte.start("sync")
    done = run("sync", "production")
    assert done.exit_code == 1
    assert "production is busy: job 1 (sync)" in done.stderr
    airbyte.warehouse.open.set()
    assert airbyte.jobs() == [("sync", "succeeded")]


def test_a_sync_that_runs_already_is_the_one_waited_for(airbyte: Airbyte) -> None:
    airbyte.warehouse.open.clear()
    airbyte.start("sync")
    done = run("sync", "production", "--wait")
    assert done.exit_code == 0, done.output
    assert "Job 1 (sync) runs already; waiting for it." in done.stderr
    assert airbyte.jobs() == [("sync", "succeeded")]


def test_a_clear_waits_for_the_sync_and_comes_after_it(airbyte: Airbyte) -> None:
    airbyte.warehouse.open.clear()
    airbyte.start("sync")
    done = run("clear", "production", "--wait")
    assert done.exit_code == 0, done.output
    assert airbyte.jobs() == [("sync", "succeeded"), ("clear", "succeeded")]
    assert airbyte.warehouse.cleared == [["products", "users"]]


@pytest.mark.parametrize(("operation", "kind"), [("clear", "clear"), ("reset", "reset_connection")])
def test_single_streams_can_be_cleared(airbyte: Airbyte, operation: str, kind: str) -> None:
    assert run(operation, "production", "--stream", "users", "--wait").exit_code == 0
    assert airbyte.jobs() == [(kind, "succeeded")]
    assert airbyte.warehouse.cleared == [["users"]]


def test_a_refresh_says_its_mode_and_streams(airbyte: Airbyte) -> None:
    done = run("refresh", "production", "--stream", "users", "--mode", "truncate", "--wait")
    assert done.exit_code == 0, done.output
    (job,) = airbyte.server.instance.store.jobs
    assert (job.kind, job.refresh_mode, job.status) == ("refresh", "Truncate", "succeeded")
    assert [entry["stream"]["name"] for entry in job.streams] == ["users"]


def test_a_start_whose_answer_is_lost_is_not_repeated(airbyte: Airbyte) -> None:
    fault = {"path": "/v1/connections/sync", "status": 504, "when": "after"}
    airbyte.server.instance.faults.add(fault)
    done = run("sync", "production", "--wait")
    assert done.exit_code == 0, done.output
    assert airbyte.jobs() == [("sync", "succeeded")]


def test_a_start_that_was_lost_on_its_way_is_said_so(airbyte: Airbyte) -> None:
    airbyte.server.instance.faults.add({"path": "/v1/connections/sync", "status": 504, "when": "before"})
    done = run("sync", "production", "--wait")
    assert done.exit_code == 1
    assert "no job was started" in done.stderr
    assert airbyte.jobs() == []


def test_what_cannot_run_is_refused_with_the_nearest_name(airbyte: Airbyte) -> None:
    for arguments, says in (
        (("sync", "productoin"), "no connection productoin. Did you mean production?"),
        (("clear", "production", "--stream", "user"), "user is not one of its streams; nothing was started. Did"),
    ):
        done = run(*arguments)
        assert done.exit_code == 1
        assert says in done.stderr
    airbyte.client.post("connections/update", {"connectionId": airbyte.connection_id, "status": "inactive"})
    done = run("sync", "production")
    assert done.exit_code == 1
    assert "production is inactive, so it can't sync" in done.stderr
    assert airbyte.jobs() == []


def test_a_name_that_two_connections_have_is_refused_with_their_ids(airbyte: Airbyte) -> None:
    other = airbyte.make("production")
    done = run("sync", "production")
    assert done.exit_code == 1
    assert airbyte.connection_id in done.stderr
    assert other in done.stderr
    assert run("sync", other, "--wait").exit_code == 0


def test_wrong_credentials_are_an_error_that_names_the_variables_and_no_secret(
    airbyte: Airbyte, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", "not-the-secret")
    result = run("sync", "production")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "they come from AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET." in result.stderr
    assert "not-the-secret" not in result.stderr


def test_without_a_server_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRBYTE_URL", raising=False)
    done = run("sync", "production")
    assert done.exit_code == 1
    assert "AIRBYTE_URL" in done.stderr
