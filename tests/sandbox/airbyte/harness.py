"""A client of the emulator that knows nothing of its inside, and the ids that the tests need."""

from __future__ import annotations

import time
from typing import Any

import httpx

from sandbox.airbyte.server import Running

Json = dict[str, Any]

POSTGRES = "decd338e-5647-4c0b-adf4-da0e75f5a750"
FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
MYSQL = "435bb9a5-7887-4809-aa58-28c27df0d7ad"
GITHUB = "ef69ef6e-aa7f-4af1-a01d-ef775033524e"
NESTED = "3f6c2f0e-6f0b-4a4e-9a39-2f3d3a1c7b10"
SNOWFLAKE = "424892c4-daac-4491-b35d-c6688ba547ba"
NOBODY = "11111111-1111-4111-8111-111111111111"
NIL = "00000000-0000-0000-0000-000000000000"
SECRET = "of-the-sandbox"
MASK = "**********"

POSTGRES_CONFIG: Json = {
    "host": "127.0.0.1",
    "port": 1,
    "database": "production",
    "username": "airbyte",
    "password": "first",
    "schemas": ["public"],
    "replication_method": {"method": "CDC", "replication_slot": "airbyte_slot", "publication": "airbyte_publication"},
}
SNOWFLAKE_CONFIG: Json = {
    "host": "offline-sandbox.snowflakecomputing.com",
    "role": "AIRBYTE_ROLE",
    "warehouse": "AIRBYTE_WH",
    "database": "RAW",
    "schema": "PRODUCTION",
    "username": "AIRBYTE",
    "credentials": {"auth_type": "Username and Password", "password": "first"},
}


class Api:
    """Calls of the Config API with a token."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=60)
        client = {"client_id": server.instance.settings.client_id, "client_secret": SECRET}
        token = self.call("applications/token", **client).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.workspace = str(self.http.get("/api/v1/instance_configuration").json()["defaultWorkspaceId"])

    def call(self, path: str, **body: Any) -> httpx.Response:
        """The answer, whatever it is."""
        return self.http.post(f"/api/v1/{path}", json=body)

    def post(self, path: str, **body: Any) -> Any:
        """The JSON of a successful answer."""
        answer = self.call(path, **body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def sandbox(self, method: str, path: str, body: Json | None = None) -> Json:
        """One of the sandbox's own endpoints."""
        answer = self.http.request(method, f"/sandbox/v1/{path}", json=body)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def source(self, definition: str = POSTGRES, config: Json | None = None, name: str = "a source") -> Json:
        """A new source."""
        found: Json = self.post(
            "sources/create",
            sourceDefinitionId=definition,
            workspaceId=self.workspace,
            name=name,
            connectionConfiguration=POSTGRES_CONFIG if config is None else config,
        )
        return found

    def destination(self, config: Json | None = None, name: str = "a destination") -> Json:
        """A new Snowflake destination."""
        found: Json = self.post(
            "destinations/create",
            destinationDefinitionId=SNOWFLAKE,
            workspaceId=self.workspace,
            name=name,
            connectionConfiguration=config or SNOWFLAKE_CONFIG,
        )
        return found

    def connection(self, source: Any = None, destination: Any = None, **fields: Any) -> Json:
        """A new connection, of one stream unless told otherwise."""
        body: Json = {
            "sourceId": (source or self.source())["sourceId"],
            "destinationId": (destination or self.destination())["destinationId"],
            "status": "active",
            "syncCatalog": {"streams": [stream("users")]},
        }
        found: Json = self.post("connections/create", **(body | fields))
        return found

    def stored(self, actor_id: str) -> Json:
        """A configuration with the secrets that are truly stored."""
        shown = self.sandbox("GET", "secrets")
        found: Json = _hydrated(shown["configurations"][actor_id], shown["secrets"])
        return found

    def coordinates(self, actor_id: str) -> Json:
        """A configuration as it is stored, with coordinates."""
        found: Json = self.sandbox("GET", "secrets")["configurations"][actor_id]
        return found

    def pin(self, definition: str, kind: str, tag: str, scope_type: str, scope_id: str) -> httpx.Response:
        """Pin a version for a scope, the way a client does it."""
        version = self.post(
            "actor_definition_versions/resolve", actorDefinitionId=definition, actorType=kind, dockerImageTag=tag
        )["versionId"]
        return self.call(
            "scoped_configuration/create",
            config_key="connector_version",
            value=version,
            resource_type="actor_definition",
            resource_id=definition,
            scope_type=scope_type,
            scope_id=scope_id,
            origin_type="user",
            origin=NIL,
        )

    def finished(self, job: Json, deadline: float = 60) -> Json:
        """The job info once a job has ended."""
        end = time.monotonic() + deadline
        while True:
            info: Json = self.post("jobs/get", id=job["id"])
            if info["job"]["status"] not in ("pending", "running"):
                return info
            assert time.monotonic() < end, f"job {job['id']} is still {info['job']['status']}"
            time.sleep(0.02)

    def sync(self, connection: Json) -> Json:
        """The job info of a finished sync."""
        return self.finished(self.post("connections/sync", connectionId=connection["connectionId"])["job"])


def _hydrated(node: Any, secrets: Json) -> Any:
    if isinstance(node, dict):
        if set(node) == {"_secret"}:
            return secrets[node["_secret"]]
        return {key: _hydrated(value, secrets) for key, value in node.items()}
    if isinstance(node, list):
        return [_hydrated(item, secrets) for item in node]
    return node


def stream(name: str, **config: Any) -> Json:
    """An entry of a ``syncCatalog``."""
    columns = {"id": {"type": "number", "airbyte_type": "integer"}, "name": {"type": "string"}}
    return {
        "stream": {
            "name": name,
            "namespace": "public",
            "jsonSchema": {"type": "object", "properties": columns},
            "supportedSyncModes": ["full_refresh", "incremental"],
        },
        "config": {"selected": True, "syncMode": "full_refresh", "destinationSyncMode": "append"} | config,
    }
