"""`make demo`: the main job on the screen, on the real Pulumi engine, from nothing to a mended drift.

Everything runs against the sandbox on loopback. Safe to interrupt and to run again: each step looks at what
is there and goes on from it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import snowflake.connector

from sandbox.environment import Sandbox
from sandbox.errors import SandboxError

STACK = "sandbox"
NO_CHANGES, DRIFT = 0, 7
"""Exit codes of `pulumi … --expect-no-changes` (Pulumi CLI 3.227 and newer)."""

NAMESPACE = "airbyte"
TABLES = ("orders", "users")
JOB_DEADLINE = 120.0
"""Seconds that a sync may take."""


class DemoError(SandboxError):
    """A step of the demo went otherwise than it should."""


def run(project: Path, say: Callable[[str], None]) -> None:
    """Tell the whole story; raises DemoError where a step fails."""
    started = time.monotonic()
    chapter("1", "Start the sandbox: PostgreSQL, a Snowflake account, Airbyte, Kubernetes and the Pulumi engine", say)
    sandbox = Sandbox.for_project(project)
    sandbox.up(say)
    if (kubernetes := sandbox.kubernetes()) and not kubernetes.own:
        say(ABOUT_THE_CLUSTER)
    story = Story(project, {**os.environ, **sandbox.env()}, say)
    try:
        story.tell()
    finally:
        story.close()
    say(f"\nThe demo took {time.monotonic() - started:.0f} s. {NEXT_STEPS}")


ABOUT_THE_CLUSTER = (
    "What runs in the cluster's pods is simulated; what admission, RBAC, quotas and server-side apply decide is real."
)
NEXT_STEPS = """The sandbox is still running. Use it by hand:

    source .sandbox/env                # addresses, credentials, and `pulumi`, `kubectl` and `helm` on PATH
    pulumi preview                     # edit pipelines/production.yaml first, and see what would change
    pulumi up
    pulumi stack output pipelines      # ids for your orchestrator
    python -m sandbox status
    make demo-down                     # stop it
