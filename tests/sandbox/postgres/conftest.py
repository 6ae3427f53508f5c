import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox import postgres

ROOT = Path(__file__).resolve().parents[3]


class Foreground:
    """`python -m sandbox.postgres`, past its first line."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.postgres", "--data", str(data), "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline().strip()
        self.port = int(self.first_line.rpartition(":")[2] or 0)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname="production",
            user="postgres",
            password=(self.data / "admin-password").read_text(),
            autocommit=True,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    data = tmp_path_factory.mktemp("postgres")
    with postgres.start(data) as running:
        yield running
    postgres.destroy(data)


@pytest.fixture
def admin(server: postgres.Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        yield connection


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory of the test's own, deleted with all that belongs to it."""
    directory = tmp_path / "data"
    yield directory
    postgres.destroy(directory)


@pytest.fixture
def public_data() -> Iterator[Path]:
    """A data directory that every account can reach."""
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)
        yield Path(parent) / "data"


@pytest.fixture
def foreground(data: Path) -> Iterator[Callable[[], Foreground]]:
    """Runs `python -m sandbox.postgres` on `data`; what still runs at the end is stopped."""
    started: list[Foreground] = []

    def start() -> Foreground:
        started.append(Foreground(data))
        return started[-1]

    yield start
    for each in started:
        each.process.terminate()
        each.process.communicate(timeout=30)
