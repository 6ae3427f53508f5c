"""HTTP to a Service inside a real cluster, with nothing but the Kubernetes API: what works, and what is said if not."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpcore
import httpx
import psutil
import pytest

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.settings import Settings
from dynamic_providers.kubernetes.cluster import connect
from dynamic_providers.kubernetes.port_forward import PortForwardTransport, Target, _Stream, ready_pod
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings as ServerSettings
from sandbox.cluster import Cluster
from tests.kubectl import Kubectl
from tests.relay import Relay

Poll = Callable[[Callable[[], Any], float], Any]

THREADS = 8
CONNECTING, LONGER = 2.0, 2.5
"""Seconds: a time-out for connecting, and more than that."""


class Server(ThreadingHTTPServer):
    """What the pods serve: every answer bears the number of the connection that it went over."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.numbers = count(1)
        self.together = threading.Barrier(THREADS)
        self.ended = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.number = next(self.server.numbers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/together":
            self.server.together.wait(30)
        if self.path == "/never":
            self.server.ended.wait(30)
        if self.path == "/later":
            self.server.ended.wait(LONGER)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Connection", str(self.number))
        self.end_headers()
        self.wfile.write(body.upper())

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module", autouse=True)
def kubeconfig(cluster: Cluster) -> Iterator[None]:
    """Everything here finds the cluster as kubectl does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(cluster.kubeconfig))
        yield


@pytest.fixture
def server(relay: Relay) -> Iterator[Server]:
    made = Server()
    with relay.to(made.server_address[1]):
        yield made
    made.stop()


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster) -> Iterator[Kubectl]:
    """`kubectl` in a namespace of the module's own."""
    made = Kubectl(cluster.bin_dir / "kubectl", cluster.kubeconfig, f"test-{uuid4().hex[:8]}")
    made("create", "namespace", made.namespace)
    made.wait("serviceaccount/default", "create")
    yield made
    made("delete", "namespace", made.namespace, "--wait=false")


@pytest.fixture(scope="module")
def service(kubectl: Kubectl) -> Target:
    """A Service whose port 80 is its pods' port `http`, and one ready pod."""
    labels = {"app": "web"}
    container = {"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 8001}]}
    deployment = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    targets: dict[str, int | str] = {"http": "http", "absent": "absent", "closed": 8002}
    ports = [{"name": name, "port": 80 + i, "targetPort": to} for i, (name, to) in enumerate(targets.items())]
    kubectl.apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": deployment},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": labels, "ports": ports},
        },
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "aimless"}, "spec": {"ports": [{"port": 80}]}},
    )
    kubectl.wait("deployment/web", "condition=Available")
    return Target.parse(f"port-forward://{kubectl.namespace}/web:80")


@pytest.fixture
def open_client() -> Iterator[Callable[[Target], httpx.Client]]:
    made: list[httpx.Client] = []

    def opened(target: Target) -> httpx.Client:
        made.append(httpx.Client(base_url=target.base_url, transport=PortForwardTransport(target), timeout=30))
        return made[-1]

    yield opened
    for client in made:
        client.close()


@pytest.fixture
def client(server: Server, service: Target, open_client: Callable[[Target], httpx.Client]) -> httpx.Client:
    return open_client(service)


def connection_of(answer: httpx.Response) -> str:
    return str(answer.headers["X-Connection"])


def test_megabytes_go_both_ways_over_one_connection_and_nothing_listens_on_this_machine_for_it(
    client: httpx.Client,
) -> None:
    before = listening()
    body = b"what a port-forward carries " * 200_000

    first = client.post("/", content=body)
    second = client.post("/", content=b"and again")

    assert first.content == body.upper()
    assert (second.content, connection_of(second)) == (b"AND AGAIN", connection_of(first))
    assert listening() == before


def listening() -> set[Any]:
    """The addresses that this process and those it started listen on."""
    ours = psutil.Process()
    return {
        each.laddr
        for process in (ours, *ours.children(recursive=True))
        for each in process.net_connections("all")
        if each.status == psutil.CONN_LISTEN
    }


def test_threads_each_have_a_connection_and_use_it_again(client: httpx.Client) -> None:
    def ask(number: int) -> tuple[bytes, str]:
        answer = client.post("/together", content=f"thread {number}".encode())
        return answer.content, connection_of(answer)

    for _ in range(2):
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(ask, range(THREADS)))
        assert [content for content, _ in answers] == [f"THREAD {number}".encode() for number in range(THREADS)]
        assert {connection for _, connection in answers} == {str(number) for number in range(1, THREADS + 1)}


def test_a_pod_that_another_takes_the_place_of_costs_a_retry_at_most(
    client: httpx.Client, service: Target, kubectl: Kubectl
) -> None:
    first = connection_of(client.post("/"))
    with connect() as api:
        before, port = ready_pod(api, service)
        kubectl("delete", "pod", before)
        kubectl.wait("deployment/web", "condition=Available")
        assert ready_pod(api, service)[0] != before
    assert port == 8001

    cut_off(client)
    answer = client.post("/", content=b"still there")
    assert answer.content == b"STILL THERE"
    assert connection_of(answer) != first


