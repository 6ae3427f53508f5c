"""The engine's side of a plugin, and the real servers that the plugins talk to."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc  # type: ignore[import-untyped]
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from psycopg.rows import dict_row
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox import postgres as postgres_sandbox
from sandbox.plugins.provider import Provider
from sandbox.plugins.resource_servicer import ResourceServicer
from sandbox.plugins.server import Servicer, start
from sandbox.plugins.snowflake.provider import Snowflake
from sandbox.plugins.values import Properties, decode, encode


@dataclass
class Created:
    """What state would hold of a resource."""

    type: str
    id: str
    inputs: Properties
    outputs: Properties


class Engine:
    """Calls a plugin as the engine does, over gRPC."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(channel)

    @staticmethod
    def urn(token: str) -> str:
        return f"urn:pulumi:test::tests::{token}::thing"

    def configure(self, **config: Any) -> None:
        self.stub.Configure(proto.ConfigureRequest(args=encode(config), acceptSecrets=True))

    def check(self, token: str, declared: Properties, secrets: tuple[str, ...] = ()) -> Any:
        request = proto.CheckRequest(urn=self.urn(token), news=encode(declared, secrets), randomSeed=b"seed")
        return self.stub.Check(request)

    def inputs(self, token: str, declared: Properties) -> Properties:
        checked = self.check(token, declared)
        assert not checked.failures, checked.failures
        return decode(checked.inputs)[0]

    def create(self, token: str, **declared: Any) -> Created:
        inputs = self.inputs(token, declared)
        made = self.stub.Create(proto.CreateRequest(urn=self.urn(token), properties=encode(inputs)))
        assert made.id
        return Created(token, made.id, inputs, decode(made.properties)[0])

    def diff(self, made: Created, **declared: Any) -> Any:
        """The answer to a program that now declares this; the same as before when nothing is given."""
        inputs = self.inputs(made.type, declared) if declared else made.inputs
        request = proto.DiffRequest(
            id=made.id,
            urn=self.urn(made.type),
            olds=encode(made.outputs),
            old_inputs=encode(made.inputs),
            news=encode(inputs),
        )
        return self.stub.Diff(request)

    def changes(self, made: Created, **declared: Any) -> dict[str, str]:
        """Property by property, what kind of change it is."""
        detailed = self.diff(made, **declared).detailedDiff
        return {name: proto.PropertyDiff.Kind.Name(entry.kind) for name, entry in detailed.items()}

    def update(self, made: Created, **declared: Any) -> Created:
        inputs = self.inputs(made.type, declared)
        request = proto.UpdateRequest(
            id=made.id,
            urn=self.urn(made.type),
            olds=encode(made.outputs),
            old_inputs=encode(made.inputs),
            news=encode(inputs),
        )
        return Created(made.type, made.id, inputs, decode(self.stub.Update(request).properties)[0])

    def refresh(self, made: Created) -> Created | None:
        """What state holds after a refresh; None when the resource is gone."""
        request = proto.ReadRequest(
            id=made.id,
            urn=self.urn(made.type),
            properties=encode(made.outputs),
            inputs=encode(made.inputs),
        )
        return self._read(made.type, request)

    def read_by_id(self, token: str, identifier: str) -> Created | None:
        """What an import finds; None when there is no such resource."""
        return self._read(token, proto.ReadRequest(id=identifier, urn=self.urn(token)))

    def delete(self, made: Created) -> None:
        self.stub.Delete(proto.DeleteRequest(id=made.id, urn=self.urn(made.type), properties=encode(made.outputs)))

    def repair(self, found: Created, **declared: Any) -> Created:
        """What the next update makes of a resource that has drifted."""
        changes = self.changes(found, **declared)
        assert changes, "the drift is a change for the next update"
        if any(kind.endswith("REPLACE") for kind in changes.values()):
            self.delete(found)
            return self.create(found.type, **declared)
        return self.update(found, **declared)

    def _read(self, token: str, request: proto.ReadRequest) -> Created | None:
        found = self.stub.Read(request)
        if not found.id:
            return None
        return Created(token, found.id, decode(found.inputs)[0], decode(found.properties)[0])


