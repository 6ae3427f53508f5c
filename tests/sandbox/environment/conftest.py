import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from sandbox import processes
from sandbox.environment import Sandbox
from tests.sandbox.environment.fakes import fakes

BOTH = ("alpha", "beta")


@dataclass
class Lab:
    """A sandbox of two fake services, and what it said."""

    root: Path
    ports: tuple[int, int]
    said: list[str] = field(default_factory=list)

    @property
    def sandbox(self) -> Sandbox:
        """A new object each time, as in a new command."""
        return Sandbox(self.root, fakes(*self.ports))

    def up(self) -> None:
        self.sandbox.up(self.said.append, BOTH)

    def down(self, purge: bool = False) -> None:
        self.sandbox.down(self.said.append, purge)

    def starts(self, name: str) -> list[int]:
        """The process ids that the service ever had."""
        file = self.root / name / "starts"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def pids(self) -> dict[str, int | None]:
        return {service.name: service.pid for service in self.sandbox.status()}

    def states(self) -> set[str]:
        return {service.state for service in self.sandbox.status()}


def running(root: Path) -> list[psutil.Process]:
    """The processes whose command line names something in `root`."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(f"{root}/" in part for part in process.info["cmdline"] or ())
    ]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "box", (processes.free_port(), processes.free_port()))
    yield made
    for name in BOTH:
        (made.root / name / "stubborn").unlink(missing_ok=True)
    made.down()
    for process in running(made.root):
        process.kill()
    shutil.rmtree(made.root, ignore_errors=True)


@pytest.fixture
def processes_of() -> Callable[[Path], list[psutil.Process]]:
    return running
