"""Which Python the launcher takes, on fake ones: each says whether it has the packages, and its name when started."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain import _language_host

Script = Callable[[Path, str], Path]

FAKE = '[ "$1" = -c ] && exit {lacks}; echo "{name} $*"'


class Machine:
    """A language host set up with `recorded`, and fake Pythons to choose from."""

    def __init__(self, folder: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._script = script
        (folder / "project").mkdir()
        said: list[str] = []

        def fetch(destination: Path, _: object) -> None:
            (destination / "pulumi-language-python-exec").touch()

        monkeypatch.setattr(_language_host, "fetch_python_programs", fetch)
        pulumi = script(folder / "bin" / "pulumi", "exit 0")
        recorded = str(folder / "recorded with space" / "python")
        self.host = _language_host.folder_with(pulumi, "host", said.append, recorded) / "pulumi-language-python"

    def python(self, path: str, name: str, *, suitable: bool = True) -> str:
        return str(self._script(self.folder / path, FAKE.format(name=name, lacks=0 if suitable else 1)))

    def launch(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.host, "127.0.0.1:9"],
            env={"PATH": "/usr/bin:/bin", **environment},
            cwd=self.folder / "project",
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path, cache: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, script, monkeypatch)


def test_the_python_that_was_named_comes_before_all(machine: Machine) -> None:
    machine.python("recorded with space/python", "recorded")
    machine.python("active/bin/python", "active")
    named = machine.python("named", "named")

    launched = machine.launch(AIRBYTE_AS_CODE_PYTHON=named, VIRTUAL_ENV=str(machine.folder / "active"))

    assert launched.stdout.startswith("named ")


def test_an_active_virtual_environment_comes_before_the_recorded_python(machine: Machine) -> None:
    machine.python("recorded with space/python", "recorded")
    machine.python("active/bin/python", "active")

    assert machine.launch(VIRTUAL_ENV=str(machine.folder / "active")).stdout.startswith("active ")


def test_the_recorded_python_is_given_the_host_its_executor_and_the_engine(machine: Machine) -> None:
    machine.python("recorded with space/python", "recorded")

    folder = machine.host.parent
    executor = f"--executor {folder}/pulumi-language-python-exec"
    assert machine.launch().stdout == f"recorded -u {folder}/pulumi-language-python.pyz {executor} 127.0.0.1:9\n"


def test_once_the_recorded_python_is_gone_the_project_s_own_is_taken(machine: Machine) -> None:
    machine.python("project/.venv/bin/python", "project")

    assert machine.launch().stdout.startswith("project ")


def test_a_python_without_the_packages_is_passed_over(machine: Machine) -> None:
    machine.python("recorded with space/python", "recorded", suitable=False)
    machine.python("path/python3", "on PATH")

    launched = machine.launch(PATH=f"{machine.folder / 'path'}:/usr/bin:/bin")

    assert launched.stdout.startswith("on PATH ")


def test_without_any_suitable_python_the_user_is_told_what_to_do(machine: Machine) -> None:
    machine.python("path/python3", "on PATH", suitable=False)

    launched = machine.launch(PATH=f"{machine.folder / 'path'}:/usr/bin:/bin")

    assert launched.returncode == 1
    assert "grpcio" in launched.stderr
    assert "AIRBYTE_AS_CODE_PYTHON" in launched.stderr


def test_the_packed_host_needs_nothing_of_this_checkout(machine: Machine, tmp_path: Path) -> None:
    """It is started by a real Python in a folder from which this checkout cannot be imported."""
    launched = subprocess.run(
        [sys.executable, machine.host.with_name("pulumi-language-python.pyz"), "--help"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "--executor" in launched.stdout, launched.stderr
