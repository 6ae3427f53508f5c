"""Loading and reading rows, the way Airbyte's Snowflake destination does."""

import datetime
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.sandbox.snowflake.harness import Server, Session

UTC = datetime.UTC
TYPES = (
    '"ID" NUMBER(38,0), "NAME" VARCHAR, "PRICE" NUMBER(10,2), "RATIO" FLOAT, "OK" BOOLEAN, "DAY" DATE, "AT_TIME" TIME,'
    ' "UPDATED_AT" TIMESTAMP_TZ, "LOCAL" TIMESTAMP_NTZ, "DATA" VARIANT, "TAGS" ARRAY, "META" OBJECT, "RAW" BINARY'
)


@pytest.fixture
def schema(admin: Session, server: Server) -> Iterator[Session]:
    """A session with `?` for parameters, in an empty schema."""
    admin.run('CREATE OR REPLACE SCHEMA RAW."Landing"')
    yield server.connect(
        role="ACCOUNTADMIN", database="RAW", schema='"Landing"', warehouse="ADMIN_WH", paramstyle="qmark"
    )
    admin.run('DROP SCHEMA RAW."Landing"')


def test_values_of_every_type_come_back_as_they_went_in(schema: Session) -> None:
    schema.run(f"CREATE TABLE T ({TYPES})")
    at = datetime.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
    row = (
        123456789012345678,
        'it\'s "quoted" \\ 日本',
        Decimal("12.50"),
        0.1,
        True,
        at.date(),
        datetime.time(1, 2, 3),
        at,
        at.replace(tzinfo=None),
    )
    schema.run(
        "INSERT INTO T SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, PARSE_JSON(?), PARSE_JSON(?), PARSE_JSON(?), ?",
        *row,
        '{"a": [1, null]}',
        "[1, 2]",
        '{"b": "c"}',
        b"\x00\xff",
    )
    schema.run("INSERT INTO T (ID) VALUES (?)", 2)
    (first, second) = schema.run("SELECT * FROM T ORDER BY ID DESC")
    assert first[:9] == row
    assert [value.replace(" ", "").replace("\n", "") for value in first[9:12]] == [
        '{"a":[1,null]}',
        "[1,2]",
        '{"b":"c"}',
    ]
    assert bytes(first[12]) == b"\x00\xff"
    assert second == (2, *[None] * 12)
    assert schema.run('SELECT DATA:a[0]::NUMBER, META:b::VARCHAR FROM T WHERE "NAME" IS NOT NULL') == [(1, "c")]


@pytest.mark.parametrize("paramstyle", ["qmark", "pyformat"])
def test_ten_thousand_rows_are_loaded_in_seconds(server: Server, schema: Session, paramstyle: str) -> None:
    schema.run("CREATE TABLE T (ID NUMBER, NAME VARCHAR, RATIO FLOAT, OK BOOLEAN, UPDATED_AT TIMESTAMP_TZ)")
    session = server.connect(
        role="ACCOUNTADMIN", database="RAW", schema='"Landing"', warehouse="ADMIN_WH", paramstyle=paramstyle
    )
    at = datetime.datetime(2024, 1, 1, tzinfo=UTC)
    rows = [(n, f"it's {n}" if n % 3 else None, n / 7, n % 2 == 0, at + datetime.timedelta(n)) for n in range(10_000)]
    marks = ", ".join(["?" if paramstyle == "qmark" else "%s"] * 5)
    cursor = session.connection.cursor()
    started = time.monotonic()
    cursor.executemany(f"INSERT INTO T (ID, NAME, RATIO, OK, UPDATED_AT) VALUES ({marks})", rows)
    assert time.monotonic() - started < 20
    assert cursor.rowcount == 10_000
    assert schema.run("SELECT * FROM T ORDER BY ID") == rows


def test_batch_through_functions_and_batch_of_updates(schema: Session) -> None:
    schema.run("CREATE TABLE T (ID NUMBER, DATA VARIANT)")
    cursor = schema.connection.cursor()
    cursor.executemany(
        "INSERT INTO T SELECT ?, PARSE_JSON(?)", [(n, f'{{"n": {n}}}' if n else None) for n in range(50)]
    )
    assert schema.run("SELECT COUNT(*), SUM(DATA:n::NUMBER) FROM T") == [(50, 1225)]
    cursor.executemany("UPDATE T SET DATA = PARSE_JSON(?) WHERE ID = ?", [('{"n": 0}', n) for n in range(50)])
    assert schema.run("SELECT SUM(DATA:n::NUMBER) FROM T") == [(0,)]


