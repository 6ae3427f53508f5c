"""A program on the real engine, whose run can be stopped at any call that it makes of the server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import psutil
import pytest

from sandbox import toolchain
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings

SECRET = "emulator-client-secret"
PASSWORD = "warehouse-password"
WAREHOUSES = 2
SOURCE_VERSION, DESTINATION_VERSION = "6.2.10", "2.4.7"
WHOLE = 13
"""Sources, and connections, of the `up` of 31 resources."""
_DEADLINE = 240
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INCIDENTAL = frozenset(
    {"id", "createdAt", "updatedAt", "created_at", "updated_at", "ciphertext", "secret_fingerprints"}
)
Content = dict[str, list[str]]
"""Objects as JSON, by kind."""
_PROGRAM = f"""
import os
import pulumi
from dynamic_providers.airbyte import Connection, ConnectorVersion, Destination, FingerprintKey, Source

key = FingerprintKey("fingerprints").key
faker = ConnectorVersion("source-faker", connector="source-faker", version="{SOURCE_VERSION}")
postgres = ConnectorVersion("destination-postgres", connector="destination-postgres", version="{DESTINATION_VERSION}")
warehouses = []
for number in range({WAREHOUSES}):
    config = {{"host": "warehouse.example.com", "port": 5432, "database": "raw", "schema": f"w{{number}}"}}
    config |= {{"username": "loader", "password": pulumi.Output.secret("{PASSWORD}")}}
    warehouses.append(Destination(
        f"warehouse-{{number}}", destination_name=f"warehouse-{{number}}", connector="destination-postgres",
        definition_id=postgres.definition_id, connector_version=postgres.version, config=config,
        secret_paths=["password"], fingerprint_key=key))
