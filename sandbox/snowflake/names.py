"""Identifiers: how they are stored, quoted and matched.

A `Name` holds the parts of an object's name as Snowflake stores them: unquoted identifiers in upper case,
quoted ones verbatim (docs.snowflake.com/en/sql-reference/identifiers-syntax).
"""

import re

Name = tuple[str, ...]

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")
_PART = re.compile(r'"(?:[^"]|"")*"|[^".]+')


def quote_part(part: str) -> str:
    """One identifier in double quotes, valid in Snowflake and in DuckDB."""
    return '"' + part.replace('"', '""') + '"'


def quote(name: Name) -> str:
    """Dotted form for messages and SHOW output: quoted only where needed."""
    return ".".join(part if _PLAIN.fullmatch(part) else quote_part(part) for part in name)


def path(name: Name) -> str:
    """Dotted form with every part quoted: unambiguous, so a prefix of it is a container."""
    return ".".join(quote_part(part) for part in name)


def identifier(text: str) -> str:
    """One identifier as it is written in SQL or in a connection setting, as Snowflake stores it."""
    quoted = len(text) > 1 and text.startswith('"') and text.endswith('"')
    return text[1:-1].replace('""', '"') if quoted else text.upper()


def parse(text: str) -> Name:
    """The reverse of `quote` and `path`."""
    return tuple(identifier(part) for part in _PART.findall(text))


def matches(pattern: str, text: str) -> bool:
    r"""SHOW ... LIKE: case-insensitive, `%` and `_` are wildcards, a backslash escapes them."""
    expression, position = "", 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\" and position + 1 < len(pattern):
            position += 1
            expression += re.escape(pattern[position])
        else:
            expression += {"%": ".*", "_": "."}.get(char, re.escape(char))
        position += 1
    return re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL) is not None
