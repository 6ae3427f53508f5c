"""Listening on loopback: as a process of its own, or in a thread of a test."""

from __future__ import annotations

import logging
import socket
import threading
from types import TracebackType

import uvicorn

from sandbox.airbyte.app import build
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.settings import Settings

HOST = "127.0.0.1"
_START_TIMEOUT_SECONDS = 15


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    # Accepted sockets inherit it; without it many answers wait 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.listen(128)
    return listener


def web_server(instance: Instance) -> uvicorn.Server:
    """The web server of an instance, without access log."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # broken connections are often wanted here
    return uvicorn.Server(
        uvicorn.Config(build(instance), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3)
    )


class Running:
    """A server in a thread; a context manager.

    Attributes:
        instance: For tests that look inside.
        url: The base address, without ``/api``.
    """

    def __init__(self, settings: Settings, port: int = 0) -> None:
        self.instance = Instance(settings)
        self._listener = listen(port)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://localhost:{self.port}"
        self._server = web_server(self.instance)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="airbyte-sandbox", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop answering, wait for jobs, and close the store."""
        self._server.should_exit = True
        self._thread.join(_START_TIMEOUT_SECONDS)
        self._listener.close()
        self.instance.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(settings: Settings | None = None, port: int = 0) -> Running:
    """Start a server in a thread.

    The socket listens before this returns, so a client need not wait: its first call is answered when the server is up.
    """
    return Running(settings or Settings(client_secret="sandbox"), port)  # noqa: S106 - for tests only
