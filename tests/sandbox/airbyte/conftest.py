from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.airbyte.server import Running, start
from sandbox.airbyte.settings import Settings
from sandbox.airbyte.versions import Release
from tests.sandbox.airbyte.harness import SECRET, Api

StartAirbyte = Callable[..., Api]


@pytest.fixture
def start_airbyte() -> Iterator[StartAirbyte]:
    """Starts servers: ``start_airbyte("1.7.0", latency_ms=20)``; all end with the test."""
    running: list[Running] = []

    def begin(version: str = "2.0.0", **settings: Any) -> Api:
        server = start(Settings(release=Release.parse(version), client_secret=SECRET, **settings))
        running.append(server)
        return Api(server)

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def api(start_airbyte: StartAirbyte) -> Api:
    """A fresh server of the release 2.0."""
    return start_airbyte()
