"""A cluster, and the engine's side of the Kubernetes plugin."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import grpc  # type: ignore[import-untyped]
import httpx
import pytest
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox import cluster as clusters
from sandbox.cluster.api import connect
from sandbox.plugins.kubernetes.provider import Kubernetes
from sandbox.plugins.kubernetes.servicer import KubernetesServicer
from sandbox.plugins.server import start
from sandbox.plugins.values import Properties, decode, decode_deeply, encode
from tests.kubectl import Kubectl as AnyKubectl

Thing = dict[str, Any]


@dataclass
class Held:
    """What state would hold of a resource; `state` and `inputs` as the wire has them, secrets and all."""

    urn: str
    id: str
    state: Any
    inputs: Any

    @property
    def outputs(self) -> Properties:
        return decode(self.state)[0]

    @property
    def declared(self) -> Properties:
        return decode(self.inputs)[0]

    @property
    def secrets(self) -> set[tuple[str | int, ...]]:
        return set(decode_deeply(self.state)[1])


class Engine:
    """Calls the plugin as the engine does, over gRPC."""

    def __init__(self, port: int) -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def configure(self, **config: str) -> None:
        self.stub.Configure(proto.ConfigureRequest(args=encode(config), acceptSecrets=True))

    def check(
        self, token: str, declared: Properties, secrets: tuple[Any, ...] = (), before: Any = None, **request: Any
    ) -> Any:
        urn = f"urn:pulumi:test::tests::{token}::thing"
        news = encode(declared, secrets, nulls=True)
        return self.stub.Check(proto.CheckRequest(urn=urn, news=news, olds=before, randomSeed=b"seed", **request))

    def inputs(self, token: str, declared: Properties, secrets: tuple[Any, ...] = (), before: Any = None) -> Any:
        checked = self.check(token, declared, secrets, before)
        assert not checked.failures, checked.failures
        return checked.inputs

    def create(self, token: str, declared: Properties, secrets: tuple[Any, ...] = (), timeout: float = 30) -> Held:
        urn = f"urn:pulumi:test::tests::{token}::thing"
        inputs = self.inputs(token, declared, secrets)
        made = self.stub.Create(proto.CreateRequest(urn=urn, properties=inputs, timeout=timeout))
        assert made.id
        return Held(urn, made.id, made.properties, inputs)

    def plan(self, token: str, declared: Properties, secrets: tuple[Any, ...] = ()) -> Properties:
        """What a preview says that creating this would give."""
        urn = f"urn:pulumi:test::tests::{token}::thing"
        inputs = self.inputs(token, declared, secrets)
        return decode(self.stub.Create(proto.CreateRequest(urn=urn, properties=inputs, preview=True)).properties)[0]

    def diff(self, held: Held, declared: Properties | None = None, ignored: tuple[str, ...] = ()) -> Any:
        inputs = held.inputs if declared is None else self._again(held, declared)
        return self.stub.Diff(
            proto.DiffRequest(id=held.id, urn=held.urn, olds=held.state, news=inputs, ignoreChanges=ignored)
        )

    def changes(self, held: Held, declared: Properties | None = None, ignored: tuple[str, ...] = ()) -> dict[str, str]:
        """Place by place, what kind of change it is."""
        detailed = self.diff(held, declared, ignored).detailedDiff
        return {path: proto.PropertyDiff.Kind.Name(entry.kind) for path, entry in detailed.items()}

    def update(self, held: Held, declared: Properties, ignored: tuple[str, ...] = (), *, preview: bool = False) -> Held:
        inputs = self._again(held, declared)
        request = proto.UpdateRequest(
            id=held.id, urn=held.urn, olds=held.state, news=inputs, ignoreChanges=ignored, timeout=30, preview=preview
        )
        return Held(held.urn, held.id, self.stub.Update(request).properties, inputs)

    def refresh(self, held: Held) -> Held | None:
        request = proto.ReadRequest(id=held.id, urn=held.urn, properties=held.state, inputs=held.inputs)
        return self._read(held.urn, request)

    def find(self, token: str, identifier: str) -> Held | None:
        """What an import finds."""
        urn = f"urn:pulumi:test::tests::{token}::thing"
        return self._read(urn, proto.ReadRequest(id=identifier, urn=urn))

    def delete(self, held: Held, timeout: float = 30) -> None:
        self.stub.Delete(proto.DeleteRequest(id=held.id, urn=held.urn, properties=held.state, timeout=timeout))

    def _again(self, held: Held, declared: Properties) -> Any:
        return self.inputs(held.urn.split("::")[2], declared, before=held.inputs)

    def _read(self, urn: str, request: Any) -> Held | None:
        found = self.stub.Read(request)
        return Held(urn, found.id, found.properties, found.inputs) if found.id else None


@dataclass(frozen=True)
class Kubectl(AnyKubectl):
    """The real `kubectl`, as the administrator: what somebody else does to the cluster."""

    def edit(self, thing: str, *operations: Thing) -> None:
        """Change an object as `kubectl edit` does, which is under that name, by a JSON patch."""
        patch = json.dumps(operations)
        self("patch", thing, "--field-manager=kubectl-edit", "--type=json", "--patch", patch)


@pytest.fixture(scope="session")
def api(cluster: clusters.Cluster) -> Iterator[httpx.Client]:
    """The API server, as its administrator."""
    with connect(cluster.data, httpx.URL(cluster.url).port or 443) as client:
        yield client


@pytest.fixture
def kubectl(cluster: clusters.Cluster, api: httpx.Client) -> Kubectl:
    """`kubectl` in a namespace of the test's own, which goes with the cluster."""
    namespace = f"test-{uuid4().hex[:8]}"
    api.post("/api/v1/namespaces", json={"metadata": {"name": namespace}}).raise_for_status()
    return Kubectl(cluster.bin_dir / "kubectl", cluster.kubeconfig, namespace)


@pytest.fixture
def plugin() -> Iterator[Callable[..., Engine]]:
    """Starts the plugin in this process with a configuration."""
    started: list[tuple[Any, Engine, Kubernetes]] = []

    def begin(**config: str) -> Engine:
        provider = Kubernetes()
        server, port = start(KubernetesServicer(provider))
        engine = Engine(port)
        started.append((server, engine, provider))
        engine.configure(**config)
        return engine

    yield begin
    for server, engine, provider in started:
        engine.channel.close()
        server.stop(None).wait()
        provider.shut()


@pytest.fixture
def engine(
    plugin: Callable[..., Engine], cluster: clusters.Cluster, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> Engine:
    """The plugin on the cluster, with the test's namespace as the default."""
    monkeypatch.setenv("PATH", f"{cluster.bin_dir}:{os.environ['PATH']}")
    return plugin(kubeconfig=str(cluster.kubeconfig), namespace=kubectl.namespace)


@pytest.fixture
def refusal() -> Callable[[Callable[[], object]], str]:
    """What the plugin says as it refuses a call."""

    def said(call: Callable[[], object]) -> str:
        with pytest.raises(grpc.RpcError) as refused:
            call()
        return str(refused.value.details())

    return said
