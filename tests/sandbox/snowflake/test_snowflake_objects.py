"""Life of each kind of account object: made, listed, changed, renamed, dropped; with the columns clients read."""

from collections.abc import Callable

import pytest

from tests.sandbox.snowflake.harness import Session, new_key

Loader = Callable[..., Session]

SHOW_COLUMNS = {
    "SHOW WAREHOUSES": (
        "name state type size min_cluster_count max_cluster_count started_clusters running queued is_default"
        " is_current auto_suspend auto_resume available provisioning quiescing other created_on resumed_on"
        " updated_on owner comment enable_query_acceleration query_acceleration_max_scale_factor resource_monitor"
        " actives pendings failed suspended uuid scaling_policy budget owner_role_type resource_constraint"
        " generation"
    ),
    "SHOW DATABASES": (
        "created_on name is_default is_current origin owner comment options retention_time kind budget owner_role_type"
    ),
    "SHOW SCHEMAS": (
        "created_on name is_default is_current database_name owner comment options retention_time"
        " owner_role_type budget"
    ),
    "SHOW ROLES": (
        "created_on name is_default is_current is_inherited assigned_to_users granted_to_roles granted_roles"
        " owner comment"
    ),
    "SHOW USERS": (
        "name created_on login_name display_name first_name last_name email mins_to_unlock days_to_expiry comment"
        " disabled must_change_password snowflake_lock default_warehouse default_namespace default_role"
        " default_secondary_roles ext_authn_duo ext_authn_uid mins_to_bypass_mfa owner last_success_login"
        " expires_at_time locked_until_time has_password has_rsa_public_key type has_mfa has_workload_identity"
    ),
    "SHOW RESOURCE MONITORS": (
        "name credit_quota used_credits remaining_credits level frequency start_time end_time notify_at"
        " suspend_at suspend_immediately_at created_on owner comment notify_users"
    ),
    "SHOW NETWORK POLICIES": (
        "created_on name comment entries_in_allowed_ip_list entries_in_blocked_ip_list"
        " entries_in_allowed_network_rules entries_in_blocked_network_rules"
    ),
    "SHOW PARAMETERS": "key value default level description type",
    "SHOW REPLICATION DATABASES": (
        "region_group snowflake_region created_on account_name name comment is_primary primary"
        " replication_allowed_to_accounts failover_allowed_to_accounts organization_name account_locator"
    ),
    "SHOW GRANTS ON ACCOUNT": "created_on privilege granted_on name granted_to grantee_name grant_option granted_by",
    "SHOW GRANTS OF ROLE SYSADMIN": "created_on role granted_to grantee_name granted_by",
    "SHOW FUTURE GRANTS IN DATABASE RAW": ("created_on privilege grant_on name grant_to grantee_name grant_option"),
    "DESCRIBE USER ADMIN": "property value default description",
    "DESCRIBE DATABASE RAW": "created_on name kind",
}


@pytest.mark.parametrize("statement", SHOW_COLUMNS)
def test_listing_has_the_documented_columns_in_order(admin: Session, statement: str) -> None:
    assert admin.columns(statement) == SHOW_COLUMNS[statement].split()


def test_warehouse(admin: Session) -> None:
    admin.run("CREATE RESOURCE MONITOR WATCH WITH CREDIT_QUOTA = 5")
    admin.run(
        "CREATE WAREHOUSE \"LOADS\" WAREHOUSE_SIZE = 'X-LARGE' AUTO_SUSPEND = 60 AUTO_RESUME = false"
        ' INITIALLY_SUSPENDED = true RESOURCE_MONITOR = "WATCH" COMMENT = \'it\\\'s \\"here\\"\''
    )
    shown = admin.row("SHOW WAREHOUSES LIKE 'LOADS' STARTS WITH 'LOADS' LIMIT 1")
    assert shown["size"] == "X-Large"
    assert shown["state"] == "SUSPENDED"
    assert (shown["auto_suspend"], shown["auto_resume"]) == (60, "false")
    assert shown["resource_monitor"] == "WATCH"
    assert shown["comment"] == 'it\'s "here"'
    assert shown["is_current"] == "Y"
    assert admin.row("SHOW RESOURCE MONITORS LIKE 'WATCH'")["level"] == "WAREHOUSE"

    admin.run("ALTER WAREHOUSE LOADS SET WAREHOUSE_SIZE = SMALL WAIT_FOR_COMPLETION = true MAX_CONCURRENCY_LEVEL = 4")
    admin.run("ALTER WAREHOUSE LOADS UNSET COMMENT, RESOURCE_MONITOR")
    shown = admin.row("SHOW WAREHOUSES LIKE 'LOADS'")
    assert (shown["size"], shown["comment"], shown["resource_monitor"]) == ("Small", "", "null")
    parameters = {row["key"]: row for row in admin.rows("SHOW PARAMETERS IN WAREHOUSE LOADS")}
    assert parameters["MAX_CONCURRENCY_LEVEL"]["value"] == "4"
    assert parameters["MAX_CONCURRENCY_LEVEL"]["level"] == "WAREHOUSE"
    assert parameters["STATEMENT_TIMEOUT_IN_SECONDS"]["level"] == ""

    admin.run("ALTER WAREHOUSE LOADS RENAME TO LOADS_2")
    assert admin.run("SELECT CURRENT_WAREHOUSE()") == [("LOADS_2",)]
    admin.run("DROP WAREHOUSE LOADS_2")
    assert admin.run("SELECT CURRENT_WAREHOUSE()") == [(None,)]
    admin.run("DROP RESOURCE MONITOR WATCH")
    admin.run("USE WAREHOUSE ADMIN_WH")