def test_merge_deduplicates_and_reports_its_counts(schema: Session) -> None:
    schema.run("CREATE TABLE FINAL (ID NUMBER, NAME VARCHAR, UPDATED_AT TIMESTAMP_TZ)")
    schema.run("CREATE TABLE STAGING LIKE FINAL")
    schema.run("INSERT INTO FINAL VALUES (1, 'old', '2024-01-01'), (2, 'kept', '2024-01-01')")
    schema.run(
        "INSERT INTO STAGING VALUES (1, 'older', '2023-01-01'), (1, 'new', '2024-02-01'), (3, 'x', '2024-01-01')"
    )
    cursor = schema.connection.cursor()
    cursor.execute(
        """
        MERGE INTO FINAL AS target USING (
            SELECT * FROM STAGING QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY UPDATED_AT DESC) = 1
        ) AS source ON target.ID = source.ID
        WHEN MATCHED AND target.UPDATED_AT < source.UPDATED_AT THEN UPDATE SET NAME = source.NAME
        WHEN NOT MATCHED THEN INSERT (ID, NAME, UPDATED_AT) VALUES (source.ID, source.NAME, source.UPDATED_AT)
        """
    )
    assert cursor.rowcount == 2
    assert schema.run("SELECT ID, NAME FROM FINAL ORDER BY ID") == [(1, "new"), (2, "kept"), (3, "x")]
    schema.run("TRUNCATE TABLE FINAL")
    assert schema.run("SELECT COUNT(*) FROM FINAL") == [(0,)]


def test_information_schema_tells_tables_and_columns(schema: Session) -> None:
    schema.run(f"CREATE TABLE T ({TYPES})")
    schema.run("INSERT INTO T (ID) VALUES (1)")
    assert schema.run(
        "SELECT TABLE_NAME, ROW_COUNT FROM RAW.INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = ?", "Landing"
    ) == [("T", 1)]
    assert ("Landing",) in schema.run("SELECT SCHEMA_NAME FROM RAW.INFORMATION_SCHEMA.SCHEMATA")
    columns = schema.run(
        "SELECT COLUMN_NAME, DATA_TYPE FROM RAW.INFORMATION_SCHEMA.COLUMNS"
        " WHERE TABLE_SCHEMA = 'Landing' AND TABLE_NAME = 'T' ORDER BY ORDINAL_POSITION"
    )
    assert columns[:4] == [("ID", "NUMBER"), ("NAME", "TEXT"), ("PRICE", "NUMBER"), ("RATIO", "FLOAT")]
    assert ("UPDATED_AT", "TIMESTAMP_TZ") in columns


def test_direct_load_of_a_file(schema: Session, tmp_path: Path) -> None:
    """Stage, file format, PUT, COPY INTO by format name, and the tables changing places."""
    file = tmp_path / "rows.csv"
    file.write_text('1,"one, really"\n2,two\n')
    schema.run('CREATE SCHEMA IF NOT EXISTS RAW."Landing"')
    schema.run(
        "CREATE OR REPLACE FILE FORMAT RAW.\"Landing\".\"csv\" TYPE = 'CSV' FIELD_DELIMITER = ','"
        " FIELD_OPTIONALLY_ENCLOSED_BY = '\"' ESCAPE_UNENCLOSED_FIELD = NONE"
    )
    schema.run('CREATE OR REPLACE TABLE "T" ("ID" NUMBER, "NAME" VARCHAR) COPY GRANTS')
    schema.run('CREATE OR REPLACE STAGE "STAGE_T" FILE_FORMAT = "csv"')
    schema.run(f"PUT 'file://{file}' @\"STAGE_T\"")
    assert len(schema.run('LIST @"STAGE_T"')) == 1
    schema.run(
        'COPY INTO "T" FROM @"STAGE_T" FILE_FORMAT = RAW."Landing"."csv"'
        " ON_ERROR = 'ABORT_STATEMENT' PURGE = TRUE FILES = ('rows.csv.gz')"
    )
    assert schema.run('SELECT * FROM "T" ORDER BY "ID"') == [(1, "one, really"), (2, "two")]
    assert schema.run('LIST @"STAGE_T"') == []
    schema.run('DROP STAGE IF EXISTS "STAGE_T"')
    assert schema.error('LIST @"STAGE_T"')[0] == 2003
    schema.run('DROP STAGE IF EXISTS "STAGE_T"')
    schema.run('DROP FILE FORMAT "csv"')
    assert schema.error('DROP FILE FORMAT "csv"')[0] == 2003


def test_tables_are_altered_and_swapped_with_their_grants(schema: Session, admin: Session) -> None:
    schema.run("CREATE TABLE T AS SELECT 1 AS ID")
    schema.run("ALTER TABLE T ADD COLUMN NAME VARCHAR")
    schema.run("ALTER TABLE T RENAME COLUMN NAME TO LABEL")
    schema.run("ALTER TABLE T ADD COLUMN GONE NUMBER")
    schema.run("ALTER TABLE T DROP COLUMN GONE")
    assert [row["name"] for row in schema.rows("DESCRIBE TABLE T")] == ["ID", "LABEL"]
    schema.run("GRANT SELECT ON TABLE T TO ROLE PUBLIC")
    schema.run("CREATE TABLE NEW AS SELECT 2 AS ID")
    schema.run("ALTER TABLE T SWAP WITH NEW")
    assert schema.run("SELECT ID FROM T") == [(2,)]
    assert schema.run("SELECT ID FROM NEW") == [(1,)]
    assert "PUBLIC" in {row["grantee_name"] for row in schema.rows("SHOW GRANTS ON TABLE NEW")}
    schema.run("ALTER TABLE NEW RENAME TO OLD")
    assert schema.run("SELECT ID FROM OLD") == [(1,)]
    schema.run("DROP TABLE IF EXISTS OLD")
    schema.run("DROP TABLE IF EXISTS OLD")
    assert schema.error("SELECT * FROM OLD")[0] == 2003


