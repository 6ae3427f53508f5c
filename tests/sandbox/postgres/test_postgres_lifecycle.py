"""Starting, stopping, being killed, and whose files they are."""

import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil
import psycopg
import pytest

from sandbox import postgres
from sandbox.postgres import binaries, cluster

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand PostgreSQL to another account")


class Foreground(Protocol):
    process: subprocess.Popen[str]
    first_line: str
    port: int

    def connect(self) -> psycopg.Connection: ...


def postmasters(data: Path) -> list[psutil.Process]:
    """The running PostgreSQL main processes on a data directory."""
    directory = str((data / "outside").resolve() if (data / "outside").exists() else data)
    return [
        process
        for process in psutil.process_iter(["cmdline", "name"])
        if process.info["name"] == "postgres"
        and any(part.startswith(directory) for part in process.info["cmdline"] or ())
    ]


def test_the_foreground_command_says_when_it_listens_and_ends_on_sigterm(
    foreground: Callable[[], Foreground], data: Path
) -> None:
    running = foreground()
    assert running.first_line == f"postgres sandbox listening on 127.0.0.1:{running.port}"
    with running.connect() as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("production",)

    running.process.terminate()

    assert running.process.wait(30) == 0
    assert postmasters(data) == []


def test_a_server_whose_parent_was_killed_is_replaced_and_loses_no_row(
    foreground: Callable[[], Foreground], data: Path
) -> None:
    first = foreground()
    with first.connect() as connection:
        connection.execute("INSERT INTO users (email) VALUES ('committed@example.com')")
    first.process.kill()
    first.process.wait(10)
    (orphan,) = postmasters(data)

    second = foreground()

    (server,) = postmasters(data)
    assert server.pid != orphan.pid
    with second.connect() as connection:
        rows = connection.execute("SELECT count(*) FROM users WHERE email LIKE 'committed@%'").fetchone()
    assert rows == (1,)


def test_an_orphan_can_be_stopped_without_starting_another(foreground: Callable[[], Foreground], data: Path) -> None:
    running = foreground()
    running.process.kill()
    running.process.wait(10)

    assert postgres.stop(data) is True
    assert postmasters(data) == []
    assert postgres.stop(data) is False


def test_the_foreground_command_ends_when_postgresql_does(foreground: Callable[[], Foreground], data: Path) -> None:
    running = foreground()
    (server,) = postmasters(data)

    server.kill()

    assert running.process.wait(30) == 1
    assert "PostgreSQL ended by itself" in running.process.communicate()[1]


