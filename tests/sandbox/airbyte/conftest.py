from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox import postgres
from sandbox.airbyte.server import Running, start
from sandbox.airbyte.settings import Settings
from sandbox.airbyte.versions import Release
from tests.sandbox.airbyte.databases import HOST, Account, Database, database
from tests.sandbox.airbyte.harness import SECRET, Api
from tests.sandbox.airbyte.pipelines import Pipeline

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


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """A real PostgreSQL server."""
    with postgres.start(tmp_path_factory.mktemp("postgres") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A Snowflake account."""
    made = Account(tmp_path_factory.mktemp("snowflake"))
    yield made
    made.stop()


@pytest.fixture
def shop(postgres_server: postgres.Server) -> Iterator[Database]:
    """A database of its own for each test."""
    with database(postgres_server) as made:
        yield made


@pytest.fixture
def pipeline(start_airbyte: StartAirbyte, account: Account, shop: Database) -> Pipeline:
    return Pipeline(start_airbyte(connect_to={HOST: ("127.0.0.1", account.port)}), account, shop)
