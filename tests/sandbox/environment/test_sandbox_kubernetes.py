"""The cluster in the sandbox: Airbyte is behind its pods, and your own cluster can stand in its place."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import psutil
import pytest

from sandbox.environment import Sandbox
from sandbox.errors import SandboxError
from sandbox.supervisor import ServiceStatus
from tests.kubectl import kubeconfig

ProcessesOf = Callable[[Path], list[psutil.Process]]

SERVERS = ("airbyte", "kubernetes")
OWN = "AIRBYTE_AS_CODE_KUBECONFIG"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    whole = Sandbox(tmp_path_factory.mktemp("kubernetes") / ".sandbox")
    whole.up(lambda _: None, SERVERS)
    yield whole
    whole.down(lambda _: None, purge=True)


def kubectl(env: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the `kubectl` that the variables lead to."""
    return subprocess.run(
        ["kubectl", *arguments], env={**os.environ, **env}, check=True, capture_output=True, text=True, timeout=60
    )


def status_of(sandbox: Sandbox, name: str) -> ServiceStatus:
    (found,) = (service for service in sandbox.status() if service.name == name)
    return found


def test_the_variables_lead_to_the_cluster_and_to_its_clients(sandbox: Sandbox) -> None:
    env = sandbox.env()

    assert status_of(sandbox, "kubernetes").state == "running"
    assert "simulated" in kubectl(env, "get", "nodes", "--output=name").stdout
    assert (Path(env["PATH"].split(os.pathsep)[0]) / "helm").exists()
    assert "airbyte-as-code" in sandbox.env_file.read_text()


def test_a_port_forward_to_a_pod_leads_to_airbyte(sandbox: Sandbox) -> None:
    env = sandbox.env()
    kubectl(env, "run", "server", "--image=example/server:1")
    kubectl(env, "wait", "pod/server", "--for=condition=Ready", "--timeout=30s")

    command = ["kubectl", "port-forward", "pod/server", ":8001", "--address=127.0.0.1"]
    with subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True) as forward:
        try:
            assert forward.stdout is not None
            said = re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", forward.stdout.readline())
            assert said is not None
            answer = httpx.get(f"http://127.0.0.1:{said[1]}/api/v1/health", trust_env=False, timeout=30)
        finally:
            forward.terminate()

    assert answer.json() == {"available": True}


def test_airbyte_takes_the_client_that_the_last_pod_of_its_server_was_started_with(sandbox: Sandbox) -> None:
    env = sandbox.env()
    own = {"client_id": env["AIRBYTE_CLIENT_ID"], "client_secret": env["AIRBYTE_CLIENT_SECRET"]}
    rotated = {"client_id": "rotated", "client_secret": "of-the-secret"}
    names = {"client_id": "AB_INSTANCE_ADMIN_CLIENT_ID", "client_secret": "AB_INSTANCE_ADMIN_CLIENT_SECRET"}

    def accepts(client: dict[str, str]) -> bool:
        return httpx.post(f"{env['AIRBYTE_URL']}/api/v1/applications/token", json=client).is_success

    kubectl(env, "create", "secret", "generic", "client", *(f"--from-literal={k}={v}" for k, v in rotated.items()))
    assert accepts(own)
    assert not accepts(rotated)

    variables = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "client", "key": key}}} for key, name in names.items()
    ]
    spec = {"containers": [{"name": "main", "image": "example/server:1", "env": variables}]}
    server = ("run", "airbyte", "--image=example/server:1", "--labels=airbyte=server")
    kubectl(env, *server, f"--overrides={json.dumps({'spec': spec})}")
    kubectl(env, "wait", "pod/airbyte", "--for=condition=Ready", "--timeout=30s")
    assert accepts(rotated)
    assert not accepts(own)


def test_your_own_cluster_is_used_instead_when_you_name_it(
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    processes_of: Callable[[Path], list[psutil.Process]],
) -> None:
    # Given a cluster that is not the sandbox's: another sandbox's
    own = Path(sandbox.env()["KUBECONFIG"])
    monkeypatch.setenv(OWN, str(own))
    mine = Sandbox(tmp_path / "mine")
    said: list[str] = []
    try:
        mine.up(said.append, ["kubernetes"])

        assert processes_of(mine.root) == []
        assert mine.env()["KUBECONFIG"] == str(own)
        found = status_of(mine, "kubernetes")
        assert (found.state, found.address) == ("running", status_of(sandbox, "kubernetes").address)
        assert OWN in found.title
        assert any("is your own" in line for line in said)
    finally:
        mine.down(lambda _: None, purge=True)
    assert own.exists()
    assert status_of(sandbox, "kubernetes").state == "running"


def test_your_own_cluster_that_does_not_exist_is_an_error_that_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OWN, str(tmp_path / "none"))
    with pytest.raises(SandboxError, match=f"{OWN} names the kubeconfig .*none, which does not exist"):
        Sandbox(tmp_path / "mine").up(lambda _: None, ["kubernetes"])

    (tmp_path / "empty").write_text("{}")
    monkeypatch.setenv(OWN, str(tmp_path / "empty"))
    with pytest.raises(SandboxError, match=f"{OWN} names, cannot be used"):
        Sandbox(tmp_path / "mine").up(lambda _: None, ["kubernetes"])


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Your own cluster is one that does not answer."""
    config = tmp_path / "config"
    config.write_text(kubeconfig("https://127.0.0.1:1"))
    monkeypatch.setenv(OWN, str(config))


def test_your_own_clients_are_used_with_your_own_cluster(
    unreachable: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kubectl", "helm"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    mine = Sandbox(tmp_path / "mine")

    mine.up(lambda _: None, ["kubernetes"])

    assert "PATH" not in mine.env()


def test_your_own_cluster_that_does_not_answer_is_not_called_running(unreachable: None, tmp_path: Path) -> None:
    mine = Sandbox(tmp_path / "mine")
    mine.up(lambda _: None, ["kubernetes"])

    assert status_of(mine, "kubernetes").state == "not answering"


def test_down_ends_the_cluster(sandbox: Sandbox, processes_of: Callable[[Path], list[psutil.Process]]) -> None:
    sandbox.down(lambda _: None)

    left = [process for process in processes_of(sandbox.root) if process.status() != psutil.STATUS_ZOMBIE]
    assert left == []
    assert {service.state for service in sandbox.status()} == {"stopped"}
