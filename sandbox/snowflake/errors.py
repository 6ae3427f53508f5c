"""Errors as a Snowflake driver sees them: a message, a numeric code and a SQLSTATE.

Drivers and providers match on these texts (`does not exist or not authorized` means "gone" to the Terraform
provider), so the words are Snowflake's own. No message quotes a value given for a secret property.
"""

from sandbox.snowflake.names import Name, quote

_LABELS = {
    "FILE FORMAT": "File format",
    "NETWORK POLICY": "Network policy",
    "RESOURCE MONITOR": "Resource monitor",
}


class SnowflakeError(Exception):
    """A refused login or statement; `code` and `sqlstate` go to the driver as errno and sqlstate."""

    def __init__(self, message: str, code: int, sqlstate: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.sqlstate = sqlstate


def syntax_error(position: int, found: str) -> SnowflakeError:
    """`found` is the offending token; the reader passes no string literals, they may be secrets."""
    return SnowflakeError(
        f"SQL compilation error:\nsyntax error line 1 at position {position} unexpected '{found}'.",
        1003,
        "42000",
    )


def not_found(kind: str, name: Name) -> SnowflakeError:
    """The object is missing, or the role may not know that it exists: Snowflake does not tell which."""
    label = _LABELS.get(kind, kind.capitalize())
    return SnowflakeError(
        f"SQL compilation error:\n{label} '{quote(name)}' does not exist or not authorized.", 2003, "02000"
    )


def table_not_found(name: Name) -> SnowflakeError:
    """What a query on a missing or unreadable table or view says."""
    return SnowflakeError(
        f"SQL compilation error:\nObject '{quote(name)}' does not exist or not authorized.", 2003, "42S02"
    )


def denied(kind: str, name: Name) -> SnowflakeError:
    """The role sees the object but lacks the privilege for this."""
    shown = name[-1] if name else "ACCOUNT"
    return SnowflakeError(
        f"SQL access control error:\nInsufficient privileges to operate on {kind.lower()} '{shown}'",
        3001,
        "42501",
    )


def already_exists(name: Name) -> SnowflakeError:
    """CREATE of a name that is taken."""
    return SnowflakeError(f"SQL compilation error:\nObject '{quote(name)}' already exists.", 2002, "42710")


def invalid_property(key: str, kind: str) -> SnowflakeError:
    """A property that this kind of object does not have."""
    return SnowflakeError(f"SQL compilation error:\ninvalid property '{key}' for '{kind}'", 1420, "22023")


def invalid_value(key: str, value: str) -> SnowflakeError:
    """A property that exists, with a value it cannot take."""
    return SnowflakeError(f"SQL compilation error:\ninvalid value [{value}] for parameter '{key}'", 1008, "22023")


def no_warehouse() -> SnowflakeError:
    """A query without a running warehouse, or without USAGE on it."""
    return SnowflakeError(
        "No active warehouse selected in the current session.  "
        "Select an active warehouse with the 'use warehouse' command.",
        606,
        "57P03",
    )


def no_current(what: str, command: str) -> SnowflakeError:
    """A partly qualified name in a session without a current database or schema (`what`)."""
    return SnowflakeError(
        f"Cannot perform {command}. This session does not have a current {what}. "
        f"Call 'USE {what.upper()}', or use a qualified name.",
        90105 if what == "database" else 90106,
        "22000",
    )


def unsupported(what: str) -> SnowflakeError:
    """Something real Snowflake does and the sandbox does not."""
    return SnowflakeError(f"Unsupported feature '{what}' in the sandbox account.", 2, "0A000")


def internal_error(error: Exception) -> SnowflakeError:
    """A failure that nobody foresaw. Drivers would retry an HTTP 500 for minutes, so it gets a number too."""
    text = str(error).split("\n", maxsplit=1)[0]
    return SnowflakeError(f"SQL execution internal error: {type(error).__name__}: {text}", 603, "XX000")
