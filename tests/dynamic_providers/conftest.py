"""An Airbyte server per test, in memory, and one PostgreSQL for all of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import psycopg
import pytest
from psycopg import sql

from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.connection import ConnectionResource
from dynamic_providers.airbyte.connector_version import ConnectorVersionResource
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.settings import Settings
from dynamic_providers.crud import Resource
from sandbox import postgres as sandbox_postgres
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings as ServerSettings
from sandbox.airbyte.versions import Release

CLIENT_SECRET = "emulator-client-secret"
USER_PASSWORD = "source-password-1"
WAREHOUSE_PASSWORD = "warehouse-password-1"
FINGERPRINT_KEY = "0f" * 32
SOURCE_POSTGRES = "decd338e-5647-4c0b-adf4-da0e75f5a750"
DESTINATION_POSTGRES = "25c5221d-dce2-4163-ade9-739ef790f503"

Properties = dict[str, Any]


@dataclass(frozen=True)
class Database:
    """A PostgreSQL with a role, a publication and a replication slot for Airbyte."""

    host: str
    port: int
    conninfo: str

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(cast("Any", statement))


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with sandbox_postgres.start(tmp_path_factory.mktemp("postgres")) as server:
        database = Database(server.host, server.port, server.conninfo())
        with psycopg.connect(database.conninfo, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE ROLE airbyte LOGIN REPLICATION PASSWORD {}").format(sql.Literal(USER_PASSWORD))
            )
            connection.execute("GRANT USAGE ON SCHEMA public TO airbyte")
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO airbyte")
            connection.execute("CREATE PUBLICATION airbyte_publication FOR TABLE orders, users")
            connection.execute("SELECT pg_create_logical_replication_slot('airbyte_slot', 'pgoutput')")
        yield database


@dataclass
class Airbyte:
    """A running server and what a test asks of it."""

    server: Running
    client_secret: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.server.url, trust_env=False)

    @property
    def url(self) -> str:
        return self.server.url

    def session(self, **options: Any) -> Session:
        """A session as a new provider process has it, with nothing read yet."""
        return Session(Client(Settings(self.url, "sandbox", self.client_secret), sleep=lambda _: None, **options))

    def post(self, operation: str, body: Properties) -> Any:
        """Do something out of band, as a person in the UI would."""
        return self.session().client.post(operation, body)

    def calls(self) -> list[str]:
        """The API's paths that were asked for, in order."""
        report = self.http.get("/sandbox/v1/calls").json()
        return [str(call["path"]) for call in report["calls"]]

    def forget_calls(self) -> None:
        self.http.delete("/sandbox/v1/calls")

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The calls that the block makes."""
        made: list[str] = []
        self.forget_calls()
        yield made
        made += self.calls()

    def fault(self, **members: Any) -> None:
        answer = self.http.post("/sandbox/v1/faults", json=members)
        assert answer.is_success, answer.text

    def stored_secrets(self) -> list[str]:
        """Every secret the server holds, in the clear."""
        return sorted(self.http.get("/sandbox/v1/secrets").json()["secrets"].values(), key=str)

    def read(self, collection: str, id_: str) -> Properties:
        """One object, as the API shows it."""
        singular = collection.removesuffix("s")
        answer: Properties = self.post(f"{collection}/get", {f"{singular}Id": id_})
        return answer

    def ids(self, collection: str) -> list[str]:
        session = self.session()
        workspace = session.workspace()
        if collection == "connections":
            return sorted(session.inventory.connections(workspace))
        kind = SOURCE if collection == "sources" else DESTINATION
        return sorted(session.inventory.actors(kind, workspace))


@contextmanager
def _running(version: str = "2.0.0") -> Iterator[Airbyte]:
    settings = ServerSettings(client_secret=CLIENT_SECRET, assume_checks_pass=True, release=Release.parse(version))
    with Running(settings) as server:
        yield Airbyte(server, CLIENT_SECRET)


@pytest.fixture(scope="session")
def start_airbyte() -> Callable[..., AbstractContextManager[Airbyte]]:
    """Starts a server, in memory, whose connectors' checks pass where they can't run in the sandbox."""
    return _running


@pytest.fixture
def airbyte() -> Iterator[Airbyte]:
    with _running() as server:
        yield server


@pytest.fixture
def source_inputs(database: Database) -> Properties:
    """A CDC source on the sandbox's database, as check receives it."""
    return {
        "source_name": "postgres_production",
        "connector": "source-postgres",
        "definition_id": SOURCE_POSTGRES,
        "connector_version": "3.7.0",
        "config": {
            "host": database.host,
            "port": database.port,
            "database": "production",
            "username": "airbyte",
            "password": USER_PASSWORD,
            "schemas": ["public"],
            "ssl_mode": {"mode": "prefer"},
            "replication_method": {
                "method": "CDC",
                "replication_slot": "airbyte_slot",
                "publication": "airbyte_publication",
            },
        },
        "secret_paths": ["password"],
        "fingerprint_key": FINGERPRINT_KEY,
    }


