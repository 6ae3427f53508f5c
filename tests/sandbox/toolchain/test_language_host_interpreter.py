from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.language_host.interpreter import Interpreter, OptionsError, resolve

Script = Callable[[Path, str], Path]


def test_the_virtualenv_option_is_relative_to_the_project(tmp_path: Path, script: Script) -> None:
    python = script(tmp_path / "env" / "bin" / "python", "")

    assert resolve({"virtualenv": "env"}, tmp_path, {}) == Interpreter(python, tmp_path / "env")


def test_uv_projects_have_their_environment_in_dot_venv(tmp_path: Path, script: Script) -> None:
    python = script(tmp_path / ".venv" / "bin" / "python", "")

    assert resolve({"toolchain": "uv"}, tmp_path, {}).python == python


def test_a_virtual_environment_that_is_not_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match=r"'env'.*python3 -m venv"):
        resolve({"virtualenv": "env"}, tmp_path, {})


@pytest.mark.parametrize("options", [{"typechecker": "mypy"}, {"toolchain": "poetry"}])
def test_what_this_host_cannot_do_is_refused_by_name(options: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match=next(iter(options.values())) if "toolchain" in options else "typechecker"):
        resolve(options, tmp_path, {})


def test_without_a_virtualenv_python_is_found_on_path(tmp_path: Path, script: Script) -> None:
    python = script(tmp_path / "python3", "")

    assert resolve({}, tmp_path, {"PATH": str(tmp_path)}) == Interpreter(python, None)


def test_the_user_s_python_command_comes_before_python3(tmp_path: Path, script: Script) -> None:
    script(tmp_path / "python3", "")
    wanted = script(tmp_path / "python3.13", "")

    environment = {"PATH": str(tmp_path), "PULUMI_PYTHON_CMD": "python3.13"}
    assert resolve({}, tmp_path, environment).python == wanted


def test_an_activated_environment_is_first_on_path_and_forgets_pythonhome(tmp_path: Path) -> None:
    interpreter = Interpreter(tmp_path / "env" / "bin" / "python", tmp_path / "env")

    assert interpreter.activate({"PATH": "/usr/bin", "PYTHONHOME": "/x", "HOME": "/h"}) == {
        "PATH": f"{tmp_path}/env/bin:/usr/bin",
        "VIRTUAL_ENV": f"{tmp_path}/env",
        "HOME": "/h",
    }