"""


def chapter(number: str, title: str, say: Callable[[str], None]) -> None:
    """Say a heading, in bold where a person reads it."""
    say(f"\n\033[1m{number}. {title}\033[0m" if sys.stdout.isatty() else f"\n{number}. {title}")


@dataclass
class Story:
    """The steps after the sandbox is up."""

    project: Path
    env: Mapping[str, str]
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self.airbyte = AirbyteApi(self.env)

    def close(self) -> None:
        """Release connections."""
        self.airbyte.close()

    def chapter(self, number: str, title: str) -> None:
        """Say a heading."""
        chapter(number, title, self.say)

    def tell(self) -> None:
        """All chapters, in order."""
        self.pulumi("stack", "select", STACK, "--create", quiet=True)

        self.chapter("2", "pulumi preview: what pipelines/production.yaml asks for")
        self.pulumi("preview")

        self.chapter("3", "pulumi up: Airbyte on Kubernetes; role, slot, warehouse; checked sources and a connection")
        self.pulumi("up", "--yes", "--skip-preview")
        connection = self.connection()

        self.chapter("4", "What the cluster lets Airbyte do, and its connectors; and both ends checked again")
        self.may("airbyte-launcher", "create", "pods", True)
        self.may("airbyte-launcher", "get", "secrets", False)
        self.may("airbyte-jobs", "get", "secrets", False)
        self.check("source", connection["sourceId"])
        self.check("destination", connection["destinationId"])

        self.chapter("5", "Sync, and count the rows at both ends")
        self.sync(connection["connectionId"])
        self.counts()

        self.chapter("6", "Change a few rows in Postgres: the second sync moves only those")
        self.edit_rows()
        self.sync(connection["connectionId"])
        self.counts()

        self.chapter("7", "pulumi preview again: nothing to do, although Airbyte masks every secret")
        self.pulumi("preview", "--expect-no-changes")

        self.chapter("8", "Someone edits the connection and the cluster behind our back; pulumi refresh sees it")
        self.edit_connection(connection["connectionId"])
        self.kubectl("scale", "deployment/airbyte-worker", "--replicas=3")
        self.kubectl("patch", "networkpolicy", "airbyte-default-deny", "--type=merge", "-p", '{"spec":{"egress":[{}]}}')
        code = self.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff", expect=DRIFT)
        self.say(f"drift found: exit code {code}")

        self.chapter("9", "pulumi up mends it")
        self.pulumi("up", "--yes", "--skip-preview", "--refresh")
        self.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff")

    def pulumi(self, *arguments: str, expect: int = NO_CHANGES, quiet: bool = False) -> int:
        """Run the CLI with its output on the screen; raises DemoError for any other exit code."""
        command = ["pulumi", *arguments, "--non-interactive"]
        if arguments[0] != "stack":
            command += ["--stack", STACK, "--suppress-progress"]
        if not quiet:
            self.say(f"$ {' '.join(command)}")
        done = subprocess.run(command, cwd=self.project, env=self.env, check=False, capture_output=quiet, text=True)
        if done.returncode != expect:
            detail = f"\n{done.stdout}{done.stderr}" if quiet else ""
            raise DemoError(f"`{' '.join(command)}` ended with exit code {done.returncode}, not {expect}.{detail}")
        return done.returncode

    def kubectl(self, *arguments: str) -> None:
        """Run it in Airbyte's namespace; raises DemoError where it fails."""
        done = self._kubectl(*arguments)
        if done.returncode:
            raise DemoError(f"`kubectl {' '.join(arguments)}` failed: {done.stderr.strip()}")
        self.say(f"kubectl: {done.stdout.strip()}")

    def may(self, account: str, verb: str, what: str, expected: bool) -> None:
        """Ask the cluster whether an account of the platform may do something; raises DemoError for another answer."""
        who = f"system:serviceaccount:{NAMESPACE}:{account}"
        answer = self._kubectl("auth", "can-i", verb, what, "--as", who).stdout.strip()
        self.say(f"{account:<18}{verb} {what}: {answer}")
        if answer != ("yes" if expected else "no"):
            raise DemoError(f"{account} should {'' if expected else 'not '}be allowed to {verb} {what}.")

    def _kubectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["kubectl", "--namespace", NAMESPACE, *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)

    def connection(self) -> dict[str, Any]:
        """The connection that the stack made."""
        connections = self.airbyte.call("connections/list", workspaceId=self.airbyte.workspace_id())["connections"]
        found = next(
            (each for each in connections if each["name"] == "postgres_production → snowflake_warehouse"), None
        )
        if found is None:
            raise DemoError("The stack made no connection.")
        return dict(found)

    def check(self, kind: str, actor_id: str) -> None:
        """Show the result of a connection check."""
        result = self.airbyte.call(f"{kind}s/check_connection", **{f"{kind}Id": actor_id})
        self.say(f"{kind:<12} {result.get('status', 'no result')} {result.get('message', '')}".rstrip())
        if result.get("status") != "succeeded":
            raise DemoError(f"The {kind}'s check did not succeed.")

    def sync(self, connection_id: str) -> None:
        """Run a sync to its end and say what it moved."""
        job = self.airbyte.call("connections/sync", connectionId=connection_id)["job"]
        deadline = time.monotonic() + JOB_DEADLINE
        while job["status"] in ("pending", "running", "incomplete"):
            if time.monotonic() > deadline:
                raise DemoError(f"Job {job['id']} is still {job['status']} after {JOB_DEADLINE:.0f} s.")
            time.sleep(0.5)
            job = self.airbyte.call("jobs/get", id=job["id"])["job"]
        moved = {stream["streamName"]: stream["recordsCommitted"] for stream in job.get("streamAggregatedStats", [])}
        records = ", ".join(f"{name}: {count}" for name, count in sorted(moved.items())) or "nothing"
        self.say(f"job {job['id']} {job['status']}; records moved: {records}")
        if job["status"] != "succeeded":
            raise DemoError(f"Job {job['id']} {job['status']}; see .sandbox/logs/airbyte.log.")

    def counts(self) -> None:
        """Show the number of rows at both ends; raises DemoError where they differ."""
        self.say(f"{'table':<10}{'PostgreSQL':>12}{'Snowflake':>12}")
        with closing(self.postgres()) as source, closing(self.snowflake()) as warehouse:
            for table in TABLES:
                there = _count(source.cursor(), f"SELECT count(*) FROM public.{table}")  # noqa: S608 - TABLES is ours
                here = _count(warehouse.cursor(), f"SELECT count(*) FROM RAW.PRODUCTION.{table.upper()}")  # noqa: S608
                self.say(f"{table:<10}{there:>12}{here:>12}")
                if here != there:
                    raise DemoError(f"{table} has {there} rows in PostgreSQL and {here} in Snowflake.")

    def edit_rows(self) -> None:
        """One new order, two updated, one deleted; one user updated."""
        with closing(self.postgres()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO orders (id, user_id, amount, status, created_at, updated_at) "
                "SELECT max(id) + 1, 1, 9.99, 'new', now(), now() FROM orders"
            )
            cursor.execute(
                "UPDATE orders SET status = 'shipped', updated_at = now() "
                "WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 2)"
            )
            cursor.execute("DELETE FROM orders WHERE id = (SELECT max(id) - 1 FROM orders)")
            cursor.execute(
                "UPDATE users SET is_active = NOT is_active, updated_at = now() WHERE id = (SELECT min(id) FROM users)"
            )
            connection.commit()
        self.say("orders: 1 inserted, 2 updated, 1 deleted; users: 1 updated")

    def edit_connection(self, connection_id: str) -> None:
        """What a well-meaning colleague does in the UI: no schedule, and one table appended to instead."""
        catalog = self.airbyte.call("connections/get", connectionId=connection_id)["syncCatalog"]
        for each in catalog["streams"]:
            if each["stream"]["name"] == "orders":
                each["config"]["destinationSyncMode"] = "append"
        self.airbyte.call("connections/update", connectionId=connection_id, scheduleType="manual", syncCatalog=catalog)
        self.say("through the API: schedule set to manual, orders set to append")

    def postgres(self) -> psycopg.Connection[Any]:
        """A connection of the database's administrator."""
        return psycopg.connect(
            host=self.env["POSTGRES_HOST"],
            port=int(self.env["POSTGRES_PORT"]),
            dbname=self.env["POSTGRES_DATABASE"],
            user=self.env["POSTGRES_ADMIN_USER"],
            password=self.env["POSTGRES_ADMIN_PASSWORD"],
        )

    def snowflake(self) -> Any:
        """A session of the service user that the stack made, with its key."""
        return snowflake.connector.connect(
            account=f"{self.env['SNOWFLAKE_ORGANIZATION']}-{self.env['SNOWFLAKE_ACCOUNT']}",
            host=self.env["SNOWFLAKE_API_HOST"],
            port=int(self.env["SNOWFLAKE_API_PORT"]),
            protocol=self.env["SNOWFLAKE_API_PROTOCOL"],
            user="AIRBYTE_USER",
            role="AIRBYTE_ROLE",
            warehouse="AIRBYTE_WH",
            private_key_file=self.env["SNOWFLAKE_PRIVATE_KEY_FILE"],
        )


