"""A project folder of one's own, a registry file in Airbyte's format, and an Airbyte server in memory."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from airbyte_cli.__main__ import app
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.settings import Settings
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings as ServerSettings

CLIENT_SECRET = "secret-of-the-application"
SNOWFLAKE_5 = {
    "message": "Password login is deprecated.\nGive the service user a key pair before upgrading",
    "upgradeDeadline": "2026-10-31",
    "migrationDocumentationUrl": "https://docs.airbyte.com/integrations/destinations/snowflake-migrations#5.0.0",
}
REGISTRY: dict[str, dict[str, Any]] = {
    "source-postgres": {"dockerImageTag": "3.7.0"},
    "source-github": {
        "dockerImageTag": "3.0.0",
        "releases": {"breakingChanges": {"2.0.0": {"message": "two"}, "3.0.0": {"message": "three"}}},
    },
    "source-mongodb-v2": {"dockerImageTag": "1.5.18"},
    "source-gone": {"dockerImageTag": "9.9.9", "tombstone": True},
    "destination-snowflake": {"dockerImageTag": "5.0.0", "releases": {"breakingChanges": {"5.0.0": SNOWFLAKE_5}}},
    "destination-redshift": {"dockerImageTag": "3.5.4"},
}


@dataclass
class Project:
    """A folder with connectors.yaml and pipelines/, and the command line run in it."""

    folder: Path

    @property
    def pins(self) -> Path:
        return self.folder / "connectors.yaml"

    def pin(self, text: str) -> None:
        self.pins.write_bytes(text.encode())

    def pipeline(self, name: str, **pins: str) -> None:
        """A pipeline file that is nothing but connectors and versions."""
        lines = []
        for connector, version in pins.items():
            kind, connector = connector.split("_")[0], connector.replace("_", "-")
            lines += [f"{kind}:", f"  connector: {connector}", f"  version: {version}"]
        (self.folder / "pipelines").mkdir(exist_ok=True)
        (self.folder / "pipelines" / f"{name}.yaml").write_text("\n".join(lines) + "\n")

    def registry(self, **changes: Any) -> str:
        """A registry file; `changes` replace entries (None removes one)."""
        entries = {**REGISTRY, **{name.replace("_", "-"): entry for name, entry in changes.items()}}
        listed: dict[str, list[Any]] = {"sources": [], "destinations": []}
        for name, entry in entries.items():
            if entry is not None:
                listed[f"{name.split('-')[0]}s"].append({"dockerRepository": f"airbyte/{name}", **entry})
        file = self.folder / "registry.json"
        file.write_text(json.dumps(listed))
        return str(file)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["connectors", *arguments])

    def report(self, *arguments: str) -> dict[str, Any]:
        """What `outdated` says as JSON."""
        result = self.run("outdated", "--output", "json", *arguments)
        assert result.exit_code == 0, result.stderr
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    def connector(self, name: str, *arguments: str) -> dict[str, Any]:
        """One connector of that report."""
        found = [each for each in self.report(*arguments)["connectors"] if each["connector"] == name]
        assert len(found) == 1
        one: dict[str, Any] = found[0]
        return one


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("AIRBYTE_URL", "AIRBYTE_CLIENT_ID", "AIRBYTE_CLIENT_SECRET", "AIRBYTE_WORKSPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@dataclass
class Airbyte:
    """A running server, and what happens on it out of band."""

    server: Running
    client: Client

    @property
    def url(self) -> str:
        return self.server.url

    def definition(self, connector: str) -> str:
        found = self.server.instance.registry.by_repository(f"airbyte/{connector}")
        assert found is not None
        return found.id

    def source(self, connector: str, name: str, config: dict[str, Any] | None = None) -> str:
        body = {
            "sourceDefinitionId": self.definition(connector),
            "workspaceId": self.client.instance().default_workspace_id,
            "name": name,
            "connectionConfiguration": config or {"count": 10},
        }
        return str(self.client.post("sources/create", body)["sourceId"])

    def destination(self, connector: str, name: str) -> str:
        body = {
            "destinationDefinitionId": self.definition(connector),
            "workspaceId": self.client.instance().default_workspace_id,
            "name": name,
            "connectionConfiguration": {
                **dict.fromkeys(("role", "warehouse", "database", "schema", "username"), "x"),
                "host": "account.snowflakecomputing.com",
                "credentials": {"auth_type": "Key Pair Authentication", "private_key": "x"},
            },
        }
        return str(self.client.post("destinations/create", body)["destinationId"])

    def pin(self, connector: str, version: str, actor_id: str | None = None) -> None:
        """Pin a connector in the workspace, or for one actor."""
        definition = self.definition(connector)
        kind = connector.split("-")[0]
        asked = {"actorDefinitionId": definition, "actorType": kind, "dockerImageTag": version}
        instance = self.client.instance()
        self.client.post(
            "scoped_configuration/create",
            {
                "config_key": "connector_version",
                "resource_type": "actor_definition",
                "resource_id": definition,
                "scope_type": "actor" if actor_id else "workspace",
                "scope_id": actor_id or instance.default_workspace_id,
                "value": self.client.post("actor_definition_versions/resolve", asked)["versionId"],
                "origin": instance.default_user_id,
                "origin_type": "user",
            },
        )

    def publish(self, connector: str, **changes: Any) -> None:
        """Change what the server's registry says of a connector."""
        registry = self.server.instance.registry
        found = registry.by_repository(f"airbyte/{connector}")
        assert found is not None
        registry.publish({**found.facts, **changes})

    def forbid(self, path: str) -> None:
        answer = httpx.post(f"{self.url}/sandbox/v1/faults", json={"path": path, "status": 403}, trust_env=False)
        assert answer.is_success, answer.text

    def calls(self) -> list[str]:
        """The paths that were asked for since the last time."""
        with httpx.Client(base_url=self.url, trust_env=False) as http:
            made = [str(call["path"]) for call in http.get("/sandbox/v1/calls").json()["calls"]]
            http.delete("/sandbox/v1/calls")
        return made


@pytest.fixture
def airbyte(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Airbyte]:
    """A server that the environment points to, as in CI."""
    with Running(ServerSettings(client_secret=CLIENT_SECRET, assume_checks_pass=True)) as server:
        client = Client(Settings(server.url, "sandbox", CLIENT_SECRET))
        monkeypatch.setenv("AIRBYTE_URL", server.url)
        monkeypatch.setenv("AIRBYTE_CLIENT_ID", "sandbox")
        monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", CLIENT_SECRET)
        yield Airbyte(server, client)
        client.close()
