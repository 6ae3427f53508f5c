"""Sessions with Snowflake as a connector's configuration describes them, and how their failures read."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from sandbox.airbyte.connectors.base import CrashError, Json, RefusalError
from sandbox.airbyte.connectors.snowflake.names import identifier

Address = tuple[str, int]
Session = Any  # snowflake.connector.SnowflakeConnection, which is imported late

_KEY_PAIR = "Key Pair Authentication"
_CODE = re.compile(
    r"^(?:\d{6} )?(?:\((?:\w{5}|None)\): )?(?:[0-9a-f-]{36}: |None: )?(?:Failed to connect to DB: \S+\. )?"
)


@contextlib.contextmanager
def connect(config: Json, connect_to: dict[str, Address], timeout_seconds: int) -> Iterator[Session]:
    """A session in the configured role, warehouse and database.

    Raises:
        RefusalError: the login fails, with Snowflake's own words; or the private key cannot be read.
    """
    # The driver takes a second to import: only a server that needs it pays.
    import snowflake.connector

    logging.getLogger("snowflake.connector").setLevel(logging.CRITICAL)
    parameters = _parameters(config, connect_to, timeout_seconds)
    _reach(config, parameters, timeout_seconds)
    try:
        session = snowflake.connector.connect(**parameters)
    except snowflake.connector.Error as error:
        raise RefusalError(f"Could not connect to Snowflake at {config['host']}: {error_words(error)}") from error
    try:
        yield session
    finally:
        with contextlib.suppress(snowflake.connector.Error):
            session.close()


def _reach(config: Json, parameters: dict[str, Any], timeout: int) -> None:
    """Fail at once for a server that is not there; the driver would try for a while."""
    try:
        socket.create_connection((parameters["host"], parameters.get("port", 443)), timeout).close()
    except OSError as error:
        raise RefusalError(f"Could not connect to Snowflake at {config['host']}: {error}") from error


def _parameters(config: Json, connect_to: dict[str, Address], timeout: int) -> dict[str, Any]:
    host = re.sub(r"^https?://", "", str(config["host"])).lower()
    parameters: dict[str, Any] = {
        "account": host.partition(".")[0],
        "host": host,
        "user": config["username"],
        "role": config["role"],
        "warehouse": config["warehouse"],
        "database": identifier(config["database"]),
        "schema": identifier(config["schema"]),
        "application": "airbyte_oss",
        "paramstyle": "qmark",
        "login_timeout": timeout,
        "network_timeout": max(timeout, 60),
        "session_parameters": {"QUERY_TAG": "airbyte"},
        "client_session_keep_alive": False,
    }
    if host in connect_to:
        address, port = connect_to[host]
        parameters |= {"host": address, "port": port, "protocol": "http"}
    return parameters | _credentials(config.get("credentials") or {})


def _credentials(credentials: Json) -> dict[str, Any]:
    if "private_key" not in credentials:
        return {"password": credentials.get("password", "")}
    password = credentials.get("private_key_password")
    try:
        key = load_pem_private_key(str(credentials["private_key"]).encode(), password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RefusalError(
            "The private key cannot be read: it must be a PKCS8 PEM key, and private_key_password must be given "
            "exactly when the key is encrypted."
        ) from error
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {"authenticator": "SNOWFLAKE_JWT", "private_key": der}


def error_words(error: Exception) -> str:
    """Snowflake's text of an error, with its code and state but without query ids."""
    raw = str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error)
    text = _CODE.sub("", " ".join(raw.split()))
    code, state = getattr(error, "errno", None), getattr(error, "sqlstate", None)
    return f"{code:06d} ({state}): {text}" if isinstance(code, int) and code > 0 else text


def execute(session: Session, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Run a statement.

    Raises:
        RefusalError: Snowflake refuses it, with its own words.
    """
    with _explained(), session.cursor() as cursor:
        cursor.execute(query, tuple(parameters) or None)
        return list(cursor.fetchall())


def execute_many(session: Session, query: str, rows: list[tuple[object, ...]]) -> None:
    """Run an INSERT for many rows at once.

    Raises:
        RefusalError: Snowflake refuses it, with its own words.
    """
    with _explained(), session.cursor() as cursor:
        cursor.executemany(query, rows)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    import snowflake.connector

    try:
        yield
    except snowflake.connector.ProgrammingError as error:
        raise RefusalError(error_words(error)) from error
    except snowflake.connector.Error as error:
        raise CrashError(error_words(error)) from error
