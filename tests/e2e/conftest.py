"""A sandbox of the suite's own, and projects that run on it with the real Pulumi engine."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import snowflake.connector
from psycopg import sql
from ruamel.yaml import YAML

from sandbox.environment import Sandbox
from tests.keys import public_body_of
from tests.project import FILES, STACK, Project

Poll = Callable[[Callable[[], Any], float], Any]
__all__ = ["Airbyte", "Poll", "Project"]


class Airbyte:
    """The emulator's Config API, as another client sees it."""

    def __init__(self, env: dict[str, str]) -> None:
        self.url = env["AIRBYTE_URL"]
        self._http = httpx.Client(base_url=f"{self.url}/api/v1/", timeout=60)
        credentials = {"client_id": env["AIRBYTE_CLIENT_ID"], "client_secret": env["AIRBYTE_CLIENT_SECRET"]}
        token = self._http.post("applications/token", json=credentials).raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self.workspace = self._http.get("instance_configuration").json()["defaultWorkspaceId"]

    def call(self, path: str, **body: Any) -> Any:
        """POST a request; the answer's JSON, or None where it has no body."""
        answer = self._http.post(path, json=body).raise_for_status()
        return answer.json() if answer.content else None

    def every(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind: sources, destinations or connections."""
        if kind == "connections":
            answer = self.call("connections/list", workspaceId=self.workspace)
        else:
            page = {"pageSize": 1000, "rowOffset": 0}
            answer = self.call(
                f"{kind}/list_paginated", workspaceIds=[self.workspace], includeDeleted=False, pagination=page
            )
        return list(answer[kind])

    def pins(self) -> list[dict[str, Any]]:
        """The version pins of the instance."""
        found: list[dict[str, Any]] = self.call("scoped_configuration/list", config_key="connector_version")[
            "scopedConfigurations"
        ]
        return found

    def sync(self, connection_id: str, poll: Poll) -> dict[str, Any]:
        """Run a sync to its end; gives the job with its attempts."""
        job = self.call("connections/sync", connectionId=connection_id)["job"]

        def finished() -> dict[str, Any] | None:
            found: dict[str, Any] = self.call("jobs/get", id=job["id"])
            return found if found["job"]["status"] not in ("pending", "running", "incomplete") else None

        result: dict[str, Any] = poll(finished, 60)
        return result

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()


@pytest.fixture(scope="session")
def sandbox(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running sandbox's environment; no cluster is in it."""
    instance = Sandbox(tmp_path_factory.mktemp("sandbox") / ".sandbox")
    instance.up(print, ["postgres", "snowflake", "airbyte", "pulumi"])
    try:
        yield instance.env()
    finally:
        instance.down(print)


@pytest.fixture
def environment(sandbox: dict[str, str]) -> dict[str, str]:
    """What a test's project and its look at Airbyte are pointed at; a module may put another in its place."""
    return sandbox


@pytest.fixture
def project(environment: dict[str, str], project_root: Path, tmp_path: Path) -> Iterator[Project]:
    """A fresh project for an Airbyte that is there already; whatever it made is destroyed at the end."""
    made = Project(tmp_path / "project", project_root, environment, files=FILES, stack="sandbox")
    install_nothing(made.folder / STACK)
    yield made
    if made.resources():
        made.pulumi("destroy", "--yes", "--skip-preview", expect=0)


def install_nothing(stack: Path) -> None:
    """Take the platform out of a stack's settings, and name Airbyte by its URL."""
    yaml = YAML()
    yaml.preserve_quotes = True
    settings = yaml.load(stack)
    del settings["config"]["airbyte-as-code:platform"]
    settings["config"]["airbyte-as-code:airbyteUrl"] = "${AIRBYTE_URL}"
    yaml.dump(settings, stack)


@pytest.fixture
def airbyte(environment: dict[str, str]) -> Iterator[Airbyte]:
    """The Airbyte API with an administrator's token."""
    api = Airbyte(environment)
    yield api
    api.close()


@pytest.fixture
def postgres(sandbox: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """The database as its administrator."""
    with closing(
        psycopg.connect(
            host=sandbox["POSTGRES_HOST"],
            port=int(sandbox["POSTGRES_PORT"]),
            dbname=sandbox["POSTGRES_DATABASE"],
            user=sandbox["POSTGRES_ADMIN_USER"],
            password=sandbox["POSTGRES_ADMIN_PASSWORD"],
            autocommit=True,
        )
    ) as connection:
        yield connection


@pytest.fixture
def warehouse(sandbox: dict[str, str]) -> Iterator[Any]:
    """The Snowflake account as its administrator."""
    with closing(
        snowflake.connector.connect(
            account=f"{sandbox['SNOWFLAKE_ORGANIZATION']}-{sandbox['SNOWFLAKE_ACCOUNT']}",
            host=sandbox["SNOWFLAKE_API_HOST"],
            port=int(sandbox["SNOWFLAKE_API_PORT"]),
            protocol=sandbox["SNOWFLAKE_API_PROTOCOL"],
            user=sandbox["SNOWFLAKE_ADMIN_USER"],
            private_key_file=sandbox["SNOWFLAKE_ADMIN_PRIVATE_KEY_FILE"],
        )
    ) as connection:
        yield connection


@pytest.fixture
def own_postgres_objects(postgres: psycopg.Connection[Any], sandbox: dict[str, str]) -> Iterator[Callable[..., None]]:
    """A role as a database team would make it by hand, with or without slot and grant."""
    cursor = postgres.cursor()

    def make(*, slot: bool = True, grant: bool = True) -> None:
        password = sql.Literal(sandbox["POSTGRES_PASSWORD"])
        cursor.execute(sql.SQL("CREATE ROLE airbyte LOGIN REPLICATION PASSWORD {}").format(password))
        cursor.execute("CREATE PUBLICATION airbyte_publication FOR TABLE orders, users")
        if slot:
            cursor.execute("SELECT pg_create_logical_replication_slot('airbyte_slot', 'pgoutput')")
        if grant:
            cursor.execute("GRANT SELECT ON orders, users TO airbyte")

    yield make
    cursor.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    cursor.execute("DROP PUBLICATION IF EXISTS airbyte_publication")
    cursor.execute("DROP OWNED BY airbyte")
    cursor.execute("DROP ROLE airbyte")


@pytest.fixture
def own_snowflake_objects(warehouse: Any, sandbox: dict[str, str]) -> Iterator[None]:
    """Warehouse, role, schema and user as an administrator would make them by hand."""
    public = public_body_of(Path(sandbox["SNOWFLAKE_PRIVATE_KEY_FILE"]))
    cursor = warehouse.cursor()
    for statement in (
        "CREATE WAREHOUSE AIRBYTE_WH",
        "CREATE ROLE AIRBYTE_ROLE",
        "GRANT ROLE AIRBYTE_ROLE TO ROLE SYSADMIN",
        "GRANT USAGE, OPERATE ON WAREHOUSE AIRBYTE_WH TO ROLE AIRBYTE_ROLE",
        "CREATE DATABASE RAW",
        "GRANT USAGE, CREATE SCHEMA ON DATABASE RAW TO ROLE AIRBYTE_ROLE",
        "CREATE SCHEMA RAW.PRODUCTION",
        "GRANT ALL ON SCHEMA RAW.PRODUCTION TO ROLE AIRBYTE_ROLE",
        f"CREATE USER AIRBYTE_USER TYPE = SERVICE DEFAULT_ROLE = AIRBYTE_ROLE DEFAULT_WAREHOUSE = AIRBYTE_WH "
        f"RSA_PUBLIC_KEY = '{public}'",
        "GRANT ROLE AIRBYTE_ROLE TO USER AIRBYTE_USER",
    ):
        cursor.execute(statement)
    yield
    for statement in ("DATABASE RAW", "USER AIRBYTE_USER", "ROLE AIRBYTE_ROLE", "WAREHOUSE AIRBYTE_WH"):
        cursor.execute(f"DROP {statement}")
