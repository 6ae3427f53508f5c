"""Processes that outlive the command that started them, and the files that remember them.

A process is known by its command line, which is the same from start to end and has no secret in it; its id and start
time are only a short cut to it. So one that was started by a command that died before it could write the id down is
found again, and a number that the system has given to someone else's process since is never mistaken for ours.
"""

import contextlib
import fcntl
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.errors import SandboxError

LOOPBACK = ("127.0.0.1", "::1")
SERVER_PORTS = range(15000, 32000)
"""Below what systems give to outgoing connections: from 32768 on Linux, from 49152 elsewhere (RFC 6335)."""

CLOCK_DRIFT = 2.0
"""Seconds by which the start of one process may seem to differ: it is counted from boot, and clocks are corrected."""

_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""What this very process started, by process id."""


@dataclass(frozen=True)
class Process:
    """A process of ours that runs, or ran: its id, and its start in seconds since 1970 as the system counts them."""

    pid: int
    started: float

    def is_alive(self) -> bool:
        """Tell whether it still runs. What ended is dead, also while nobody has waited for it (a zombie)."""
        if self.pid in _children:
            return _children[self.pid].poll() is None
        return self._find() is not None

    def stop(self, seconds: float) -> None:
        """End it: ask (SIGTERM), and kill it and what it started when it has not ended after ``seconds``.

        Raises:
            SandboxError: it belongs to another user, or does not end at all.
        """
        try:
            if not (found := self._find()):
                return
            family = [*found.children(recursive=True), found]
            found.terminate()
            if self._ends_within(seconds):
                return
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied:
            raise SandboxError(
                f"Process {self.pid} belongs to another user, who has to stop it. Was the sandbox started with sudo?"
            ) from None
        if not self._ends_within(seconds):
            raise SandboxError(f"Process {self.pid} does not end, not even when killed.")

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _find(self) -> psutil.Process | None:
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < CLOCK_DRIFT
            # Of a killed process, the first thread may have ended while others still hold its port and its locks.
            ended = found.status() == psutil.STATUS_ZOMBIE and found.num_threads() <= 1
            return found if same and not ended else None
        except psutil.NoSuchProcess:
            return None


def start(command: Sequence[str], log: Path, environment: Mapping[str, str], directory: Path) -> Process:
    """Start ``command`` in a session of its own, so that neither Ctrl-C nor the end of this process reaches it.

    Its output goes to ``log``; the former log stays as ``<log>.1``. ``environment`` is added to ours.
    """
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    log.touch(mode=0o600)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            start_new_session=True,
        )
    _children[child.pid] = child
    return Process(child.pid, psutil.Process(child.pid).create_time())


def find(arguments: Sequence[str]) -> Process | None:
    """Return a running process whose command line has these arguments, one after the other, if there is one."""
    wanted = list(arguments)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            given = process.cmdline()
            if any(given[at : at + len(wanted)] == wanted for at in range(len(given))):
                return Process(process.pid, process.create_time())
    return None


def command_line(pid: int) -> list[str]:
    """Return the arguments of a running process; none if there is no such process."""
    try:
        return [str(part) for part in psutil.Process(pid).cmdline()]
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def port_is_free(port: int) -> bool:
    """Tell whether a server could listen on ``port`` of ``localhost``, and would be the only one there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    for host in LOOPBACK:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.5):
            return False
    return True


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses now.

    Not one that the system would give to outgoing connections, where it can be helped: between now and its use, and
    while a server that is to come back there is stopped, such a port may be given to anyone.
    """
    for port in random.sample(SERVER_PORTS, 100):
        if port_is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_private(file: Path, text: str) -> None:
    """Write ``file`` so that others cannot read it (mode 0600) and nobody ever sees half of it."""
    handle, half = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)  # 0600
    try:
        with os.fdopen(handle, "w") as output:
            output.write(text)
        Path(half).replace(file)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(file: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold ``file`` as a lock against other processes; call ``waiting`` once if another one has it.

    The system releases it when the holder dies. The holder may delete ``file``, and its directory, as their last act.
    """
    told = False
    while True:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        try:
            handle = file.open("a")
        except FileNotFoundError:
            continue  # the former holder deleted the directory
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    waiting()
                    told = True
                fcntl.flock(handle, fcntl.LOCK_EX)
            if not _is_at(handle.fileno(), file):
                continue  # the former holder deleted it: what we hold is no longer what others would ask for
            yield
            return


def _is_at(handle: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), file.stat())
    except FileNotFoundError:
        return False
