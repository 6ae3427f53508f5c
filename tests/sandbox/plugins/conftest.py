"""The engine's side of a plugin, and the real servers that the plugins talk to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.plugins.provider import Provider
from sandbox.plugins.server import start
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

    def __init__(self, port: int) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

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

    def _read(self, token: str, request: proto.ReadRequest) -> Created | None:
        found = self.stub.Read(request)
        if not found.id:
            return None
        return Created(token, found.id, decode(found.inputs)[0], decode(found.properties)[0])


@pytest.fixture
def engine_of() -> Iterator[Callable[[Provider[Any]], Engine]]:
    """Starts a provider's gRPC server in this process and gives the engine's side of it."""
    servers = []

    def engine(provider: Provider[Any]) -> Engine:
        server, port = start(provider)
        servers.append(server)
        return Engine(port)

    yield engine
    for server in servers:
        server.stop(None).wait()
