"""The one login of the provider's process, and how Snowflake's errors become what a user reads."""

from __future__ import annotations

import logging
import threading
from typing import Any, TypeAlias

import snowflake.connector
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from snowflake.connector import DictCursor
from snowflake.connector.errors import Error

from sandbox.plugins.resource import PluginError
from sandbox.plugins.values import Properties

Row: TypeAlias = dict[str, Any]

_MISSING = (2003, 2043)
_ADVICE = {
    2002: "Import it, or drop it first",
    3001: "Use a role with the right to do this",
    3003: "Use a role with the right to do this",
}


class MissingError(PluginError):
    """The object does not exist, or the role may not see it: Snowflake does not tell these apart."""


class SnowflakeSession:
    """A logged-in session. Statements run one at a time, each with its own cursor."""

    def __init__(self, configuration: Properties) -> None:
        # The connector warns of every retry; what counts is in the error that ends them.
        logging.getLogger("snowflake").setLevel(logging.CRITICAL)
        self._lock = threading.Lock()
        try:
            self._connection = snowflake.connector.connect(**_arguments(configuration))
        except Error as error:
            where = configuration["host"] or "the account's own host"
            who = f"user {configuration['user']} of {_account(configuration)} at {where}"
            raise PluginError(f"The Snowflake provider can't log in as {who}: {_words(error)}.") from error

    def run(self, statement: str) -> list[Row]:
        """Run a statement; rows come with their columns in lower case. Raises PluginError and MissingError."""
        with self._lock, self._connection.cursor(DictCursor) as cursor:
            try:
                cursor.execute(statement)
                rows = cursor.fetchall()
            except Error as error:
                raise _translated(error) from error
        return [{str(column).lower(): value for column, value in dict(row).items()} for row in rows]

    def find(self, statement: str) -> list[Row] | None:
        """The rows of a SHOW or DESCRIBE, or None when what it is about does not exist."""
        try:
            return self.run(statement)
        except MissingError:
            return None

    def close(self) -> None:
        """Log out; the account may be gone already."""
        self._connection.close(retry=False)


def _account(configuration: Properties) -> str:
    return f"{configuration['organizationName']}-{configuration['accountName']}"


def _arguments(configuration: Properties) -> dict[str, Any]:
    """What the connector takes, from the provider's own names."""
    arguments = {
        "account": _account(configuration),
        "user": configuration["user"],
        "authenticator": configuration["authenticator"],
        "login_timeout": configuration["loginTimeout"],
        "application": "Pulumi",
        **{name: configuration[name] for name in ("role", "warehouse", "host", "port", "protocol", "password")},
    }
    if configuration["privateKey"]:
        arguments["private_key"] = _der(configuration["privateKey"], configuration["privateKeyPassphrase"])
    return {name: value for name, value in arguments.items() if value is not None}


def _der(pem: str, passphrase: str | None) -> bytes:
    try:
        key = load_pem_private_key(pem.encode(), passphrase.encode() if passphrase else None)
    except (ValueError, TypeError) as error:
        reason = "it is encrypted or its passphrase is wrong" if isinstance(error, TypeError) else "it is no PEM key"
        raise PluginError(
            f"The Snowflake provider's privateKey can't be read: {reason}. It takes a PKCS #8 key in PEM, with its "
            "line breaks, and privateKeyPassphrase when it is encrypted."
        ) from None
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _words(error: Error) -> str:
    words = " ".join(str(error.raw_msg or error.msg or error).split())
    return f"{words.rstrip('.')} [{error.errno}]" if error.errno and error.errno > 0 else words.rstrip(".")


def _translated(error: Error) -> PluginError:
    words = _words(error)
    if error.errno in _MISSING or "does not exist or not authorized" in words:
        return MissingError(words)
    advice = _ADVICE.get(error.errno or 0)
    return PluginError(f"{words}. {advice}" if advice else words)
