"""`python -m sandbox` with the real PostgreSQL, as a user and as a script sees it."""

import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from sandbox.credentials import private_key
from sandbox.environment import Sandbox

PROJECT = Path(__file__).resolve().parents[3]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a sandbox with PostgreSQL, in a path that a shell has to quote."""
    directory = tmp_path_factory.mktemp("sand") / "it's a $box"
    yield directory
    Sandbox(directory).down(lambda _: None, purge=True)


@pytest.fixture(scope="module")
def sandbox(root: Path) -> Run:
    """Runs `python -m sandbox …`; PostgreSQL is up."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sandbox", *arguments],
            cwd=PROJECT,
            env={**os.environ, "AIRBYTE_AS_CODE_SANDBOX": str(root)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    started = run("up", "postgres")
    assert started.returncode == 0, started.stderr
    return run


def in_bash(root: Path, script: str) -> str:
    """What a script prints that sources the env file, under bash's strictest rules."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"source {shlex.quote(str(root / 'env'))}; {script}"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def connect(env: dict[str, str]) -> psycopg.Connection:
    return psycopg.connect(
        host=env["POSTGRES_HOST"],
        port=int(env["POSTGRES_PORT"]),
        dbname=env["POSTGRES_DATABASE"],
        user=env["POSTGRES_ADMIN_USER"],
        password=env["POSTGRES_ADMIN_PASSWORD"],
    )


def test_the_env_file_gives_a_shell_what_env_gives_a_program(sandbox: Run, root: Path) -> None:
    shell = dict(line.split("=", 1) for line in in_bash(root, "env -0").split("\0") if "=" in line)
    program = json.loads(sandbox("env", "--output", "json").stdout)

    assert {name: shell[name] for name in program} == program
    assert sandbox("env").stdout == (root / "env").read_text()
    assert shell["PULUMI_BACKEND_URL"] == f"file://{root}/state?metadata=skip"


def test_the_variables_lead_to_the_database(sandbox: Run) -> None:
    with connect(json.loads(sandbox("env", "-o", "json").stdout)) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (500,)


def test_the_tools_own_directory_comes_first_on_path(sandbox: Run, root: Path, tmp_path: Path) -> None:
    # Given the engine that an `up` chose
    from sandbox.state import PulumiState, State

    state = State.of(root)
    chosen = PulumiState(pulumi=tmp_path / "pulumi", bin_dir=tmp_path, origin="x", language_host="own", plugins={})
    state.model_copy(update={"pulumi": chosen}).save(root)
    try:
        assert sandbox("up", "postgres").returncode == 0
        assert in_bash(root, 'printf %s "$PATH"') == f"{tmp_path}:{os.environ['PATH']}"
        assert json.loads(sandbox("env", "-o", "json").stdout)["PATH"] == f"{tmp_path}:{os.environ['PATH']}"
    finally:
        state.save(root)
        sandbox("up", "postgres")


def test_status_exits_with_zero_only_when_everything_runs(sandbox: Run) -> None:
    status = sandbox("status", "--output", "json")
    report = json.loads(status.stdout)

    assert status.returncode == 1
    assert report["running"] is False
    services = {service["name"]: service for service in report["services"]}
    assert services["postgres"]["state"] == "running"
    assert psutil.pid_exists(services["postgres"]["pid"])
    assert services["airbyte"]["state"] == services["snowflake"]["state"] == "stopped"


def test_status_for_people_is_a_table(sandbox: Run) -> None:
    lines = sandbox("status").stdout.splitlines()

    assert [line.split()[:2] for line in lines[1:]] == [
        ["postgres", "running"],
        ["snowflake", "stopped"],
        ["airbyte", "stopped"],
        ["kubernetes", "stopped"],
    ]


def test_secrets_are_in_files_that_only_their_owner_can_read(sandbox: Run, root: Path) -> None:
    private_key(root, "snowflake_admin")
    secret = [root / "env", root / "secrets.json", *(root / "keys").iterdir(), *(root / "logs").iterdir()]

    assert {stat.S_IMODE(file.stat().st_mode) for file in secret} == {0o600}
    assert {stat.S_IMODE((root / name).stat().st_mode) for name in ("keys", "logs", "state")} == {0o700}


def test_no_secret_is_in_a_log_or_on_a_command_line(sandbox: Run, root: Path) -> None:
    secrets = list(json.loads((root / "secrets.json").read_text()).values())
    command_lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    public = " ".join(part for line in command_lines for part in line)
    public += "".join(file.read_text() for file in (root / "logs").iterdir())
    public += (root / "postgres" / "postgres.log").read_text()

    assert str(root) in public, "the service's own command line was looked at"
    assert [secret for secret in secrets if secret in public] == []


def test_a_database_server_whose_parent_was_killed_is_replaced_without_loss(sandbox: Run) -> None:
    before = json.loads(sandbox("env", "-o", "json").stdout)
    with connect(before) as connection:
        connection.execute("UPDATE orders SET status = 'kept' WHERE id = 1")
    (postgres,) = (s for s in json.loads(sandbox("status", "-o", "json").stdout)["services"] if s["name"] == "postgres")
    psutil.Process(postgres["pid"]).kill()

    assert sandbox("up", "postgres").returncode == 0

    assert json.loads(sandbox("env", "-o", "json").stdout) == before
    with connect(before) as connection:
        assert connection.execute("SELECT status FROM orders WHERE id = 1").fetchone() == ("kept",)


def test_down_stops_also_a_database_server_whose_parent_was_killed(sandbox: Run, root: Path) -> None:
    (postgres,) = (s for s in json.loads(sandbox("status", "-o", "json").stdout)["services"] if s["name"] == "postgres")
    supervisor = psutil.Process(postgres["pid"])
    (server,) = supervisor.children()
    supervisor.kill()

    assert sandbox("down").returncode == 0

    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    assert sandbox("up", "postgres").returncode == 0


def test_an_error_is_one_paragraph_and_no_traceback(sandbox: Run) -> None:
    failed = sandbox("up", "redis")

    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr == "error: Unknown: redis. The sandbox has postgres, snowflake, airbyte, kubernetes, pulumi.\n"


def test_a_key_pair_is_made_once_and_its_halves_belong_together(tmp_path: Path) -> None:
    file = private_key(tmp_path, "user")
    content = file.read_bytes()
    private = load_pem_private_key(content, password=None)

    assert content.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert load_pem_public_key(file.with_suffix(".pub").read_bytes()) == private.public_key()
    assert private_key(tmp_path, "user").read_bytes() == content


def test_a_key_whose_public_half_was_never_written_is_made_again(tmp_path: Path) -> None:
    file = private_key(tmp_path, "user")
    file.with_suffix(".pub").unlink()

    private = load_pem_private_key(private_key(tmp_path, "user").read_bytes(), password=None)

    assert load_pem_public_key(file.with_suffix(".pub").read_bytes()) == private.public_key()