def test_warehouse_suspends_and_resumes(admin: Session) -> None:
    admin.run("CREATE OR REPLACE TABLE RAW.PRODUCTION.ONE AS SELECT 1 AS ID")
    admin.run("CREATE WAREHOUSE NAPS INITIALLY_SUSPENDED = true")

    def state() -> str:
        return str(admin.row("SHOW WAREHOUSES LIKE 'NAPS'")["state"])

    assert admin.error("ALTER WAREHOUSE NAPS SUSPEND")[0] == 90064
    # given a suspended warehouse that may resume by itself, a query wakes it
    admin.run("SELECT * FROM RAW.PRODUCTION.ONE")
    assert state() == "STARTED"
    assert admin.error("ALTER WAREHOUSE NAPS RESUME")[0] == 90063
    admin.run("ALTER WAREHOUSE NAPS RESUME IF SUSPENDED")
    # given one that may not, the query is refused
    admin.run("ALTER WAREHOUSE NAPS SET AUTO_RESUME = FALSE")
    admin.run("ALTER WAREHOUSE NAPS SUSPEND")
    assert state() == "SUSPENDED"
    assert admin.error("SELECT * FROM RAW.PRODUCTION.ONE")[0] == 606
    admin.run("ALTER WAREHOUSE NAPS RESUME")
    admin.run("SELECT * FROM RAW.PRODUCTION.ONE")
    admin.run("DROP WAREHOUSE NAPS")
    admin.run("USE WAREHOUSE ADMIN_WH")


def test_database_and_schema(admin: Session) -> None:
    admin.run("CREATE TRANSIENT DATABASE D DATA_RETENTION_TIME_IN_DAYS = 0 COMMENT = 'c'")
    shown = admin.row("SHOW DATABASES LIKE 'D'")
    assert (shown["options"], shown["retention_time"], shown["comment"]) == ("TRANSIENT", "0", "c")
    assert [row["name"] for row in admin.rows("SHOW SCHEMAS IN DATABASE D")] == ["PUBLIC"]
    admin.run('CREATE SCHEMA D."airbyte_internal" WITH MANAGED ACCESS')
    shown = admin.row("SHOW SCHEMAS LIKE 'airbyte_internal' IN DATABASE D")
    assert (shown["name"], shown["options"]) == ("airbyte_internal", "MANAGED ACCESS")
    assert shown["retention_time"] == "0", "a schema takes its database's retention"
    assert admin.run("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()") == [("D", "airbyte_internal")]

    admin.run("ALTER DATABASE D SET DATA_RETENTION_TIME_IN_DAYS = 1, COMMENT = 'd'")
    admin.run("ALTER DATABASE D UNSET COMMENT")
    assert admin.row("SHOW DATABASES LIKE 'D'")["comment"] == ""
    admin.run('CREATE TABLE D."airbyte_internal".T AS SELECT 7 AS ID')
    admin.run('ALTER SCHEMA D."airbyte_internal" RENAME TO D.INTERNAL')
    assert admin.run("SELECT ID FROM D.INTERNAL.T") == [(7,)]
    admin.run("ALTER DATABASE D RENAME TO E")
    assert admin.run("SELECT ID FROM E.INTERNAL.T") == [(7,)]
    assert admin.run("SELECT TABLE_NAME FROM E.INFORMATION_SCHEMA.TABLES") == [("T",)]

    admin.run("DROP SCHEMA E.INTERNAL")
    assert admin.error("SELECT ID FROM E.INTERNAL.T")[0] == 2003
    admin.run("DROP DATABASE E")
    assert admin.error("DROP DATABASE E")[0] == 2003
    admin.run("DROP DATABASE IF EXISTS E")
    # given a name that was used before, the new database is empty
    admin.run("CREATE DATABASE E")
    assert admin.error("SELECT ID FROM E.INTERNAL.T")[0] == 2003
    admin.run("DROP DATABASE E")
    admin.run("USE SCHEMA RAW.PRODUCTION")