class AirbyteApi:
    """The few calls of the Config API that the story needs."""

    def __init__(self, env: Mapping[str, str]) -> None:
        url = f"{env['AIRBYTE_URL']}/api/v1/"
        client = {"client_id": env["AIRBYTE_CLIENT_ID"], "client_secret": env["AIRBYTE_CLIENT_SECRET"]}
        self._http = httpx.Client(base_url=url, timeout=60, auth=ApplicationToken(url, client))

    def call(self, path: str, **body: Any) -> dict[str, Any]:
        """POST a request; raises DemoError where it is refused."""
        return self._answer(lambda: self._http.post(path, json=body))

    def workspace_id(self) -> str:
        """The instance's default workspace."""
        return str(self._answer(lambda: self._http.get("instance_configuration"))["defaultWorkspaceId"])

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()

    @staticmethod
    def _answer(ask: Callable[[], httpx.Response]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = ask().raise_for_status().json()
        except httpx.HTTPError as error:
            raise DemoError(f"Airbyte did not do what it was asked: {error}. See .sandbox/logs/airbyte.log.") from None
        return answer


class ApplicationToken(httpx.Auth):
    """Asks for a token when the first request needs one, and again when the server has started anew with other keys."""

    requires_response_body = True

    def __init__(self, url: str, client: Mapping[str, str]) -> None:
        self._ask = httpx.Request("POST", f"{url}applications/token", json=client)
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See https://www.python-httpx.org/advanced/authentication/#custom-authentication-schemes."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
        answer = yield self._ask
        self._token = answer.raise_for_status().json()["access_token"]
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def _count(cursor: Any, sql: str) -> int:
    cursor.execute(sql)
    row = cursor.fetchone()
    return int(row[0])
