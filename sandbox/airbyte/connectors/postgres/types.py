"""PostgreSQL types: what Airbyte calls them, and how their text form becomes a JSON value.

Everything is read in text form, from a table and from the write-ahead log alike, so that both give the same values.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

_INTEGERS = {"int2", "int4", "int8", "oid"}
_NUMBERS = {"float4", "float8", "numeric"}
_SCHEMAS: dict[str, Json] = {
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"},
    "timetz": {"type": "string", "format": "time", "airbyte_type": "time_with_timezone"},
    "timestamp": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
    "timestamptz": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_with_timezone"},
}


def json_schema(type_name: str) -> Json:
    """The JSON schema of a type by its name in ``pg_type``; an array's name starts with ``_``."""
    if type_name.startswith("_"):
        return {"type": "array", "items": json_schema(type_name[1:])}
    if type_name in _INTEGERS:
        return {"type": "number", "airbyte_type": "integer"}
    if type_name in _NUMBERS:
        return {"type": "number"}
    return dict(_SCHEMAS.get(type_name, {"type": "string"}))


def value(type_name: str, text: str | None) -> Any:
    """The JSON value of a type's text form; ``NaN`` and infinities, which JSON has not, become null."""
    if text is None:
        return None
    if type_name.startswith("_"):
        return _array(type_name[1:], text)
    if type_name in _INTEGERS:
        return int(text)
    if type_name in _NUMBERS:
        return _number(text)
    if type_name == "bool":
        return text in ("t", "true")
    if type_name in ("timestamp", "timestamptz"):
        return _moment(text)
    return text


def _number(text: str) -> int | float | None:
    if text.lstrip("-").lower() in ("nan", "infinity"):
        return None
    number = float(text)
    return int(text) if text.lstrip("-").isdigit() else number


def _moment(text: str) -> str:
    """ISO 8601 with ``T``; the zone, always UTC here, as ``Z``."""
    moment = text.replace(" ", "T", 1)
    return moment.removesuffix("+00") + "Z" if moment.endswith("+00") else moment


def _array(item_type: str, text: str) -> Any:
    """An array literal like ``{1,NULL,"a b",{…}}``."""
    items, rest = _items(text[text.index("{") :], item_type)
    return items if not rest else text


def _items(text: str, item_type: str) -> tuple[list[Any], str]:
    items: list[Any] = []
    rest = text[1:]
    while not rest.startswith("}"):
        item: Any
        if rest.startswith("{"):
            item, rest = _items(rest, item_type)
        elif rest.startswith('"'):
            quoted, rest = _quoted(rest)
            item = value(item_type, quoted)
        else:
            end = min(position for position in (rest.find(","), rest.find("}")) if position >= 0)
            item = None if rest[:end] == "NULL" else value(item_type, rest[:end])
            rest = rest[end:]
        items.append(item)
        rest = rest.removeprefix(",")
    return items, rest[1:]


def _quoted(text: str) -> tuple[str, str]:
    position, letters = 1, []
    while text[position] != '"':
        position += text[position] == "\\"
        letters.append(text[position])
        position += 1
    return "".join(letters), text[position + 1 :]


def cursor_literal(found: Any) -> str | None:
    """A cursor value as text that PostgreSQL can compare again."""
    if found is None or isinstance(found, str):
        return found
    return json.dumps(found)
