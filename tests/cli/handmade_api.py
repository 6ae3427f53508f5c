"""An Airbyte server for imports, its Config API as another client sees it, and what only the emulator tells."""

from __future__ import annotations

import json
from typing import Any

import httpx

from sandbox.airbyte.registry import packaged_entries
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings

CLIENT_ID, CLIENT_SECRET = "sandbox", "emulator-client-secret"
Json = dict[str, Any]

_ENTRIES = {entry["repository"]: entry for entry in packaged_entries()}


def serve() -> Running:
    """A server whose spec-only connectors pass their checks."""
    return Running(Settings(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, assume_checks_pass=True))


class Api:
    """The server's Config API, as another client sees it, and what only the emulator tells."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = self._http.post("/api/v1/applications/token", json=body).raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self.workspace = self._http.get("/api/v1/instance_configuration").json()["defaultWorkspaceId"]

    def call(self, operation: str, **body: Any) -> Any:
        answer = self._http.post(f"/api/v1/{operation}", json=body)
        assert answer.is_success, f"{operation}: {answer.text}"
        return answer.json() if answer.content else None

    def forget_calls(self) -> None:
        self._http.delete("/sandbox/v1/calls")

    def calls(self) -> list[str]:
        """The operations called since."""
        report = self._http.get("/sandbox/v1/calls").json()
        return [str(call["path"]).removeprefix("/v1/") for call in report["calls"]]

    def secrets(self) -> list[str]:
        """Every stored secret, in the clear."""
        found: dict[str, str] = self._http.get("/sandbox/v1/secrets").json()["secrets"]
        return sorted(found.values())

    def stored(self) -> str:
        """All that a write would change, as one text."""
        lists: list[Any] = [
            self.call(
                f"{kind}/list_paginated",
                workspaceIds=[self.workspace],
                includeDeleted=True,
                pagination={"pageSize": 1000, "rowOffset": 0},
            )
            for kind in ("sources", "destinations")
        ]
        lists.append(self.call("connections/list_all", workspaceId=self.workspace))
        lists.append(self.call("scoped_configuration/list", config_key="connector_version"))
        lists.append(self.call("tags/list", workspaceId=self.workspace))
        lists.append(self._http.get("/sandbox/v1/secrets").json())
        return json.dumps(lists, sort_keys=True)

    def pin(self, repository: str, tag: str) -> None:
        """Hold a connector at a version in the workspace, as the UI does."""
        entry = _ENTRIES[repository]
        version = self.call(
            "actor_definition_versions/resolve",
            actorDefinitionId=entry["id"],
            actorType=entry["kind"],
            dockerImageTag=tag,
        )["versionId"]
        self.call("scoped_configuration/create", **_pin(entry["id"], "workspace", self.workspace, version))

    def hold(self, actor_id: str, repository: str, tag: str) -> None:
        """Hold one source or destination at a version of its own."""
        entry = _ENTRIES[repository]
        asked = {"actorDefinitionId": entry["id"], "actorType": entry["kind"], "dockerImageTag": tag}
        version = self.call("actor_definition_versions/resolve", **asked)["versionId"]
        self.call("scoped_configuration/create", **_pin(entry["id"], "actor", actor_id, version))

    def publish_twin(self, repository: str) -> str:
        """Another connector of the same image, as those made in the Connector Builder are; gives its id."""
        entry = {**_ENTRIES[repository], "id": "7c9e1d5e-4a53-4a4e-8a33-2f3d3a1c7b11", "name": "Twin"}
        self._http.post("/sandbox/v1/registry", json=entry).raise_for_status()
        return str(entry["id"])

    def own_connector(self, name: str, repository: str, limits: Json) -> str:
        """A connector made of an image of one's own; gives its definition's id."""
        image = {
            "id": "5f3f0a3e-7a76-4c3f-9a55-0d4a3c2b1a01",
            "kind": "source",
            "name": "the image",
            "repository": repository,
            "defaultTag": "1.0.0",
            "latestTag": "1.0.0",
            "tags": ["1.0.0"],
            "specs": [{"since": "0.0.0", "spec": {"type": "object", "properties": {}}}],
        }
        self._http.post("/sandbox/v1/registry", json=image).raise_for_status()
        own = {
            "name": name,
            "dockerRepository": repository,
            "dockerImageTag": "1.0.0",
            "documentationUrl": "",
            "resourceRequirements": {"default": limits},
        }
        made = self.call("source_definitions/create_custom", workspaceId=self.workspace, sourceDefinition=own)
        return str(made["sourceDefinitionId"])

    def actor(self, repository: str, name: str, config: Json, resources: Json | None = None) -> str:
        kind = _ENTRIES[repository]["kind"]
        body = {f"{kind}DefinitionId": _ENTRIES[repository]["id"], "workspaceId": self.workspace}
        made = self.call(
            f"{kind}s/create", **body, name=name, connectionConfiguration=config, resourceAllocation=resources
        )
        return str(made[f"{kind}Id"])

    def connection(self, source: str, destination: str, **settings: Any) -> str:
        made = self.call(
            "connections/create",
            **{
                "sourceId": source,
                "destinationId": destination,
                "status": "active",
                "scheduleType": "manual",
                "namespaceDefinition": "destination",
                **settings,
            },
        )
        return str(made["connectionId"])


def _pin(definition_id: str, scope: str, scope_id: str, version_id: str) -> Json:
    return {
        "config_key": "connector_version",
        "resource_type": "actor_definition",
        "resource_id": definition_id,
        "scope_type": scope,
        "scope_id": scope_id,
        "value": version_id,
        "origin": "00000000-0000-0000-0000-000000000000",
        "origin_type": "user",
        "description": "by hand",
    }
