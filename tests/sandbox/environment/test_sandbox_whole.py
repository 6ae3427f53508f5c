"""Databases and Airbyte together, without Pulumi: they find each other, and survive being killed."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import snowflake.connector

from sandbox.environment import Sandbox
from sandbox.supervisor import ServiceStatus

SERVERS = ("postgres", "snowflake", "airbyte")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    whole = Sandbox(tmp_path_factory.mktemp("whole") / ".sandbox")
    whole.up(lambda _: None, SERVERS)
    yield whole
    whole.down(lambda _: None, purge=True)


def running(sandbox: Sandbox) -> list[ServiceStatus]:
    return [service for service in sandbox.status() if service.state == "running"]


def account(env: dict[str, str], key: str = "SNOWFLAKE_ADMIN_PRIVATE_KEY_FILE") -> Any:
    """A session of the account's administrator."""
    return snowflake.connector.connect(
        account=f"{env['SNOWFLAKE_ORGANIZATION']}-{env['SNOWFLAKE_ACCOUNT']}",
        host=env["SNOWFLAKE_API_HOST"],
        port=int(env["SNOWFLAKE_API_PORT"]),
        protocol=env["SNOWFLAKE_API_PROTOCOL"],
        user=env["SNOWFLAKE_ADMIN_USER"],
        private_key_file=env[key],
    )


def token(env: dict[str, str], secret: str) -> httpx.Response:
    """What Airbyte answers to an application that wants a token."""
    return httpx.post(
        f"{env['AIRBYTE_URL']}/api/v1/applications/token",
        json={"client_id": env["AIRBYTE_CLIENT_ID"], "client_secret": secret},
        trust_env=False,
    )


def test_the_variables_open_every_door_and_no_others_do(sandbox: Sandbox) -> None:
    env = sandbox.env()

    assert token(env, env["AIRBYTE_CLIENT_SECRET"]).json()["access_token"]
    assert token(env, "wrong").is_client_error
    with closing(account(env)) as session:
        assert session.cursor().execute("SELECT CURRENT_ROLE()").fetchone() == ("ACCOUNTADMIN",)
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="JWT token is invalid"):
        account(env, "SNOWFLAKE_PRIVATE_KEY_FILE")


def test_airbyte_is_told_where_the_warehouse_really_is(sandbox: Sandbox) -> None:
    airbyte = next(service for service in sandbox.status() if service.name == "airbyte")
    command = psutil.Process(airbyte.pid).cmdline()

    env = sandbox.env()
    assert f"{env['SNOWFLAKE_HOST']}=127.0.0.1:{env['SNOWFLAKE_API_PORT']}" in command


def test_killed_servers_come_back_with_their_data(sandbox: Sandbox) -> None:
    env = sandbox.env()
    with closing(account(env)) as session:
        session.cursor().execute("CREATE DATABASE survivor")
    for service in running(sandbox):
        psutil.Process(service.pid).kill()

    sandbox.up(lambda _: None, SERVERS)

    assert {service.name for service in running(sandbox)} == set(SERVERS)
    assert sandbox.env() == env
    with closing(account(env)) as session:
        assert session.cursor().execute("SHOW DATABASES LIKE 'SURVIVOR'").fetchone() is not None


def test_down_ends_all_of_them(sandbox: Sandbox, processes_of: Callable[[Path], list[psutil.Process]]) -> None:
    sandbox.down(lambda _: None)

    assert [process for process in processes_of(sandbox.root) if process.status() != psutil.STATUS_ZOMBIE] == []
