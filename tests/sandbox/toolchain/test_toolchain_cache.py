"""An entry of the cache is whole and made once, whoever else is making it and whoever is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain import ToolchainError, cache_root
from sandbox.toolchain._cache import digest, entry

Eventually = Callable[[Callable[[], bool], str], None]

MAKER = """
import sys, time
from pathlib import Path
from sandbox.toolchain._cache import entry

log, go = Path(sys.argv[1]), Path(sys.argv[2])

def make(folder):
    (folder / "half").write_text("half")
    with log.open("a") as file:
        file.write("made\\n")
    while not go.exists():
        time.sleep(0.01)
    (folder / "whole").write_text("whole")

print(entry("thing", make, lambda line: print(line, flush=True)), flush=True)
"""


class Makers:
    """Processes that make the same entry; each waits in the middle of it until it may go on."""

    def __init__(self, tmp_path: Path) -> None:
        self.log = tmp_path / "log"
        self.go = tmp_path / "go"
        self.log.touch()

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", MAKER, str(self.log), str(self.go)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))

    def made(self) -> int:
        return self.log.read_text().count("made")


@pytest.fixture
def makers(tmp_path: Path, cache: Path) -> Makers:
    return Makers(tmp_path)


def test_two_runs_make_an_entry_once_and_the_second_says_that_it_waits(
    makers: Makers, cache: Path, eventually: Eventually
) -> None:
    first = makers.start()
    eventually(lambda: makers.made() == 1, "the first run is in the middle")
    second = makers.start()
    assert second.stdout is not None
    assert "waiting" in second.stdout.readline()
    makers.go.touch()

    assert first.communicate(timeout=30)[0].split() == [str(cache / "thing")]
    assert second.communicate(timeout=30)[0].splitlines()[-1] == str(cache / "thing")
    assert makers.made() == 1
    assert (cache / "thing" / "whole").exists()


def test_a_killed_run_leaves_nothing_that_looks_finished_and_the_next_cleans_up(
    makers: Makers, cache: Path, eventually: Eventually, said: list[str]
) -> None:
    with makers.start() as killed:
        eventually(lambda: makers.made() == 1, "the run is in the middle")
        killed.send_signal(signal.SIGKILL)
    assert not (cache / "thing").exists()

    path = entry("thing", lambda folder: (folder / "whole").touch(), said.append)

    assert [file.name for file in path.iterdir()] == ["whole"]
    assert {file.name for file in cache.iterdir()} == {"CACHEDIR.TAG", "thing", "thing.lock"}


def test_a_run_that_fails_leaves_nothing_and_passes_its_error_on(cache: Path, said: list[str]) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise ToolchainError("no luck")

    with pytest.raises(ToolchainError, match="no luck"):
        entry("thing", fail, said.append)
    assert {file.name for file in cache.iterdir()} == {"CACHEDIR.TAG", "thing.lock"}


def test_an_entry_that_is_there_is_not_made_again(cache: Path, said: list[str]) -> None:
    made: list[Path] = []
    for _ in range(2):
        entry("thing", made.append, said.append)
    assert len(made) == 1


def test_a_cache_that_cannot_be_written_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AIRBYTE_AS_CODE_CACHE", str(tmp_path / "file" / "cache"))

    with pytest.raises(ToolchainError, match="AIRBYTE_AS_CODE_CACHE"):
        entry("thing", lambda _: None, said.append)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AIRBYTE_AS_CODE_CACHE": "/a", "XDG_CACHE_HOME": "/x"}, Path("/a")),
        ({"XDG_CACHE_HOME": "/x"}, Path("/x/airbyte-as-code")),
        ({}, Path.home() / ".cache" / "airbyte-as-code"),
    ],
)
def test_the_cache_is_where_the_user_keeps_caches(environment: dict[str, str], expected: Path) -> None:
    assert cache_root(environment) == expected


def test_a_digest_tells_where_one_part_ends() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab", b"c") == digest(b"ab", "c")
