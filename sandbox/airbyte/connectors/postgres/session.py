"""Connections to PostgreSQL as a connector's configuration describes them, and how their failures read."""

from __future__ import annotations

import contextlib
import ipaddress
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from sandbox.airbyte.connectors.base import ConnectorError, CrashError, Json, RefusalError

Address = tuple[str, int]
Session = psycopg.Connection[tuple[Any, ...]]

# One text form of values everywhere, see types.py.
_OPTIONS = "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601 -c bytea_output=hex -c extra_float_digits=3"
_CERTIFICATES = {"ca_certificate": "sslrootcert", "client_certificate": "sslcert", "client_key": "sslkey"}
# libpq reports no state for a connection that was never made; these are the states that the texts belong to.
_STATES = (
    ("password authentication failed", "28P01"),
    ("no pg_hba.conf entry", "28000"),
    ("is not permitted to log in", "28000"),
    ("role ", "28000"),
    ("database ", "3D000"),
    ("too many connections", "53300"),
)


@contextlib.contextmanager
def connect(config: Json, connect_to: dict[str, Address], timeout_seconds: int) -> Iterator[Session]:
    """A session in autocommit mode.

    Raises:
        RefusalError: the server cannot be reached or refuses the login; with the server's own words.
        CrashError: the configuration wants what the sandbox has not: SSH tunnels, Entra logins.
    """
    tunnel = (config.get("tunnel_method") or {}).get("tunnel_method", "NO_TUNNEL")
    if tunnel != "NO_TUNNEL":
        raise CrashError(f"this sandbox cannot open SSH tunnels (tunnel_method {tunnel})")
    if config.get("entra_service_principal_auth"):
        raise CrashError("this sandbox cannot log in through Entra")
    with tempfile.TemporaryDirectory(prefix="source-postgres-") as folder:
        parameters = _parameters(config, connect_to, timeout_seconds, Path(folder))
        try:
            session = psycopg.connect(autocommit=True, **parameters)
        except psycopg.Error as error:
            raise RefusalError(_connection_failure(config, error)) from error
        with session:
            yield session


def _parameters(config: Json, connect_to: dict[str, Address], timeout: int, folder: Path) -> dict[str, Any]:
    host, port = str(config["host"]), int(config["port"])
    address, real_port = connect_to.get(host.lower(), (host, port))
    ssl = config.get("ssl_mode") or {}
    parameters = {
        "host": host if _is_ip(address) and address != host else address,
        "port": real_port,
        "dbname": config["database"],
        "user": config["username"],
        "password": config.get("password"),
        "connect_timeout": timeout,
        "application_name": "airbyte",
        "options": _OPTIONS,
        "sslmode": ssl.get("mode", "prefer"),
    }
    if _is_ip(address) and address != host:
        parameters["hostaddr"] = address
    for key, parameter in _CERTIFICATES.items():
        if ssl.get(key):
            path = folder / parameter
            path.touch(mode=0o600)
            path.write_text(ssl[key])
            parameters[parameter] = str(path)
    if ssl.get("client_key_password"):
        parameters["sslpassword"] = ssl["client_key_password"]
    return {key: value for key, value in parameters.items() if value is not None}


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _connection_failure(config: Json, error: psycopg.Error) -> str:
    text = str(error).strip().splitlines()[0]
    if "FATAL:" in text:
        words = " ".join(text[text.index("FATAL:") :].split())
        state = next((state for words_of, state in _STATES if words_of in words), "08001")
        return f"State code: {state}; Message: {words}"
    reason = text.rpartition("failed: ")[2] or text
    place = f"{config['host']}:{config['port']}"
    return f"State code: 08001; Message: Could not connect to PostgreSQL at {place}: {reason}"


def server_words(error: psycopg.Error) -> str:
    """The state and text of an error that the server reported."""
    text = error.diag.message_primary or str(error).strip().splitlines()[0]
    return f"State code: {error.sqlstate}; Message: ERROR: {text}" if error.sqlstate else text


@contextlib.contextmanager
def explained(doing: str, failure_type: str = "config_error") -> Iterator[None]:
    """Turn a database error into one of the connector.

    Raises:
        ConnectorError: what was being done, and the server's own words.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        raise ConnectorError(f"{doing}: {server_words(error)}", "transient_error") from error
    except psycopg.Error as error:
        raise ConnectorError(f"{doing}: {server_words(error)}", failure_type) from error
