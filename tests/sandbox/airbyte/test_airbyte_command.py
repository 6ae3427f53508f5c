"""``python -m sandbox.airbyte``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sandbox.airbyte.settings import parse_connect_to
from sandbox.airbyte.versions import Release

REPOSITORY = Path(__file__).parents[3]


def begin(*options: str, secret: str | None = "of-the-environment") -> tuple[subprocess.Popen[str], str]:
    environment = {key: value for key, value in os.environ.items() if key != "AIRBYTE_CLIENT_SECRET"}
    environment |= {"PYTHONPATH": str(REPOSITORY)} | ({"AIRBYTE_CLIENT_SECRET": secret} if secret else {})
    command = [sys.executable, "-m", "sandbox.airbyte", "--port", "0", *options]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("airbyte sandbox listening on http://localhost:"), line
    return process, line.split()[-1]


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> str:
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    return errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly(number: signal.Signals) -> None:
    process, url = begin(
        "--version", "1.7.0", "--client-id", "me", "--workspace-id", "b0a1c2d3-0000-4000-8000-000000000001"
    )
    found = httpx.get(f"{url}/api/v1/instance_configuration").json()
    assert found["version"] == "1.7.0"
    assert found["defaultWorkspaceId"] == "b0a1c2d3-0000-4000-8000-000000000001"
    body = {"client_id": "me", "client_secret": "of-the-environment"}
    assert httpx.post(f"{url}/api/v1/applications/token", json=body).status_code == 200
    assert end(process, number) == ""


def test_without_a_secret_in_the_environment_one_is_invented_and_kept(tmp_path: Path) -> None:
    secrets = []
    for _ in range(2):
        process, url = begin("--data", str(tmp_path / "data"), secret=None)
        path = tmp_path / "data" / "client-secret"
        secrets.append(path.read_text())
        assert path.stat().st_mode & 0o077 == 0
        body = {"client_id": "sandbox", "client_secret": secrets[-1]}
        assert httpx.post(f"{url}/api/v1/applications/token", json=body).status_code == 200
        errors = end(process)
        assert str(path) in errors
        assert secrets[-1] not in errors
    assert secrets[0] == secrets[1]


def test_faults_and_open_access_can_be_asked_for_on_the_command_line() -> None:
    process, url = begin("--no-auth", "--fault", '{"path": "/v1/deployment/metadata", "status": 503}')
    statuses = [httpx.post(f"{url}/api/v1/deployment/metadata").status_code for _ in range(2)]
    end(process)
    assert statuses == [503, 200]


@pytest.mark.parametrize(
    "options", [["--version", "0.50.0"], ["--version", "latest"], ["--connect-to", "x"], ["--fault", "{}"]]
)
def test_wrong_options_are_refused(options: list[str]) -> None:
    command = [sys.executable, "-m", "sandbox.airbyte", "--port", "0", *options]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "AIRBYTE_CLIENT_SECRET": "x"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert run.returncode == 2
    assert options[0] in run.stderr or "path" in run.stderr


def test_connect_to_reads_like_curls() -> None:
    assert parse_connect_to("Snow.Example.com=127.0.0.1:99") == ("snow.example.com", ("127.0.0.1", 99))
    with pytest.raises(ValueError, match="HOST=ADDRESS:PORT"):
        parse_connect_to("snow.example.com:99")


def test_releases_compare_by_minor_version() -> None:
    assert Release.parse("v1.8").number == "1.8.0"
    assert Release.parse("HEAD").minor > Release.parse("2.0.1").minor
    assert Release.parse("1.6.3").within((1, 5), (1, 6))
    assert not Release.parse("1.7.0").within(None, (1, 6))
