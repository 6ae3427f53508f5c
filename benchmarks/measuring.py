"""Running a command, and how long it took and how much memory all of its processes had at most."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_BETWEEN_LOOKS = 0.1


@dataclass(frozen=True)
class Cost:
    """Of one command: seconds of wall time and of CPU, and bytes, by the program that used them."""

    seconds: float
    cpu: Mapping[str, float]
    memory: Mapping[str, int]

    @property
    def cpu_seconds(self) -> float:
        """Of all processes together; other work on the machine has little part in it."""
        return sum(self.cpu.values())

    @property
    def peak(self) -> int:
        """The sum of each process's own peak, in bytes: what the command needs at most."""
        return sum(self.memory.values())


class CommandError(Exception):
    """A command failed; its text is what the command printed."""


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command to its end.

    Raises:
        CommandError: it failed.
    """
    usage: dict[int, tuple[str, float, int]] = {}
    log = folder / "printed.txt"
    started = time.perf_counter()
    with log.open("w") as printed:
        process = psutil.Popen(
            arguments,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        while True:
            _look(process, usage)
            try:
                code = process.wait(_BETWEEN_LOOKS)
                break
            except psutil.TimeoutExpired:
                continue
    seconds = time.perf_counter() - started
    if code:
        raise CommandError(f"{' '.join(arguments)} exited with {code}: {log.read_text()[-4000:]}")
    cpu: dict[str, float] = {}
    memory: dict[str, int] = {}
    for name, spent, peak in usage.values():
        cpu[name] = cpu.get(name, 0.0) + spent
        memory[name] = memory.get(name, 0) + peak
    return Cost(seconds, cpu, memory)


def _look(root: psutil.Process, usage: dict[int, tuple[str, float, int]]) -> None:
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            with process.oneshot():
                command = " ".join(process.cmdline())
                times, peak = process.cpu_times(), _peak(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied, FileNotFoundError):
            continue
        if not command:
            continue  # it has ended, and its last figures are those of the look before
        _, _, before = usage.get(process.pid, ("", 0.0, 0))
        usage[process.pid] = (_role(command), times.user + times.system, max(peak, before))


def _peak(process: psutil.Process) -> int:
    """The kernel's own count of the peak where there is one (Linux), else the present size."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)


def _role(command: str) -> str:
    """Which part of Pulumi a process is."""
    for mark, role in (
        ("pulumi.dynamic", "provider"),
        ("language-python-exec", "program"),
        ("pulumi-language-python", "language host"),
        ("pulumi-resource", "other"),
        ("pulumi ", "engine"),
    ):
        if mark in command:
            return role
    return "other"
