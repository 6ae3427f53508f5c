"""Starting and stopping the cluster."""

import atexit
import fcntl
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sandbox import processes, toolchain
from sandbox.cluster import api, programs
from sandbox.cluster.children import Children, Ended, end_leftovers, wait_until
from sandbox.cluster.containers import Containers, Environments
from sandbox.cluster.errors import ClusterError, PortTakenError
from sandbox.cluster.pki import LOOPBACK
from sandbox.cluster.programs import Layout, Ports

START_SECONDS = 60.0
LAST_WORDS = 8
"""Lines of a log that an error shows."""

ATTEMPTS = 3
"""Starts that are tried when other programs take ports between our choice of them and their use."""

RECORD = "children.json"

Forwards = Mapping[int, tuple[str, int]]
"""By the port of a pod, the host and port that a port-forward to it really leads to."""


class Cluster:
    """A running cluster. Use it as a context manager, or call :meth:`stop`.

    ``kubeconfig`` is the administrator's (mode 0600), ``url`` the API server's address, ``bin_dir`` the folder with
    ``kubectl`` and ``helm``.
    """

    def __init__(self, data: Path, bin_dir: Path) -> None:
        self.data = data
        self.bin_dir = bin_dir
        self.kubeconfig = data / "kubeconfig"
        self.url = ""
        self._lock: IO[str] | None = None
        self._children = Children(data / RECORD)
        self._containers: Containers | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> ClusterError:
        """Wait until one of the programs ends by itself; return what there is to say about it."""
        while (ended := self._children.ended()) is None:
            time.sleep(0.2)
        return _why(ended)

    def stop(self) -> None:
        """End all programs. Data stays. Safe to call twice."""
        atexit.unregister(self.stop)
        if self._containers:
            self._containers.stop()
        self._children.stop()
        if self._lock:
            self._lock.close()

    def _start(self, port: int, forwards: Forwards, environments: Environments) -> None:
        """Do what :func:`start` says."""
        self._lock = _lock(self.data)
        end_leftovers(self.data / RECORD)
        if port and not processes.port_is_free(port):
            raise ClusterError(
                f"The Kubernetes cluster cannot listen on {LOOPBACK}:{port}: another program does. "
                "Choose another port, or 0 for a free one."
            )
        ports = Ports(port or processes.free_port(), *(processes.free_port() for _ in range(3)))
        layout = Layout(self.data, self.bin_dir, ports)
        self.url = layout.url
        programs.prepare(layout, forwards, environments.keys())
        self._run("etcd", programs.etcd(layout), layout)
        self._until(lambda: _listens(ports.etcd), "etcd does not listen", layout)
        self._run("kube-apiserver", programs.apiserver(layout), layout)
        with api.connect(self.data, ports.api) as client:
            self._until(lambda: api.answers(client), "the API server is not ready", layout)
            self._until(lambda: api.provide_node(client), "there is no node", layout)
            if environments:
                for file in environments.values():
                    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._containers = Containers(environments, lambda: api.connect(self.data, ports.api))
            self._run("kube-controller-manager", programs.controller_manager(layout), layout)
            self._run("kube-scheduler", programs.scheduler(layout), layout)
            self._run("kwok", programs.simulator(layout), layout)
            self._until(lambda: api.takes_pods(client), "pods could not be run yet", layout)

    def _run(self, name: str, command: list[str], layout: Layout) -> None:
        self._children.start(name, command, layout.log(name))

    def _until(self, condition: Callable[[], bool], what: str, layout: Layout) -> None:
        if wait_until(condition, self._children, START_SECONDS):
            return
        if ended := self._children.ended():
            raise _why(ended)
        raise ClusterError(
            f"The Kubernetes cluster in {self.data} did not become ready: after {START_SECONDS:.0f} s, {what}. "
            f"The logs of its programs are in {layout.log('etcd').parent}."
        )


def start(
    data: Path,
    port: int = 0,
    *,
    forwards: Forwards | None = None,
    environments: Environments | None = None,
    bin_dir: Path | None = None,
) -> Cluster:
    """Start a cluster on the directory ``data``, made on the first start. ``port`` 0 is any free one.

    ``forwards`` is by the port of a pod, of any pod: where a port-forward to it really leads. ``environments`` is by
    the label ``airbyte`` of a pod: the file (JSON, mode 0600) that holds the variables of its main container before it
    is ready, and until the next such pod starts. The programs are those in ``bin_dir``; if not given,
    :func:`sandbox.toolchain.ensure_kubernetes` provides them, which may take minutes.

    Raises:
        ClusterError: the port is taken, the directory is in use, or a program ended instead of becoming ready.
        ToolchainError: the programs cannot be had.
    """
    data = Path(data).absolute()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    bin_dir = bin_dir or toolchain.ensure_kubernetes(print).bin_dir
    files = {component: Path(file).absolute() for component, file in (environments or {}).items()}
    for attempt in range(1, ATTEMPTS + 1):
        cluster = Cluster(data, bin_dir)
        try:
            cluster._start(port, forwards or {}, files)  # noqa: SLF001 - of this module
            break
        except PortTakenError:
            cluster.stop()
            if attempt == ATTEMPTS:
                raise
        except BaseException:
            cluster.stop()
            raise
    atexit.register(cluster.stop)
    return cluster


def stop(data: Path) -> bool:
    """End what a killed cluster left on ``data``; tell whether there was anything.

    Raises:
        ClusterError: the cluster runs (stop that instead).
    """
    data = Path(data).absolute()
    if not data.is_dir():
        return False
    with _lock(data):
        return end_leftovers(data / RECORD)


def destroy(data: Path) -> None:
    """Do what :func:`stop` does, then delete the data directory for good.

    Raises:
        ClusterError: as :func:`stop` does.
    """
    stop(data)
    shutil.rmtree(data, ignore_errors=True)


def answers(data: Path, port: int) -> bool:
    """Tell whether the cluster on ``data``, whose API server is on ``port``, is ready."""
    try:
        with api.connect(Path(data), port) as client:
            return api.answers(client)
    except OSError:  # never started: it has no keys yet
        return False


def _lock(data: Path) -> IO[str]:
    """Hold the data directory: two clusters on one would end each other's programs as leftovers."""
    file = data / "lock"
    file.touch(mode=0o600)
    lock = file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ClusterError(
            f"A Kubernetes cluster already runs on {data}, started by another process. Use that one, or stop it first."
        ) from None
    return lock


def _why(ended: Ended) -> ClusterError:
    log = ended.log.read_text(errors="replace")
    kind = PortTakenError if "address already in use" in log else ClusterError
    words = "\n".join(log.splitlines()[-LAST_WORDS:])
    how = f"was killed by signal {-ended.status}" if ended.status < 0 else f"ended with status {ended.status}"
    return kind(
        f"The Kubernetes cluster ended, because its {ended.name} {how}. "
        f"Start it again: its data is kept. The end of the log, {ended.log}:\n{words}"
    )


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
