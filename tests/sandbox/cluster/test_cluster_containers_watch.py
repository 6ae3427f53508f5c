"""The thread that starts containers goes on whatever becomes of the API server, and ends at once when it is told to."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.cluster import containers
from sandbox.cluster.containers import Containers

Thing = dict[str, Any]
Poll = Callable[[Callable[[], Any], float], Any]


def pod(value: str) -> Thing:
    """One and the same pod whose containers are to be created, with a value of its environment's."""
    return {
        "metadata": {"name": "server", "namespace": "here", "uid": "1", "labels": {"airbyte": "server"}},
        "spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": value}]}]},
        "status": {
            "phase": "Pending",
            "conditions": [{"type": "PodReadyToStartContainers", "status": "True"}],
            "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}],
        },
    }


class ApiServer(ThreadingHTTPServer):
    """Says what it is given for each list and each watch, in turn; then lists nothing, and says nothing at all."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lists: list[tuple[int, str]] = []
        self.watches: list[tuple[int, str]] = []
        self.patched: list[Thing] = []
        self.idle = threading.Event()
        self.left = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def connect(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.server_port}", trust_env=False)


class Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:
        watches = "watch=true" in self.path
        script = self.server.watches if watches else self.server.lists
        empty = json.dumps({"metadata": {"resourceVersion": "1"}, "items": []})
        status, text = script.pop(0) if script else (200, "" if watches else empty)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())
        if watches and not text:
            self.server.idle.set()
            self.connection.recv(1)  # until the other side leaves
            self.server.left.set()

    def do_PATCH(self) -> None:
        self.server.patched.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def api_server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server
        server.shutdown()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "environment.json"


@pytest.fixture
def run(api_server: ApiServer, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Containers]]:
    """Begin to start the containers of `server`; ends with the test."""
    monkeypatch.setattr(containers, "AGAIN_SECONDS", 0.05)
    running: list[Containers] = []

    def begin() -> Containers:
        running.append(Containers({"server": file}, api_server.connect))
        return running[-1]

    yield begin
    for each in running:
        each.stop()


def line(kind: str, thing: Thing) -> str:
    return json.dumps({"type": kind, "object": thing}) + "\n"


def test_it_goes_on_after_whatever_ends_a_watch(
    api_server: ApiServer, run: Callable[[], Containers], file: Path, poll: Poll
) -> None:
    api_server.lists = [
        (503, "not yet"),
        (200, "{"),
        *[(200, '{"metadata": {"resourceVersion": "1"}, "items": []}')] * 4,
    ]
    api_server.watches = [
        (500, "no"),
        (200, line("ERROR", {"code": 410, "reason": "Expired"})),
        (200, line("DELETED", pod("0")) + '{"type": "ADDED", "obj'),
        (200, line("BOOKMARK", {"kind": "Pod"}) + line("ADDED", pod("1"))),
    ]

    run()

    poll(lambda: api_server.patched or None, 10)
    assert json.loads(file.read_text()) == {"A": "1"}
    (patch,) = api_server.patched
    assert patch["metadata"] == {"uid": "1"}
    assert [(each["type"], each["status"]) for each in patch["status"]["conditions"]] == [
        (containers.MAY_START, "True")
    ]


def test_a_pod_is_started_once_although_old_news_of_it_comes_later(
    api_server: ApiServer, run: Callable[[], Containers], file: Path
) -> None:
    api_server.lists = [(200, json.dumps({"metadata": {"resourceVersion": "1"}, "items": [pod("1")]}))]
    api_server.watches = [(200, line("MODIFIED", pod("2")))]

    run()

    assert api_server.idle.wait(10)
    assert len(api_server.patched) == 1
    assert json.loads(file.read_text()) == {"A": "1"}


def test_it_does_not_wait_for_an_api_server_that_has_nothing_to_say(
    api_server: ApiServer, run: Callable[[], Containers]
) -> None:
    running = run()
    assert api_server.idle.wait(10)

    begun = time.monotonic()
    running.stop()

    assert time.monotonic() - begun < 1
    assert api_server.left.wait(10), "the API server would wait for it"


def test_it_does_not_wait_for_an_api_server_that_is_gone(
    api_server: ApiServer, run: Callable[[], Containers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "AGAIN_SECONDS", 60)
    api_server.server_close()
    running = run()

    begun = time.monotonic()
    running.stop()

    assert time.monotonic() - begun < 1