def cut_off(client: httpx.Client) -> None:
    """End the client's connections to the cluster, which the end of a pod does. A simulated pod's ends do not show."""
    transport = client._transport
    assert isinstance(transport, PortForwardTransport)
    for pooled in transport._pool.connections:
        assert isinstance(pooled, httpcore.HTTPConnection)
        assert isinstance(pooled._connection, httpcore.HTTP11Connection)
        stream = pooled._connection._network_stream
        assert isinstance(stream, _Stream)
        connection = stream._websocket.sock
        assert connection is not None
        connection.shutdown(socket.SHUT_RDWR)


def test_a_server_that_does_not_answer_in_time_is_a_read_timeout(client: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout, match=r"pod web-\S+ sent nothing for 0\.3 s"):
        client.post("/never", timeout=0.3)


def test_an_open_port_forward_may_be_idle_for_longer_than_opening_it_may_take(
    service: Target, server: Server, open_client: Callable[[Target], httpx.Client]
) -> None:
    client = open_client(service)
    client.timeout = httpx.Timeout(30, connect=CONNECTING)
    opened = connection_of(client.post("/"))
    server.ended.wait(LONGER)  # between requests
    answer = client.post("/later", content=b"at last")  # and within one
    assert (answer.content, connection_of(answer)) == (b"AT LAST", opened)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"service": "no-such-service"}, 'HTTP 404 services "no-such-service" not found'),
        ({"namespace": "no-such-namespace"}, 'HTTP 404 services "web" not found'),
        ({"port": 8080}, "the Service has no port 8080, only 80, 81, 82."),
        ({"port": 81}, r"pod web-\S+ has no port named absent."),
        ({"service": "aimless"}, "the Service selects no pods, so there is nothing to forward to."),
        ({"context": "no-such-context"}, "no way to the context no-such-context.* Set KUBECONFIG to a file"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_what_does_not_exist_is_a_connect_error_that_names_it(
    service: Target, open_client: Callable[[Target], httpx.Client], change: dict[str, Any], words: str
) -> None:
    target = dataclasses.replace(service, **change)
    with pytest.raises(httpx.ConnectError, match=words) as raised:
        open_client(target).get("/")
    assert "\n" not in str(raised.value)


def test_a_port_that_the_pod_does_not_serve_is_a_connect_error_with_the_nodes_words(
    service: Target, open_client: Callable[[Target], httpx.Client]
) -> None:
    with pytest.raises(httpx.ConnectError, match=r"the node could not forward to pod web-\S+: .*8002"):
        open_client(dataclasses.replace(service, port=82)).get("/")


def test_airbytes_client_and_its_command_line_go_the_same_way(
    service: Target, relay: Relay, kubectl: Kubectl, tmp_path: Path
) -> None:
    with Running(ServerSettings(client_secret="a-secret")) as airbyte, relay.to(airbyte.port):
        client = Client(Settings(url=str(service), client_id="sandbox", client_secret="a-secret"))
        try:
            assert client.instance().version == "2.0.0"
            workspace = client.instance().default_workspace_id
            assert client.post("workspaces/get", {"workspaceId": workspace})["workspaceId"] == workspace
        finally:
            client.close()

        (tmp_path / "connectors.yaml").write_text("source-postgres: 3.6.1\n")
        credentials = {"AIRBYTE_CLIENT_ID": "sandbox", "AIRBYTE_CLIENT_SECRET": "a-secret"}
        command = [sys.executable, "-m", "airbyte_cli", "connectors", "outdated", "--output", "json"]
        done = subprocess.run(
            [*command, "--airbyte-url", str(service)],
            cwd=tmp_path,
            env={**os.environ, **credentials, "KUBECONFIG": str(kubectl.kubeconfig)},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["connectors"]
    assert (found["connector"], found["pinned"], found["status"]) == ("source-postgres", "3.6.1", "outdated")


def test_without_a_ready_pod_it_is_said_what_there_is_instead(
    service: Target, kubectl: Kubectl, open_client: Callable[[Target], httpx.Client], poll: Poll
) -> None:
    client = open_client(service)
    kubectl("scale", "deployment/web", "--replicas=0")
    kubectl("wait", "pod", "--selector=app=web", "--for=delete", "--timeout=30s")
    with pytest.raises(httpx.ConnectError, match="no pod of the Service is ready: there are none"):
        client.get("/")

    kubectl("set", "image", "deployment/web", "web=does-not-exist:1")
    kubectl("scale", "deployment/web", "--replicas=1")
    poll(lambda: kubectl.get("pods")["items"] or None, 30)
    with pytest.raises(httpx.ConnectError, match=r"no pod of the Service is ready: web-\S+ is Pending"):
        client.get("/")
