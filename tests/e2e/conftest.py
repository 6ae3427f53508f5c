"""A sandbox of the suite's own, and projects that run on it with the real Pulumi engine."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import snowflake.connector

from sandbox.environment import Sandbox

FILES = ("Pulumi.yaml", "Pulumi.sandbox.yaml", "__main__.py", "connectors.yaml", "pipelines")


@dataclass(frozen=True)
class Finished:
    """A finished `pulumi` command."""

    code: int
    text: str


class Project:
    """A copy of the project's own files, with a state of its own, on the shared sandbox."""

    def __init__(self, folder: Path, source: Path, env: dict[str, str]) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in FILES:
            copy: Callable[..., Any] = shutil.copytree if (source / name).is_dir() else shutil.copy
            copy(source / name, folder / name)
        (folder / ".venv").symlink_to(source / ".venv")
        state = folder / "state"
        state.mkdir()
        self.env = {**os.environ, **env, "PULUMI_BACKEND_URL": state.as_uri()}
        self.log = ""
        self.pulumi("stack", "init", "sandbox", expect=0)

    def pulumi(self, *arguments: str, expect: int | None = None) -> Finished:
        """Run a command; with `expect`, assert its exit code."""
        command = ["pulumi", *arguments, "--non-interactive"]
        if arguments[0] in ("preview", "up", "refresh", "destroy"):
            command += ["--stack", "sandbox", "--color", "never"]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.env,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
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
        done = self.pulumi("stack", "output", "--json", "--stack", "sandbox", expect=0)
        found: dict[str, Any] = json.loads(done.text)
        return found

    def state_text(self) -> str:
        """Everything that is stored of the stack, history and backups included."""
        return "\n".join(file.read_text() for file in sorted((self.folder / "state").rglob("*")) if file.is_file())

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state."""
        exported = self.pulumi("stack", "export", "--stack", "sandbox", expect=0)
        found = json.loads(exported.text)["deployment"].get("resources") or []
        return [each for each in found if each["type"] != "pulumi:pulumi:Stack"]


class Airbyte:
    """The emulator's Config API, as another client sees it."""

    def __init__(self, env: dict[str, str]) -> None:
        self.url = env["AIRBYTE_URL"]
        self._http = httpx.Client(base_url=f"{self.url}/api/v1/", timeout=60)
        credentials = {"client_id": env["AIRBYTE_CLIENT_ID"], "client_secret": env["AIRBYTE_CLIENT_SECRET"]}
        token = self._http.post("applications/token", json=credentials).raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self.workspace = self._http.get("instance_configuration").json()["defaultWorkspaceId"]

    def call(self, path: str, **body: Any) -> Any:
        """POST a request; the answer's JSON, or None where it has no body."""
        answer = self._http.post(path, json=body).raise_for_status()
        return answer.json() if answer.content else None

    def every(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind: sources, destinations or connections."""
        if kind == "connections":
            answer = self.call("connections/list", workspaceId=self.workspace)
        else:
            page = {"pageSize": 1000, "rowOffset": 0}
            answer = self.call(
                f"{kind}/list_paginated", workspaceIds=[self.workspace], includeDeleted=False, pagination=page
            )
        return list(answer[kind])

    def pins(self) -> list[dict[str, Any]]:
        """The version pins of the instance."""
        found: list[dict[str, Any]] = self.call("scoped_configuration/list", config_key="connector_version")[
            "scopedConfigurations"
        ]
        return found

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()


@pytest.fixture(scope="session")
def sandbox(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running sandbox's environment."""
    instance = Sandbox(tmp_path_factory.mktemp("sandbox") / ".sandbox")
    instance.up(print)
    try:
        yield instance.env()
    finally:
        instance.down(print)


@pytest.fixture
def project(sandbox: dict[str, str], project_root: Path, tmp_path: Path) -> Iterator[Project]:
    """A fresh project; whatever it made is destroyed at the end."""
    made = Project(tmp_path / "project", project_root, sandbox)
    yield made
    if made.resources():
        made.pulumi("destroy", "--yes", "--skip-preview", expect=0)


@pytest.fixture
def airbyte(sandbox: dict[str, str]) -> Iterator[Airbyte]:
    """The Airbyte API with an administrator's token."""
    api = Airbyte(sandbox)
    yield api
    api.close()


@pytest.fixture
def postgres(sandbox: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """The database as its administrator."""
    with closing(
        psycopg.connect(
            host=sandbox["POSTGRES_HOST"],
            port=int(sandbox["POSTGRES_PORT"]),
            dbname=sandbox["POSTGRES_DATABASE"],
            user=sandbox["POSTGRES_ADMIN_USER"],
            password=sandbox["POSTGRES_ADMIN_PASSWORD"],
            autocommit=True,
        )
    ) as connection:
        yield connection


@pytest.fixture
def warehouse(sandbox: dict[str, str]) -> Iterator[Any]:
    """The Snowflake account as its administrator."""
    with closing(
        snowflake.connector.connect(
            account=f"{sandbox['SNOWFLAKE_ORGANIZATION']}-{sandbox['SNOWFLAKE_ACCOUNT']}",
            host=sandbox["SNOWFLAKE_API_HOST"],
            port=int(sandbox["SNOWFLAKE_API_PORT"]),
            protocol=sandbox["SNOWFLAKE_API_PROTOCOL"],
            user=sandbox["SNOWFLAKE_ADMIN_USER"],
            private_key_file=sandbox["SNOWFLAKE_ADMIN_PRIVATE_KEY_FILE"],
        )
    ) as connection:
        yield connection
