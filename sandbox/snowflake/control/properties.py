"""Properties of account objects: which exist, what they may hold, how they are stored."""

import ipaddress
from collections.abc import Callable

from sandbox.snowflake import credentials
from sandbox.snowflake.catalog import Stored
from sandbox.snowflake.errors import SnowflakeError, invalid_property, invalid_value
from sandbox.snowflake.parameters import PARAMETERS
from sandbox.snowflake.statements import TRIGGERS, Properties
from sandbox.snowflake.warehouses import SIZES

_IP_LISTS = ("ALLOWED_IP_LIST", "BLOCKED_IP_LIST")
_KEYS = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")
_PASSWORD = "PASSWORD"  # noqa: S105 - the property's name


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROPERTIES: dict[str, frozenset[str]] = {
    "WAREHOUSE": _words(
        "WAREHOUSE_TYPE WAREHOUSE_SIZE MAX_CLUSTER_COUNT MIN_CLUSTER_COUNT SCALING_POLICY AUTO_SUSPEND"
        " AUTO_RESUME INITIALLY_SUSPENDED RESOURCE_MONITOR COMMENT ENABLE_QUERY_ACCELERATION"
        " QUERY_ACCELERATION_MAX_SCALE_FACTOR RESOURCE_CONSTRAINT GENERATION WAIT_FOR_COMPLETION"
    ),
    "DATABASE": frozenset({"COMMENT", "TRANSIENT"}),
    "SCHEMA": frozenset({"COMMENT", "TRANSIENT", "MANAGED ACCESS"}),
    "ROLE": frozenset({"COMMENT"}),
    "USER": _words(
        "PASSWORD LOGIN_NAME DISPLAY_NAME FIRST_NAME MIDDLE_NAME LAST_NAME EMAIL MUST_CHANGE_PASSWORD DISABLED"
        " DAYS_TO_EXPIRY MINS_TO_UNLOCK MINS_TO_BYPASS_MFA DEFAULT_WAREHOUSE DEFAULT_NAMESPACE DEFAULT_ROLE"
        " DEFAULT_SECONDARY_ROLES RSA_PUBLIC_KEY RSA_PUBLIC_KEY_2 TYPE COMMENT"
    ),
    "RESOURCE MONITOR": frozenset(
        {"CREDIT_QUOTA", "FREQUENCY", "START_TIMESTAMP", "END_TIMESTAMP", "NOTIFY_USERS", TRIGGERS}
    ),
    "NETWORK POLICY": frozenset({*_IP_LISTS, "ALLOWED_NETWORK_RULE_LIST", "BLOCKED_NETWORK_RULE_LIST", "COMMENT"}),
}
"""Kind of object to its properties; its parameters come on top."""

_CHOICES = {
    "FREQUENCY": ("MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER"),
    "SCALING_POLICY": ("STANDARD", "ECONOMY"),
    "TYPE": ("PERSON", "SERVICE", "LEGACY_SERVICE"),
    "WAREHOUSE_TYPE": ("STANDARD", "SNOWPARK-OPTIMIZED"),
}
_BOOLEANS = _words(
    "AUTO_RESUME INITIALLY_SUSPENDED ENABLE_QUERY_ACCELERATION MUST_CHANGE_PASSWORD DISABLED WAIT_FOR_COMPLETION"
)
_NUMBERS = _words(
    "AUTO_SUSPEND MAX_CLUSTER_COUNT MIN_CLUSTER_COUNT QUERY_ACCELERATION_MAX_SCALE_FACTOR CREDIT_QUOTA"
    " DAYS_TO_EXPIRY MINS_TO_UNLOCK DATA_RETENTION_TIME_IN_DAYS MAX_DATA_EXTENSION_TIME_IN_DAYS"
    " MAX_CONCURRENCY_LEVEL STATEMENT_QUEUED_TIMEOUT_IN_SECONDS STATEMENT_TIMEOUT_IN_SECONDS"
)
_MOMENTARY = ("WAIT_FOR_COMPLETION",)  # about the statement, not the object
_PASSWORDLESS_TYPES = ("SERVICE",)


def changed(kind: str, stored: Stored, changes: Properties) -> Stored:
    """The properties after SET and UNSET (a None value); nothing is kept of a clear password.

    Raises:
        SnowflakeError: an unknown property, a value it cannot take, an unusable public key, or a password
            for a user of TYPE = SERVICE (docs.snowflake.com/en/user-guide/admin-user-management).
    """
    known = PROPERTIES[kind] | PARAMETERS.get(kind, {}).keys()
    result = dict(stored)
    for key, value in changes.items():
        if key not in known:
            raise invalid_property(key, kind)
        if value is None:
            result.pop(key, None)
        elif key not in _MOMENTARY:
            result[key] = _checked(key, value)
    if kind == "USER" and _PASSWORD in result and result.get("TYPE") in _PASSWORDLESS_TYPES:
        raise SnowflakeError(
            f"SQL compilation error:\nCannot set {_PASSWORD} on users with TYPE={result['TYPE']}.", 2003, "22023"
        )
    return result


def _checked(key: str, value: str | list[str]) -> str | list[str]:
    if isinstance(value, list):
        if key in _IP_LISTS:
            for item in value:
                _check(key, item, ipaddress.ip_network)
        return value
    if key in _BOOLEANS and value.upper() not in ("TRUE", "FALSE"):
        raise invalid_value(key, value)
    if key in _NUMBERS:
        _check(key, value, int)
    if key == "WAREHOUSE_SIZE" and value.upper().replace("-", "") not in SIZES:
        raise invalid_value(key, value)
    if key in _CHOICES:
        if value.upper() not in _CHOICES[key]:
            raise invalid_value(key, value)
        return value.upper()
    if key == "LOGIN_NAME":
        return value.upper()
    if key == _PASSWORD:
        return credentials.hash_password(value)
    if key in _KEYS:
        _check_key(value)
    return value


def _check(key: str, value: str, convert: Callable[[str], object]) -> None:
    try:
        convert(value)
    except ValueError:
        raise invalid_value(key, value) from None


def _check_key(value: str) -> None:
    try:
        credentials.public_key(value)
    except ValueError:
        raise SnowflakeError(
            "SQL execution error: New public key rejected by current policy. Reason: 'Invalid public key'",
            394303,
            "22023",
        ) from None
