"""The processes that the language host starts, and their orderly end.

Each child leads a process group of its own, so that ending it also ends what it started, and so that the
engine's interrupt of the language host does not print a KeyboardInterrupt from the middle of a program.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

GRACE = 3.0
"""Seconds a child has between SIGTERM and SIGKILL; the engine gives the host itself 5 before it kills it."""


class Children:
    """Starts processes and remembers them until they have ended. Safe to use from any thread."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        output: int | IO[bytes] | None = None,
        errors: int | IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process; `output` and `errors` as in subprocess, by default the host's own.

        Raises OSError where it cannot be started, and RuntimeError once everything was told to stop.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the language host is shutting down")
            process = subprocess.Popen(
                arguments,
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                process_group=0,
            )
            self._running.add(process)
            return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the end of `process`; its exit code, negative for the signal that ended it."""
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def stop(self, *processes: subprocess.Popen[bytes]) -> None:
        """End these processes and their descendants: asked first, then forced. Ended ones are left alone."""
        alive = [process for process in processes if process.poll() is None]
        for process in alive:
            _signal_group(process, signal.SIGTERM)
        for process in alive:
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)

    def stop_all(self) -> None:
        """End everything that runs now."""
        with self._lock:
            running = list(self._running)
        self.stop(*running)

    def close(self) -> None:
        """End everything, and start nothing any more."""
        with self._lock:
            self._closed = True
        self.stop_all()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
