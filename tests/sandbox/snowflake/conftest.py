"""A running account, its administrator, and a service user that may do nothing yet."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.snowflake.harness import KeyPair, Server, Session, new_key


@pytest.fixture(scope="session")
def admin_key() -> KeyPair:
    return new_key()


@pytest.fixture(scope="session")
def user_key() -> KeyPair:
    return new_key()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, admin_key: KeyPair) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("snowflake"), admin_key)
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="module")
def admin(server: Server) -> Session:
    """The administrator, with a warehouse and a database RAW.PRODUCTION."""
    session = server.connect(role="ACCOUNTADMIN")
    session.run("CREATE WAREHOUSE ADMIN_WH")
    session.run("CREATE DATABASE RAW")
    session.run("CREATE SCHEMA RAW.PRODUCTION")
    return session


Loader = Callable[..., Session]


@pytest.fixture
def loader(server: Server, admin: Session, user_key: KeyPair, request: pytest.FixtureRequest) -> Iterator[Loader]:
    """Connects a service user LOADER whose role LOADER_ROLE holds nothing but a warehouse."""
    admin.run("CREATE ROLE LOADER_ROLE")
    admin.run("GRANT USAGE ON WAREHOUSE ADMIN_WH TO ROLE LOADER_ROLE")
    admin.run(
        f"CREATE USER LOADER TYPE = SERVICE RSA_PUBLIC_KEY = '{user_key.public_base64}'"
        " DEFAULT_ROLE = LOADER_ROLE DEFAULT_WAREHOUSE = ADMIN_WH"
    )
    admin.run("GRANT ROLE LOADER_ROLE TO USER LOADER")

    def connect(**settings: Any) -> Session:
        return server.connect("LOADER", user_key, **settings)

    yield connect
    admin.run("DROP USER LOADER")
    admin.run("DROP ROLE LOADER_ROLE")
    admin.run("DROP SCHEMA IF EXISTS RAW.PRODUCTION")
    admin.run("CREATE SCHEMA RAW.PRODUCTION")
