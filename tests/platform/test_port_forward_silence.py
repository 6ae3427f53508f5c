"""An API server that takes connections and then says nothing: a port-forward to it is given up, and says so."""

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import UnreachableError
from dynamic_providers.airbyte.settings import Settings
from dynamic_providers.errors import ReadableError
from dynamic_providers.kubernetes.cluster import connect
from dynamic_providers.kubernetes.port_forward import PortForwardTransport, SilentClusterError, Target, _open
from tests import kubectl

SECONDS = 0.3
"""How long these tests let the server be silent."""
FAR_MORE = 5.0
"""After how long the server hangs up: what waits for ever otherwise fails its test, and does not hang the suite."""
TARGET = Target.parse("port-forward://airbyte/airbyte-airbyte-server-svc:8001")

ANSWERS = {
    "/services/airbyte-airbyte-server-svc": {
        "spec": {"selector": {"airbyte": "server"}, "ports": [{"port": 8001, "targetPort": 8001}]}
    },
    "/pods": {
        "items": [
            {
                "metadata": {"name": "airbyte-server-0"},
                "spec": {"containers": [{"name": "server"}]},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            }
        ]
    },
}


class Mute(socketserver.ThreadingTCPServer):
    """Accepts connections, and says nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), _Mute)


class _Mute(socketserver.BaseRequestHandler):
    server: Mute

    def handle(self) -> None:
        self.server.ended.wait(FAR_MORE)


class HalfMute(ThreadingHTTPServer):
    """Knows of a Service with one ready pod, and says nothing when it is asked for a port-forward to it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), _HalfMute)


class _HalfMute(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HalfMute

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix(f"/api/v1/namespaces/{TARGET.namespace}")
        if path.endswith("/portforward"):
            self.server.ended.wait(FAR_MORE)
            self.close_connection = True
            return
        body = json.dumps(ANSWERS[path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes an address the one cluster there is."""

    def name(address: str) -> None:
        path = tmp_path / "kubeconfig"
        path.write_text(kubectl.kubeconfig(address, verified=False))
        monkeypatch.setenv("KUBECONFIG", str(path))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    return name


@pytest.fixture
def listening(kubeconfig: Callable[[str], None]) -> Iterator[Callable[..., str]]:
    """Starts a server that is the cluster's API server from now on; its address."""
    started: list[Mute | HalfMute] = []

    def start(kind: type[Mute] | type[HalfMute], scheme: str = "http") -> str:
        server = kind()
        started.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        kubeconfig(address)
        return address

    yield start
    for server in started:
        server.ended.set()
        server.shutdown()
        server.server_close()


def given_up(ask: Callable[[], object], kind: type[Exception]) -> str:
    """What was said when it was given up, which was soon."""
    began = time.monotonic()
    with pytest.raises(kind) as raised:
        ask()
    assert SECONDS <= time.monotonic() - began < FAR_MORE
    return str(raised.value)


def get(target: Target) -> httpx.Response:
    timeout = httpx.Timeout(60, connect=SECONDS)
    with httpx.Client(base_url=target.base_url, transport=PortForwardTransport(target), timeout=timeout) as client:
        return client.get("/")


def test_a_handshake_without_an_answer_is_given_up_with_what_was_waited_for_and_what_to_do(
    listening: Callable[..., str],
) -> None:
    address = listening(HalfMute)
    said = given_up(lambda: get(TARGET), httpx.ConnectTimeout)
    assert said.startswith(
        f"{TARGET}: the cluster's API server at {address} did not answer within 0.3 s when it was asked for a "
        "port-forward to pod airbyte-server-0. "
    )
    assert "`kubectl --namespace airbyte port-forward service/airbyte-airbyte-server-svc :8001`" in said
    assert "\n" not in said
    assert "a-token" not in said


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_at_all_is_asked_once_and_given_up(
    listening: Callable[..., str], scheme: str
) -> None:
    listening(Mute, scheme)
    said = given_up(lambda: get(TARGET), httpx.ConnectTimeout)
    assert "did not answer within 0.3 s when it was asked for the Service and its pods." in said


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_neither_tls_nor_the_handshake_waits_for_ever(listening: Callable[..., str], scheme: str) -> None:
    listening(Mute, scheme)
    with connect() as api:
        message = given_up(lambda: _open(api, "airbyte", "airbyte-server-0", 8001, SECONDS), Exception)
    assert "timed out" in message


def test_the_command_that_it_advises_names_the_context() -> None:
    target = Target.parse("port-forward://airbyte/web:80?context=prod")
    error = SilentClusterError(target, "https://192.0.2.1:6443", "for the Service and its pods", 10.0)
    assert isinstance(error, ReadableError)
    assert "within 10 s" in str(error)
    assert "`kubectl --context prod --namespace airbyte port-forward service/web :80`" in str(error)


def test_airbytes_client_tells_of_it_as_of_an_unreachable_server(listening: Callable[..., str]) -> None:
    listening(HalfMute)
    client = Client(Settings(url=str(TARGET)), sleep=lambda seconds: None)
    client._http.timeout = httpx.Timeout(60, connect=SECONDS)
    try:
        with pytest.raises(UnreachableError) as raised:
            client.instance()
    finally:
        client.close()
    assert str(raised.value).startswith(f"Airbyte does not answer at {TARGET}. ConnectTimeout on ")
    assert "did not answer within 0.3 s when it was asked for a port-forward to pod airbyte-server-0" in str(
        raised.value
    )


def test_where_nobody_listens_it_is_said_at_once(kubeconfig: Callable[[str], None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    kubeconfig(f"http://127.0.0.1:{port}")
    with pytest.raises(httpx.ConnectError, match="Connection refused") as raised:
        get(TARGET)
    assert not isinstance(raised.value, httpx.TimeoutException)
    assert str(port) in str(raised.value)