def test_role_counts_its_grants(admin: Session) -> None:
    admin.run("CREATE ROLE LOADS COMMENT = 'c'")
    admin.run("GRANT ROLE LOADS TO USER ADMIN")
    admin.run("GRANT ROLE LOADS TO ROLE SYSADMIN")
    shown = admin.row("SHOW ROLES LIKE 'LOADS'")
    assert (shown["assigned_to_users"], shown["granted_to_roles"], shown["granted_roles"]) == (1, 1, 0)
    assert (shown["owner"], shown["comment"]) == ("ACCOUNTADMIN", "c")
    granted = {(row["granted_to"], row["grantee_name"]) for row in admin.rows("SHOW GRANTS OF ROLE LOADS")}
    assert granted == {("USER", "ADMIN"), ("ROLE", "SYSADMIN")}
    admin.run("ALTER ROLE LOADS RENAME TO LOADS_2")
    assert len(admin.rows("SHOW GRANTS OF ROLE LOADS_2")) == 2
    admin.run("ALTER ROLE LOADS_2 UNSET COMMENT")
    assert admin.row("SHOW ROLES LIKE 'LOADS%'")["comment"] == ""
    admin.run("DROP ROLE LOADS_2")
    assert admin.error("DROP ROLE SYSADMIN")[0] == 3001


def test_user_is_described_without_its_password(admin: Session) -> None:
    key = new_key().public_base64
    admin.run(
        f"CREATE USER SVC LOGIN_NAME = 'svc' DEFAULT_WAREHOUSE = ADMIN_WH DEFAULT_NAMESPACE = RAW.PRODUCTION"
        f" DEFAULT_ROLE = R RSA_PUBLIC_KEY = '{key}' TYPE = SERVICE COMMENT = 'c'"
    )
    shown = admin.row("SHOW USERS LIKE 'SVC'")
    assert (shown["login_name"], shown["default_namespace"], shown["type"]) == ("SVC", "RAW.PRODUCTION", "SERVICE")
    assert (shown["has_password"], shown["has_rsa_public_key"]) == ("false", "true")
    assert shown["default_secondary_roles"] == '["ALL"]'
    described = {row["property"]: row for row in admin.rows("DESCRIBE USER SVC")}
    assert described["RSA_PUBLIC_KEY"]["value"] == key
    assert described["RSA_PUBLIC_KEY_FP"]["value"].startswith("SHA256:")
    assert described["RSA_PUBLIC_KEY_2"]["value"] == "null"
    assert described["DISABLED"] == {"property": "DISABLED", "value": "false", "default": "false", "description": ""}
    admin.run("ALTER USER SVC UNSET TYPE")
    admin.run("ALTER USER SVC SET PASSWORD = 'hunter22'")
    described = {row["property"]: row for row in admin.rows("DESCRIBE USER SVC")}
    assert described["PASSWORD"]["value"] == "********"
    assert admin.error("CREATE USER OTHER LOGIN_NAME = 'SVC'")[0] == 2002
    admin.run("DROP USER SVC")


