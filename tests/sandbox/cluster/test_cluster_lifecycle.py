"""The cluster as a process: it keeps its data, and leaves nothing behind, however it ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer

from sandbox import cluster as clusters
from sandbox.cluster import ClusterError
from sandbox.cluster.__main__ import environment, forward
from sandbox.cluster.pki import Authority
from tests.kubectl import Kubectl

ProcessesIn = Callable[[Path], list[psutil.Process]]
Poll = Callable[[Callable[[], Any], float], Any]

PROJECT = Path(__file__).resolve().parents[3]
PROGRAMS = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}


class Command:
    """`python -m sandbox.cluster` on one data directory."""

    def __init__(self, data: Path, cluster_programs: Path) -> None:
        self.data = data
        self.environment = data.parent / "written" / "environment.json"
        self._arguments = ["--data", str(data), "--toolchain", str(cluster_programs)]
        self._arguments += ["--environment", f"after={self.environment}"]
        self.kubectl = Kubectl(cluster_programs / "kubectl", data / "kubeconfig")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "subprocess.Popen[str]":
        """Start it and wait until it says that it is ready."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.cluster", *self._arguments],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert "listening on https://127.0.0.1:" in self._process.stdout.readline()
        return self._process

    def end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def command(tmp_path: Path, cluster_programs: Path) -> Iterator[Command]:
    made = Command(tmp_path / "cluster", cluster_programs)
    yield made
    made.end()


def test_whatever_is_killed_nothing_runs_on_and_nothing_is_lost(
    command: Command, processes_in: ProcessesIn, poll: Poll
) -> None:
    # Given a cluster with something in it
    first = command.start()
    command.kubectl("create", "configmap", "survivor")
    assert {process.name() for process in psutil.Process(first.pid).children()} == PROGRAMS

    # when the process is killed that holds it together, then its programs end with it
    first.kill()
    first.communicate()
    poll(lambda: not processes_in(command.data) or None, 10)

    # and the next start finds what was there, and runs pods
    second = command.start()
    command.kubectl.get("configmap", "survivor")
    command.kubectl("run", "after", "--image=example/server:1", "--labels=airbyte=after", "--env=A=1")
    command.kubectl.wait("pod/after", "condition=Ready")
    assert "simulated" in command.kubectl("logs", "after"), "the API server finds the node's kubelet at its new port"
    assert json.loads(command.environment.read_text()) == {"A": "1"}

    # When one of its programs is killed, then the whole ends and says so
    (etcd,) = (child for child in psutil.Process(second.pid).children() if child.name() == "etcd")
    etcd.send_signal(signal.SIGKILL)
    _, complaint = second.communicate(timeout=30)
    assert second.returncode == 1
    assert "because its etcd was killed by signal 9" in complaint
    assert str(command.data / "log" / "etcd.log") in complaint
    assert processes_in(command.data) == []


def test_what_a_killed_cluster_left_is_ended_where_the_system_did_not_end_it(tmp_path: Path) -> None:
    # Given a program that outlived the process that started it, as on systems that do not end it
    with subprocess.Popen(["sleep", "600"]) as leftover:
        started = psutil.Process(leftover.pid).create_time()
        (tmp_path / "children.json").write_text(json.dumps([[leftover.pid, started]]))

        assert clusters.stop(tmp_path) is True

        assert leftover.wait(timeout=10) == -signal.SIGTERM
    assert clusters.stop(tmp_path) is False


def test_a_process_that_has_the_number_of_a_former_program_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        (tmp_path / "children.json").write_text(json.dumps([[stranger.pid, 1000.0]]))

        assert clusters.stop(tmp_path) is False

        assert stranger.poll() is None
        stranger.kill()


def test_a_second_cluster_on_the_same_data_is_refused(cluster: clusters.Cluster, cluster_programs: Path) -> None:
    with pytest.raises(ClusterError, match="already runs"):
        clusters.start(cluster.data, bin_dir=cluster_programs)
    with pytest.raises(ClusterError, match="already runs"):
        clusters.destroy(cluster.data)


def test_a_port_that_is_taken_is_said_before_anything_is_started(
    cluster: clusters.Cluster, cluster_programs: Path, tmp_path: Path
) -> None:
    taken = int(cluster.url.rpartition(":")[2])

    with pytest.raises(ClusterError, match=f"cannot listen on 127.0.0.1:{taken}"):
        clusters.start(tmp_path / "data", taken, bin_dir=cluster_programs)


def test_only_the_owner_can_read_keys_and_logs(cluster: clusters.Cluster) -> None:
    assert {path.stat().st_mode & 0o077 for path in cluster.data.rglob("*") if path.is_file()} == {0}


def test_everything_listens_on_loopback_only(cluster: clusters.Cluster, processes_in: ProcessesIn) -> None:
    listening = {
        connection.laddr.ip
        for process in processes_in(cluster.data)
        if process.name() != "python"
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening == {"127.0.0.1"}


def test_what_etcd_trusts_is_not_what_the_api_server_trusts(cluster: clusters.Cluster) -> None:
    folder = cluster.data / "pki"

    assert Authority.of(folder, "ca").pem != Authority.of(folder, "etcd-ca").pem


@pytest.mark.parametrize("text", ["8001", "8001=host", "x=127.0.0.1:1", "8001=:1"])
def test_a_forward_that_cannot_be_read_is_an_error_that_shows_how(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"8001=127\.0\.0\.1:8000"):
        forward(text)


@pytest.mark.parametrize("text", ["server", "server=", "=file", "a b=file", "-=file", f"{'x' * 64}=file"])
def test_an_environment_that_cannot_be_read_is_an_error_that_shows_how(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"server=environment\.json"):
        environment(text)


def test_the_file_of_an_environment_may_have_an_equals_sign_in_its_name() -> None:
    assert environment("server=a=b.json") == ("server", Path("a=b.json"))
