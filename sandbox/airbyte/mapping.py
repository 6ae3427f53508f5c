"""What mappers do to a stream on its way from source to destination.

Hashing, renaming, field and row filtering run for real; an encryption mapper makes the sync fail by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from sandbox.airbyte.connectors.base import ConfiguredStream, CrashError, Json, Record

_DIGESTS = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-224": "sha224",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}

Columns = dict[str, Json]
Step = tuple[Callable[[Columns], Columns], Callable[[Record], Record | None], dict[str, str]]


class Mapping:
    """The mappers of one stream, in order.

    Attributes:
        stream: The stream as the destination sees it: columns and keys under their new names.
    """

    def __init__(self, stream: ConfiguredStream, mappers: list[Json]) -> None:
        steps = [_step(mapper["type"], mapper["mapperConfiguration"]) for mapper in mappers]
        self._changes = [change for _, change, _ in steps]
        columns: Columns = dict(stream.schema.get("properties", {}))
        names = {name: name for name in columns}
        for reshape, _, renamed in steps:
            columns = reshape(columns)
            names = {name: renamed.get(now, now) for name, now in names.items()}
        self.stream = replace(
            stream,
            schema={**stream.schema, "properties": columns},
            cursor=[names.get(name, name) for name in stream.cursor],
            primary_key=[[names.get(path[0], path[0]), *path[1:]] for path in stream.primary_key],
        )

    def records(self, records: list[Record]) -> list[Record]:
        """The records as the destination gets them; filtered ones are missing."""
        mapped = []
        for record in records:
            current: Record | None = record
            for change in self._changes:
                current = change(current) if current is not None else None
            if current is not None:
                mapped.append(current)
        return mapped


def _step(kind: str, configuration: Json) -> Step:
    match kind:
        case "hashing":
            field = configuration["targetField"]
            new = field + configuration["fieldNameSuffix"]
            method = _digest(configuration["method"])
            return _replacing(field, new, {"type": "string"}, lambda value: _hash(method, value))
        case "field-renaming":
            return _replacing(configuration["originalFieldName"], configuration["newFieldName"], None, lambda v: v)
        case "field-filtering":
            field = configuration["targetField"]
            return (lambda columns: _without(columns, field)), (lambda record: _without(record, field)), {}
        case "row-filtering":
            condition = configuration["conditions"]
            return (lambda columns: columns), (lambda record: record if _fulfils(record, condition) else None), {}
        case _:
            raise CrashError(f"this sandbox has no mapper of the type {kind}")


def _digest(method: str) -> str:
    if method not in _DIGESTS:
        raise CrashError(f"this sandbox cannot hash with {method}")
    return _DIGESTS[method]


def _hash(method: str, value: object) -> str | None:
    return None if value is None else hashlib.new(method, str(value).encode(), usedforsecurity=False).hexdigest()


def _replacing(old: str, new: str, schema: Json | None, change: Callable[[object], object]) -> Step:
    """A field under a new name, with a new value, at the same place."""

    def reshape(columns: Columns) -> Columns:
        return {new if name == old else name: (schema or s) if name == old else s for name, s in columns.items()}

    def remake(record: Record) -> Record:
        return {new if name == old else name: change(v) if name == old else v for name, v in record.items()}

    return reshape, remake, {old: new}


def _without(members: Json, name: str) -> Json:
    return {key: value for key, value in members.items() if key != name}


def _fulfils(record: Record, condition: Json) -> bool:
    if isinstance(condition, list):
        return all(_fulfils(record, item) for item in condition)
    parts = condition.get("conditions", [])
    match str(condition.get("type")).upper():
        case "AND":
            return all(_fulfils(record, part) for part in parts)
        case "OR":
            return any(_fulfils(record, part) for part in parts)
        case "NOT":
            return not any(_fulfils(record, part) for part in parts)
        case "EQUAL":
            return str(record.get(condition["fieldName"])) == str(condition["comparisonValue"])
        case other:
            raise CrashError(f"this sandbox has no row filter of the type {other}")