def test_resource_monitor_and_network_policy(admin: Session) -> None:
    admin.run(
        "CREATE RESOURCE MONITOR M WITH CREDIT_QUOTA = 10 FREQUENCY = MONTHLY START_TIMESTAMP = 'IMMEDIATELY'"
        ' NOTIFY_USERS = ("ADMIN") TRIGGERS ON 50 PERCENT DO NOTIFY ON 80 PERCENT DO NOTIFY'
        " ON 100 PERCENT DO SUSPEND ON 110 PERCENT DO SUSPEND_IMMEDIATE"
    )
    shown = admin.row("SHOW RESOURCE MONITORS LIKE 'M'")
    assert (shown["credit_quota"], shown["notify_users"]) == ("10.00", "ADMIN")
    assert (shown["notify_at"], shown["suspend_at"], shown["suspend_immediately_at"]) == ("50%,80%", "100%", "110%")
    admin.run("ALTER RESOURCE MONITOR M SET CREDIT_QUOTA = null TRIGGERS ON 90 PERCENT DO NOTIFY")
    shown = admin.row("SHOW RESOURCE MONITORS LIKE 'M'")
    assert (shown["credit_quota"], shown["notify_at"], shown["suspend_at"]) == (None, "90%", None)
    admin.run("DROP RESOURCE MONITOR M")

    admin.run("CREATE NETWORK POLICY P ALLOWED_IP_LIST = ('10.0.0.0/8', '127.0.0.1') COMMENT = 'c'")
    shown = admin.row("SHOW NETWORK POLICIES LIKE 'P'")
    assert (shown["entries_in_allowed_ip_list"], shown["entries_in_blocked_ip_list"]) == (2, 0)
    assert admin.rows("DESCRIBE NETWORK POLICY P") == [{"name": "ALLOWED_IP_LIST", "value": "10.0.0.0/8,127.0.0.1"}]
    assert admin.error("ALTER NETWORK POLICY P SET ALLOWED_IP_LIST = ('10.0.0.0/80')")[0] == 1008
    admin.run("ALTER NETWORK POLICY P RENAME TO Q")
    admin.run("DROP NETWORK POLICY Q")


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("CREATE WAREHOUSE W COLOUR = 'red'", 1420),
        ("CREATE WAREHOUSE W WAREHOUSE_SIZE = 'HUGE'", 1008),
        ("CREATE WAREHOUSE W AUTO_SUSPEND = soon", 1008),
        ("CREATE WAREHOUSE W RESOURCE_MONITOR = MISSING", 2003),
        ("CREATE DATABASE RAW", 2002),
        ('CREATE DATABASE "raw"', 2002),
        ('CREATE DATABASE "../escape"', 904),
        ("CREATE SCHEMA MISSING.S", 2003),
        ("ALTER WAREHOUSE MISSING SUSPEND", 2003),
        ("GRANT FLY ON WAREHOUSE ADMIN_WH TO ROLE PUBLIC", 3008),
        ("GRANT USAGE ON WAREHOUSE ADMIN_WH TO ROLE MISSING", 2003),
        ("GRANT USAGE ON WAREHOUSE ADMIN_WH", 1003),
        ("DROP USER ADMIN", 3504),
        ("USE WAREHOUSE MISSING", 2003),
        ("ALTER SESSION SET NO_SUCH_PARAMETER = 1", 1420),
    ],
)
def test_mistake_is_answered_with_its_number_and_changes_nothing(admin: Session, statement: str, number: int) -> None:
    before = [len(admin.rows(f"SHOW {what}")) for what in ("WAREHOUSES", "DATABASES", "USERS", "GRANTS ON ACCOUNT")]
    assert admin.error(statement)[0] == number
    after = [len(admin.rows(f"SHOW {what}")) for what in ("WAREHOUSES", "DATABASES", "USERS", "GRANTS ON ACCOUNT")]
    assert after == before


def test_create_or_replace_and_if_not_exists(admin: Session) -> None:
    admin.run("CREATE ROLE TWICE COMMENT = 'first'")
    admin.run("CREATE ROLE IF NOT EXISTS TWICE COMMENT = 'second'")
    assert admin.row("SHOW ROLES LIKE 'TWICE'")["comment"] == "first"
    admin.run("CREATE OR REPLACE ROLE TWICE COMMENT = 'third'")
    assert admin.row("SHOW ROLES LIKE 'TWICE'")["comment"] == "third"
    admin.run("DROP ROLE TWICE")


def test_listing_shows_only_what_the_role_may_see(admin: Session, loader: Loader) -> None:
    admin.run("CREATE WAREHOUSE HIDDEN")
    assert [row["name"] for row in loader().rows("SHOW WAREHOUSES")] == ["ADMIN_WH"]
    assert {row["name"] for row in admin.rows("SHOW WAREHOUSES")} == {"ADMIN_WH", "HIDDEN"}
    admin.run("DROP WAREHOUSE HIDDEN")
    admin.run("USE WAREHOUSE ADMIN_WH")
