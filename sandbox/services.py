"""The servers of the sandbox: how each is run, when it is ready, and what a client needs to know of it."""

import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from sandbox import cluster, postgres
from sandbox.credentials import Secrets, private_key
from sandbox.postgres.seed import DATABASE

SNOWFLAKE_HOST = "offline-sandbox.snowflakecomputing.com"
"""The name that Airbyte uses: organization OFFLINE, account SANDBOX. It resolves nowhere; see ``--connect-to``."""


@dataclass(frozen=True)
class Place:
    """Where a sandbox is: its root directory, its secrets, and the ports of its services by name."""

    root: Path
    secrets: Secrets
    ports: Mapping[str, int]

    def data(self, service: str) -> Path:
        """Return the directory of a service's data."""
        return self.root / service

    def log(self, service: str) -> Path:
        """Return the file with a service's output."""
        return self.root / "logs" / f"{service}.log"


class Service(ABC):
    """One server, run as ``python -m <module> --data … --port …``, which says ``listening on …`` when it is ready."""

    name: str
    title: str
    module: str
    preferred_port: int

    def identity(self, place: Place) -> list[str]:
        """Return the part of the command line that tells this service of this sandbox from any other process."""
        return ["-m", self.module, "--data", str(place.data(self.name))]

    def command(self, place: Place) -> list[str]:
        """Return the command line. No secret in it: every user of the machine can read it."""
        return [sys.executable, *self.identity(place), "--port", str(place.ports[self.name]), *self.options(place)]

    def options(self, _place: Place) -> list[str]:
        """Return further arguments."""
        return []

    def environment(self, _place: Place) -> dict[str, str]:
        """Return variables for the process, secrets among them."""
        return {}

    @abstractmethod
    def address(self, place: Place) -> str:
        """Return where it listens, for people."""

    @abstractmethod
    def answers(self, place: Place) -> bool:
        """Ask it something and tell whether an answer came."""

    @abstractmethod
    def variables(self, place: Place) -> dict[str, str]:
        """Return what a client needs to know, as environment variables."""

    def after_stop(self, place: Place) -> None:  # noqa: B027 - most leave nothing
        """Clean up what the process may have left when it was killed."""

    def destroy(self, place: Place) -> None:
        """Delete its data for good."""
        shutil.rmtree(place.data(self.name), ignore_errors=True)


class Postgres(Service):
    """The source database."""

    name = "postgres"
    title = "PostgreSQL with logical replication; database production"
    module = "sandbox.postgres"
    preferred_port = 54321
    admin_user = "postgres"

    def environment(self, place: Place) -> dict[str, str]:
        """Name the administrator."""
        return {
            "POSTGRES_ADMIN_USER": self.admin_user,
            "POSTGRES_ADMIN_PASSWORD": place.secrets.postgres_admin_password,
        }

    def address(self, place: Place) -> str:
        """Return host and port."""
        return f"{postgres.Server.host}:{place.ports[self.name]}"

    def answers(self, place: Place) -> bool:
        """Select something."""
        try:
            with psycopg.connect(
                host=postgres.Server.host,
                port=place.ports[self.name],
                dbname=DATABASE,
                user=self.admin_user,
                password=place.secrets.postgres_admin_password,
                sslmode="disable",
                connect_timeout=5,
            ) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def variables(self, place: Place) -> dict[str, str]:
        """Return the database's address, its administrator, and the user that the stack will create."""
        return {
            "POSTGRES_HOST": postgres.Server.host,
            "POSTGRES_PORT": str(place.ports[self.name]),
            "POSTGRES_DATABASE": DATABASE,
            **self.environment(place),
            "POSTGRES_USER": "airbyte",
            "POSTGRES_PASSWORD": place.secrets.postgres_password,
        }

    def after_stop(self, place: Place) -> None:
        """Stop a database server whose parent was killed."""
        postgres.stop(place.data(self.name))

    def destroy(self, place: Place) -> None:
        """Delete the cluster, also when it is outside the sandbox's directory."""
        postgres.destroy(place.data(self.name))


