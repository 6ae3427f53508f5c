"""Each missing privilege gives Snowflake's own error, and the grant that it names cures it at once."""

from collections.abc import Callable

import pytest

from tests.sandbox.snowflake.harness import Session

Loader = Callable[..., Session]
TABLE = "RAW.PRODUCTION.ORDERS"


@pytest.fixture
def orders(admin: Session, loader: Loader) -> Session:
    """A session of LOADER, who reaches the schema, where ADMIN has a table with a row."""
    admin.run(f"CREATE TABLE {TABLE} (ID NUMBER, NAME VARCHAR)")
    admin.run(f"INSERT INTO {TABLE} VALUES (1, 'one')")
    admin.run("GRANT USAGE ON DATABASE RAW TO ROLE LOADER_ROLE")
    admin.run("GRANT USAGE ON SCHEMA RAW.PRODUCTION TO ROLE LOADER_ROLE")
    return loader(database="RAW", schema="PRODUCTION")


def test_database_and_schema_are_hidden_without_usage(admin: Session, loader: Loader) -> None:
    session = loader()
    assert session.error("USE DATABASE RAW") == (
        2003,
        "002003 (02000): SQL compilation error:\nDatabase 'RAW' does not exist or not authorized.",
    )
    assert session.rows("SHOW DATABASES") == []
    admin.run("GRANT USAGE ON DATABASE RAW TO ROLE LOADER_ROLE")
    session.run("USE DATABASE RAW")
    assert session.row("SHOW DATABASES")["name"] == "RAW"
    assert session.error("USE SCHEMA RAW.PRODUCTION")[0] == 2003
    admin.run("GRANT USAGE ON SCHEMA RAW.PRODUCTION TO ROLE LOADER_ROLE")
    session.run("USE SCHEMA RAW.PRODUCTION")


def test_create_schema_needs_the_privilege_on_the_database(admin: Session, orders: Session) -> None:
    assert orders.error("CREATE SCHEMA RAW.AIRBYTE_INTERNAL") == (
        3001,
        "003001 (42501): SQL access control error:\nInsufficient privileges to operate on database 'RAW'",
    )
    admin.run("GRANT CREATE SCHEMA ON DATABASE RAW TO ROLE LOADER_ROLE")
    orders.run("CREATE SCHEMA RAW.AIRBYTE_INTERNAL")
    assert orders.row("SHOW SCHEMAS LIKE 'AIRBYTE_INTERNAL' IN DATABASE RAW")["owner"] == "LOADER_ROLE"
    orders.run("DROP SCHEMA RAW.AIRBYTE_INTERNAL")


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("TABLE", "CREATE TABLE RAW.PRODUCTION.MINE (ID NUMBER)"),
        ("VIEW", "CREATE VIEW RAW.PRODUCTION.MINE AS SELECT 1 AS ONE"),
        ("STAGE", "CREATE STAGE RAW.PRODUCTION.MINE"),
        ("FILE FORMAT", "CREATE FILE FORMAT RAW.PRODUCTION.MINE TYPE = CSV"),
        ("SEQUENCE", "CREATE SEQUENCE RAW.PRODUCTION.MINE"),
    ],
)
def test_each_kind_of_schema_object_needs_its_create_privilege(
    admin: Session, orders: Session, kind: str, statement: str
) -> None:
    assert orders.error(statement) == (
        3001,
        "003001 (42501): SQL access control error:\nInsufficient privileges to operate on schema 'PRODUCTION'",
    )
    admin.run(f"GRANT CREATE {kind} ON SCHEMA RAW.PRODUCTION TO ROLE LOADER_ROLE")
    orders.run(statement)
    owned = {(row["privilege"], row["granted_on"]) for row in orders.rows("SHOW GRANTS TO ROLE LOADER_ROLE")}
    assert ("OWNERSHIP", kind.replace(" ", "_")) in owned


