"""Identifiers and texts in Snowflake's SQL: https://docs.snowflake.com/en/sql-reference/identifiers-syntax."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PART = re.compile(r'"((?:[^"]|"")*)"|([^".]+)')
_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?: [A-Za-z0-9_]+)*")


def split(name: str) -> tuple[str, ...]:
    """The parts of ``D.S`` or ``"D"."S"``, without their quotes and with their case; raises ValueError."""
    parts: list[str] = []
    at = 0
    while at <= len(name):
        match = _PART.match(name, at)
        if match is None or name[match.end() : match.end() + 1] not in ("", "."):
            raise ValueError(f"{name!r} is not a name of the form NAME, DATABASE.SCHEMA or DATABASE.SCHEMA.NAME")
        quoted, plain = match.groups()
        parts.append(plain if quoted is None else quoted.replace('""', '"'))
        at = match.end() + 1
    return tuple(parts)


def plain(name: str) -> str:
    """A single name without the quotes it may have; a dot is part of it."""
    quoted = len(name) > 1 and name.startswith('"') and name.endswith('"')
    return name[1:-1].replace('""', '"') if quoted else name


def quote(*parts: str) -> str:
    """The parts as a quoted, dotted name."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def quoted(name: str) -> str:
    """A name however it was written, fully quoted."""
    return quote(*split(name))


def bare(name: str) -> str:
    """A name however it was written, without quotes: two spellings of one name give the same."""
    return ".".join(split(name)) if name else name


def text(value: object) -> str:
    """A text literal."""
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def texts(values: Iterable[object]) -> str:
    """A list of text literals in parentheses."""
    return f"({', '.join(map(text, values))})"


def words(value: str) -> str:
    """Keywords such as an object type or a privilege, in upper case; raises ValueError on anything else."""
    if not _WORDS.fullmatch(value):
        raise ValueError(f"{value!r} is not a keyword of SQL")
    return value.upper()
