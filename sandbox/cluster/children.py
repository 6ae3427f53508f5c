"""Child processes that end with this one, whatever ends it.

On Linux the system kills them when their parent dies (PR_SET_PDEATHSIG). Elsewhere, and should that ever fail, they
are written down and ended by the next start.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.processes import Process, write_private

STOP_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>; see prctl(2)."""


@dataclass(frozen=True)
class Ended:
    """A child that ended by itself: its exit status as subprocess gives it, and the file with its output."""

    name: str
    status: int
    log: Path


class Children:
    """Programs of this process, in the order in which they were started. `record` is the file to write them down in."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._running: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}
        # The system takes the end of the thread that started a child for the end of its parent: this one stays.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="children")

    def start(self, name: str, command: Sequence[str], log: Path) -> None:
        """Start a program; its output goes to `log`, the former log stays as `<log>.1`."""
        if log.exists():
            log.replace(log.with_name(f"{log.name}.1"))
        log.touch(mode=0o600)
        with log.open("ab") as output:
            child = self._starter.submit(_popen, command, output.fileno(), log.parent).result()
        self._running[name] = (child, log)
        processes = [[each.pid, psutil.Process(each.pid).create_time()] for each, _ in self._running.values()]
        write_private(self._record, json.dumps(processes))

    def ended(self) -> Ended | None:
        """Return the first that ended by itself, if one did."""
        for name, (child, log) in self._running.items():
            if (status := child.poll()) is not None:
                return Ended(name, status, log)
        return None

    def stop(self) -> None:
        """End all, the last started first; each is asked, and killed when it has not ended after some seconds."""
        for child, _ in reversed(self._running.values()):
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()
        self._record.unlink(missing_ok=True)
        self._starter.shutdown()


def end_leftovers(record: Path) -> bool:
    """End what a killed parent left according to its `record`; tell whether anything still ran."""
    try:
        written = [Process(int(pid), float(started)) for pid, started in json.loads(record.read_text())]
    except (FileNotFoundError, ValueError):
        return False
    alive = [process for process in reversed(written) if process.is_alive()]
    for process in alive:
        process.stop(STOP_SECONDS)
    record.unlink(missing_ok=True)
    return bool(alive)


def _popen(command: Sequence[str], output: int, directory: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=directory,
        start_new_session=True,  # Ctrl-C is for us: we end them in order
        preexec_fn=_end_with_parent() if sys.platform == "linux" else None,
    )


def _end_with_parent() -> Callable[[], None]:
    """Return what a child does between fork and exec so that it is killed when its parent dies."""
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


def wait_until(condition: Callable[[], bool], children: Children, seconds: float) -> bool:
    """Wait until `condition` holds; false when a child ended before, or the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if children.ended() or time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
