"""A copy of the project for `pipelines check`, and what its tests ask of the report."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner, Result

from airbyte_cli.__main__ import app

SECRET = "secret-of-the-warehouse"
REDSHIFT = "connector:check:airbyte/destination-redshift"
WRITES = ("create", "update", "delete", "sync", "reset", "clear", "refresh", "upgrade")
CLIENT_SECRET = "secret-of-the-application"
PINS = {"source-faker": "6.2.20", "destination-redshift": "2.6.2"}


def pipeline(stream: str = "users", **changes: Any) -> dict[str, Any]:
    """A pipeline file; `changes` are merged into its source, destination or sync."""
    warehouse = {"host": "redshift.example.com", "port": 5439, "database": "raw", "schema": "people"}
    file: dict[str, Any] = {
        "source": {"name": "people", "connector": "source-faker", "config": {"count": 100}},
        "destination": {
            "name": "warehouse",
            "connector": "destination-redshift",
            "config": {**warehouse, "username": "loader", "password": "${LAKE_PASSWORD}"},
        },
        "sync": {
            "name": f"people-{stream}",
            "streams": [{"name": stream, "primary_key": ["id"]}],
            "schedule": {"type": "interval", "every": "6h"},
        },
    }
    for part, fields in changes.items():
        file[part] = {**file[part], **fields}
    return file


@dataclass
class Repository:
    """A copy of the project with pipelines of its own, and a server that its settings point to."""

    folder: Path
    url: str
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, pins: dict[str, Any] | None = None, **pipelines: dict[str, Any]) -> None:
        """Replace the pinned versions and all pipeline files."""
        (self.folder / "connectors.yaml").write_text(json.dumps(pins or PINS))
        shutil.rmtree(self.folder / "pipelines", ignore_errors=True)
        (self.folder / "pipelines").mkdir()
        for name, file in pipelines.items():
            (self.folder / "pipelines" / f"{name}.yaml").write_text(json.dumps(file))

    def check(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["pipelines", "check", *arguments], env={**self.environment})

    def report(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        result = self.check(*arguments, "--output", "json")
        assert result.exit_code == code, result.output
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    def fault(self, **fault: Any) -> None:
        assert httpx.post(f"{self.url}/sandbox/v1/faults", json=fault, trust_env=False).is_success

    def forget(self) -> None:
        """Take back the faults, and forget the calls."""
        for what in ("faults", "calls"):
            httpx.delete(f"{self.url}/sandbox/v1/{what}", trust_env=False)

    def calls(self) -> list[str]:
        made = httpx.get(f"{self.url}/sandbox/v1/calls", trust_env=False).json()["calls"]
        return [str(call["path"]) for call in made]


def result_of(report: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in report["results"] if (each["kind"], each["name"]) == (kind, name)]
    one: dict[str, Any] = found
    return one


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in report["pipelines"]}


def copied(root: Path, folder: Path) -> Path:
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(root / name, folder / name)
    return folder


def credentials(url: str) -> dict[str, str]:
    return {"AIRBYTE_URL": url, "AIRBYTE_CLIENT_ID": "sandbox", "AIRBYTE_CLIENT_SECRET": CLIENT_SECRET}
