"""A whole life of a landing zone, in the statements that the Pulumi provider sends."""

from collections.abc import Iterator

import pytest

from tests.sandbox.snowflake.harness import Session, new_key

USAGE = ' --terraform_provider_usage_tracking {{"json_schema_version":"1","resource":"snowflake_x","operation":"{}"}}'
SCHEMA = '"LANDING"."ORDERS"'
KEY, NEXT_KEY = new_key().public_base64, new_key().public_base64

CREATE = f"""
CREATE RESOURCE MONITOR "BUDGET" WITH CREDIT_QUOTA = 10 START_TIMESTAMP = 'IMMEDIATELY' FREQUENCY = MONTHLY
    TRIGGERS ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND;
CREATE WAREHOUSE "LOADING" WAREHOUSE_SIZE = 'XSMALL' AUTO_SUSPEND = 60 AUTO_RESUME = true INITIALLY_SUSPENDED
    = true RESOURCE_MONITOR = "BUDGET" COMMENT = 'it\\'s for loads';
CREATE DATABASE "LANDING" COMMENT = 'landing zone';
CREATE SCHEMA {SCHEMA} COMMENT = 'orders';
CREATE SCHEMA "LANDING"."airbyte_internal" WITH MANAGED ACCESS;
CREATE ROLE "LOADERS" COMMENT = 'may load';
CREATE NETWORK POLICY "ANYWHERE_LOCAL" ALLOWED_IP_LIST = ('127.0.0.1') COMMENT = 'c';
CREATE USER "AIRBYTE" LOGIN_NAME = 'AIRBYTE' DEFAULT_WAREHOUSE = "LOADING" DEFAULT_NAMESPACE = {SCHEMA}
    DEFAULT_ROLE = "LOADERS" RSA_PUBLIC_KEY = '{KEY}' TYPE = SERVICE COMMENT = 'svc' NETWORK_POLICY =
    "ANYWHERE_LOCAL";
GRANT ROLE "LOADERS" TO USER "AIRBYTE";
GRANT ROLE "LOADERS" TO ROLE "SYSADMIN";
GRANT OPERATE, USAGE ON WAREHOUSE "LOADING" TO ROLE "LOADERS";
GRANT CREATE SCHEMA, USAGE, MONITOR ON DATABASE "LANDING" TO ROLE "LOADERS";
GRANT CREATE FILE FORMAT, CREATE TABLE, CREATE STAGE, USAGE ON SCHEMA {SCHEMA} TO ROLE "LOADERS";
GRANT ALL PRIVILEGES ON SCHEMA "LANDING"."airbyte_internal" TO ROLE "LOADERS";
GRANT USAGE ON ALL SCHEMAS IN DATABASE "LANDING" TO ROLE "LOADERS";
GRANT CREATE TABLE, USAGE ON FUTURE SCHEMAS IN DATABASE "LANDING" TO ROLE "LOADERS";
GRANT INSERT, SELECT ON FUTURE TABLES IN SCHEMA {SCHEMA} TO ROLE "LOADERS" WITH GRANT OPTION;
GRANT MONITOR USAGE ON ACCOUNT TO ROLE "LOADERS";
GRANT OWNERSHIP ON SCHEMA "LANDING"."airbyte_internal" TO ROLE "LOADERS" COPY CURRENT GRANTS;
"""
READ = f"""
SHOW RESOURCE MONITORS LIKE 'BUDGET';
SHOW WAREHOUSES LIKE 'LOADING' STARTS WITH 'LOADING' LIMIT 1;
SHOW PARAMETERS IN WAREHOUSE "LOADING";
SHOW DATABASES LIKE 'LANDING';
SHOW PARAMETERS IN DATABASE "LANDING";
SHOW SCHEMAS LIKE 'ORDERS' IN DATABASE "LANDING";
SHOW PARAMETERS IN SCHEMA {SCHEMA};
SHOW ROLES LIKE 'LOADERS';
SHOW NETWORK POLICIES LIKE 'ANYWHERE_LOCAL';
DESCRIBE NETWORK POLICY "ANYWHERE_LOCAL";
SHOW USERS LIKE 'AIRBYTE';
DESCRIBE USER "AIRBYTE";
SHOW PARAMETERS IN USER "AIRBYTE";
SHOW GRANTS OF ROLE "LOADERS";
SHOW GRANTS ON WAREHOUSE "LOADING";
SHOW GRANTS ON SCHEMA {SCHEMA};
SHOW GRANTS ON ACCOUNT;
SHOW FUTURE GRANTS IN DATABASE "LANDING";
SHOW FUTURE GRANTS IN SCHEMA {SCHEMA};
SELECT CURRENT_ACCOUNT() as CURRENT_ACCOUNT, CURRENT_ROLE() as CURRENT_ROLE, CURRENT_REGION() AS
    CURRENT_REGION;
"""
UPDATE = f"""
ALTER WAREHOUSE "LOADING" SET WAREHOUSE_SIZE = 'SMALL' WAIT_FOR_COMPLETION = true AUTO_SUSPEND = 120
    STATEMENT_TIMEOUT_IN_SECONDS = 3600;
ALTER WAREHOUSE "LOADING" UNSET COMMENT;
ALTER RESOURCE MONITOR "BUDGET" SET CREDIT_QUOTA = 20 TRIGGERS ON 90 PERCENT DO NOTIFY;
ALTER DATABASE "LANDING" SET DATA_RETENTION_TIME_IN_DAYS = 0, COMMENT = 'zone';
ALTER SCHEMA {SCHEMA} SET COMMENT = 'orders 2';
ALTER ROLE "LOADERS" UNSET COMMENT;
ALTER NETWORK POLICY "ANYWHERE_LOCAL" SET ALLOWED_IP_LIST = ('127.0.0.1', '10.0.0.0/8');
ALTER USER "AIRBYTE" SET RSA_PUBLIC_KEY = '{NEXT_KEY}' RSA_PUBLIC_KEY_2 = '{KEY}';
ALTER USER "AIRBYTE" UNSET DEFAULT_NAMESPACE, COMMENT;
REVOKE GRANT OPTION FOR CREATE VIEW ON SCHEMA {SCHEMA} FROM ROLE "LOADERS";
GRANT CREATE VIEW ON SCHEMA {SCHEMA} TO ROLE "LOADERS";
REVOKE CREATE FILE FORMAT, CREATE STAGE ON SCHEMA {SCHEMA} FROM ROLE "LOADERS";
"""
DELETE = f"""
GRANT OWNERSHIP ON SCHEMA "LANDING"."airbyte_internal" TO ROLE "ACCOUNTADMIN" COPY CURRENT GRANTS;
REVOKE MONITOR USAGE ON ACCOUNT FROM ROLE "LOADERS";
REVOKE INSERT, SELECT ON FUTURE TABLES IN SCHEMA {SCHEMA} FROM ROLE "LOADERS";
REVOKE CREATE TABLE, USAGE ON FUTURE SCHEMAS IN DATABASE "LANDING" FROM ROLE "LOADERS";
REVOKE USAGE ON ALL SCHEMAS IN DATABASE "LANDING" FROM ROLE "LOADERS";
REVOKE ALL PRIVILEGES ON SCHEMA "LANDING"."airbyte_internal" FROM ROLE "LOADERS";
REVOKE CREATE TABLE, CREATE VIEW, USAGE ON SCHEMA {SCHEMA} FROM ROLE "LOADERS";
REVOKE CREATE SCHEMA, USAGE, MONITOR ON DATABASE "LANDING" FROM ROLE "LOADERS";
REVOKE OPERATE, USAGE ON WAREHOUSE "LOADING" FROM ROLE "LOADERS";
REVOKE ROLE "LOADERS" FROM ROLE "SYSADMIN";
REVOKE ROLE "LOADERS" FROM USER "AIRBYTE";
DROP USER IF EXISTS "AIRBYTE";
DROP NETWORK POLICY IF EXISTS "ANYWHERE_LOCAL";
DROP ROLE IF EXISTS "LOADERS";
DROP SCHEMA IF EXISTS {SCHEMA};
DROP DATABASE IF EXISTS "LANDING";
DROP WAREHOUSE IF EXISTS "LOADING";
DROP RESOURCE MONITOR IF EXISTS "BUDGET";
"""


