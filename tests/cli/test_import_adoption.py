"""A workspace made by hand, imported, and adopted by the project's own program on the real engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import toolchain
from tests.cli import handmade
from tests.cli.handmade import Api, Handmade

pytestmark = pytest.mark.e2e

MID = {"sources": 5, "with_secrets": 4, "destinations": 2, "connections": 6, "streams": 40}
FULL = {"sources": 50, "with_secrets": 33, "destinations": 4, "connections": 43, "streams": 1518}
READS = frozenset(
    {
        "applications/token",
        "instance_configuration",
        "sources/list_paginated",
        "destinations/list_paginated",
        "sources/get",
        "connections/list",
        "source_definitions/list_for_workspace",
        "destination_definitions/list_for_workspace",
        "source_definition_specifications/get",
        "destination_definition_specifications/get",
        "scoped_configuration/list",
        "actor_definition_versions/resolve",
        "actor_definition_versions/get_for_source",
        "actor_definition_versions/get_for_destination",
        "scheduler/sources/check_connection",
        "scheduler/destinations/check_connection",
        "sources/discover_schema",
        "tags/list",
    }
)
"""Operations that change nothing; `get_with_metadata` and its kin would be reads too, where a server has them."""


class Project:
    """A copy of the project with the imported files in place of its own."""

    def __init__(self, folder: Path, root: Path, api: Api) -> None:
        self.folder, self.api, self.printed = folder, api, ""
        state = folder / "state"
        state.mkdir(parents=True)
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(root / name, folder / name)
        (folder / ".venv").symlink_to(root / ".venv")
        self.env = {
            **os.environ,
            "PATH": f"{toolchain.ensure(print).bin_dir}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "tests",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONPATH": str(root),
            "AIRBYTE_URL": api.url,
            "AIRBYTE_CLIENT_ID": handmade.CLIENT_ID,
            "AIRBYTE_CLIENT_SECRET": handmade.CLIENT_SECRET,
        }

    def imported(self, expect: int) -> str:
        """Import, and set the stack up to adopt."""
        command = [sys.executable, "-m", "airbyte_cli", "import", "--out", "imported"]
        text = self._run(command, expect)
        config = {
            "airbyteUrl": "${AIRBYTE_URL}",
            "airbyteClientId": "${AIRBYTE_CLIENT_ID}",
            "airbyteClientSecret": "${AIRBYTE_CLIENT_SECRET}",
            "pipelinesPath": "imported/pipelines",
            "connectorsPath": "imported/connectors.yaml",
            "adopt": "true",
        }
        self.pulumi("stack", "init", "test")
        settings = self.folder / "Pulumi.test.yaml"
        head = settings.read_text() if settings.exists() else ""
        lines = [f"  airbyte-as-code:{key}: {json.dumps(value)}\n" for key, value in config.items()]
        settings.write_text(head + "config:\n" + "".join(lines))
        return text

    def fill_in(self, made: Handmade) -> dict[str, str]:
        """Set the variables, as the user does who knows the secrets."""
        values = made.environment(self.folder / "imported" / "import.env.example")
        self.env |= values
        return values

    def pulumi(self, *arguments: str, expect: int = 0) -> str:
        stack = () if arguments[0] == "stack" else ("--stack=test", "--color=never")
        return self._run(["pulumi", *arguments, *stack, "--non-interactive"], expect)

    def writes(self) -> list[str]:
        """The operations since the last time that are not known to change nothing."""
        made = [call for call in self.api.calls() if call not in READS and not call.endswith("get_with_metadata")]
        self.api.forget_calls()
        return made

    def state_bytes(self) -> int:
        return sum(f.stat().st_size for f in (self.folder / "state" / ".pulumi" / "stacks").rglob("test.json"))

    def everything_kept(self) -> str:
        return "\n".join(f.read_text() for f in (self.folder / "state").rglob("*") if f.is_file())

    def _run(self, command: list[str], expect: int) -> str:
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
        self.printed += done.stdout
        assert done.returncode == expect, done.stdout
        return done.stdout


@pytest.fixture
def api() -> Iterator[Api]:
    with handmade.serve() as server:
        yield Api(server.url)


def adopt(api: Api, folder: Path, root: Path, size: dict[str, int], *, complete: bool) -> Project:
    """Import and adopt, and assert that nothing was written and nothing is left to do; prints what it took."""
    made = handmade.make(api, **size)
    before = api.stored()
    assert len(json.loads(before)[0]["sources"]) == size["sources"]
    assert (len(made.connections), made.streams) == (size["connections"], size["streams"])
    project = Project(folder, root, api)
    api.forget_calls()
    took: dict[str, tuple[float, Counter[str]]] = {}

    def measured(name: str, *arguments: str) -> str:
        started = time.monotonic()
        text = project.imported(0 if complete else 3) if name == "import" else project.pulumi(*arguments)
        took[name] = (time.monotonic() - started, Counter(api.calls()))
        assert project.writes() == [], name
        return text

    measured("import")
    values = project.fill_in(made)
    assert f"{len(made.connected) + size['destinations']} " in project.printed
    measured("up", "up", "--yes", "--skip-preview")
    measured("preview", "preview", "--expect-no-changes")
    measured("refresh", "refresh", "--preview-only", "--expect-no-changes")
    for name, (seconds, calls) in took.items():
        print(f"{name}: {seconds:.1f} s, {calls.total()} calls ({dict(calls.most_common())}), 0 writes")  # noqa: T201
    print(f"state: {project.state_bytes()} bytes")  # noqa: T201
    assert api.stored() == before
    kept = project.everything_kept()
    for value in values.values():
        if value.startswith("secret-"):
            assert value not in kept
            assert value not in project.printed
    checks = sum(count for call, count in took["up"][1].items() if call.endswith("/check_connection"))
    with_secrets = min(size["with_secrets"], len(made.connected)) + size["destinations"]
    assert checks == with_secrets, "each object with secrets is checked with the declared ones"
    return project


def test_a_workspace_made_by_hand_is_adopted_without_a_write(api: Api, tmp_path: Path, project_root: Path) -> None:
    project = adopt(api, tmp_path / "project", project_root, MID, complete=True)

    exported = json.loads(project.pulumi("stack", "export", "--stack=test"))["deployment"]["resources"]
    kinds = Counter(resource["type"] for resource in exported)
    assert kinds["pulumi-python:dynamic/airbyte:Source"] == MID["sources"]
    assert kinds["pulumi-python:dynamic/airbyte:Connection"] == MID["connections"]
    outputs = [r["outputs"] for r in exported if r["type"].endswith(("airbyte:Source", "airbyte:Destination"))]
    assert Counter(o.get("adopted_secrets") for o in outputs) == {"verified": 6, None: 1}


@pytest.mark.slow
def test_the_full_size_workspace_is_adopted_without_a_write(api: Api, tmp_path: Path, project_root: Path) -> None:
    adopt(api, tmp_path / "project", project_root, FULL, complete=False)
