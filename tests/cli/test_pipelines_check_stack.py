"""``airbyte-cli pipelines check --stack``: with the configuration and the state of a stack that is deployed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from airbyte_cli.__main__ import app
from sandbox import toolchain
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings as ServerSettings
from tests.cli.checked import (
    CLIENT_SECRET,
    PINS,
    SECRET,
    Repository,
    copied,
    credentials,
    outcomes,
    pipeline,
    result_of,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """One for all tests that change nothing on it, which is what the command promises."""
    with Running(ServerSettings(client_secret=CLIENT_SECRET, assume_checks_pass=True)) as running:
        yield running


@pytest.fixture(scope="module")
def pulumi(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> dict[str, str]:
    """The environment of a real engine with a backend in a folder."""
    folder = tmp_path_factory.mktemp("pulumi")
    (folder / "state").mkdir()
    found = toolchain.ensure(lambda _line: None)
    return {
        "PATH": f"{found.bin_dir}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "tests",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PYTHONPATH": str(project_root),
    }


@pytest.fixture(scope="module")
def deployed(
    pulumi: dict[str, str], server: Running, project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    """A stack that is up, its secrets encrypted in its configuration."""
    folder = copied(project_root, tmp_path_factory.mktemp("deployed"))
    (folder / ".venv").symlink_to(project_root / ".venv")
    made = Repository(folder, server.url, {**pulumi, **credentials(server.url), "POSTGRES_PASSWORD": "unused"})
    made.write(users=pipeline())

    def pulumi_(*arguments: str) -> None:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=folder,
            env={**os.environ, **made.environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    pulumi_("stack", "init", "test")
    settings = {
        "airbyteUrl": "${AIRBYTE_URL}",
        "airbyteClientId": "${AIRBYTE_CLIENT_ID}",
        "airbyteClientSecret": "${AIRBYTE_CLIENT_SECRET}",
        "postgresHost": "127.0.0.1",
        "postgresPort": "1",
        "postgresAdminUser": "admin",
        "postgresPassword": "${POSTGRES_PASSWORD}",
        "postgresAdminPassword": "${POSTGRES_PASSWORD}",
    }
    plain = [word for key, value in settings.items() for word in ("--plaintext", f"{key}={value}")]
    pulumi_("config", "set-all", *plain, "--secret", f"lakePassword={SECRET}")
    pulumi_("up", "--yes", "--skip-preview", "--stack=test")
    return made


@pytest.fixture
def stack(deployed: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    monkeypatch.chdir(deployed.folder)
    deployed.write(users=pipeline())
    deployed.forget()
    yield deployed
    deployed.forget()


def test_what_a_deployment_would_leave_alone_is_not_asked(stack: Repository) -> None:
    report = stack.report("--stack", "test")
    assert {each["outcome"] for each in report["results"]} == {"unchanged"}
    assert report["state_known"] is True
    assert [call for call in stack.calls() if "check" in call or "discover" in call] == []


def test_only_what_would_change_is_checked_with_the_secrets_of_the_stack(stack: Repository) -> None:
    config = {**pipeline()["destination"]["config"], "schema": "elsewhere"}
    stack.write(users=pipeline(destination={"config": config}))
    report = stack.report("--stack", "test")
    assert result_of(report, "destination", "warehouse")["outcome"] == "passed"
    assert result_of(report, "source", "people")["outcome"] == "unchanged"
    checks = [call for call in stack.calls() if "check" in call or "discover" in call]
    assert checks == ["/v1/scheduler/destinations/check_connection"]


@pytest.mark.slow
def test_a_changed_source_is_discovered_as_it_would_be(stack: Repository) -> None:
    stream = {"name": "purchases", "primary_key": ["id"]}
    added = [*pipeline()["sync"]["streams"], stream]
    stack.write(users=pipeline(source={"config": {"count": 7}}, sync={"streams": added}))
    report = stack.report("--stack", "test")
    assert outcomes(report) == {"users": "passed"}
    calls = stack.calls()
    assert calls.count("/v1/scheduler/sources/discover_schema") == 1
    assert "/v1/sources/discover_schema" not in calls


def test_a_version_of_its_own_is_tried_at_the_one_that_runs(stack: Repository) -> None:
    stack.write(users=pipeline(source={"version": "6.2.10"}))
    people = result_of(stack.report("--stack", "test"), "source", "people")
    assert people["outcome"] == "passed"
    assert people["notes"][0].startswith("Tried at 6.2.20, which runs now: 6.2.10 can be tried only once it is pinned")
    assert stack.calls().count("/v1/scheduler/sources/check_connection") == 1


def test_state_loss_is_refused_as_by_a_deployment(stack: Repository) -> None:
    overwrite = {"name": "users", "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    reason = {"allow_full_refresh": "the table is small"}
    stack.write(users=pipeline(sync={"streams": [{**overwrite, **reason}]}))
    connection = result_of(stack.report("--stack", "test", code=1), "connection", "people-users")
    assert connection["outcome"] == "refused"
    assert "allow_state_loss" in connection["message"]
    assert connection["waivers"] == {"streams.users.allow_full_refresh": "the table is small"}


@pytest.mark.slow
def test_an_object_that_the_state_does_not_know_is_not_taken_for_ours(stack: Repository) -> None:
    second = {"name": "people", "resource": "second", "config": {"count": 9}}
    stack.write(users=pipeline(), other=pipeline("purchases", source=second))
    report = stack.report("--stack", "test", code=1)
    (refused,) = [each for each in report["results"] if each["outcome"] == "refused"]
    assert (refused["kind"], refused["name"]) == ("source", "people")
    assert "is not known to this stack" in refused["message"]


def test_what_a_deployment_makes_first_is_not_taken_for_a_no(stack: Repository) -> None:
    replication = {"method": "CDC", "replication_slot": "orders", "publication": "orders"}
    source = {"connector": "source-postgres", "name": "orders", "config": {"host": "${POSTGRES_HOST}"}}
    source["config"] |= {"database": "shop", "replication_method": replication}  # type: ignore[operator]
    stack.write({**PINS, "source-postgres": "3.7.0"}, orders=pipeline("orders", source=source))
    report = stack.report("--stack", "test", code=3)
    orders = result_of(report, "source", "orders")
    assert orders["outcome"] == "not_checked"
    assert "`pulumi up` first makes what it needs: Grant postgres-shop-connect" in orders["message"]
    assert "Role postgres-shop-role" in orders["message"]
    assert (
        "As things are: pipelines/orders.yaml:1: source: Source orders (source-postgres 3.7.0) does not pass"
        in (orders["message"])
    )


def test_a_stack_that_is_not_there_is_told(stack: Repository) -> None:
    result = stack.check("--stack", "prod")
    assert result.exit_code == 1
    assert "pulumi config --json --show-secrets --stack prod: failed: no stack named 'prod' found" in result.stderr


def test_without_pulumi_the_stacks_file_is_read_and_what_is_encrypted_counts_as_not_set(
    stack: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {**stack.environment, "PATH": "/nowhere"}
    result = CliRunner().invoke(app, ["pipelines", "check", "--stack", "test"], env=environment)
    assert result.exit_code == 1
    assert "can't be decrypted and count as not set: airbyte-as-code:lakePassword" in result.stderr
    assert "`${LAKE_PASSWORD}` is not set anywhere" in result.stderr

    result = CliRunner().invoke(
        app, ["pipelines", "check", "--stack", "test"], env={**environment, "LAKE_PASSWORD": SECRET}
    )
    assert result.exit_code == 0, result.output
    assert "the stack's state is unknown and every source and destination is checked" in result.stderr