@pytest.fixture
def refusal() -> Callable[[Callable[[], object]], str]:
    """What a plugin says as it refuses a call."""

    def said(call: Callable[[], object]) -> str:
        with pytest.raises(grpc.RpcError) as refused:
            call()
        return str(refused.value.details())

    return said


@pytest.fixture
def channel_to() -> Iterator[Callable[[Servicer[Any]], grpc.Channel]]:
    """Starts a plugin's gRPC server in this process, and leads to it."""
    started: list[tuple[grpc.Channel, grpc.Server, Servicer[Any]]] = []

    def begin(servicer: Servicer[Any]) -> grpc.Channel:
        server, port = start(servicer)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        started.append((channel, server, servicer))
        return channel

    yield begin
    for channel, server, servicer in started:
        channel.close()
        server.stop(None).wait()
        servicer.shut()


@pytest.fixture
def engine_of(channel_to: Callable[[Servicer[Any]], grpc.Channel]) -> Callable[[Provider[Any]], Engine]:
    """The engine's side of a provider."""
    return lambda provider: Engine(channel_to(ResourceServicer(provider)))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres_sandbox.Server]:
    """A real PostgreSQL with the sample database `production`."""
    with postgres_sandbox.start(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def admin(postgres: postgres_sandbox.Server) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """What somebody else does to the database `production`, as its administrator."""
    with psycopg.connect(postgres.conninfo(), autocommit=True, row_factory=dict_row) as connection:
        yield connection


@dataclass
class Account:
    """A Snowflake account on loopback, and how to log in to it."""

    port: int
    private_key: str

    @property
    def provider(self) -> dict[str, Any]:
        """The arguments of a provider for it."""
        return {
            "organizationName": "OFFLINE",
            "accountName": "SANDBOX",
            "user": "ADMIN",
            "authenticator": "SNOWFLAKE_JWT",
            "privateKey": self.private_key,
            "role": "ACCOUNTADMIN",
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
        }


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A Snowflake account whose administrator logs in with a key pair."""
    folder = tmp_path_factory.mktemp("snowflake")
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "admin.pub").write_bytes(public)
    command = [sys.executable, "-m", "sandbox.snowflake", "--port", "0", "--data", str(folder / "data")]
    command += ["--admin-public-key", str(folder / "admin.pub")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = re.search(r":(\d+)\s*$", server.stdout.readline())
            assert port, "the first line of output tells where it listens"
            yield Account(int(port[1]), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture
def snowflake_provider() -> Snowflake:
    """The Snowflake stand-in."""
    return Snowflake()


@pytest.fixture
def snowflake(account: Account, snowflake_provider: Snowflake, engine_of: Callable[[Provider[Any]], Engine]) -> Engine:
    """The engine's side of it, logged in to the account."""
    engine = engine_of(snowflake_provider)
    engine.configure(**{**account.provider, "port": str(account.port)})
    return engine


@pytest.fixture
def snowflake_sql(snowflake: Engine, snowflake_provider: Snowflake) -> Callable[[str], list[dict[str, Any]]]:
    """What somebody else does to the account."""
    return lambda statement: snowflake_provider.session().run(statement)


@pytest.fixture
def snowflake_neighbours(snowflake_sql: Callable[[str], object]) -> None:
    """What the resources refer to."""
    for statement in (
        'CREATE OR REPLACE WAREHOUSE "WH" INITIALLY_SUSPENDED = true',
        'CREATE OR REPLACE DATABASE "LAKE"',
        'CREATE OR REPLACE SCHEMA "LAKE"."STORE"',
        'CREATE OR REPLACE ROLE "LOADER"',
        "CREATE OR REPLACE NETWORK POLICY \"FENCE\" ALLOWED_IP_LIST = ('127.0.0.1')",
    ):
        snowflake_sql(statement)
