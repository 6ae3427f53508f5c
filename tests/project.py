"""A project of a test's own on the real Pulumi engine."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STACK = "Pulumi.sandbox.yaml"
FILES = ("Pulumi.yaml", STACK, "__main__.py", "connectors.yaml", "pipelines")
"""The project's own, which a copy of it is made of."""


@dataclass(frozen=True)
class Finished:
    """A finished command."""

    code: int
    text: str


class Project:
    """A copy of some of the project's own files, with a state of its own and one stack."""

    def __init__(self, folder: Path, source: Path, env: dict[str, str], *, files: Sequence[str], stack: str) -> None:
        self.folder, self.stack = folder, stack
        folder.mkdir(parents=True)
        for name in files:
            copy: Callable[..., Any] = shutil.copytree if (source / name).is_dir() else shutil.copy
            copy(source / name, folder / name)
        (folder / ".venv").symlink_to(source / ".venv")
        state = folder / "state"
        state.mkdir()
        self.env = {**os.environ, **env, "PULUMI_BACKEND_URL": state.as_uri()}
        self.log = ""
        self.pulumi("stack", "init", stack, expect=0)

    def pulumi(self, *arguments: str, expect: int | None = None) -> Finished:
        """Run a Pulumi command; with `expect`, assert its exit code."""
        command = ["pulumi", *arguments, "--non-interactive"]
        if arguments[0] in ("preview", "up", "refresh", "destroy"):
            command += ["--stack", self.stack, "--color", "never"]
        return self.run(*command, expect=expect)

    def run(self, *command: str, expect: int | None = None) -> Finished:
        """Run a command in the project's folder; what it prints is kept in `log`."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.env,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        self.log += done.stdout
        if expect is not None:
            assert done.returncode == expect, done.stdout
        return Finished(done.returncode, done.stdout)

    def up(self, expect: int | None = 0) -> Finished:
        """`pulumi up` without questions."""
        return self.pulumi("up", "--yes", "--skip-preview", expect=expect)

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Replace text in a file; every text must be there."""
        file = self.folder / name
        text = file.read_text()
        for old, new in changes:
            assert old in text, f"{old!r} is not in {name}"
            text = text.replace(old, new)
        file.write_text(text)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        done = self.pulumi("stack", "output", "--json", "--stack", self.stack, expect=0)
        found: dict[str, Any] = json.loads(done.text)
        return found

    def state_text(self) -> str:
        """Everything that is stored of the stack, history and backups included."""
        return "\n".join(file.read_text() for file in sorted((self.folder / "state").rglob("*")) if file.is_file())

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state."""
        exported = self.pulumi("stack", "export", "--stack", self.stack, expect=0)
        found = json.loads(exported.text)["deployment"].get("resources") or []
        return [each for each in found if each["type"] != "pulumi:pulumi:Stack"]
