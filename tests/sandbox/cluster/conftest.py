"""What tests of a cluster's life need beside the cluster itself."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data.upper())


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture
def echo_port() -> Iterator[int]:
    """The port of a server that says everything back, in capitals."""
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def processes_in() -> Callable[[Path], list[psutil.Process]]:
    """The running processes whose command line names something in a folder."""

    def find(folder: Path) -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["cmdline", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and any(f"{folder}" in part for part in process.info["cmdline"] or ())
        ]

    return find
