"""A workspace as people leave it after two years of clicking: made through the API, the same one for the same size."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sandbox.airbyte.registry import packaged_entries
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings

CLIENT_ID, CLIENT_SECRET = "sandbox", "emulator-client-secret"
MASK = "**********"
Json = dict[str, Any]

_ENTRIES = {entry["repository"]: entry for entry in packaged_entries()}
_PEM = "-----BEGIN PRIVATE KEY-----\nsecret-{n}-pem\n-----END PRIVATE KEY-----"
_DATABASES = ("airbyte/source-mysql", "airbyte/source-mssql")


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

    def actor(self, repository: str, name: str, config: Json) -> str:
        kind = _ENTRIES[repository]["kind"]
        body = {f"{kind}DefinitionId": _ENTRIES[repository]["id"], "workspaceId": self.workspace}
        made = self.call(f"{kind}s/create", **body, name=name, connectionConfiguration=config)
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


@dataclass
class Handmade:
    """What was made, for tests that compare."""

    configs: dict[tuple[str, str], Json] = field(default_factory=dict)
    """Name and connector -> configuration, secrets included."""
    connected: set[str] = field(default_factory=set)
    """Ids of the sources that a connection uses."""
    sources: list[str] = field(default_factory=list)
    destinations: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    streams: int = 0

    def environment(self, variables: Path) -> dict[str, str]:
        """The variables of an import.env.example, filled in as the user would."""
        filled: dict[str, str] = {}
        config: Json = {}
        path = ""
        for line in variables.read_text().splitlines():
            if line.startswith("# ") and line.endswith(")") and " (" in line:
                name, _, connector = line.removeprefix("# ").removesuffix(")").rpartition(" (")
                config = self.configs[name, connector]
            elif line.startswith("# "):
                path = line.removeprefix("# ").partition(";")[0]
            elif line.endswith("="):
                filled[line.removesuffix("=")] = _at(config, path)
        return filled


def make(api: Api, *, sources: int, with_secrets: int, destinations: int, connections: int, streams: int) -> Handmade:
    """Fill the workspace; the sources with secrets come first."""
    made = Handmade()
    api.pin("airbyte/source-github", "1.8.0")
    tags = [api.call("tags/create", workspaceId=api.workspace, name=n, color="FF0000") for n in ("pii", "team: core")]
    kinds: dict[str, str] = {}
    for number in range(sources):
        factories = _SECRET if number < with_secrets else _OPEN
        repository, config = factories[(number if number < with_secrets else number - with_secrets) % len(factories)](
            number
        )
        pattern = _NAMES[number] if number < len(_NAMES) else _NUMBERED[number % len(_NUMBERED)]
        name = pattern.format(n=number, kind=repository.rpartition("-")[2])
        made.sources.append(api.actor(repository, name, config))
        made.configs[_one_line(name), repository.removeprefix("airbyte/")] = config
        kinds[made.sources[-1]] = repository
        if number == with_secrets:
            api.hold(made.sources[-1], repository, "6.2.10")
    for number in range(destinations):
        repository, name, config = _DESTINATIONS[number]
        made.destinations.append(api.actor(repository, name, config))
        made.configs[_one_line(name), repository.removeprefix("airbyte/")] = config
    shared = max(1, connections // 20)
    for number in range(connections):
        source = made.sources[number if number < connections - shared else number - (connections - shared)]
        target = (number + number // (connections - shared)) % destinations
        count = streams // connections + (number < streams % connections)
        made.connected.add(source)
        made.streams += count
        made.connections.append(
            api.connection(
                source,
                made.destinations[target],
                name=_CONNECTION_NAMES[number % len(_CONNECTION_NAMES)].format(n=number),
                syncCatalog={"streams": [_stream(number, n, kinds[source], bucket=target == 2) for n in range(count)]},
                status="inactive" if number % 7 == 3 else "active",
                nonBreakingChangesPreference=("ignore", "propagate_columns", "propagate_fully", "disable")[number % 4],
                tags=tags[: number % 3],
                resourceRequirements={"memory_limit": "2Gi", "cpu_request": "0.5"} if number % 5 == 4 else None,
                **_schedule(number),
                **_namespace(number),
            )
        )
    return made


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


_NAMES = (
    "orders",  # a destination is called so too
    "CRM / sales (EU)",
    "shop → lake",
    "Ürsprung & co",
    "orders",  # and another source of another connector
)
_NUMBERED = (
    "{kind} no. {n}",
    "{kind}: weekly #{n}",
    "a.b.c {n} {kind}",
    "{kind}-{n}",
    "{kind}  {n}",
    "{kind}_{n}: 'quoted' \"twice\"",
)
_CONNECTION_NAMES = (
    "connection {n}",
    "shop → lake {n}",
    "Sales / EU {n}",
    "{n}: nightly!",
    "orders <> warehouse",
)


def _secret(number: int, what: str) -> str:
    return f"secret-{number}-{what}"


_SECRET: tuple[Any, ...] = (
    lambda n: (
        "airbyte/source-mysql",
        {
            "host": f"db{n}.example.com",
            "port": 3306,
            "database": "shop",
            "username": "airbyte",
            "password": _secret(n, "password"),
            "ssl_mode": {
                "mode": "verify_ca",
                "ca_certificate": _secret(n, "ca"),
                "client_key": _secret(n, "client-key"),
            },
            "replication_method": {"method": "CDC", "server_timezone": "UTC"},
        },
    ),
    lambda n: (
        "airbyte/source-hubspot",
        {
            "start_date": "2024-01-01T00:00:00Z",
            "credentials": {
                "credentials_title": "OAuth Credentials",
                "client_id": f"client-{n}",
                "client_secret": _secret(n, "client"),
                "refresh_token": _secret(n, "refresh"),
            },
        },
    ),
    lambda n: (
        "airbyte/source-mssql",
        {
            "host": f"mssql{n}.example.com",
            "port": 1433,
            "database": "erp",
            "schemas": ["dbo", "sales"],
            "username": "airbyte",
            "password": _secret(n, "password"),
            "jdbc_url_params": "applicationName=${APP}",
            "tunnel_method": {
                "tunnel_method": "SSH_KEY_AUTH",
                "tunnel_host": "bastion",
                "tunnel_port": 22,
                "tunnel_user": "airbyte",
                "ssh_key": _PEM.format(n=n),
            },
        },
    ),
    lambda n: (
        "sandbox/source-nested-secrets",
        {
            "endpoint": f"https://api{n}.example.com",
            "api_keys": [_secret(n, "key-0"), _secret(n, "key-1")],
            "accounts": [{"name": "a", "token": _secret(n, "a")}, {"name": "b", "token": _secret(n, "b")}],
            "proxy": {
                "url": "http://proxy",
                "auth": {"mode": "basic", "user": _secret(n, "user"), "password": _secret(n, "proxy")},
            },
        },
    ),
    lambda n: (
        "airbyte/source-github",
        {
            "credentials": {"option_title": "PAT Credentials", "personal_access_token": _secret(n, "pat")},
            "repositories": ["acme/one", "acme/two"],
        },
    ),
    lambda n: (
        "airbyte/source-mongodb-v2",
        {
            "database_config": {
                "cluster_type": "ATLAS_REPLICA_SET",
                "connection_string": f"mongodb+srv://cluster{n}.example.com/",
                "databases": ["shop"],
                "username": "airbyte",
                "password": _secret(n, "password"),
                "auth_source": "admin",
            }
        },
    ),
    lambda n: (
        "airbyte/source-google-sheets",
        {
            "spreadsheet_id": f"https://docs.google.com/spreadsheets/d/{n}",
            "batch_size": 200,
            "credentials": {"auth_type": "Service", "service_account_info": f'{{"secret-{n}": "x"}}'},
        },
    ),
    lambda n: (
        "airbyte/source-s3",
        {
            "bucket": f"bucket-{n}",
            "aws_access_key_id": _secret(n, "id"),
            "aws_secret_access_key": _secret(n, "key"),
            "streams": [
                {
                    "name": "files",
                    "globs": ["**/*.csv"],
                    "format": {"filetype": "csv", "delimiter": "\t", "null_values": ["", "NULL"]},
                }
            ],
        },
    ),
)
_OPEN: tuple[Any, ...] = (
    lambda n: ("airbyte/source-faker", {"count": 100 + n, "seed": n}),
    lambda n: (
        "airbyte/source-file",
        {
            "dataset_name": f"set-{n}",
            "format": "csv",
            "url": f"https://example.com/{n}.csv",
            "provider": {"storage": "HTTPS", "user_agent": False},
            "reader_options": '{"sep": ";"}',
        },
    ),
    lambda n: (
        "airbyte/source-s3",
        {"bucket": f"open-{n}", "streams": [{"name": "f", "format": {"filetype": "parquet"}}]},
    ),
    lambda n: (
        "airbyte/source-mysql",
        {
            "host": f"open{n}.example.com",
            "port": 3307,
            "database": "0123",
            "username": "reader",
            "replication_method": {"method": "STANDARD"},
        },
    ),
)
_DESTINATIONS: tuple[tuple[str, str, Json], ...] = (
    (
        "airbyte/destination-bigquery",
        "orders",
        {
            "project_id": "acme",
            "dataset_location": "EU",
            "dataset_id": "raw",
            "credentials_json": '{"secret-bigquery": 1}',
            "loading_method": {
                "method": "GCS Staging",
                "gcs_bucket_name": "staging",
                "gcs_bucket_path": "airbyte/${NAMESPACE}",
                "credential": {
                    "credential_type": "HMAC_KEY",
                    "hmac_key_access_id": "secret-hmac-id",
                    "hmac_key_secret": "secret-hmac",
                },
            },
        },
    ),
    (
        "airbyte/destination-redshift",
        "warehouse → EU / prod",
        {
            "host": "redshift.example.com",
            "port": 5439,
            "database": "dwh",
            "schema": "public",
            "username": "loader",
            "password": "secret-redshift",
            "disable_type_dedupe": True,
            "uploading_method": {
                "method": "S3 Staging",
                "s3_bucket_name": "staging",
                "s3_bucket_region": "eu-west-1",
                "access_key_id": "secret-staging-id",
                "secret_access_key": "secret-staging",
            },
        },
    ),
    (
        "airbyte/destination-s3",
        "Lake",
        {
            "s3_bucket_name": "lake",
            "s3_bucket_path": "raw",
            "s3_bucket_region": "eu-west-1",
            "s3_path_format": "${NAMESPACE}/${STREAM_NAME}/${YEAR}_",
            "format": {"format_type": "JSONL", "compression": {"compression_type": "GZIP"}},
            "access_key_id": "secret-lake-id",
            "secret_access_key": "secret-lake",
        },
    ),
    (
        "airbyte/destination-postgres",
        "Reporting",
        {
            "host": "reports.example.com",
            "port": 5432,
            "database": "reports",
            "schema": "raw",
            "username": "loader",
            "password": "secret-reports",
            "disable_type_dedupe": False,
        },
    ),
)


def _schedule(number: int) -> Json:
    units = (("hours", 6), ("minutes", 30), ("days", 1), ("weeks", 2))
    match number % 3:
        case 0:
            cron = {
                "cronExpression": f"0 {number % 60} */6 * * ?",
                "cronTimeZone": ("UTC", "Europe/Berlin")[number % 2],
            }
            return {"scheduleType": "cron", "scheduleData": {"cron": cron}}
        case 1:
            unit, every = units[number % 4]
            return {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": unit, "units": every}}}
        case _:
            return {"scheduleType": "manual"}


def _namespace(number: int) -> Json:
    match number % 3:
        case 0:
            return {"namespaceDefinition": "source"}
        case 1:
            return {"namespaceDefinition": "destination", "prefix": f"c{number}_"}
        case _:
            return {"namespaceDefinition": "customformat", "namespaceFormat": f"raw_{number}_${{SOURCE_NAMESPACE}}"}


def _stream(connection: int, number: int, repository: str, *, bucket: bool) -> Json:
    """Streams of every kind: keys and cursors by the source or by a person, chosen and hashed columns, odd names."""
    columns = {name: {"type": "string"} for name in ("id", "tenant", "updated_at", "email", "dotted.name", "note")}
    nested = {"type": "object", "properties": {"id": {"type": "string"}}}
    log = repository in _DATABASES and connection % 2 == 0
    stream: Json = {
        "name": (f"table_{number}", f"Table {number} → x", f"t.{number}")[number % 3],
        "jsonSchema": {"type": "object", "properties": {**columns, "meta": nested}},
        "supportedSyncModes": ["full_refresh", "incremental"] if number % 6 else ["full_refresh"],
        "sourceDefinedCursor": log or number % 5 == 1,
        "defaultCursorField": ["updated_at"] if number % 4 else [],
        "sourceDefinedPrimaryKey": [["id"], ["tenant"]] if number % 4 == 1 else [],
    }
    if repository in _DATABASES:
        stream["namespace"] = f"schema_{connection}_{number % 2}"
    full = number % 6 == 0 or number % 11 == 5
    dedup = not bucket and number % 2 == 1
    config: Json = {
        "selected": True,
        "syncMode": "full_refresh" if full else "incremental",
        "destinationSyncMode": "overwrite" if full else "append_dedup" if dedup else "append",
    }
    if not full:
        config["cursorField"] = ["updated_at"] if number % 4 else (["dotted.name"] if number % 8 else ["id"])
    if dedup and not full:
        keys = ([["id"]], [["tenant"], ["id"]], [["meta", "id"]], [["dotted.name"]])
        config["primaryKey"] = stream["sourceDefinedPrimaryKey"] or keys[number % 4]
    if number % 7 == 2:
        config["fieldSelectionEnabled"] = True
        chosen = ("id", "tenant", "updated_at", "email", "dotted.name", "meta")
        config["selectedFields"] = [{"fieldPath": [name]} for name in chosen]
    if number % 7 == 4:
        config["hashedFields"] = [{"fieldPath": ["email"]}]
    return {"stream": stream, "config": config}


def _one_line(name: str) -> str:
    return " ".join(name.split())


def _at(config: Any, path: str) -> str:
    for part in path.split("."):
        config = config[int(part)] if isinstance(config, list) else config[part]
    return str(config)