def test_the_data_of_a_running_server_is_not_given_to_a_second_one(data: Path) -> None:
    with postgres.start(data) as server:
        with pytest.raises(postgres.PostgresError, match="already runs on"):
            postgres.start(data)
        with psycopg.connect(server.conninfo()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_taken_port_is_named_and_leaves_no_process(data: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(postgres.PostgresError, match=f"cannot listen on 127.0.0.1:{port}"):
            postgres.start(data, port)

    assert postmasters(data) == []


def test_a_stopped_server_frees_its_port_and_takes_it_again(data: Path) -> None:
    with postgres.start(data) as server:
        port = server.port
        assert server.is_running()
    assert not server.is_running()

    with postgres.start(data, port) as again, psycopg.connect(again.conninfo()) as connection:
        assert again.port == port
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_stopping_does_not_wait_for_clients(data: Path) -> None:
    server = postgres.start(data)
    client = psycopg.connect(server.conninfo(sslmode="require"))

    server.stop()

    with pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")


def test_an_invented_password_is_private_and_stays(data: Path) -> None:
    with postgres.start(data) as first:
        invented = first.admin_password
    with postgres.start(data) as second:
        assert second.admin_password == invented

    assert stat.S_IMODE((data / "admin-password").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "server.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "postgres.log").stat().st_mode) == 0o600


def test_the_administrator_has_the_name_and_password_given(data: Path) -> None:
    with (
        postgres.start(data, admin_user="root of all", admin_password="p w'\"\\") as server,
        psycopg.connect(server.conninfo()) as connection,
    ):
        row = connection.execute("SELECT current_user, usesuper FROM pg_user WHERE usename = current_user").fetchone()
        assert row == ("root of all", True)


def test_another_password_than_the_data_was_made_with_is_an_error_that_tells_neither(data: Path) -> None:
    postgres.start(data, admin_password="the first").stop()

    with pytest.raises(postgres.PostgresError, match="made with another administrator or password") as caught:
        postgres.start(data, admin_password="the second")

    assert "the first" not in str(caught.value)
    assert "the second" not in str(caught.value)
    assert postmasters(data) == []


def test_postgresqls_own_reason_is_told_when_it_does_not_start(data: Path) -> None:
    postgres.start(data).stop()
    (configuration,) = (data / "outside" if (data / "outside").exists() else data).glob("cluster/postgresql.conf")
    with configuration.open("a") as text:
        text.write("no_such_setting = on\n")

    with pytest.raises(postgres.PostgresError, match='unrecognized configuration parameter "no_such_setting"'):
        postgres.start(data)


def test_half_a_cluster_is_not_taken_for_a_whole_one(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a start that was killed in the middle of initdb
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(subprocess, "run", killed)
        patch.setattr(cluster, "reaches", lambda *_: True)
        postgres.start(data, admin_password="secret")

    # Then the next start makes it anew, and the password was not left behind
    with postgres.start(data, admin_password="secret") as server:
        assert server.is_running()
    assert list(data.rglob("*password*")) == []


def test_a_data_directory_deeper_than_a_sockets_path_may_be(data: Path) -> None:
    deep = data / ("d" * 120)
    try:
        with postgres.start(deep) as server:
            assert server.is_running()
    finally:
        postgres.destroy(deep)


def test_postgresql_never_runs_as_root_and_owns_its_data(public_data: Path) -> None:
    with postgres.start(public_data) as server:
        uid = psutil.Process(server.pid).uids().effective
        owner = (public_data / "cluster").stat().st_uid

    assert uid != 0
    assert owner == uid


@as_root
def test_data_in_a_private_directory_is_kept_where_postgresql_can_reach_it(data: Path) -> None:
    data.parent.chmod(0o700)
    with postgres.start(data):
        outside = (data / "outside").resolve()
        assert (outside / "cluster").stat().st_uid != 0
        assert not (data / "cluster").exists()
    with postgres.start(data):
        assert (data / "outside").resolve() == outside

    postgres.destroy(data)

    assert not outside.exists()
    assert not data.exists()


@as_root
def test_what_is_outside_goes_with_the_data_directory_that_someone_deleted(
    foreground: Callable[[], Foreground], data: Path, tmp_path: Path
) -> None:
    # Given a server of which the parent was killed and the data directory deleted
    data.parent.chmod(0o700)
    running = foreground()
    outside = (data / "outside").resolve()
    running.process.kill()
    running.process.wait(10)
    (orphan,) = postmasters(data)
    shutil.rmtree(data)

    # When the next server needs a folder outside
    postgres.start(tmp_path / "next").stop()

    # Then neither process nor files of the former are left, and nothing of the other's
    assert not outside.exists()
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert (tmp_path / "next" / "outside").is_dir()
    postgres.destroy(tmp_path / "next")


@as_root
def test_programs_in_a_private_directory_are_copied_where_postgresql_can_reach_them(
    public_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "pginstall18").symlink_to(binaries.installation())
    monkeypatch.setattr(cluster, "installation", lambda: private / "pginstall18")

    with (
        postgres.start(public_data) as server,
        psycopg.connect(server.conninfo()) as connection,
    ):
        program = psutil.Process(server.pid).exe()
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (500,)

    assert program.startswith(str(public_data))


def test_a_second_sigterm_does_not_leave_postgresql_behind(foreground: Callable[[], Foreground], data: Path) -> None:
    running = foreground()

    running.process.send_signal(signal.SIGTERM)
    running.process.send_signal(signal.SIGTERM)

    assert running.process.wait(30) == 0
    assert postmasters(data) == []
