"""The database cluster on disk: where it can be, how it is made, and what still runs on it.

A *cluster* is PostgreSQL's word for one data directory (https://www.postgresql.org/docs/current/creating-cluster.html).
It belongs to the account that runs the server and is at ``<data>/cluster``. When that account cannot get there (we are
root, and the work tree is in a private home), it is in a folder that ``<data>/outside`` links to. A folder whose link
is gone, because someone deleted ``<data>``, is deleted when the next one is made.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox import processes
from sandbox.postgres.binaries import Account, account, copy_installation, installation, reaches
from sandbox.postgres.errors import PostgresError

OUTSIDE_PREFIX = "airbyte-as-code-postgres-"
BELONGS_TO = "belongs-to"
"""File in a folder outside: the data directory whose cluster it holds."""

SOCKETS_BASE = Path("/tmp")  # noqa: S108 - in it, mkdtemp makes private ones
SOCKETS_PREFIX = "pg-"
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Cluster:
    """A cluster that exists, and the programs that go with it."""

    directory: Path
    programs: Path
    owner: Account


def prepare(data: Path, admin_user: str, admin_password: str) -> Cluster:
    """Return the cluster of ``data``, made now if it is not there yet (about a second).

    ``admin_user`` becomes its superuser, who needs ``admin_password`` to come in by any way.

    Raises:
        PostgresError: no account to run it as, nowhere to put it, or ``initdb`` failed.
    """
    owner = account()
    home = _home(data, owner)
    programs = installation()
    if not reaches(owner, programs / "bin" / "postgres"):
        programs = copy_installation(programs, home, owner)
    cluster = Cluster(home / "cluster", programs, owner)
    if not cluster.directory.is_dir():
        _create(cluster, admin_user, admin_password)
    return cluster


def socket_directory(owner: Account) -> Path:
    """Return a new folder for a server's Unix socket, which only ``owner`` (and root) can enter.

    Not in the data directory: a socket's path has at most 107 characters (``sun_path`` of unix(7)).
    """
    folder = Path(tempfile.mkdtemp(prefix=SOCKETS_PREFIX, dir=SOCKETS_BASE))
    os.chown(folder, owner.uid, owner.gid)
    return folder


def stop_leftover(data: Path) -> bool:
    """Stop a server that still runs on the cluster of ``data``; tell whether there was one.

    It outlives its parent when that is killed. Recognised by PostgreSQL's own pid file and its command line.

    Raises:
        PostgresError: it does not stop.
    """
    return _stop_server(_existing_home(data) / "cluster")


def _stop_server(directory: Path) -> bool:
    try:
        # https://www.postgresql.org/docs/current/storage-file-layout.html: process id first, socket directory fifth.
        lines = (directory / "postmaster.pid").read_text().splitlines()
        pid, sockets = int(lines[0]), Path(lines[4])
    except (OSError, ValueError, IndexError):
        return False
    was_there = _serves(pid, directory)
    if was_there:
        _stop(pid, directory)
    if sockets.parent == SOCKETS_BASE and sockets.name.startswith(SOCKETS_PREFIX):
        shutil.rmtree(sockets, ignore_errors=True)
    return was_there


def delete(data: Path) -> None:
    """Delete the cluster and everything else under ``data``, and what is outside because of the account."""
    home = _existing_home(data)
    if home.name.startswith(OUTSIDE_PREFIX):
        shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)


def _serves(pid: int, directory: Path) -> bool:
    return str(directory) in processes.command_line(pid)


def _stop(pid: int, directory: Path) -> None:
    # https://www.postgresql.org/docs/current/server-shutdown.html: fast, then immediate.
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        try:
            os.kill(pid, request)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not _serves(pid, directory):
                return
            time.sleep(0.02)
    raise PostgresError(f"PostgreSQL (process {pid}), which serves {directory}, does not stop, not even when killed.")


def _existing_home(data: Path) -> Path:
    outside = data / "outside"
    return outside.resolve() if outside.is_dir() else data


def _home(data: Path, owner: Account) -> Path:
    """Return the folder that holds the cluster: ``data`` if ``owner`` can work there, else one outside."""
    home = _existing_home(data)
    if home != data or (data / "cluster").is_dir() or owner.uid == os.geteuid() or _suits(data, owner):
        return home
    for base in (Path("/var/tmp"), Path(tempfile.gettempdir())):  # noqa: S108 - the first survives a reboot
        if base.is_dir() and reaches(owner, base):
            _delete_abandoned(base, owner)
            return _make_outside(base, data, owner)
    raise PostgresError(
        f"PostgreSQL, which has to run as {owner.name} because it refuses root, can reach neither {data} nor a "
        "temporary folder. Let it enter the folders above the work tree (`chmod o+x`), or run as a normal user."
    )


def _make_outside(base: Path, data: Path, owner: Account) -> Path:
    outside = Path(tempfile.mkdtemp(prefix=OUTSIDE_PREFIX, dir=base)).resolve()
    os.chown(outside, owner.uid, owner.gid)
    (data / "outside").unlink(missing_ok=True)  # a link to what is no longer there
    (data / "outside").symlink_to(outside)
    (outside / BELONGS_TO).write_text(str(data))  # last: a folder that names no owner yet is not abandoned
    return outside


def _delete_abandoned(base: Path, owner: Account) -> None:
    for outside in base.glob(f"{OUTSIDE_PREFIX}*"):
        try:
            if outside.lstat().st_uid != owner.uid:
                continue
            link = Path((outside / BELONGS_TO).read_text()) / "outside"
        except OSError:
            continue
        if not link.is_symlink() or link.readlink() != outside.resolve():
            _stop_server(outside / "cluster")
            shutil.rmtree(outside, ignore_errors=True)


def _suits(folder: Path, owner: Account) -> bool:
    """Tell whether ``owner`` can own a folder in ``folder`` and work in it, by trying."""
    trial = Path(tempfile.mkdtemp(prefix="trial-", dir=folder))
    try:
        os.chown(trial, owner.uid, owner.gid)
        return reaches(owner, trial, "w")
    except OSError:
        return False  # file systems that know no owners
    finally:
        trial.rmdir()


def _create(cluster: Cluster, admin_user: str, admin_password: str) -> None:
    """Run ``initdb`` beside the final place and move the result there: half a cluster never passes for a whole one."""
    half = cluster.directory.with_name("cluster.half")
    password = cluster.directory.with_name("cluster.password")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    processes.write_private(password, admin_password)
    for path in (half, password):
        os.chown(path, cluster.owner.uid, cluster.owner.gid)
    initdb = [str(cluster.programs / "bin" / "initdb"), "--pgdata", str(half), "--username", admin_user]
    options = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync", "--no-instructions"]
    try:
        made = subprocess.run(
            [*initdb, *options, f"--pwfile={password}"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **cluster.owner.as_child(),
        )
    except OSError as error:
        raise PostgresError(f"PostgreSQL's initdb cannot run: {error}") from error
    finally:
        password.unlink(missing_ok=True)
    if made.returncode != 0:
        raise PostgresError(
            f"PostgreSQL's initdb could not make a cluster in {cluster.directory.parent}: "
            f"{made.stderr.strip() or made.stdout.strip()}"
        )
    half.rename(cluster.directory)
