"""Parts of the connectors that need no server: decoding the log, values, mappers, the registry's data."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sandbox.airbyte.connectors.base import ConfiguredStream, CrashError
from sandbox.airbyte.connectors.postgres import pgoutput, types
from sandbox.airbyte.connectors.postgres.wal import Snapshot
from sandbox.airbyte.connectors.snowflake.columns import column_type
from sandbox.airbyte.mapping import Mapping
from sandbox.airbyte.registry import Connector, packaged_entries, semver
from tests.sandbox.airbyte.harness import Json


def text(value: str) -> bytes:
    return value.encode() + b"\0"


def row(*values: str | None) -> bytes:
    cells = (
        b"n" if v is None else b"u" if v == "TOAST" else b"t" + struct.pack("!I", len(v)) + v.encode() for v in values
    )
    return struct.pack("!H", len(values)) + b"".join(cells)


RELATION = (
    b"R" + struct.pack("!I", 7) + text("public") + text("t") + b"d" + struct.pack("!H", 2)
    + b"\1" + text("id") + struct.pack("!Ii", 23, -1)
    + b"\0" + text("note") + struct.pack("!Ii", 25, -1)
)  # fmt: skip
NUMBER = struct.pack("!I", 7)


def decode(*messages: bytes) -> list[Any]:
    decoder = pgoutput.Decoder()
    return [decoder.decode(message) for message in (RELATION, *messages)][1:]


def test_changes_are_decoded() -> None:
    insert, update, moved, deleted = decode(
        b"I" + NUMBER + b"N" + row("1", None),
        b"U" + NUMBER + b"N" + row("1", "TOAST"),
        b"U" + NUMBER + b"K" + row("1", None) + b"N" + row("2", "x"),
        b"D" + NUMBER + b"O" + row("2", "x"),
    )
    assert (insert.kind, insert.new, insert.old) == ("insert", {"id": "1", "note": None}, None)
    assert update.new == {"id": "1", "note": pgoutput.Unchanged.TOAST}
    assert (moved.old, moved.new) == ({"id": "1"}, {"id": "2", "note": "x"})  # a key has no other columns
    assert (deleted.old, deleted.new) == ({"id": "2", "note": "x"}, None)
    assert insert.relation.identity == ("id",)


def test_transactions_truncations_and_messages_without_change_are_decoded() -> None:
    begin, commit, truncate, origin = decode(
        b"B" + struct.pack("!qqI", 99, 0, 5),
        b"C\0" + struct.pack("!qqq", 99, 100, 0),
        b"T" + struct.pack("!IB", 1, 0) + NUMBER,
        b"O" + struct.pack("!q", 1) + text("x"),
    )
    assert (begin.commit_lsn, begin.xid, begin.committed_at.year) == (99, 5, 2000)
    assert commit.end_lsn == 100
    assert truncate.relations[0].name == "t"
    assert origin is None


@pytest.mark.parametrize(
    ("snapshot", "xid", "seen"),
    [
        ("10:15:12,14", 9, True),
        ("10:15:12,14", 11, True),
        ("10:15:12,14", 12, False),
        ("10:15:12,14", 15, False),
        (f"{2**32 + 1}:{2**32 + 3}:", 2, True),  # the ids have wrapped around
        (f"{2**32 + 1}:{2**32 + 3}:", 3, False),
        (f"{2**32 + 1}:{2**32 + 3}:", 2**32 - 5, True),
        (f"{2**32 - 9}:{2**32 - 3}:", 4, False),
    ],
)
def test_a_snapshot_knows_which_transactions_it_has_seen(snapshot: str, xid: int, seen: bool) -> None:
    assert Snapshot(snapshot, 0).has_seen(xid) is seen


@pytest.mark.parametrize(
    ("type_name", "given", "value"),
    [
        ("int8", "-5", -5),
        ("numeric", "12.50", 12.5),
        ("numeric", "12", 12),
        ("float8", "NaN", None),
        ("float8", "-Infinity", None),
        ("bool", "t", True),
        ("bool", "f", False),
        ("timestamptz", "2024-02-29 12:00:00.5+00", "2024-02-29T12:00:00.5Z"),
        ("timestamp", "2024-02-29 12:00:00", "2024-02-29T12:00:00"),
        ("_int4", "{1,NULL,{2,3}}", [1, None, [2, 3]]),
        ("_text", '{"a \\"b\\" \\\\",c,"NULL",NULL,""}', ['a "b" \\', "c", "NULL", None, ""]),
        ("_int4", "[0:1]={7,8}", [7, 8]),
        ("_text", "{}", []),
        ("uuid", None, None),
    ],
)
def test_values_are_read_from_their_text_form(type_name: str, given: str | None, value: object) -> None:
    assert types.value(type_name, given) == value


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "number", "airbyte_type": "integer"}, "NUMBER(38, 0)"),
        ({"type": ["null", "number"]}, "FLOAT"),
        ({"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}, "TIMESTAMP_NTZ"),
        ({"type": "string", "format": "date-time"}, "TIMESTAMP_TZ"),
        ({"type": "string", "format": "date"}, "DATE"),
        ({"type": "string"}, "VARCHAR"),
        ({"type": "boolean"}, "BOOLEAN"),
        ({"type": "array"}, "VARIANT"),
        ({"type": ["string", "number"]}, "VARIANT"),
        ({}, "VARIANT"),
    ],
)
def test_columns_get_typed(schema: Json, expected: str) -> None:
    assert column_type(schema) == expected


def mapping(*mappers: tuple[str, Json]) -> Mapping:
    columns = {"id": {"type": "number"}, "name": {"type": "string"}, "age": {"type": "number"}}
    stream = ConfiguredStream("s", None, {"properties": columns}, "incremental", "append_dedup", ["age"], [["id"]])
    return Mapping(stream, [{"type": kind, "mapperConfiguration": settings} for kind, settings in mappers])


def test_mappers_work_in_order_and_carry_keys_along() -> None:
    mapped = mapping(
        ("field-renaming", {"originalFieldName": "id", "newFieldName": "key"}),
        ("hashing", {"targetField": "name", "method": "MD5", "fieldNameSuffix": "_hashed"}),
        ("field-filtering", {"targetField": "age"}),
    )
    assert mapped.stream.columns == ["key", "name_hashed"]
    assert mapped.stream.primary_key == [["key"]]
    assert mapped.records([{"id": 1, "name": "a", "age": 3}, {"id": 2, "name": None, "age": 4}]) == [
        {"key": 1, "name_hashed": "0cc175b9c0f1b6a831c399e269772661"},
        {"key": 2, "name_hashed": None},
    ]


def test_rows_are_filtered_by_nested_conditions() -> None:
    ada, one = ({"type": "EQUAL", "fieldName": f, "comparisonValue": v} for f, v in (("name", "Ada"), ("id", "1")))
    either = {"type": "OR", "conditions": [ada, one]}
    mapped = mapping(("row-filtering", {"conditions": {"type": "AND", "conditions": [either]}}))
    rows: list[Json] = [{"id": 1, "name": "x"}, {"id": 2, "name": "Ada"}, {"id": 3, "name": "x"}]
    assert mapped.records(rows) == rows[:2]
    inverted = mapping(("row-filtering", {"conditions": {"type": "NOT", "conditions": [either]}}))
    assert inverted.records(rows) == rows[2:]


def test_mappers_that_cannot_run_here_are_refused_by_name() -> None:
    with pytest.raises(CrashError, match="encryption"):
        mapping(("encryption", {"algorithm": "AES", "targetField": "name"}))


@pytest.mark.parametrize("entry", packaged_entries(), ids=lambda entry: str(entry["repository"]))
def test_the_registrys_facts_hold_together(entry: Json) -> None:
    connector = Connector.from_json(entry)
    assert {connector.default_tag, connector.latest_tag} <= set(connector.tags)
    assert connector.kind == connector.repository.rpartition("/")[2].partition("-")[0]
    for tag in connector.tags:
        assert semver(tag)
        Draft7Validator.check_schema(connector.spec(tag))
        assert connector.spec(tag)["properties"]
    for version, change in connector.breaking_changes.items():
        assert semver(version)
        assert change["message"]
        assert len(change["upgradeDeadline"]) == 10


def test_specifications_follow_the_version() -> None:
    snowflake = Connector.from_json(next(e for e in packaged_entries() if e["name"] == "Snowflake"))
    properties = [set(snowflake.spec(tag)["properties"]) for tag in ("3.14.0", "4.0.33", "5.0.0", "dev")]
    assert properties[1] - properties[0] == {"cdc_deletion_mode"}
    assert properties[2] - properties[1] == {"number_data_type"}
    assert properties[3] == properties[2]
    assert snowflake.breaking_between("3.14.0", "5.0.0") == ["4.0.0", "5.0.0"]
    assert snowflake.breaking_between("5.0.0", "3.14.0") == []
    assert snowflake.breaking_between("dev", "5.0.0") == []
