"""A tiny Pulumi program on the real engine, which tests change by writing what it should declare."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import toolchain

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte

PASSPHRASE = "tests"
_PROGRAM = """
import json
import pulumi
from pathlib import Path
from dynamic_providers.airbyte import Connection, ConnectorVersion, Destination, FingerprintKey, Source

declared = json.loads(Path("declared.json").read_text())


def leaves_made_secret(config, paths):
    for path in paths:
        *parents, last = path.split(".")
        holder = config
        for parent in parents:
            holder = holder[parent]
        holder[last] = pulumi.Output.secret(holder[last])
    return config


key = FingerprintKey("fingerprints").key
source = destination = None
if "pin" in declared:
    pin = ConnectorVersion("pin", **declared["pin"])
    pulumi.export("version", pin.version)
for number in range(declared.get("copies", 1)):
    suffix = f"-{number}" if number else ""
    if "source" in declared:
        args = json.loads(json.dumps(declared["source"]))
        args["source_name"] += suffix
        if "pin" in declared:
            args |= {"definition_id": pin.definition_id, "connector_version": pin.version}
        args["config"] = leaves_made_secret(args["config"], args["secret_paths"])
        source = Source(f"source{suffix}", **{**args, "fingerprint_key": key})
        pulumi.export(f"source{suffix}", source.source_id)
    if "destination" in declared:
        args = json.loads(json.dumps(declared["destination"]))
        args["destination_name"] += suffix
        args["config"] = leaves_made_secret(args["config"], args["secret_paths"])
        destination = Destination(f"destination{suffix}", **{**args, "fingerprint_key": key})
    if "connection" in declared:
        args = {**declared["connection"], "source_id": source.source_id, "destination_id": destination.destination_id}
        connection = Connection(f"connection{suffix}", **args)
        pulumi.export(f"connection{suffix}", connection.connection_id)
"""


@dataclass
class Program:
    """The program, its stack, and everything that was ever printed."""

    folder: Path
    root: Path
    bin_dir: Path
    config: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    printed: str = ""
    touched: bool = True
    """Whether the stack may be another than the program that was declared first."""

    def __post_init__(self) -> None:
        state = self.folder / "state"
        state.mkdir(parents=True)
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": str(self.root / ".venv")}}
        project = {"name": "airbyte-as-code", "runtime": runtime}
        stack = {"config": {f"airbyte-as-code:{key}": value for key, value in self.config.items()}}
        (self.folder / "Pulumi.yaml").write_text(json.dumps(project))
        (self.folder / "__main__.py").write_text(_PROGRAM)
        self._env = {
            **os.environ,
            "PATH": f"{self.bin_dir}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONPATH": str(self.root),
            **self.environment,
        }
        self.run("stack", "init", "test")
        settings = self.folder / "Pulumi.test.yaml"
        settings.write_text(json.dumps({**_yaml_header(settings), **stack}))

    def declare(self, **declared: Any) -> None:
        """What the program shall declare from now on."""
        (self.folder / "declared.json").write_text(json.dumps(declared))

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """Run a pulumi command and give what it printed; asserts the exit code unless that is None."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self._env,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        self.printed += done.stdout
        self.touched |= arguments[0] in ("up", "refresh", "destroy")
        assert code is None or done.returncode == code, done.stdout
        return done.stdout

    def up(self, code: int | None = 0) -> str:
        return self.run("up", "--yes", "--skip-preview", "--diff", "--color=never", "--stack=test", code=code)

    def preview(self, code: int | None = 0, *arguments: str) -> str:
        return self.run("preview", "--diff", "--color=never", "--stack=test", *arguments, code=code)

    def refresh(self, code: int | None = 0, *arguments: str) -> str:
        return self.run(
            "refresh", "--yes", "--skip-preview", "--diff", "--color=never", "--stack=test", *arguments, code=code
        )

    def destroy(self) -> str:
        return self.run("destroy", "--yes", "--skip-preview", "--color=never", "--stack=test")

    def state_text(self) -> str:
        """Everything the backend keeps, history and backups included."""
        return "\n".join(file.read_text() for file in (self.folder / "state").rglob("*") if file.is_file())

    def resource(self, name: str) -> dict[str, Any]:
        exported = json.loads(self.run("stack", "export", "--stack=test"))
        found = [r for r in exported["deployment"]["resources"] if r["urn"].endswith(f"::{name}")]
        assert len(found) == 1, [r["urn"] for r in exported["deployment"]["resources"]]
        return dict(found[0])


def _yaml_header(path: Path) -> dict[str, str]:
    """The encryption salt that `stack init` wrote; JSON is YAML, so the file may be written back as that."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines) if value}


@pytest.fixture(scope="module")
def airbyte(start_airbyte: Callable[[], AbstractContextManager[Airbyte]]) -> Iterator[Airbyte]:
    """One server for all tests of a module, since an engine that starts from nothing is slow."""
    with start_airbyte() as server:
        yield server


@pytest.fixture(scope="module")
def make_program(
    airbyte: Airbyte, tmp_path_factory: pytest.TempPathFactory, project_root: Path
) -> Callable[[dict[str, str]], Program]:
    """Makes a program on the server, its config changed as told; empty values are left out."""
    bin_dir = toolchain.ensure(print).bin_dir

    def make(changes: dict[str, str]) -> Program:
        config = {
            "airbyteUrl": airbyte.url,
            "airbyteClientId": "sandbox",
            "airbyteClientSecret": "${TEST_AIRBYTE_CLIENT_SECRET}",
            **changes,
        }
        given = {key: value for key, value in config.items() if value}
        environment = {"TEST_AIRBYTE_CLIENT_SECRET": airbyte.client_secret}
        return Program(tmp_path_factory.mktemp("program"), project_root, bin_dir, given, environment)

    return make


@pytest.fixture(scope="module")
def module_program(make_program: Callable[[dict[str, str]], Program]) -> Program:
    return make_program({})


@pytest.fixture
def program(module_program: Program, declared: dict[str, Any]) -> Program:
    """The declared program, up."""
    module_program.declare(**declared)
    if module_program.touched:
        module_program.up()
        module_program.touched = False
    return module_program