stream = {{"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}}
stream |= {{"primary_key": [["id"]], "cursor_field": ["updated_at"]}}
for number in range(int(os.environ["TEST_PAIRS"])):
    source = Source(
        f"source-{{number}}", source_name=f"source-{{number}}", connector="source-faker",
        definition_id=faker.definition_id, connector_version=faker.version, config={{"count": 10 + number}},
        secret_paths=[], fingerprint_key=key)
    Connection(
        f"connection-{{number}}", connection_name=f"connection-{{number}}", source_id=source.source_id,
        destination_id=warehouses[number % {WAREHOUSES}].destination_id, streams={{"users": stream}},
        schedule={{"type": "manual"}}, prefix=f"p{{number}}_")
"""


@dataclass
class Airbyte:
    """A server, what it was asked, and what it holds."""

    server: Running

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.server.url, trust_env=False)

    def fault(self, **members: Any) -> None:
        """Set a fault; see sandbox.airbyte.faults."""
        assert self.http.post("/sandbox/v1/faults", json=members).is_success

    def struck(self) -> bool | None:
        """True when every fault struck at least once; None before that, as `poll` wants it."""
        faults = self.http.get("/sandbox/v1/faults").json()["faults"]
        return all(fault["struck"] for fault in faults) or None

    def struck_times(self) -> int:
        """How often the faults struck, together."""
        return sum(fault["struck"] for fault in self.http.get("/sandbox/v1/faults").json()["faults"])

    def let_go(self) -> None:
        """Remove the faults; what they held goes on."""
        self.http.delete("/sandbox/v1/faults")

    def calls(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [str(call["path"]) for call in self.http.get("/sandbox/v1/calls").json()["calls"]]

    def underway(self) -> int:
        """How many calls are not answered yet."""
        return sum(call["status"] is None for call in self.http.get("/sandbox/v1/calls").json()["calls"])

    def forget_calls(self) -> None:
        self.http.delete("/sandbox/v1/calls")

    def names(self) -> dict[str, list[str]]:
        """The names of all that lives on the server; pins by their connector."""
        store = self.server.instance.store
        with store.lock:
            actors = [actor for actor in store.actors if not actor.tombstone]
            return {
                "sources": sorted(actor.name for actor in actors if actor.kind == "source"),
                "destinations": sorted(actor.name for actor in actors if actor.kind == "destination"),
                "connections": sorted(c.name for c in store.connections if c.status != "deprecated"),
                "pins": sorted(str(pin.resource_id) for pin in store.pins),
            }

    def content(self) -> Content:
        """All that lives on the server, by kind and name, as two like runs leave it: without ids and times."""
        token = self.http.post("/api/v1/applications/token", json={"client_id": "sandbox", "client_secret": SECRET})
        self.http.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        workspace = self.http.get("/api/v1/instance_configuration").json()["defaultWorkspaceId"]
        page = {"workspaceIds": [workspace], "includeDeleted": False, "pagination": {"pageSize": 1000, "rowOffset": 0}}
        every = {
            "sources": self._ask("sources/list_paginated", page)["sources"],
            "destinations": self._ask("destinations/list_paginated", page)["destinations"],
            "connections": self._ask("connections/list", {"workspaceId": workspace})["connections"],
            "pins": self._ask("scoped_configuration/list", {"config_key": "connector_version"})["scopedConfigurations"],
        }
        names = {read[f"{kind[:-1]}Id"]: read["name"] for kind in list(every)[:3] for read in every[kind]}
        return {
            kind: sorted(json.dumps(_without_ids(read, names), sort_keys=True) for read in reads)
            for kind, reads in every.items()
        }

    def _ask(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.post(f"/api/v1/{operation}", json=body).raise_for_status().json()
        return answer


@dataclass
class Stack:
    """The program and a stack of its own in a backend of its own."""

    folder: Path
    env: dict[str, str]
    pairs: int
    makefile: Path
    printed: str = ""

    def start(self, *arguments: str, to: str = "printed.txt") -> subprocess.Popen[str]:
        """Start a command; what it prints goes to a file, which a killed engine's children may keep open."""
        with (self.folder / to).open("w") as printed:
            return subprocess.Popen(
                ["pulumi", *arguments, "--non-interactive", "--color=never"],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def finish(self, process: subprocess.Popen[str], code: int | None = 0, to: str = "printed.txt") -> str:
        """Wait for a command; gives what it printed and asserts its exit code unless that is None."""
        process.wait(_DEADLINE)
        printed = (self.folder / to).read_text()
        self.printed += printed
        assert code is None or process.returncode == code, printed
        return printed

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """Run a command to its end."""
        return self.finish(self.start(*arguments), code)

    def up(self, code: int | None = 0) -> str:
        return self.run("up", "--yes", "--skip-preview", "--stack=test", code=code)

    def recover(self) -> None:
        """What a user does after a kill: `make recover`, and the next `up`."""
        done = subprocess.run(
            ["make", "-f", self.makefile, "recover", "STACK=test"],
            cwd=self.folder,
            env=self.env,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_DEADLINE,
        )
        assert done.returncode == 0, done.stdout
        self.up()

    def content(self) -> dict[str, Any]:
        """The resources in the state, as two like runs leave them: without ids, times, and what is encrypted.

        Outputs are what the next diff compares; inputs say the same in other words after a refresh.
        """
        resources = [each for each in self.state()["resources"] if "dynamic/airbyte" in each["type"]]
        names = {each["id"]: each["urn"] for each in resources}
        kept = ("outputs", "parent", "provider", "protect", "external", "delete", "pendingReplacement")
        return {
            each["urn"]: {
                **{key: _without_ids(each[key], names) for key in kept if key in each},
                "dependencies": sorted(each.get("dependencies", [])),
            }
            for each in resources
        }

    def state(self) -> dict[str, Any]:
        """The deployment in the state."""
        stored = json.loads((self.folder / "state/.pulumi/stacks/airbyte-as-code/test.json").read_text())
        deployment: dict[str, Any] = stored["checkpoint"]["latest"]
        return deployment


def _without_ids(value: Any, names: Mapping[str, str]) -> Any:
    """The value with names for the ids of known objects, and without what is empty or differs in like runs."""
    if isinstance(value, dict):
        cleaned = {_UUID.sub("?", k): _without_ids(item, names) for k, item in value.items() if k not in _INCIDENTAL}
        return {key: item for key, item in cleaned.items() if item not in (None, {}, [], "")}
    if isinstance(value, list):
        return [_without_ids(item, names) for item in value]
    if isinstance(value, str):
        return _UUID.sub(lambda found: names.get(found[0], "?"), value)
    return value


class MakeStack(Protocol):
    """Makes a stack of so many sources and connections."""

    def __call__(self, airbyte: Airbyte, pairs: int = 3) -> Stack: ...


@dataclass(frozen=True)
class Reference:
    """What an `up` that nobody disturbs does: its calls, and what it leaves on the server and in the state."""

    calls: int
    server: Content
    state: dict[str, Any]


@pytest.fixture(scope="session")
def pulumi_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recovery-home")


@pytest.fixture(scope="session")
def make_stack(tmp_path_factory: pytest.TempPathFactory, project_root: Path, pulumi_home: Path) -> MakeStack:
    """Makes a stack with nothing in it for a server; two stacks know nothing of one another."""
    bin_dir = toolchain.ensure(print).bin_dir
    empty: list[Path] = []  # a stack as `pulumi stack init` makes it

    def make(airbyte: Airbyte, pairs: int = 3) -> Stack:
        folder = tmp_path_factory.mktemp("recovery")
        env = {
            **os.environ,
            "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(pulumi_home),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "tests",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # The installed SDKs name plugins that this program does not use; asking for them takes seconds.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONPATH": str(project_root),
            "TEST_AIRBYTE_CLIENT_SECRET": SECRET,
            "TEST_PAIRS": str(pairs),
        }
        stack = Stack(folder, env, pairs, project_root / "Makefile")
        if empty:
            shutil.copytree(empty[0], folder, dirs_exist_ok=True)
        else:
            (folder / "state").mkdir()
            runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": str(project_root / ".venv")}}
            (folder / "Pulumi.yaml").write_text(json.dumps({"name": "airbyte-as-code", "runtime": runtime}))
            (folder / "__main__.py").write_text(_PROGRAM)
            stack.run("stack", "init", "test")
            empty.append(shutil.copytree(folder, tmp_path_factory.mktemp("recovery-empty"), dirs_exist_ok=True))
        config = {
            "airbyteUrl": airbyte.server.url,
            "airbyteClientId": "sandbox",
            "airbyteClientSecret": "${TEST_AIRBYTE_CLIENT_SECRET}",
        }
        with (folder / "Pulumi.test.yaml").open("a") as settings:
            settings.write(f"config: {json.dumps({f'airbyte-as-code:{key}': value for key, value in config.items()})}")
        return stack

    return make


@contextlib.contextmanager
def _running() -> Iterator[Airbyte]:
    with Running(Settings(client_secret=SECRET, assume_checks_pass=True)) as server:
        yield Airbyte(server)
        server.instance.faults.clear()


@pytest.fixture
def airbyte() -> Iterator[Airbyte]:
    """A server in memory, with nothing on it."""
    with _running() as server:
        yield server


@pytest.fixture(scope="session")
def undisturbed(make_stack: MakeStack) -> Reference:
    """An `up` of 31 resources from nothing to its end."""
    with _running() as airbyte:
        stack = make_stack(airbyte, WHOLE)
        stack.up()
        calls = len(airbyte.calls())
        return Reference(calls, airbyte.content(), stack.content())


@pytest.fixture
def stack(airbyte: Airbyte, make_stack: MakeStack) -> Stack:
    """A stack with nothing in it, on the server."""
    return make_stack(airbyte)


@dataclass
class Killer:
    """Kills engines, and at the end whatever they left running."""

    orphans: list[psutil.Process]

    def kill(self, engine: subprocess.Popen[str], *, plugins_too: bool) -> None:
        """``kill -9``: of the engine alone, or of all that it had started as well."""
        children = psutil.Process(engine.pid).children(recursive=True)
        engine.kill()
        engine.wait()
        if plugins_too:
            _end(children)
        else:
            self.orphans += children

    def still_running(self, module: str) -> list[int]:
        """The process ids of those left behind that run a Python module."""
        found = []
        for process in self.orphans:
            with contextlib.suppress(psutil.NoSuchProcess):
                if module in process.cmdline():
                    found.append(process.pid)
        return found


@pytest.fixture
def killer() -> Iterator[Killer]:
    made = Killer([])
    yield made
    _end(made.orphans)


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        if process.is_running():
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=10)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what all walks together came to."""
    ended = [report for key in ("passed", "failed") for report in terminalreporter.stats.get(key, [])]
    kills = [dict(report.user_properties)["walked"] for report in ended if "walked" in dict(report.user_properties)]
    if kills:
        surplus, missing = (sum(kill[what] for kill in kills) for what in ("duplicates", "lost"))
        failed = len(terminalreporter.stats.get("failed", []))
        terminalreporter.write_sep("=", "kills")
        terminalreporter.write_line(
            f"{len(kills)} ups killed and recovered: {surplus} duplicates, {missing} lost; {failed} tests failed"
        )
