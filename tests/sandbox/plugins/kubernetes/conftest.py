"""The engine's side of the Kubernetes plugin, and a chart to install."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import psutil
import pytest
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.cluster import Cluster
from sandbox.plugins.kubernetes.provider import Kubernetes
from sandbox.plugins.kubernetes.servicer import KubernetesServicer
from sandbox.plugins.server import Servicer
from sandbox.plugins.values import Properties, decode, decode_deeply, encode
from tests.kubectl import Kubectl

CHART = {
    "Chart.yaml": "{apiVersion: v2, name: tiny, version: 0.1.0, appVersion: '1.0'}",
    "values.yaml": "{greeting: hello, words: {a: 1, b: 2}, replicas: 0, password: ''}",
    "templates/all.yaml": """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-words}
data: {greeting: {{ .Values.greeting | quote }}, a: {{ .Values.words.a | quote }}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-secret}
stringData: {password: {{ .Values.password | quote }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-server, labels: {replicas: {{ .Values.replicas | quote }}}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      nodeSelector: {{ .Values.nodes | default dict | toJson }}
      containers: [{name: main, image: example/server:1}]
""",
}


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

    def __init__(self, channel: grpc.Channel) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(channel)

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
class PluginProcess:
    """The plugin as a process of its own."""

    engine: Engine
    process: psutil.Process
    parent: psutil.Process

    def helm(self) -> psutil.Process | None:
        """The helm that it runs to write a release."""
        return next((each for each in self.process.children() if "--values" in each.cmdline()), None)


@pytest.fixture
def plugin(channel_to: Callable[[Servicer[Any]], grpc.Channel]) -> Callable[..., Engine]:
    """Starts the plugin in this process with a configuration."""

    def begin(**config: str) -> Engine:
        engine = Engine(channel_to(KubernetesServicer(Kubernetes())))
        engine.configure(**config)
        return engine

    return begin


@pytest.fixture
def plugin_process(cluster: Cluster, kubectl: Kubectl) -> Iterator[Callable[..., PluginProcess]]:
    """Starts the plugin as a process, as the engine does, with the test's namespace as the default."""
    path = f"{cluster.bin_dir}:{os.environ['PATH']}"
    # A shell in the place of the engine: the colon keeps it from becoming the plugin.
    command = ["sh", "-c", '"$0" -m sandbox.plugins.kubernetes; :', sys.executable]
    started: list[tuple[subprocess.Popen[str], grpc.Channel]] = []

    def begin() -> PluginProcess:
        parent = subprocess.Popen(command, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        channel = grpc.insecure_channel(f"127.0.0.1:{int(parent.stdout.readline())}")
        started.append((parent, channel))
        (plugin,) = psutil.Process(parent.pid).children()
        engine = Engine(channel)
        engine.configure(kubeconfig=str(cluster.kubeconfig), namespace=kubectl.namespace)
        return PluginProcess(engine, plugin, psutil.Process(parent.pid))

    yield begin
    for parent, channel in started:
        channel.close()
        for process in psutil.Process(parent.pid).children(recursive=True) if parent.poll() is None else []:
            process.terminate()
        parent.communicate(timeout=30)


@pytest.fixture
def engine(
    plugin: Callable[..., Engine], cluster: Cluster, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> Engine:
    """The plugin on the cluster, with the test's namespace as the default."""
    monkeypatch.setenv("PATH", f"{cluster.bin_dir}:{os.environ['PATH']}")
    return plugin(kubeconfig=str(cluster.kubeconfig), namespace=kubectl.namespace)


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A tiny chart in a folder."""
    folder = tmp_path / "tiny"
    for name, text in CHART.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def release(chart: Path, kubectl: Kubectl) -> Callable[..., Properties]:
    """A release of the tiny chart, as a program declares it."""

    def declared(**more: Any) -> Properties:
        return {"name": "tiny", "namespace": kubectl.namespace, "chart": str(chart), "timeout": 30, **more}

    return declared


@pytest.fixture
def helm(cluster: Cluster, kubectl: Kubectl) -> Callable[..., str]:
    """The real helm: what somebody else does."""

    def run(*arguments: str) -> str:
        command = [str(cluster.bin_dir / "helm"), "--kubeconfig", str(cluster.kubeconfig), "-n", kubectl.namespace]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
