"""The process: restarts, many sessions at once, what it logs, where it listens."""

import http.client
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.sandbox.snowflake.harness import REPOSITORY, KeyPair, Server, new_key


def test_everything_survives_a_restart(tmp_path: Path, admin_key: KeyPair, user_key: KeyPair) -> None:
    server = Server(tmp_path, admin_key)
    session = server.connect(role="ACCOUNTADMIN")
    for statement in (
        "CREATE WAREHOUSE W COMMENT = 'kept'",
        "CREATE DATABASE RAW",
        "CREATE ROLE R",
        f"CREATE USER U TYPE = SERVICE RSA_PUBLIC_KEY = '{user_key.public_base64}' DEFAULT_ROLE = R",
        "GRANT ROLE R TO USER U",
        "GRANT USAGE ON WAREHOUSE W TO ROLE R",
        "GRANT USAGE ON DATABASE RAW TO ROLE R",
        "GRANT USAGE ON SCHEMA RAW.PUBLIC TO ROLE R",
        "GRANT SELECT ON FUTURE TABLES IN DATABASE RAW TO ROLE R",
        "CREATE TABLE RAW.PUBLIC.T (ID NUMBER, NAME VARCHAR(10))",
        "INSERT INTO RAW.PUBLIC.T VALUES (1, 'one')",
        "CREATE STAGE RAW.PUBLIC.S",
        f"PUT file://{tmp_path / 'admin.pub'} @RAW.PUBLIC.S",
    ):
        session.run(statement)
    assert server.stop() == 0

    server.start()
    reader = server.connect("U", user_key, database="RAW", schema="PUBLIC", warehouse="W")
    assert reader.run("SELECT * FROM T") == [(1, "one")]
    assert reader.row("SHOW WAREHOUSES")["comment"] == "kept"
    again = server.connect(role="ACCOUNTADMIN")
    assert len(again.rows("SHOW FUTURE GRANTS IN DATABASE RAW")) == 1
    assert len(again.run("LIST @RAW.PUBLIC.S")) == 1
    assert server.stop() == 0


def test_data_survive_a_kill(tmp_path: Path, admin_key: KeyPair) -> None:
    server = Server(tmp_path, admin_key)
    session = server.connect(role="ACCOUNTADMIN")
    session.run("CREATE WAREHOUSE W")
    session.run("CREATE DATABASE RAW")
    session.run("CREATE TABLE RAW.PUBLIC.T AS SELECT 1 AS ID")
    server.process.kill()
    server.process.wait(timeout=20)
    server._connections.clear()
    server.start()
    again = server.connect(role="ACCOUNTADMIN", warehouse="W")
    assert again.run("SELECT * FROM RAW.PUBLIC.T") == [(1,)]
    server.stop()


def test_eight_sessions_work_side_by_side(server: Server, admin: object) -> None:
    def work(number: int) -> int:
        session = server.connect(role="ACCOUNTADMIN", warehouse="ADMIN_WH", paramstyle="qmark")
        session.run(f"CREATE SCHEMA RAW.S{number}")
        session.run("CREATE TABLE T (ID NUMBER, NAME VARCHAR(20))")
        for start in range(0, 100, 20):
            rows = [(n, f"row {n}") for n in range(start, start + 20)]
            session.connection.cursor().executemany("INSERT INTO T VALUES (?, ?)", rows)
            session.run("UPDATE RAW.PRODUCTION.SHARED SET N = N + 1")
        session.run("CREATE OR REPLACE TABLE COPIED AS SELECT * FROM T")
        ((count,),) = session.run("SELECT COUNT(*) FROM COPIED")
        session.run(f"DROP SCHEMA RAW.S{number}")
        return int(count)

    session = server.connect(role="ACCOUNTADMIN", warehouse="ADMIN_WH")
    session.run("CREATE OR REPLACE TABLE RAW.PRODUCTION.SHARED AS SELECT 0 AS N")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [100] * 8
    # given eight writers to one row, no update is lost
    assert session.run("SELECT N FROM RAW.PRODUCTION.SHARED") == [(40,)]


def test_log_has_statements_and_no_secrets(server: Server, admin: object) -> None:
    key = new_key()
    session = server.connect(role="ACCOUNTADMIN", warehouse="ADMIN_WH")
    session.run(f"CREATE USER EVE PASSWORD = 'hunter22' RSA_PUBLIC_KEY = '{key.public_base64}' -- hunter22")
    session.error("ALTER USER EVE SET PASSWORD 'hunter22'")
    session.run("CREATE TABLE RAW.PRODUCTION.SECRETS AS SELECT 'hunter22' AS S")
    session.error("SELECT CAST('hunter22' AS NUMBER)")
    with pytest.raises(Exception, match="Incorrect username or password"):
        server.connect("EVE", password="hunter23")
    assert server.connect("EVE", password="hunter22").run("SELECT 1") == [(1,)]
    log = server.log.read_text()
    assert "CREATE USER EVE PASSWORD = '...'" in log
    assert "390100" in log
    assert "hunter2" not in log
    assert key.public_base64[:40] not in log
    stored = (server.directory / "data" / "catalog.sqlite").read_bytes()
    stored += (server.directory / "data" / "catalog.sqlite-wal").read_bytes()
    assert b"hunter22" not in stored, "passwords are kept as hashes only"


def test_only_loopback_is_served(tmp_path: Path, admin_key: KeyPair) -> None:
    (tmp_path / "key").write_text(admin_key.public_pem)
    command = [sys.executable, "-m", "sandbox.snowflake", "--host", "0.0.0.0"]  # noqa: S104 - must be refused
    command += ["--data", str(tmp_path / "data"), "--admin-public-key", str(tmp_path / "key")]
    refused = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2
    assert "not a loopback address" in refused.stderr


def status_of(server: Server, method: str, path: str, body: bytes, token: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, body, {"Authorization": f'Snowflake Token="{token}"'})
    return connection.getresponse().status


def test_statement_without_a_session_is_refused(server: Server) -> None:
    session = server.connect(role="ACCOUNTADMIN")
    assert session.connection.rest
    token = str(session.connection.rest.token)
    body = b'{"sqlText": "SELECT 1"}'
    assert status_of(server, "POST", "/queries/v1/query-request", body, token) == 200
    session.connection.close()
    assert status_of(server, "POST", "/queries/v1/query-request", body, token) == 401
    assert status_of(server, "POST", "/queries/v1/query-request", body) == 401


@pytest.mark.parametrize("path", ["RAW/PUBLIC/S/file", "../catalog.sqlite", "%2e%2e/catalog.sqlite", ""])
def test_upload_needs_the_signature_that_put_gives(server: Server, path: str) -> None:
    assert status_of(server, "PUT", f"/upload/{path}", b"x") == 403
    assert status_of(server, "PUT", f"/upload/{path}?signature=00", b"x") == 403
