"""Connections as people make them: names, schedules, namespaces, and streams of every kind."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_DATABASES = ("airbyte/source-mysql", "airbyte/source-mssql")
_NAMES = (
    "connection {n}",
    "shop → lake {n}",
    "Sales / EU {n}",
    "{n}: nightly!",
    "orders <> warehouse",
)


_AES = {"algorithm": "AES", "mode": "GCM", "padding": "NoPadding", "fieldNameSuffix": "_encrypted"}
_WHERE = {"type": "EQUAL", "fieldName": "tenant", "comparisonValue": "7"}


def settings(number: int, repository: str, *, streams: int, bucket: bool) -> tuple[str, Json]:
    """Name and settings of a connection from a source of this image; `bucket` is whether it loads into files."""
    return _NAMES[number % len(_NAMES)].format(n=number), {
        "syncCatalog": {"streams": [_stream(number, n, repository, bucket=bucket) for n in range(streams)]},
        "status": "inactive" if number % 7 == 3 else "active",
        "nonBreakingChangesPreference": ("ignore", "propagate_columns", "propagate_fully", "disable")[number % 4],
        "resourceRequirements": {"memory_limit": "2Gi", "cpu_request": "0.5"} if number % 5 == 4 else None,
        "notifySchemaChanges": number % 2 == 0,
        "backfillPreference": "enabled" if number % 4 == 1 else "disabled",
        **_schedule(number),
        **_namespace(number),
    }


def keys(settings: Json) -> dict[str, str]:
    """The keys of a connection's encryption mappers, by what an import calls them."""
    return {
        f"stream {entry['stream']['name']}, key of {mapper['mapperConfiguration']['targetField']}": mapper[
            "mapperConfiguration"
        ]["key"]
        for entry in settings["syncCatalog"]["streams"]
        for mapper in entry["config"].get("mappers", [])
        if "key" in mapper["mapperConfiguration"]
    }


def _schedule(number: int) -> Json:
    units = (("hours", 6), ("minutes", 30), ("days", 1), ("weeks", 2))
    match number % 3:
        case 0:
            cron = {
                "cronExpression": f"0 {number % 60} */6 * * ?",
                "cronTimeZone": ("UTC", "Europe/Berlin")[number % 2],
            }
            return {"scheduleType": "cron", "scheduleData": {"cron": cron}}
        case 1:
            unit, every = units[number % 4]
            return {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": unit, "units": every}}}
        case _:
            return {"scheduleType": "manual"}


def _namespace(number: int) -> Json:
    match number % 3:
        case 0:
            return {"namespaceDefinition": "source"}
        case 1:
            return {"namespaceDefinition": "destination", "prefix": f"c{number}_"}
        case _:
            return {"namespaceDefinition": "customformat", "namespaceFormat": f"raw_{number}_${{SOURCE_NAMESPACE}}"}


def _stream(connection: int, number: int, repository: str, *, bucket: bool) -> Json:
    """Streams of every kind: keys and cursors by the source or by a person, chosen and hashed columns, odd names."""
    columns = {name: {"type": "string"} for name in ("id", "tenant", "updated_at", "email", "dotted.name", "note")}
    nested = {"type": "object", "properties": {"id": {"type": "string"}}}
    log = repository in _DATABASES and connection % 2 == 0
    stream: Json = {
        "name": (f"table_{number}", f"Table {number} → x", f"t.{number}")[number % 3],
        "jsonSchema": {"type": "object", "properties": {**columns, "meta": nested}},
        "supportedSyncModes": ["full_refresh", "incremental"] if number % 6 else ["full_refresh"],
        "sourceDefinedCursor": log or number % 5 == 1,
        "defaultCursorField": ["updated_at"] if number % 4 else [],
        "sourceDefinedPrimaryKey": [["id"], ["tenant"]] if number % 4 == 1 else [],
    }
    if repository in _DATABASES:
        stream["namespace"] = f"schema_{connection}_{number % 2}"
    full = number % 6 == 0 or number % 11 == 5
    dedup = not bucket and number % 2 == 1
    config: Json = {
        "selected": True,
        "syncMode": "full_refresh" if full else "incremental",
        "destinationSyncMode": "overwrite" if full else "append_dedup" if dedup else "append",
    }
    if not full:
        config["cursorField"] = ["updated_at"] if number % 4 else (["dotted.name"] if number % 8 else ["id"])
    if dedup and not full:
        keys = ([["id"]], [["tenant"], ["id"]], [["meta", "id"]], [["dotted.name"]])
        config["primaryKey"] = stream["sourceDefinedPrimaryKey"] or keys[number % 4]
    if number % 7 == 2:
        config["fieldSelectionEnabled"] = True
        chosen = ("id", "tenant", "updated_at", "email", "dotted.name", "meta")
        config["selectedFields"] = [{"fieldPath": [name]} for name in chosen]
    if number % 7 == 4:
        config["hashedFields"] = [{"fieldPath": ["email"]}]
    if number % 7 == 5:
        config["mappers"] = _mappers(connection, number)
    if number % 13 == 6:
        config["destinationObjectName"] = f"Object {number}"
    return {"stream": stream, "config": config}


def _mappers(connection: int, number: int) -> list[Json]:
    """Of every type, one after the other."""
    hashing = {"targetField": "email", "method": "SHA-512", "fieldNameSuffix": "_digest"}
    aes = {**_AES, "targetField": "note", "key": f"secret-{connection}-{number}-key"}
    every = [
        {"type": "hashing", "mapperConfiguration": hashing},
        {"type": "row-filtering", "mapperConfiguration": {"conditions": {"type": "NOT", "conditions": [_WHERE]}}},
        {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": "email_digest", "newFieldName": "e"}},
        {"type": "field-filtering", "mapperConfiguration": {"targetField": "e"}},
        {"type": "encryption", "mapperConfiguration": aes},
    ]
    return every[: 1 + (connection + number) % 5]
