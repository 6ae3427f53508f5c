"""Finding out that the release cannot be had takes a few seconds at most, whatever the network is like."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.toolchain import _download, _pulumi_release
from sandbox.toolchain._download import ReleaseUnavailableError
from sandbox.toolchain._pulumi_release import download

VERSION = (3, 259, 0)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing_proxy() -> Iterator[str]:
    """A proxy that refuses every request at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_closed_port_is_given_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setattr(_pulumi_release, "RELEASES", f"http://127.0.0.1:{closed_port()}")
    started = time.monotonic()

    with pytest.raises(ReleaseUnavailableError, match="cannot be reached"):
        download(VERSION, tmp_path, said.append)
    assert time.monotonic() - started < 3


def test_a_proxy_that_refuses_is_given_up_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusing_proxy: str, said: list[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", refusing_proxy)
    monkeypatch.setenv("https_proxy", refusing_proxy)
    started = time.monotonic()

    with pytest.raises(ReleaseUnavailableError, match="403"):
        download(VERSION, tmp_path, said.append)
    assert time.monotonic() - started < 3


def test_a_malformed_proxy_setting_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "nonsense://proxy")

    with pytest.raises(ReleaseUnavailableError, match="nonsense"):
        download(VERSION, tmp_path, said.append)


def test_a_server_that_never_answers_is_given_up_after_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent_server: str, said: list[str]
) -> None:
    monkeypatch.setattr(_pulumi_release, "RELEASES", silent_server)
    monkeypatch.setattr(_download, "REACH_TIMEOUT", 0.5)
    started = time.monotonic()

    with pytest.raises(ReleaseUnavailableError, match="did not answer"):
        download(VERSION, tmp_path, said.append)
    assert time.monotonic() - started < 3


def test_a_machine_that_pulumi_has_no_release_for_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(ReleaseUnavailableError, match=r"no release for .* on riscv64"):
        download(VERSION, tmp_path, said.append)
