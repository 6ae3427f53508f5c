"""The server as its clients see it: replication, passwords, TLS."""

import hashlib
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sandbox import postgres

LARGE = 20_000_000


def test_a_logical_slot_with_pgoutput_sees_a_change_of_a_published_table(admin: psycopg.Connection) -> None:
    admin.execute("CREATE PUBLICATION changes FOR TABLE orders, users")
    admin.execute("SELECT pg_create_logical_replication_slot('reader', 'pgoutput')")
    try:
        admin.execute("UPDATE users SET name = 'Zoë Zed' WHERE id = 1")
        changes = admin.execute(
            "SELECT data FROM pg_logical_slot_get_binary_changes('reader', NULL, NULL, "
            "'proto_version', '1', 'publication_names', 'changes')"
        ).fetchall()
    finally:
        admin.execute("SELECT pg_drop_replication_slot('reader')")
        admin.execute("DROP PUBLICATION changes")

    assert any("Zoë Zed".encode() in bytes(data) for (data,) in changes)


def test_the_replication_protocol_is_served_too(server: postgres.Server) -> None:
    with psycopg.connect(server.conninfo(replication="database"), autocommit=True) as connection:
        system = connection.execute("IDENTIFY_SYSTEM").fetchone()

    assert system is not None
    assert "production" in system


def test_a_wrong_password_is_refused_with_the_servers_own_words(server: postgres.Server) -> None:
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "postgres"'):
        psycopg.connect(server.conninfo(password="wrong"))


def test_nobody_comes_in_without_a_password(admin: psycopg.Connection) -> None:
    methods = admin.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()

    assert methods == [("scram-sha-256",)]


def test_passwords_are_kept_as_scram_verifiers(admin: psycopg.Connection) -> None:
    admin.execute("CREATE ROLE reader LOGIN PASSWORD 'reads'")
    verifiers = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname IN ('reader', 'postgres')").fetchall()
    admin.execute("DROP ROLE reader")

    assert len(verifiers) == 2
    assert all(verifier.startswith("SCRAM-SHA-256$") for (verifier,) in verifiers)


@pytest.mark.parametrize(("mode", "encrypted"), [("disable", False), ("prefer", True), ("require", True)])
def test_a_client_gets_tls_when_it_asks(server: postgres.Server, mode: str, encrypted: bool) -> None:
    with psycopg.connect(server.conninfo(sslmode=mode)) as connection:
        assert connection.pgconn.ssl_in_use is encrypted
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (500,)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_servers_identity_can_be_verified(server: postgres.Server, host: str) -> None:
    verified = server.conninfo(sslmode="verify-full", sslrootcert=str(server.certificate), host=host)

    with psycopg.connect(verified) as connection:
        assert connection.pgconn.ssl_in_use


def test_another_servers_certificate_does_not_verify_it(server: postgres.Server, tmp_path: Path) -> None:
    from sandbox.postgres.tls import self_signed

    self_signed(tmp_path / "other.crt", tmp_path / "other.key")

    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(server.conninfo(sslmode="verify-full", sslrootcert=str(tmp_path / "other.crt")))


@pytest.mark.parametrize("mode", ["disable", "require"])
def test_more_data_than_any_buffer_passes_unharmed_in_both_directions(server: postgres.Server, mode: str) -> None:
    sent = hashlib.sha256(b"seed").hexdigest() * (LARGE // 64)

    with psycopg.connect(server.conninfo(sslmode=mode)) as connection:
        received = connection.execute("SELECT %s::text", [sent]).fetchone()

    assert received == (sent,)


def test_a_query_can_be_cancelled_through_tls(server: postgres.Server) -> None:
    with psycopg.connect(server.conninfo(sslmode="require"), autocommit=True) as connection:
        with ThreadPoolExecutor() as pool:
            query = pool.submit(connection.execute, "SELECT pg_sleep(60)")
            # Until the query has begun there is nothing to cancel, so the request is repeated.
            while not query.done():
                connection.cancel_safe(timeout=10)
                wait([query], timeout=0.1)

        with pytest.raises(psycopg.errors.QueryCanceled):
            query.result()


def test_a_statement_that_fails_leaves_no_password_in_the_log(
    server: postgres.Server, admin: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.errors.DuplicateObject):
        admin.execute(sql.SQL("CREATE ROLE postgres PASSWORD {}").format(sql.Literal("not-for-the-log")))

    log = server.log.read_text()
    assert 'role "postgres" already exists' in log
    assert "not-for-the-log" not in log