@pytest.mark.parametrize(
    ("privilege", "statement"),
    [
        ("INSERT", f"INSERT INTO {TABLE} VALUES (2, 'two')"),
        ("UPDATE", f"UPDATE {TABLE} SET NAME = 'uno'"),
        ("DELETE", f"DELETE FROM {TABLE}"),
        ("TRUNCATE", f"TRUNCATE TABLE {TABLE}"),
        ("OWNERSHIP", f"ALTER TABLE {TABLE} ADD COLUMN MORE NUMBER"),
        ("OWNERSHIP", f"DROP TABLE {TABLE}"),
    ],
)
def test_each_change_of_a_table_needs_its_privilege(
    admin: Session, orders: Session, privilege: str, statement: str
) -> None:
    # given no privilege at all, the table is hidden
    assert orders.error(statement) == (
        2003,
        f"002003 (42S02): SQL compilation error:\nObject '{TABLE}' does not exist or not authorized.",
    )
    # given another privilege, it is known but may not be changed
    admin.run(f"GRANT REFERENCES ON TABLE {TABLE} TO ROLE LOADER_ROLE")
    assert orders.error(statement) == (
        3001,
        "003001 (42501): SQL access control error:\nInsufficient privileges to operate on table 'ORDERS'",
    )
    suffix = " REVOKE CURRENT GRANTS" if privilege == "OWNERSHIP" else ""
    admin.run(f"GRANT {privilege} ON TABLE {TABLE} TO ROLE LOADER_ROLE{suffix}")
    orders.run(statement)


def test_select_needs_select_and_a_revoke_takes_it_away_at_once(admin: Session, orders: Session) -> None:
    assert orders.error(f"SELECT * FROM {TABLE}")[0] == 2003
    assert orders.error("DESCRIBE TABLE ORDERS")[0] == 2003
    assert orders.rows("SHOW TABLES IN SCHEMA RAW.PRODUCTION") == []
    admin.run(f"GRANT SELECT ON TABLE {TABLE} TO ROLE LOADER_ROLE")
    assert orders.run("SELECT * FROM ORDERS") == [(1, "one")]
    assert [row["name"] for row in orders.rows("DESCRIBE TABLE ORDERS")] == ["ID", "NAME"]
    assert [row["name"] for row in orders.rows("SHOW TABLES IN SCHEMA RAW.PRODUCTION")] == ["ORDERS"]
    admin.run(f"REVOKE SELECT ON TABLE {TABLE} FROM ROLE LOADER_ROLE")
    assert orders.error("SELECT * FROM ORDERS")[0] == 2003


@pytest.mark.parametrize(
    "statement",
    [
        f"WITH o AS (SELECT * FROM {TABLE}) SELECT * FROM o",
        f"SELECT 1 UNION ALL SELECT ID FROM {TABLE}",
        f"SELECT (SELECT MAX(ID) FROM {TABLE})",
        f"CREATE TEMPORARY TABLE COPIED AS SELECT * FROM {TABLE}",
        f"CREATE TEMPORARY TABLE COPIED CLONE {TABLE}",
    ],
)
def test_no_way_round_leads_to_a_table_without_select(orders: Session, statement: str) -> None:
    assert orders.error(statement)[0] == 2003


def test_view_gives_its_rows_without_select_on_the_table(admin: Session, orders: Session) -> None:
    admin.run(f"CREATE VIEW RAW.PRODUCTION.NAMES AS SELECT NAME FROM {TABLE}")
    assert orders.error("SELECT * FROM NAMES")[0] == 2003
    admin.run("GRANT SELECT ON VIEW RAW.PRODUCTION.NAMES TO ROLE LOADER_ROLE")
    assert orders.run("SELECT * FROM NAMES") == [("one",)]
    assert orders.error("SELECT * FROM ORDERS")[0] == 2003


