"""Runs the account as a process of its own, and connects to it with the real driver."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from snowflake.connector import SnowflakeConnection

from tests.keys import public_body

REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True)
class KeyPair:
    """An RSA key pair in the forms that the driver and SQL take."""

    private: RSAPrivateKey

    @property
    def der(self) -> bytes:
        return self.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_pem(self) -> str:
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def public_base64(self) -> str:
        return public_body(self.private)


def new_key() -> KeyPair:
    return KeyPair(generate_private_key(public_exponent=65537, key_size=2048))


class Session:
    """A connection of the real driver, with shorthands."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        self.connection = connection

    def run(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        rows: list[Any] = self.connection.cursor().execute(sql, parameters or None).fetchall()  # type: ignore[union-attr]
        return rows

    def rows(self, sql: str) -> list[dict[str, Any]]:
        cursor = self.connection.cursor(snowflake.connector.DictCursor)
        cursor.execute(sql)
        found: list[Any] = cursor.fetchall()
        return found

    def row(self, sql: str) -> dict[str, Any]:
        found = self.rows(sql)
        assert len(found) == 1, f"{sql} answered {len(found)} rows"
        return found[0]

    def columns(self, sql: str) -> list[str]:
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return [column.name for column in cursor.description]

    def error(self, sql: str) -> tuple[int, str]:
        """The number and the text of the error that a statement must give."""
        with pytest.raises(snowflake.connector.errors.DatabaseError) as caught:
            self.run(sql)
        assert caught.value.errno is not None
        return caught.value.errno, str(caught.value.msg)


class Server:
    """The account's process and the connections made to it."""

    def __init__(self, directory: Path, admin_key: KeyPair) -> None:
        self.directory = directory
        self.admin_key = admin_key
        self.log = directory / "statements.log"
        self._connections: list[SnowflakeConnection] = []
        (directory / "admin.pub").write_text(admin_key.public_pem)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "sandbox.snowflake", "--port", "0"]
        command += ["--data", str(self.directory / "data"), "--log", str(self.log)]
        command += ["--admin-public-key", str(self.directory / "admin.pub")]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen(command, cwd=self.directory, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        ready = self.process.stdout.readline()
        assert ready.startswith("snowflake sandbox listening on http://127.0.0.1:"), ready
        self.port = int(ready.rsplit(":", 1)[1])

    def stop(self) -> int:
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self.process.terminate()
        assert self.process.stdout
        self.process.stdout.close()
        return self.process.wait(timeout=20)

    def connect(self, user: str = "ADMIN", key: KeyPair | None = None, **settings: Any) -> Session:
        if "password" not in settings:
            settings = {"authenticator": "SNOWFLAKE_JWT", "private_key": (key or self.admin_key).der} | settings
        connection = snowflake.connector.connect(
            account="OFFLINE-SANDBOX",
            user=user,
            host="127.0.0.1",
            port=self.port,
            protocol="http",
            login_timeout=10,
            **settings,
        )
        self._connections.append(connection)
        return Session(connection)
