"""A Pulumi project with one stack, run by the real engine with the stand-in plugins."""

import json
import os
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sandbox.plugins import installation
from sandbox.toolchain import ensure

EXPECTED_NO_CHANGES = 7
"""The CLI's exit code when --expect-no-changes finds some."""


class Stack:
    """The stack, and the CLI; the program reads `given` from the variable GIVEN."""

    def __init__(self, folder: Path, environment: dict[str, str], given: dict[str, Any]) -> None:
        self.folder, self.environment, self.given = folder, environment, given
        self.said = ""

    def run(self, *arguments: str, exits: int = 0) -> str:
        """The CLI's output; fails when it exits otherwise."""
        environment = {**self.environment, "GIVEN": json.dumps(self.given)}
        command = ["pulumi", *arguments, "--non-interactive", "--color=never"]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, text=True, capture_output=True, timeout=300, check=False
        )
        output = done.stdout + done.stderr
        self.said += output
        assert done.returncode == exits, output
        return output

    def state(self) -> str:
        return "".join(path.read_text() for path in (self.folder / "state").rglob("*.json*") if path.is_file())


def stand_in_stack(
    folder: Path,
    project_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    given: dict[str, Any],
    *programs: Path,
) -> Stack:
    """A new stack of `program`, with stand-ins whatever can be had; `programs` are further folders of PATH."""
    monkeypatch.setattr(installation, "_reachable", lambda url: False)
    monkeypatch.setattr(installation, "_is_official", lambda folder, name: False)
    installation.install(folder / "home", print)
    (folder / "state").mkdir()
    (folder / "Pulumi.yaml").write_text(
        textwrap.dedent(f"""\
        name: plugins
        runtime:
          name: python
          options:
            virtualenv: {project_root / ".venv"}
        """)
    )
    (folder / "__main__.py").write_text(program)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(ensure(print).bin_dir), *map(str, programs), os.environ["PATH"]]),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    stack = Stack(folder, environment, given)
    stack.run("stack", "init", "test")
    return stack
