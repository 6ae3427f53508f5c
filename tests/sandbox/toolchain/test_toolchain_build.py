"""A build of several programs from a Go module, on a fake `go`: it says what it was asked, and makes what was named."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain import ToolchainError
from sandbox.toolchain._build import Build
from sandbox.toolchain._progress import numbered
from sandbox.toolchain._versions import GoModule

Script = Callable[[Path, str], Path]

GO = """
case "$1" in
version) echo go version go1.99.0 linux/amd64 ;;
list) echo "go: downloading example.test/a v1.0.0" >&2; for package in a b c d; do echo $package; done ;;
build)
  printf '%s\\n' "$@" > "$LOG"
  [ ! -e "$LOG.fail" ] || { echo "does not compile" >&2; exit 1; }
  while [ "$1" != -o ]; do shift; done
  touch "$2/one" "$2/server"
  ;;
esac
"""


@pytest.fixture
def module(tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> GoModule:
    """A module of two programs; a `go` on PATH that writes its arguments to `log`."""
    script(tmp_path / "bin" / "go", GO)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    (tmp_path / "go.mod").write_text("module m\n\ngo 1.20\n\nrequire (\n\texample.test/two/server/v3 v3.2.1\n)\n")
    return GoModule(tmp_path)


def build_of(module: GoModule) -> Build:
    programs = {"one": "example.test/one/cmd/one", "two": "example.test/two/server/v3"}
    return Build("Things 1", module, programs, stamps={"a.b": "v1", "c.d": "2"}, minutes=3)


def test_all_programs_are_built_at_once_and_have_the_names_they_are_known_by(
    module: GoModule, tmp_path: Path, said: list[str]
) -> None:
    destination = tmp_path / "made"
    destination.mkdir()

    build_of(module).make(destination, said.append)

    assert {path.name for path in destination.iterdir()} == {"one", "two"}
    arguments = (tmp_path / "log").read_text().splitlines()
    assert arguments[-2:] == ["example.test/one/cmd/one", "example.test/two/server/v3"]
    assert arguments[arguments.index("-ldflags") + 1].endswith("-X a.b=v1 -X c.d=2")
    assert said[0] == "building Things 1 from Go modules, once: about 3 minutes on 2 cores"


def test_a_build_that_fails_says_what_the_compiler_said(module: GoModule, tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "log.fail").touch()

    with pytest.raises(ToolchainError, match=r"(?s)Could not build Things 1: .*does not compile"):
        build_of(module).make(tmp_path, said.append)


def test_a_module_knows_what_it_pins(module: GoModule) -> None:
    assert module.version_of("example.test/two/server/v3") == (3, 2, 1)
    assert module.minimum_go == (1, 20, 0)


def test_steps_of_several_are_numbered_and_one_alone_is_not(said: list[str]) -> None:
    numbered(said.append, 2, 3)("working")
    numbered(said.append, 1, 1)("working")

    assert said == ["[2/3] working", "working"]


def test_the_command_refuses_a_name_that_it_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.toolchain", "docker"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "unknown: docker; there are pulumi, kubernetes" in done.stderr