@pytest.fixture
def landing(admin: Session) -> Iterator[Session]:
    each(admin, CREATE, "create")
    yield admin
    each(admin, DELETE, "delete")
    assert admin.rows("SHOW GRANTS TO ROLE PUBLIC") == []


def split(script: str) -> list[str]:
    return [statement.strip() for statement in script.split(";") if statement.strip()]


def each(session: Session, script: str, operation: str) -> None:
    for statement in split(script):
        session.run(statement + USAGE.format(operation))


def test_every_statement_of_a_life_is_understood(landing: Session) -> None:
    for statement in split(READ):
        assert landing.rows(statement + USAGE.format("read")), f"{statement} found nothing"
    each(landing, UPDATE, "update")
    for statement in split(READ):
        assert landing.rows(statement + USAGE.format("read")), f"{statement} found nothing"


def test_grants_read_back_as_the_provider_compares_them(landing: Session) -> None:
    rows = landing.rows(f"SHOW GRANTS ON SCHEMA {SCHEMA}")
    held = {row["privilege"] for row in rows if row["grantee_name"] == "LOADERS"}
    assert held == {"CREATE FILE FORMAT", "CREATE STAGE", "CREATE TABLE", "USAGE"}
    assert all(row["granted_by"] for row in rows), "the provider skips rows without a grantor"
    assert {row["granted_on"] for row in rows} == {"SCHEMA"}
    assert {row["name"] for row in landing.rows('SHOW GRANTS ON SCHEMA "LANDING"."airbyte_internal"')} == {
        'LANDING."airbyte_internal"'
    }


def test_nothing_the_provider_scans_into_a_plain_string_is_null(landing: Session) -> None:
    warehouse = landing.row("SHOW WAREHOUSES LIKE 'LOADING'")
    nullable = {"budget", "resource_constraint"}
    assert [key for key, value in warehouse.items() if value is None and key not in nullable] == []
    policy = landing.row("SHOW NETWORK POLICIES LIKE 'ANYWHERE_LOCAL'")
    assert None not in policy.values()
    for row in landing.rows('DESCRIBE USER "AIRBYTE"'):
        assert None not in row.values()
        # the provider parses the default as a boolean wherever the value is one
        assert not (row["value"] in ("true", "false") and row["default"] == "null"), row["property"]
