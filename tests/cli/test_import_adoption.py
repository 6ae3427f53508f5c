"""A workspace made by hand, imported, and adopted by the project's own program on the real engine."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import toolchain
from tests.cli import handmade
from tests.cli.handmade import Handmade
from tests.cli.handmade_api import CLIENT_ID, CLIENT_SECRET, Api, serve
from tests.project import Project

pytestmark = pytest.mark.e2e

MID = {"sources": 7, "with_secrets": 4, "destinations": 2, "connections": 6, "streams": 40}
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
        "source_definition_specifications/get_for_source",
        "destination_definition_specifications/get_for_destination",
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


class Adopting(Project):
    """A project whose pipelines are imported; the files of its own are the program alone."""

    def __init__(self, folder: Path, root: Path, api: Api) -> None:
        self.api = api
        env = {
            "PATH": f"{toolchain.ensure(print).bin_dir}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "tests",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONPATH": str(root),
            "AIRBYTE_URL": api.url,
            "AIRBYTE_CLIENT_ID": CLIENT_ID,
            "AIRBYTE_CLIENT_SECRET": CLIENT_SECRET,
        }
        super().__init__(folder, root, env, files=("Pulumi.yaml", "__main__.py"), stack="test")
        config = {
            "airbyteUrl": "${AIRBYTE_URL}",
            "airbyteClientId": "${AIRBYTE_CLIENT_ID}",
            "airbyteClientSecret": "${AIRBYTE_CLIENT_SECRET}",
            "pipelinesPath": "imported/pipelines",
            "connectorsPath": "imported/connectors.yaml",
            "adopt": "true",
        }
        settings = folder / "Pulumi.test.yaml"
        head = settings.read_text() if settings.exists() else ""
        lines = [f"  airbyte-as-code:{key}: {json.dumps(value)}\n" for key, value in config.items()]
        settings.write_text(head + "config:\n" + "".join(lines))

    def imports(self) -> None:
        """Import everything; exit code 0 says that nothing of the workspace is in no file."""
        self.run(sys.executable, "-m", "airbyte_cli", "import", "--out", "imported", expect=0)

    def fill_in(self, made: Handmade) -> dict[str, str]:
        """Set the variables, as the user does who knows the secrets."""
        values = made.environment(self.folder / "imported" / "import.env.example")
        self.env |= values
        return values

    def writes(self) -> list[str]:
        """The operations since the last time that are not known to change nothing."""
        made = [call for call in self.api.calls() if call not in READS and not call.endswith("get_with_metadata")]
        self.api.forget_calls()
        return made

    def state_bytes(self) -> int:
        return sum(f.stat().st_size for f in (self.folder / "state" / ".pulumi" / "stacks").rglob("test.json"))


@pytest.fixture
def api() -> Iterator[Api]:
    with serve() as server:
        yield Api(server.url)


def adopt(api: Api, folder: Path, root: Path, size: dict[str, int]) -> Adopting:
    """Import and adopt, and assert that nothing was written and nothing is left to do; prints what it took."""
    made = handmade.make(api, **size)
    before = api.stored()
    assert len(json.loads(before)[0]["sources"]) == size["sources"]
    assert (len(made.connections), made.streams) == (size["connections"], size["streams"])
    assert len(made.connected) < size["sources"], "some sources have no connection"
    project = Adopting(folder, root, api)
    api.forget_calls()
    took: dict[str, tuple[float, Counter[str]]] = {}

    def measured(name: str, command: Callable[[], object]) -> None:
        started = time.monotonic()
        command()
        took[name] = (time.monotonic() - started, Counter(api.calls()))
        assert project.writes() == [], name

    measured("import", project.imports)
    values = project.fill_in(made)
    assert f"{size['sources'] + size['destinations']} sources and destinations" in project.log
    assert "Without a file" not in project.log
    assert "Not in the file" not in project.log
    measured("up", project.up)
    measured("preview", lambda: project.pulumi("preview", "--expect-no-changes", expect=0))
    measured("refresh", lambda: project.pulumi("refresh", "--preview-only", "--expect-no-changes", expect=0))
    for name, (seconds, calls) in took.items():
        print(f"{name}: {seconds:.1f} s, {calls.total()} calls ({dict(calls.most_common())}), 0 writes")  # noqa: T201
    print(f"state: {project.state_bytes()} bytes")  # noqa: T201
    assert api.stored() == before
    kept = project.state_text()
    hidden = [secret for value in values.values() for secret in re.findall(r"secret-[\w-]+", value)]
    assert len(hidden) > size["with_secrets"]
    for value in hidden:
        assert value not in kept
        assert value not in project.log
    checks = sum(count for call, count in took["up"][1].items() if call.endswith("/check_connection"))
    assert checks == size["with_secrets"] + size["destinations"], "what has secrets is checked with the declared ones"
    kinds = Counter(resource["type"].rpartition(":")[2] for resource in project.resources())
    assert (kinds["Source"], kinds["Destination"]) == (size["sources"], size["destinations"])
    assert kinds["Connection"] == size["connections"]
    return project


def test_a_workspace_made_by_hand_is_adopted_without_a_write(api: Api, tmp_path: Path, project_root: Path) -> None:
    project = adopt(api, tmp_path / "project", project_root, MID)

    resources = project.resources()
    outputs = [
        each["outputs"] for each in resources if each["type"].endswith(("airbyte:Source", "airbyte:Destination"))
    ]
    assert Counter(o.get("adopted_secrets") for o in outputs) == {"verified": 6, None: 3}
    streams = [stream for each in resources for stream in each["outputs"].get("streams", {}).values()]
    shown = [stream["mappers"] for stream in streams if "mappers" in stream]
    assert {mapper["type"] for mappers in shown if isinstance(mappers, list) for mapper in mappers} >= {"row-filtering"}
    assert any("ciphertext" in mappers for mappers in shown), "those with a key are secret"


@pytest.mark.slow
def test_the_full_size_workspace_is_adopted_without_a_write(api: Api, tmp_path: Path, project_root: Path) -> None:
    adopt(api, tmp_path / "project", project_root, FULL)