def test_merge_needs_what_its_clauses_do(admin: Session, orders: Session) -> None:
    merge = (
        f"MERGE INTO {TABLE} t USING (SELECT 1 AS ID, 'uno' AS NAME) s ON t.ID = s.ID"
        " WHEN MATCHED THEN UPDATE SET NAME = s.NAME WHEN NOT MATCHED THEN INSERT (ID, NAME) VALUES (s.ID, s.NAME)"
    )
    admin.run(f"GRANT UPDATE, SELECT ON TABLE {TABLE} TO ROLE LOADER_ROLE")
    assert orders.error(merge)[0] == 3001
    admin.run(f"GRANT INSERT ON TABLE {TABLE} TO ROLE LOADER_ROLE")
    orders.run(merge)
    assert orders.run("SELECT NAME FROM ORDERS") == [("uno",)]


def test_stage_needs_write_for_put_and_read_for_list(admin: Session, orders: Session) -> None:
    admin.run("CREATE STAGE RAW.PRODUCTION.INBOX")
    admin.run("GRANT USAGE ON STAGE RAW.PRODUCTION.INBOX TO ROLE LOADER_ROLE")
    assert orders.error("LIST @INBOX")[0] == 3001
    admin.run("GRANT READ ON STAGE RAW.PRODUCTION.INBOX TO ROLE LOADER_ROLE")
    assert orders.run("LIST @INBOX") == []
    assert orders.error("PUT file:///etc/hostname @INBOX")[0] == 3001


def test_future_grants_apply_to_what_is_made_later_through_an_inherited_role(admin: Session, orders: Session) -> None:
    admin.run("CREATE ROLE READERS")
    admin.run("GRANT ROLE READERS TO ROLE LOADER_ROLE")
    admin.run("GRANT SELECT ON FUTURE TABLES IN SCHEMA RAW.PRODUCTION TO ROLE READERS")
    assert orders.error("SELECT * FROM ORDERS")[0] == 2003
    admin.run("CREATE TABLE RAW.PRODUCTION.LATER AS SELECT 7 AS ID")
    assert orders.run("SELECT * FROM LATER") == [(7,)]
    assert admin.row("SHOW FUTURE GRANTS IN SCHEMA RAW.PRODUCTION") | {"created_on": None} == {
        "created_on": None,
        "privilege": "SELECT",
        "grant_on": "TABLE",
        "name": "RAW.PRODUCTION.<TABLE>",
        "grant_to": "ROLE",
        "grantee_name": "READERS",
        "grant_option": "false",
    }
    admin.run("GRANT SELECT ON ALL TABLES IN SCHEMA RAW.PRODUCTION TO ROLE READERS")
    assert orders.run("SELECT COUNT(*) FROM ORDERS") == [(1,)]
    admin.run("DROP ROLE READERS")


def test_grant_on_future_objects_needs_manage_grants(orders: Session) -> None:
    number, text = orders.error("GRANT SELECT ON FUTURE TABLES IN SCHEMA RAW.PRODUCTION TO ROLE LOADER_ROLE")
    assert number == 3001
    assert "'ACCOUNT'" in text


def test_ownership_moves_with_or_without_the_outstanding_grants(admin: Session, orders: Session) -> None:
    admin.run(f"GRANT SELECT ON TABLE {TABLE} TO ROLE SYSADMIN")
    number, text = admin.error(f"GRANT OWNERSHIP ON TABLE {TABLE} TO ROLE LOADER_ROLE")
    assert number == 3036
    assert "Dependent grant of a privilege on securable" in text
    admin.run(f"GRANT OWNERSHIP ON TABLE {TABLE} TO ROLE LOADER_ROLE COPY CURRENT GRANTS")
    on_table = {(row["privilege"], row["grantee_name"]) for row in admin.rows(f"SHOW GRANTS ON TABLE {TABLE}")}
    assert on_table == {("OWNERSHIP", "LOADER_ROLE"), ("SELECT", "SYSADMIN")}
    orders.run("ALTER TABLE ORDERS RENAME COLUMN NAME TO LABEL")
    orders.run(f"GRANT OWNERSHIP ON TABLE {TABLE} TO ROLE SYSADMIN REVOKE CURRENT GRANTS")
    assert orders.error("SELECT * FROM ORDERS")[0] == 2003


