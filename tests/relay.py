"""A TCP port of this machine whose connections lead where a test says: what a simulated pod's port stands for."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator


class Relay(socketserver.ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1. Connections are closed at once while they lead nowhere."""

    daemon_threads = True

    def __init__(self) -> None:
        self.target: int | None = None
        super().__init__(("127.0.0.1", 0), _Connection)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @contextlib.contextmanager
    def to(self, port: int) -> Iterator[None]:
        """Let connections lead to `port` of this machine for as long as the block runs."""
        before, self.target = self.target, port
        try:
            yield
        finally:
            self.target = before


class _Connection(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        if self.server.target is None:
            return
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.server.target)) as there:
            back = threading.Thread(target=_pump, args=(there, self.request), daemon=True)
            back.start()
            _pump(self.request, there)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
