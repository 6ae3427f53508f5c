"""Which Python runs a program: the options of `Pulumi.yaml`'s ``runtime`` section, read as Pulumi documents them."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUPPORTED_OPTIONS = {"virtualenv", "toolchain"}
SUPPORTED_TOOLCHAINS = {"pip", "uv"}


class OptionsError(Exception):
    """The runtime options of a project cannot be met; says which one and what to do."""


@dataclass(frozen=True)
class Interpreter:
    """A Python to run programs with; `virtualenv` is None for one outside any virtual environment."""

    python: Path
    virtualenv: Path | None

    def activate(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return `environment` as the virtual environment's activate script would leave it."""
        if self.virtualenv is None:
            return dict(environment)
        active = {name: value for name, value in environment.items() if name != "PYTHONHOME"}
        active["VIRTUAL_ENV"] = str(self.virtualenv)
        active["PATH"] = os.pathsep.join(
            part for part in (str(self.python.parent), environment.get("PATH", "")) if part
        )
        return active


def resolve(options: Mapping[str, Any], root: Path, environment: Mapping[str, str]) -> Interpreter:
    """Choose the interpreter that `options` ask for.

    A `virtualenv` is relative to `root`, the folder of `Pulumi.yaml`; ``toolchain: uv`` defaults it to `.venv`.
    Without one: `PULUMI_PYTHON_CMD`, then python3 and python on PATH
    (https://www.pulumi.com/docs/iac/languages-sdks/python/#virtual-environments).

    Raises OptionsError for an option this host does not know, or a virtual environment that is not there.
    """
    _refuse_unknown(options)
    name = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
    if name is None:
        return Interpreter(_ambient_python(environment), virtualenv=None)
    virtualenv = root / str(name)
    python = virtualenv / "bin" / "python"
    if not python.exists():
        raise OptionsError(
            f"the virtualenv option in Pulumi.yaml is {str(name)!r}, but {virtualenv} is not a virtual environment. "
            f"Create it with `python3 -m venv {virtualenv}` and install the project's requirements into it."
        )
    return Interpreter(python, virtualenv)


def _refuse_unknown(options: Mapping[str, Any]) -> None:
    unknown = sorted(set(options) - SUPPORTED_OPTIONS)
    if unknown:
        raise OptionsError(
            f"the runtime option {unknown[0]!r} in Pulumi.yaml is not supported by the sandbox's Python language "
            f"host (it knows {', '.join(sorted(SUPPORTED_OPTIONS))}). Remove it, or install the official Pulumi CLI."
        )
    toolchain = options.get("toolchain", "pip")
    if toolchain not in SUPPORTED_TOOLCHAINS:
        raise OptionsError(
            f"the toolchain {toolchain!r} in Pulumi.yaml is not supported by the sandbox's Python language host "
            f"(it knows {', '.join(sorted(SUPPORTED_TOOLCHAINS))}). Use one of these, or install "
            "the official Pulumi CLI."
        )


def _ambient_python(environment: Mapping[str, str]) -> Path:
    wanted = environment.get("PULUMI_PYTHON_CMD")
    for name in [wanted] if wanted else ["python3", "python"]:
        found = shutil.which(name, path=environment.get("PATH"))
        if found:
            return Path(found)
    if wanted:
        raise OptionsError(f"PULUMI_PYTHON_CMD is {wanted!r}, which is not on PATH.")
    return Path(sys.executable)
