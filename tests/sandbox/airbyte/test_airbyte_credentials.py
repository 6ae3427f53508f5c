"""The instance's application and the key of its tokens are those that its server was last started with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml

from sandbox.airbyte.credentials import VARIABLES
from sandbox.airbyte.server import start
from sandbox.airbyte.settings import Settings
from sandbox.processes import write_private
from tests.sandbox.airbyte.harness import SECRET, Api

StartAirbyte = Callable[..., Api]

OWN = {"client_id": "sandbox", "client_secret": SECRET}
FIRST = {"client_id": "the-admin", "client_secret": "the-first-secret"}
SECOND = {"client_id": "another-admin", "client_secret": "the-second-secret"}
SIGNATURE, OTHER_SIGNATURE = "1" * 32, "2" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "environment.json"


def restart(file: Path, signature: str | None = None, **client: str) -> None:
    """What the cluster does when a pod of the server starts."""
    given = {**client, **({"signature": signature} if signature else {})}
    write_private(file, json.dumps({"LOG_LEVEL": "INFO", **{VARIABLES[name]: value for name, value in given.items()}}))


def log_in(api: Api, client: dict[str, str]) -> httpx.Response:
    return api.call("applications/token", **client)


def lets_in(api: Api, token: str) -> bool:
    answer = api.http.post(
        "/api/v1/workspaces/get", json={"workspaceId": api.workspace}, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


def test_before_a_pod_of_the_server_starts_the_options_hold(start_airbyte: StartAirbyte, file: Path) -> None:
    api = start_airbyte(environment=file)

    assert log_in(api, OWN).status_code == 200
    assert log_in(api, FIRST).status_code == 400


def test_every_started_server_takes_its_own_client_and_refuses_the_former(
    start_airbyte: StartAirbyte, file: Path
) -> None:
    api = start_airbyte(environment=file)
    before = OWN
    for client in (FIRST, SECOND, {**SECOND, "client_secret": "the-third-secret"}):
        restart(file, **client)

        assert log_in(api, before).status_code == 400
        assert log_in(api, client).status_code == 200
        before = client


def test_tokens_outlive_the_client_that_asked_for_them_and_end_with_the_signature(
    start_airbyte: StartAirbyte, file: Path
) -> None:
    api = start_airbyte(environment=file)
    own = log_in(api, OWN).json()["access_token"]
    restart(file, SIGNATURE, **FIRST)
    assert not lets_in(api, own)
    first = log_in(api, FIRST).json()["access_token"]

    restart(file, SIGNATURE, **SECOND)
    assert lets_in(api, first)

    restart(file, OTHER_SIGNATURE, **SECOND)
    assert not lets_in(api, first)
    assert lets_in(api, log_in(api, SECOND).json()["access_token"])


def test_what_the_server_was_not_given_is_that_of_the_options(start_airbyte: StartAirbyte, file: Path) -> None:
    api = start_airbyte(environment=file)
    restart(file, client_id="", client_secret="the-first-secret")

    assert log_in(api, {**FIRST, "client_id": "sandbox"}).status_code == 200


def test_the_file_of_a_server_that_was_started_before_holds_from_the_beginning(file: Path) -> None:
    restart(file, **FIRST)
    with start(Settings(client_secret=SECRET, environment=file)) as server:
        token = f"{server.url}/api/v1/applications/token"

        assert httpx.post(token, json=OWN).status_code == 400
        assert httpx.post(token, json=FIRST).status_code == 200


@pytest.mark.parametrize("content", ["", "[]", '{"half'])
def test_a_file_that_holds_something_else_is_refused_by_name(file: Path, content: str) -> None:
    file.write_text(content)
    command = [sys.executable, "-m", "sandbox.airbyte", "--port", "0", "--environment", str(file)]

    run = subprocess.run(
        command, env={**os.environ, "AIRBYTE_CLIENT_SECRET": "x"}, capture_output=True, text=True, timeout=30
    )

    assert run.returncode == 2
    assert f"{file} is not a JSON object of environment variables" in run.stderr


def test_the_chart_names_the_variables_like_this(cluster_programs: Path, project_root: Path) -> None:
    chart = project_root / "sandbox" / "cluster" / "chart"
    rendered = subprocess.run(
        [cluster_programs / "helm", "template", "airbyte", chart, "--show-only", "templates/deployments.yaml"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip

    (server,) = [
        each
        for each in yaml.safe_load_all(rendered.stdout)
        if each["kind"] == "Deployment" and each["metadata"]["labels"]["airbyte"] == "server"
    ]
    (container,) = server["spec"]["template"]["spec"]["containers"]
    assert {each["name"] for each in container["env"]} >= set(VARIABLES.values())