def test_role_is_not_granted_in_a_circle(admin: Session, loader: Loader) -> None:
    admin.run("CREATE ROLE CHILD")
    admin.run("GRANT ROLE CHILD TO ROLE LOADER_ROLE")
    assert admin.error("GRANT ROLE LOADER_ROLE TO ROLE CHILD")[0] == 3013
    admin.run("DROP ROLE CHILD")


def test_grant_option_lets_a_role_pass_a_privilege_on(admin: Session, orders: Session) -> None:
    admin.run(f"GRANT SELECT ON TABLE {TABLE} TO ROLE LOADER_ROLE")
    assert orders.error(f"GRANT SELECT ON TABLE {TABLE} TO ROLE PUBLIC")[0] == 3001
    admin.run(f"GRANT SELECT ON TABLE {TABLE} TO ROLE LOADER_ROLE WITH GRANT OPTION")
    orders.run(f"GRANT SELECT ON TABLE {TABLE} TO ROLE PUBLIC")
    admin.run(f"REVOKE GRANT OPTION FOR SELECT ON TABLE {TABLE} FROM ROLE LOADER_ROLE")
    assert orders.error(f"GRANT SELECT ON TABLE {TABLE} TO ROLE PUBLIC")[0] == 3001


def test_owner_of_a_table_in_a_managed_schema_may_not_grant_on_it(admin: Session, orders: Session) -> None:
    admin.run("ALTER SCHEMA RAW.PRODUCTION ENABLE MANAGED ACCESS")
    admin.run("GRANT CREATE TABLE ON SCHEMA RAW.PRODUCTION TO ROLE LOADER_ROLE")
    orders.run("CREATE TABLE MINE (ID NUMBER)")
    assert orders.error("GRANT SELECT ON TABLE RAW.PRODUCTION.MINE TO ROLE PUBLIC")[0] == 3001


def test_query_needs_a_warehouse_with_usage(admin: Session, orders: Session) -> None:
    admin.run(f"GRANT SELECT ON TABLE {TABLE} TO ROLE LOADER_ROLE")
    admin.run("REVOKE USAGE ON WAREHOUSE ADMIN_WH FROM ROLE LOADER_ROLE")
    assert orders.error("SELECT * FROM ORDERS") == (
        606,
        "000606 (57P03): No active warehouse selected in the current session.  "
        "Select an active warehouse with the 'use warehouse' command.",
    )
    assert orders.run("SELECT 1") == [(1,)]
    admin.run("GRANT USAGE ON WAREHOUSE ADMIN_WH TO ROLE LOADER_ROLE")
    assert orders.run("SELECT ID FROM ORDERS") == [(1,)]


def test_orphan_role_keeps_its_tables_from_the_administrator_too(admin: Session, orders: Session) -> None:
    # given a role that is not below SYSADMIN, what it owns is out of ACCOUNTADMIN's reach...
    admin.run("GRANT CREATE TABLE ON SCHEMA RAW.PRODUCTION TO ROLE LOADER_ROLE")
    orders.run("CREATE TABLE MINE AS SELECT 1 AS ID")
    assert admin.error("SELECT * FROM RAW.PRODUCTION.MINE")[0] == 3001
    # ...until the role is granted to SYSADMIN, as Snowflake recommends
    admin.run("GRANT ROLE LOADER_ROLE TO ROLE SYSADMIN")
    assert admin.run("SELECT * FROM RAW.PRODUCTION.MINE") == [(1,)]


def test_statement_unknown_to_the_sandbox_is_refused_by_name(admin: Session) -> None:
    assert admin.error("CALL SYSTEM$WAIT(1)") == (
        2,
        "000002 (0A000): Unsupported feature 'CALL' in the sandbox account.",
    )


def test_files_of_the_machine_are_out_of_reach(admin: Session) -> None:
    assert "Permission" in admin.error("SELECT * FROM read_text('/etc/hostname')")[1]