def test_show_lists_schema_objects_with_their_owner(schema: Session) -> None:
    for kind in ("VIEWS", "STAGES", "SEQUENCES", "FILE FORMATS"):
        assert schema.rows(f'SHOW {kind} IN SCHEMA RAW."Landing"') == []
    schema.run("CREATE TABLE T (ID NUMBER)")
    schema.run("CREATE STAGE S")
    schema.run("CREATE TEMPORARY TABLE PASSING (ID NUMBER)")
    (table,) = schema.rows("SHOW TABLES LIKE 'T' IN SCHEMA RAW.\"Landing\"")
    assert (table["name"], table["owner"]) == ("T", "ACCOUNTADMIN")
    assert schema.row('SHOW STAGES IN SCHEMA RAW."Landing"')["owner"] == "ACCOUNTADMIN"


def test_column_named_like_a_keyword_of_the_engine_below(schema: Session) -> None:
    schema.run("CREATE TABLE T (ID NUMBER, AT TIMESTAMP_NTZ, SHOW NUMBER)")
    schema.run("INSERT INTO T (ID, AT, SHOW) VALUES (1, '2024-01-01', 5)")
    assert schema.run("SELECT SHOW FROM T WHERE AT IS NOT NULL") == [(5,)]


def test_transaction_is_rolled_back_or_committed(schema: Session, admin: Session) -> None:
    schema.run("CREATE TABLE T (ID NUMBER)")
    schema.run("BEGIN")
    schema.run("INSERT INTO T VALUES (1)")
    assert admin.run('SELECT COUNT(*) FROM RAW."Landing".T') == [(0,)]
    schema.run("ROLLBACK")
    assert schema.run("SELECT COUNT(*) FROM T") == [(0,)]
    schema.connection.autocommit(False)
    schema.run("INSERT INTO T VALUES (1)")
    assert admin.run('SELECT COUNT(*) FROM RAW."Landing".T') == [(0,)]
    schema.connection.commit()
    assert admin.run('SELECT COUNT(*) FROM RAW."Landing".T') == [(1,)]


def test_session_variables(schema: Session) -> None:
    schema.run("SET WH = 'ADMIN_WH'")
    schema.run("USE WAREHOUSE IDENTIFIER($WH)")
    assert schema.run("SELECT $wh, CURRENT_WAREHOUSE()") == [("ADMIN_WH", "ADMIN_WH")]
    assert schema.run("SELECT 'costs $five, $WH', $$raw $WH$$ AS \"$WH\"") == [("costs $five, $WH", "raw $WH")]
    assert schema.error("SELECT $MISSING")[0] == 2211
    schema.run("UNSET WH")
    assert schema.error("SELECT $WH")[0] == 2211


def test_value_that_does_not_fit_is_an_error_with_a_number(schema: Session) -> None:
    schema.run("CREATE TABLE T (ID NUMBER NOT NULL)")
    assert schema.error("INSERT INTO T VALUES ('abc')")[0] in (100035, 100038)
    assert schema.error("INSERT INTO T VALUES (NULL)")[0] == 100072
    assert schema.error("SELECT * FRO T")[0] == 1003
    assert schema.error("SELECT NO_SUCH_COLUMN FROM T")[0] in (904, 2043)


def test_session_goes_on_when_another_drops_where_it_is(schema: Session, admin: Session) -> None:
    schema.run("CREATE TABLE T (ID NUMBER)")
    admin.run('DROP SCHEMA RAW."Landing"')
    assert schema.error("SELECT * FROM T")[0] == 90106
    assert schema.run("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()") == [("RAW", None)]
    admin.run('CREATE SCHEMA RAW."Landing"')


def test_what_the_layer_below_cannot_do_is_an_error_at_once(schema: Session) -> None:
    number, _ = schema.error("SELECT * FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))")
    assert number > 0
    assert schema.run("SELECT 1") == [(1,)]


def test_session_parameters_come_with_the_login_or_later(server: Server) -> None:
    session = server.connect(session_parameters={"QUERY_TAG": "airbyte"})
    assert session.row("SHOW PARAMETERS LIKE 'QUERY_TAG'")["value"] == "airbyte"
    session.run("ALTER SESSION SET QUERY_TAG = 'other'")
    assert session.row("SHOW PARAMETERS LIKE 'QUERY_TAG' IN SESSION")["value"] == "other"
    session.run("ALTER SESSION UNSET QUERY_TAG")
    assert session.row("SHOW PARAMETERS LIKE 'QUERY_TAG'")["value"] == ""
