"""The two real databases of the sync tests: PostgreSQL, and a Snowflake account in a process of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from psycopg import sql

from sandbox import postgres
from tests.keys import public_body
from tests.sandbox.airbyte.harness import Json

REPOSITORY = Path(__file__).parents[3]
HOST = "offline-sandbox.snowflakecomputing.com"
KEY_PASSWORD = "of-the-key"
_NUMBERS = itertools.count(1)


class Account:
    """A Snowflake account with the role, user and warehouse that a sync needs."""

    def __init__(self, directory: Path) -> None:
        admin, user = (generate_private_key(65537, 2048) for _ in range(2))
        pem = admin.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (directory / "admin.pub").write_bytes(pem)
        command = [sys.executable, "-m", "sandbox.snowflake", "--port", "0", "--data", str(directory / "data")]
        command += ["--admin-public-key", str(directory / "admin.pub")]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().rpartition(":")[2])
        self._admin = snowflake.connector.connect(
            account="OFFLINE-SANDBOX",
            user="ADMIN",
            role="ACCOUNTADMIN",
            authenticator="SNOWFLAKE_JWT",
            private_key=admin.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            host="127.0.0.1",
            port=self.port,
            protocol="http",
        )
        self.private_key = user.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(KEY_PASSWORD.encode())
        ).decode()
        for statement in (
            "CREATE WAREHOUSE AIRBYTE_WH",
            "USE WAREHOUSE AIRBYTE_WH",
            "CREATE DATABASE RAW",
            "CREATE ROLE AIRBYTE_ROLE",
            "GRANT ROLE AIRBYTE_ROLE TO ROLE ACCOUNTADMIN",
            "GRANT USAGE ON WAREHOUSE AIRBYTE_WH TO ROLE AIRBYTE_ROLE",
            "GRANT USAGE, CREATE SCHEMA ON DATABASE RAW TO ROLE AIRBYTE_ROLE",
            f"CREATE USER AIRBYTE TYPE = SERVICE DEFAULT_ROLE = AIRBYTE_ROLE RSA_PUBLIC_KEY = '{public_body(user)}'",
            "GRANT ROLE AIRBYTE_ROLE TO USER AIRBYTE",
        ):
            self.run(statement)

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement of the administrator."""
        cursor = self._admin.cursor()
        cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()]

    def config(self, schema: str, **fields: Any) -> Json:
        """A destination's configuration."""
        credentials = {
            "auth_type": "Key Pair Authentication",
            "private_key": self.private_key,
            "private_key_password": KEY_PASSWORD,
        }
        return {
            "host": HOST,
            "role": "AIRBYTE_ROLE",
            "warehouse": "AIRBYTE_WH",
            "database": "RAW",
            "schema": schema,
            "username": "AIRBYTE",
            "credentials": credentials,
        } | fields

    def stop(self) -> None:
        """End the process."""
        self._admin.close()
        self._process.terminate()
        assert self._process.stdout
        self._process.stdout.close()
        self._process.wait(20)


@dataclass
class Database:
    """A PostgreSQL database with a slot, a publication, and the table ``orders``."""

    name: str
    port: int
    session: psycopg.Connection[Any]

    @property
    def slot(self) -> str:
        """The replication slot."""
        return f"{self.name}_slot"

    def run(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a statement of the administrator."""
        cursor = self.session.execute(sql.SQL(statement), parameters or None)
        return cursor.fetchall() if cursor.description else []

    def config(self, **fields: Any) -> Json:
        """A CDC source's configuration."""
        method = {"method": "CDC", "replication_slot": self.slot, "publication": "airbyte_publication"}
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "database": self.name,
            "username": "airbyte",
            "password": "secret",
            "schemas": ["public"],
            "replication_method": method,
        } | fields


@contextmanager
def database(server: postgres.Server) -> Iterator[Database]:
    """A fresh database with three orders."""
    name = f"shop_{next(_NUMBERS)}"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        if session.execute("SELECT 1 FROM pg_roles WHERE rolname = 'airbyte'").fetchone() is None:
            session.execute("CREATE ROLE airbyte LOGIN REPLICATION PASSWORD 'secret'")
    with psycopg.connect(server.conninfo(name), autocommit=True) as session:
        made = Database(name, server.port, session)
        made.run("CREATE TABLE orders (id int PRIMARY KEY, status text, updated_at timestamptz DEFAULT now())")
        made.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO airbyte")
        made.run("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO airbyte")
        made.run("CREATE PUBLICATION airbyte_publication FOR TABLE orders")
        made.run("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", made.slot)
        made.run("INSERT INTO orders VALUES (1, 'new'), (2, 'new'), (3, 'new')")
        yield made
        made.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", made.slot)
