"""The administrators of the systems that the stack provisions are given new credentials."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from psycopg import sql

from tests.keys import public_body_of
from tests.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

DRIFT_FREE = ("refresh", "--preview-only", "--expect-no-changes", "--diff")


def test_the_database_administrators_password(
    project: Project, postgres: psycopg.Connection[Any], sandbox: dict[str, str]
) -> None:
    project.up()
    was, new = sandbox["POSTGRES_ADMIN_PASSWORD"], "another-of-the-sandbox"
    set_password(postgres, sandbox, new)
    try:
        # The stack's own copy is the one that a refresh logs in with, and it is refused;
        refused = project.pulumi(*DRIFT_FREE)
        assert refused.code != 0
        assert "password authentication failed" in refused.text
        # an up with the new one changes nothing but that copy.
        project.env["POSTGRES_ADMIN_PASSWORD"] = new
        up = project.up().text
        assert "~  pulumi:providers:postgresql" in up
        assert "~ 1 updated" in up
        project.pulumi(*DRIFT_FREE, expect=0)
        assert new not in project.state_text() + project.log
    finally:
        set_password(postgres, sandbox, was)
        project.env["POSTGRES_ADMIN_PASSWORD"] = was
        project.up()


def test_the_warehouse_administrators_key_pair(project: Project, second_key: Path, warehouse: Any) -> None:
    project.up()
    first = project.env["SNOWFLAKE_ADMIN_PRIVATE_KEY_FILE"]
    cursor = warehouse.cursor()
    # Both keys open the account for a while, so nothing has to fail in between.
    cursor.execute(f"ALTER USER ADMIN SET RSA_PUBLIC_KEY_2 = '{public_body_of(second_key)}'")
    project.env["SNOWFLAKE_ADMIN_PRIVATE_KEY_FILE"] = str(second_key)
    try:
        up = project.up().text
        assert "~  pulumi:providers:snowflake" in up
        assert "~ 1 updated" in up
        cursor.execute("ALTER USER ADMIN UNSET RSA_PUBLIC_KEY")
        project.pulumi(*DRIFT_FREE, expect=0)
        assert second_key.read_text().splitlines()[1] not in project.state_text() + project.log
    finally:
        cursor.execute(f"ALTER USER ADMIN SET RSA_PUBLIC_KEY = '{public_body_of(Path(first))}'")
        project.env["SNOWFLAKE_ADMIN_PRIVATE_KEY_FILE"] = first
        project.up()
        cursor.execute("ALTER USER ADMIN UNSET RSA_PUBLIC_KEY_2")


@pytest.fixture
def second_key(tmp_path: Path) -> Iterator[Path]:
    """A private key that nobody knows yet, as a PKCS8 PEM file."""
    file = tmp_path / "second.pem"
    file.write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    yield file
    file.unlink()


def set_password(postgres: psycopg.Connection[Any], sandbox: dict[str, str], password: str) -> None:
    who = sql.Identifier(sandbox["POSTGRES_ADMIN_USER"])
    postgres.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(who, sql.Literal(password)))