@pytest.fixture
def destination_inputs() -> Properties:
    """A destination whose connector can't run in the sandbox, where its checks are assumed to pass."""
    return {
        "destination_name": "warehouse",
        "connector": "destination-postgres",
        "definition_id": DESTINATION_POSTGRES,
        "connector_version": "2.4.7",
        "config": {
            "host": "warehouse.example.com",
            "port": 5432,
            "database": "raw",
            "schema": "production",
            "username": "loader",
            "password": WAREHOUSE_PASSWORD,
        },
        "secret_paths": ["password"],
        "fingerprint_key": FINGERPRINT_KEY,
    }


@pytest.fixture
def connection_inputs(pair: tuple[str, str]) -> Properties:
    """A connection of two tables between the pair, as check receives it."""
    stream = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup", "primary_key": [["id"]]}
    return {
        "connection_name": "production",
        "source_id": pair[0],
        "destination_id": pair[1],
        "streams": {"orders": stream, "users": stream},
        "schedule": {"type": "cron", "expression": "0 */6 * * *", "timezone": "UTC"},
        "namespace_definition": "destination",
        "prefix": "",
        "schema_changes": "propagate_columns",
        "status": "active",
        "tags": [],
    }


@dataclass
class Life:
    """One resource under management, as the engine would lead it: check, create, refresh, diff, update."""

    make: Callable[[Session], Resource]
    airbyte: Airbyte
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)

    def resource(self) -> Resource:
        return self.make(self.airbyte.session())

    def up(self, program: Properties) -> tuple[str, ...]:
        """What `pulumi up` does: gives the properties that differed, or ("create",)."""
        resource = self.resource()
        checked = resource.check(dict(self.inputs), dict(program))
        assert not checked.failures, checked.failures
        if not self.id:
            self.id, self.outputs = resource.create(dict(checked.inputs))
            self.inputs = checked.inputs
            return ("create",)
        difference = resource.diff(self.id, dict(self.outputs), dict(checked.inputs))
        if difference.replaces:
            return difference.replaces
        if difference.changed:
            self.outputs = resource.update(self.id, dict(self.outputs), dict(checked.inputs))
        self.inputs = checked.inputs
        return difference.changed

    def refresh(self) -> tuple[str, ...]:
        """What `pulumi refresh` does: gives the properties that drifted, or ("gone",)."""
        resource = self.resource()
        live = resource.read(self.id, dict(self.outputs))
        if live is None:
            self.id = ""
            return ("gone",)
        difference = resource.diff(self.id, dict(live.outputs), dict(self.inputs))
        self.inputs, self.outputs = live.inputs, live.outputs
        return difference.changed

    def drift(self) -> dict[str, tuple[Any, Any]]:
        """Like refresh, but gives old and new value of each drifted input."""
        before = dict(self.inputs)
        return {key: (before.get(key), self.inputs.get(key)) for key in self.refresh()}


@pytest.fixture
def manage(airbyte: Airbyte) -> Callable[[Callable[[Session], Resource]], Life]:
    """Leads the life of any kind of resource on the server."""
    return lambda make: Life(make, airbyte)


@pytest.fixture
def a_source(airbyte: Airbyte) -> Life:
    return Life(lambda session: ActorResource(session, SOURCE), airbyte)


@pytest.fixture
def a_destination(airbyte: Airbyte) -> Life:
    return Life(lambda session: ActorResource(session, DESTINATION), airbyte)


@pytest.fixture
def a_connection(airbyte: Airbyte) -> Life:
    return Life(ConnectionResource, airbyte)


@pytest.fixture
def a_pin(airbyte: Airbyte) -> Life:
    return Life(ConnectorVersionResource, airbyte)


@pytest.fixture
def pair(
    a_source: Life, a_destination: Life, source_inputs: Properties, destination_inputs: Properties
) -> tuple[str, str]:
    """Ids of a source and a destination that exist."""
    a_source.up(source_inputs)
    a_destination.up(destination_inputs)
    return a_source.id, a_destination.id