class Snowflake(Service):
    """The warehouse's account."""

    name = "snowflake"
    title = "Snowflake account OFFLINE-SANDBOX"
    module = "sandbox.snowflake"
    preferred_port = 8084
    admin_user = "ADMIN"

    def options(self, place: Place) -> list[str]:
        """Name the administrator and the key to know them by."""
        key = private_key(place.root, "snowflake_admin").with_suffix(".pub")
        return ["--admin-user", self.admin_user, "--admin-public-key", str(key)]

    def address(self, place: Place) -> str:
        """Return the URL."""
        return f"http://127.0.0.1:{place.ports[self.name]}"

    def answers(self, place: Place) -> bool:
        """Ask for any page; a driver's session would take longer to tell the same."""
        return _status(self.address(place)) is not None

    def variables(self, place: Place) -> dict[str, str]:
        """Return the account's name and address, its administrator, and the key of the user that the stack creates."""
        return {
            "SNOWFLAKE_HOST": SNOWFLAKE_HOST,
            "SNOWFLAKE_ORGANIZATION": "OFFLINE",
            "SNOWFLAKE_ACCOUNT": "SANDBOX",
            "SNOWFLAKE_ADMIN_USER": self.admin_user,
            "SNOWFLAKE_ADMIN_PRIVATE_KEY_FILE": str(private_key(place.root, "snowflake_admin")),
            "SNOWFLAKE_API_HOST": "127.0.0.1",
            "SNOWFLAKE_API_PORT": str(place.ports[self.name]),
            "SNOWFLAKE_API_PROTOCOL": "http",
            "SNOWFLAKE_PRIVATE_KEY_FILE": str(private_key(place.root, "snowflake_service_user")),
        }


class Airbyte(Service):
    """The Airbyte server. ``extra`` arguments go to it as they are, such as ``--latency-ms 20``."""

    name = "airbyte"
    title = "Airbyte's API"
    module = "sandbox.airbyte"
    preferred_port = 8000

    def __init__(self, *extra: str) -> None:
        self._extra = extra

    def options(self, place: Place) -> list[str]:
        """Name the application, and say where its server's environment and the warehouse really are."""
        options = ["--client-id", place.secrets.airbyte_client_id, "--environment", str(server_environment(place))]
        if Snowflake.name in place.ports:
            options += ["--connect-to", f"{SNOWFLAKE_HOST}=127.0.0.1:{place.ports[Snowflake.name]}"]
        return [*options, *self._extra]

    def environment(self, place: Place) -> dict[str, str]:
        """Hand over the application's secret."""
        return {"AIRBYTE_CLIENT_SECRET": place.secrets.airbyte_client_secret}

    def address(self, place: Place) -> str:
        """Return the URL, without ``/api``."""
        return f"http://localhost:{place.ports[self.name]}"

    def answers(self, place: Place) -> bool:
        """Ask for its health."""
        return _status(f"{self.address(place)}/api/v1/health") == httpx.codes.OK

    def variables(self, place: Place) -> dict[str, str]:
        """Return the URL and the application's credentials."""
        return {
            "AIRBYTE_URL": self.address(place),
            "AIRBYTE_CLIENT_ID": place.secrets.airbyte_client_id,
            **self.environment(place),
        }


class Kubernetes(Service):
    """The cluster. A port-forward to the port of Airbyte's API, of any pod, leads to the Airbyte server."""

    name = "kubernetes"
    title = "Kubernetes: a real control plane, simulated pods"
    module = "sandbox.cluster"
    preferred_port = 6443
    airbyte_port = 8001
    """Where the server's pods listen (the chart's `airbyte-server-svc`)."""
    airbyte_component = "server"
    """What the label `airbyte` of the server's pods says."""

    def options(self, place: Place) -> list[str]:
        """Say where port-forwards lead, and where the Airbyte server looks for what its pods would be started with."""
        options = ["--environment", f"{self.airbyte_component}={server_environment(place)}"]
        if Airbyte.name in place.ports:
            options += ["--forward", f"{self.airbyte_port}=127.0.0.1:{place.ports[Airbyte.name]}"]
        return options

    def address(self, place: Place) -> str:
        """Return the API server's URL."""
        return f"https://127.0.0.1:{place.ports[self.name]}"

    def answers(self, place: Place) -> bool:
        """Ask the API server whether it is ready."""
        return cluster.answers(place.data(self.name), place.ports[self.name])

    def variables(self, place: Place) -> dict[str, str]:
        """Return the administrator's kubeconfig, and the chart to install in the cluster."""
        return {"KUBECONFIG": str(place.data(self.name) / "kubeconfig"), "AIRBYTE_CHART": str(cluster.CHART)}

    def after_stop(self, place: Place) -> None:
        """End the programs of a cluster that was killed."""
        cluster.stop(place.data(self.name))

    def destroy(self, place: Place) -> None:
        """Delete the cluster."""
        cluster.destroy(place.data(self.name))


def server_environment(place: Place) -> Path:
    """Return the file with the environment of the last started pod of Airbyte's server; before the first there is none.

    The cluster writes it, and the Airbyte server reads it.
    """
    return place.data(Kubernetes.name) / "server-environment.json"


def services() -> list[Service]:
    """Return all, each after those it needs to know the port of."""
    return [Postgres(), Snowflake(), Airbyte(), Kubernetes()]


def _status(url: str) -> int | None:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code  # loopback: a proxy has no part in it
    except httpx.HTTPError:
        return None
