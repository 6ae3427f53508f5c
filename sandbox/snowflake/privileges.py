"""The vocabulary of access control: kinds of objects, their privileges, the system roles.

docs.snowflake.com/en/user-guide/security-access-control-privileges and .../security-access-control-overview
"""

ACCOUNTADMIN = "ACCOUNTADMIN"
PUBLIC = "PUBLIC"
OWNERSHIP = "OWNERSHIP"
MANAGE_GRANTS = "MANAGE GRANTS"

ACCOUNT_KINDS = ("WAREHOUSE", "DATABASE", "ROLE", "USER", "RESOURCE MONITOR", "NETWORK POLICY")
"""Kinds that live in the account itself; with SCHEMA, those whose statements we carry out."""

SCHEMA_OBJECT_KINDS = ("TABLE", "VIEW", "STAGE", "FILE FORMAT", "SEQUENCE")
"""Kinds that live in a schema; their statements go to the data layer."""

MANAGED_KINDS = (*ACCOUNT_KINDS, "SCHEMA")
SECURABLE_KINDS = (*MANAGED_KINDS, *SCHEMA_OBJECT_KINDS, "ACCOUNT")

PLURALS = {f"{kind}S": kind for kind in SECURABLE_KINDS if kind not in ("ACCOUNT", "NETWORK POLICY")} | {
    "NETWORK POLICIES": "NETWORK POLICY"
}

PRIVILEGES: dict[str, tuple[str, ...]] = {
    "ACCOUNT": (
        "CREATE DATABASE",
        "CREATE NETWORK POLICY",
        "CREATE RESOURCE MONITOR",
        "CREATE ROLE",
        "CREATE USER",
        "CREATE WAREHOUSE",
        "EXECUTE MANAGED TASK",
        "EXECUTE TASK",
        "IMPORT SHARE",
        MANAGE_GRANTS,
        "MANAGE WAREHOUSES",
        "MONITOR EXECUTION",
        "MONITOR USAGE",
    ),
    "WAREHOUSE": ("APPLYBUDGET", "MODIFY", "MONITOR", "OPERATE", "USAGE"),
    "DATABASE": ("APPLYBUDGET", "CREATE DATABASE ROLE", "CREATE SCHEMA", "MODIFY", "MONITOR", "USAGE"),
    "SCHEMA": (
        "ADD SEARCH OPTIMIZATION",
        "APPLYBUDGET",
        "CREATE DYNAMIC TABLE",
        "CREATE FILE FORMAT",
        "CREATE FUNCTION",
        "CREATE MATERIALIZED VIEW",
        "CREATE PIPE",
        "CREATE PROCEDURE",
        "CREATE SEQUENCE",
        "CREATE STAGE",
        "CREATE STREAM",
        "CREATE TABLE",
        "CREATE TASK",
        "CREATE VIEW",
        "MODIFY",
        "MONITOR",
        "USAGE",
    ),
    "TABLE": ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRUNCATE", "UPDATE"),
    "VIEW": ("REFERENCES", "SELECT"),
    "STAGE": ("READ", "USAGE", "WRITE"),
    "FILE FORMAT": ("USAGE",),
    "SEQUENCE": ("USAGE",),
    "RESOURCE MONITOR": ("MODIFY", "MONITOR"),
    "USER": ("MONITOR",),
    "ROLE": (),
    "NETWORK POLICY": ("USAGE",),
}
"""What may be granted on each kind, and what ALL PRIVILEGES stands for (OWNERSHIP apart)."""

SYSTEM_ROLE_PARENTS = (
    ("SECURITYADMIN", ACCOUNTADMIN),
    ("SYSADMIN", ACCOUNTADMIN),
    ("USERADMIN", "SECURITYADMIN"),
)
"""(role, the role it is granted to) in a new account."""

SYSTEM_ROLE_PRIVILEGES: dict[str, tuple[str, ...]] = {
    ACCOUNTADMIN: PRIVILEGES["ACCOUNT"],
    "SYSADMIN": ("CREATE DATABASE", "CREATE WAREHOUSE"),
    "SECURITYADMIN": (MANAGE_GRANTS, "CREATE NETWORK POLICY"),
    "USERADMIN": ("CREATE ROLE", "CREATE USER"),
}
SYSTEM_ROLES = (ACCOUNTADMIN, "SECURITYADMIN", "SYSADMIN", "USERADMIN", PUBLIC)
