"""Starts, watches and stops one PostgreSQL server."""

import atexit
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
from psycopg.conninfo import make_conninfo

from sandbox import processes
from sandbox.postgres import cluster as clusters
from sandbox.postgres import seed
from sandbox.postgres.errors import PostgresError
from sandbox.postgres.tls import TlsFront, self_signed

HOST = "127.0.0.1"
START_SECONDS = 60.0
SOCKET_PORT = 5432
"""Names the socket's file only; nothing listens on this port."""

SETTINGS = {
    "listen_addresses": "",  # TCP is the TLS front's
    "wal_level": "logical",
    "max_replication_slots": "20",
    "max_wal_senders": "20",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "fsync": "off",  # a killed server loses nothing, a machine that loses power may: sample data can be made again
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # statements that fail may hold passwords, which do not belong in a log
}


class Server:
    """A running PostgreSQL. Use it as a context manager, or call :meth:`stop`.

    ``host`` and ``port`` take connections with and without TLS, always with a password; ``certificate`` is the PEM file
    to verify TLS against (``sslrootcert``). ``log`` is the server's log.
    """

    host = HOST

    def __init__(self, data: Path, admin_user: str, admin_password: str) -> None:
        self.data = data
        self.admin_user = admin_user
        self.admin_password = admin_password
        self.port = 0
        self.certificate = data / "server.crt"
        self.log = data / "postgres.log"
        self._lock: IO[str] | None = None
        self._sockets: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._front: TlsFront | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of PostgreSQL's main process (the *postmaster*)."""
        assert self._process is not None, "the server was started"
        return self._process.pid

    def conninfo(self, database: str = seed.DATABASE, **parameters: str | int) -> str:
        """Return a libpq connection string: the administrator's unless ``user`` and ``password`` say otherwise."""
        given: dict[str, str | int | None] = {"host": self.host, "port": self.port, "dbname": database}
        given |= {"user": self.admin_user, "password": self.admin_password, **parameters}
        return make_conninfo("", **given)

    def is_running(self) -> bool:
        """Tell whether PostgreSQL runs, as seen from the process that started it."""
        return self._process is not None and self._process.poll() is None

    def wait(self) -> int:
        """Wait until PostgreSQL ends; return its exit status."""
        assert self._process is not None, "the server was started"
        return self._process.wait()

    def stop(self) -> None:
        """Stop the server and free its port. Data stays. Safe to call twice."""
        atexit.unregister(self.stop)
        if self._front:
            self._front.stop()
        if self._process:
            _end(self._process)
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._lock:
            self._lock.close()

    def _start(self, port: int) -> None:
        """Do what :func:`start` says."""
        self._lock = _lock(self.data)
        clusters.stop_leftover(self.data)
        cluster = clusters.prepare(self.data, self.admin_user, self.admin_password)
        self_signed(self.certificate, self.data / "server.key")
        self._sockets = clusters.socket_directory(cluster.owner)
        settings = SETTINGS | {"unix_socket_directories": str(self._sockets), "port": str(SOCKET_PORT)}
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            begins = log.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                [
                    str(cluster.programs / "bin" / "postgres"),
                    *("-D", str(cluster.directory)),
                    *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                **cluster.owner.as_child(),
            )
        self._fill(begins)
        self._front = TlsFront(
            HOST,
            port,
            self._sockets / f".s.PGSQL.{SOCKET_PORT}",
            self.certificate,
            self.data / "server.key",
        )
        self._front.start()
        self.port = self._front.port

    def _fill(self, log_begins: int) -> None:
        """Wait until the server answers, then make what the sandbox promises of its contents."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with self._connect("postgres") as connection:
                    seed.create_database(connection)
                break
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise PostgresError(
                        f"PostgreSQL in {self.data} was made with another administrator or password than it is now "
                        f"started with: {error}. Give it the former ones, or delete {self.data}."
                    ) from None
                if self.is_running() and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                why = self.log.read_bytes()[log_begins:].decode(errors="replace").strip() or str(error)
                raise PostgresError(f"PostgreSQL did not start in {self.data}. Its log says: {why}") from None
        with self._connect(seed.DATABASE) as connection:
            seed.create_tables(connection)

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._sockets),
            port=SOCKET_PORT,
            dbname=database,
            user=self.admin_user,
            password=self.admin_password,
            autocommit=True,
            connect_timeout=10,
        )


def start(data: Path, port: int = 0, *, admin_user: str = "postgres", admin_password: str | None = None) -> Server:
    """Start PostgreSQL on the data directory ``data``, made and filled on the first start. ``port`` 0 is any free one.

    Without ``admin_password``, one is invented and kept in ``<data>/admin-password`` (mode 0600).

    Raises:
        PostgresError: it cannot run here, the port is taken, the directory is in use, or it has another administrator.
    """
    data = Path(data).absolute()
    data.mkdir(parents=True, exist_ok=True, mode=0o711)
    server = Server(data, admin_user, admin_password or _invented_password(data))
    try:
        server._start(port)  # noqa: SLF001 - of this module
    except BaseException:
        server.stop()
        raise
    atexit.register(server.stop)
    return server


def stop(data: Path) -> bool:
    """Stop the server whose parent was killed and that still runs on ``data``; tell whether there was one.

    Raises:
        PostgresError: its parent lives (stop that instead), or the server cannot be stopped.
    """
    data = Path(data).absolute()
    if not data.is_dir():
        return False
    with _lock(data):
        return clusters.stop_leftover(data)


def destroy(data: Path) -> None:
    """Stop what :func:`stop` would, then delete the data directory for good.

    Raises:
        PostgresError: as :func:`stop` does.
    """
    stop(data)
    clusters.delete(Path(data).absolute())


def _lock(data: Path) -> IO[str]:
    """Hold the data directory: of two servers on one cluster, the later would stop the earlier as a leftover."""
    lock = (data / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise PostgresError(
            f"PostgreSQL already runs on {data}, started by another process. Use that one, or stop it first."
        ) from None
    return lock


def _invented_password(data: Path) -> str:
    file = data / "admin-password"
    if not file.exists():
        processes.write_private(file, secrets.token_urlsafe(24))
    return file.read_text()


def _end(process: "subprocess.Popen[bytes]") -> None:
    # https://www.postgresql.org/docs/current/server-shutdown.html: fast, then immediate.
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(request)
        try:
            process.wait(clusters.STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
