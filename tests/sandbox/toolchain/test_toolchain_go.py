"""Which Go builds, on fake ones: each answers `go version`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain import ToolchainError
from sandbox.toolchain._go import on_path
from sandbox.toolchain._progress import heartbeat, run

Script = Callable[[Path, str], Path]

MINIMUM = (1, 25, 11)


@pytest.mark.parametrize("version", ["go1.25.11 linux/amd64", "go1.26 linux/arm64", "go1.30.1 darwin/arm64"])
def test_a_recent_go_on_path_is_used(version: str, tmp_path: Path, script: Script, said: list[str]) -> None:
    go = script(tmp_path / "go", f"echo go version {version}")

    assert on_path(MINIMUM, said.append, {"PATH": str(tmp_path)}) == go


@pytest.mark.parametrize("answer", ["echo go version go1.25.10 linux/amd64", "echo gopher", "exit 2"])
def test_an_old_or_broken_go_on_path_is_passed_over(
    answer: str, tmp_path: Path, script: Script, said: list[str]
) -> None:
    script(tmp_path / "go", answer)

    assert on_path(MINIMUM, said.append, {"PATH": str(tmp_path)}) is None
    assert "not used" in said[0]


def test_go_is_never_asked_in_a_way_that_lets_it_download_another(
    tmp_path: Path, script: Script, said: list[str]
) -> None:
    script(tmp_path / "go", '[ "$GOTOOLCHAIN" = local ] && echo go version go1.26.0 linux/amd64')

    assert on_path(MINIMUM, said.append, {"PATH": str(tmp_path), "GOTOOLCHAIN": "auto"}) is not None


def test_a_long_step_says_so_at_every_interval(said: list[str]) -> None:
    done = 0
    with heartbeat(said.append, lambda: f"{done} done", interval=0.01):
        while len(said) < 2:
            done += 1

    assert all(line.endswith(" done") for line in said)


def test_a_program_that_fails_is_told_with_its_last_words(tmp_path: Path, script: Script) -> None:
    program = script(tmp_path / "program", "echo first; echo the reason >&2; exit 3")
    lines: list[str] = []

    with pytest.raises(ToolchainError, match=r"Could not try it: .* ended with code 3\.\nfirst\nthe reason"):
        run([program], doing="try it", environment={}, directory=tmp_path, on_line=lines.append)
    assert lines == ["first", "the reason"]


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"Could not try it: .*No such file"):
        run([tmp_path / "none"], doing="try it", environment={}, directory=tmp_path)
