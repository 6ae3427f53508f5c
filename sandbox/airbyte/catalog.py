"""Catalogs: the canonical form of a connection's streams, defaults after a discovery, and differences.

Airbyte stores only selected streams, recomputes some members and believes the client about the rest: neither sync modes
nor cursors nor keys are compared with what the source discovered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from sandbox.airbyte.connectors.base import ConfiguredStream
from sandbox.airbyte.errors import InvalidBodyError, RefusedError, ServerFaultError
from sandbox.airbyte.mappers import canonical_mappers, hashed_fields
from sandbox.airbyte.wire import Json, present

SYNC_MODES = ("full_refresh", "incremental")
DESTINATION_SYNC_MODES = ("append", "overwrite", "append_dedup", "overwrite_dedup", "update", "soft_delete")
MOST_FIELDS = 20_000


def stream_key(namespace: str | None, name: str) -> str:
    """Namespace and name as one text, for keys of stored JSON."""
    return json.dumps([namespace, name])


def split_key(key: str) -> tuple[str | None, str]:
    """The namespace and name of a key."""
    namespace, name = json.loads(key)
    return namespace, name


def key_of(entry: Json) -> str:
    """The key of a stream, of a bare ``AirbyteStream`` or of an entry of a ``syncCatalog``."""
    stream = entry.get("stream", entry)
    return stream_key(stream.get("namespace"), stream["name"])


def canonical_stream(sent: Json) -> Json:
    """An ``AirbyteStream`` as Airbyte answers it: lists present, nulls gone."""
    if not isinstance(sent.get("name"), str):
        raise InvalidBodyError("A stream has no name.")
    stream = {
        "name": sent["name"],
        "jsonSchema": sent.get("jsonSchema") or {},
        "supportedSyncModes": [_choice(mode, SYNC_MODES) for mode in sent.get("supportedSyncModes") or []],
        "sourceDefinedCursor": bool(sent.get("sourceDefinedCursor")),
        "defaultCursorField": sent.get("defaultCursorField") or [],
        "sourceDefinedPrimaryKey": sent.get("sourceDefinedPrimaryKey") or [],
    }
    for optional in ("namespace", "isResumable", "isFileBased"):
        if sent.get(optional) is not None:
            stream[optional] = sent[optional]
    return stream


def canonical_streams(catalog: Json, stored: Iterable[Json] = ()) -> list[Json]:
    """The selected streams of a ``syncCatalog`` in canonical form, in the order given.

    Args:
        catalog: What a client sent.
        stored: The connection's present streams, from which masked mapper keys are taken.

    Raises:
        ServerFaultError: two streams of the same namespace and name.
        RefusedError: 400 for too many fields, 422 for a cursor or key column that is not selected.
        ProblemError: a mapper that does not work.
    """
    entries = [entry for entry in catalog.get("streams") or [] if (entry.get("config") or {}).get("selected") is True]
    keys = [key_of(entry) for entry in entries]
    if len(set(keys)) < len(keys):
        raise ServerFaultError("The catalog has several streams of the same name and namespace")
    if sum(len(_properties(entry["stream"])) for entry in entries) > MOST_FIELDS:
        raise RefusedError(400, f"A connection can have at most {MOST_FIELDS} fields.")
    mappers = {key_of(entry): entry["config"]["mappers"] for entry in stored}
    return [_canonical_entry(entry, mappers.get(key, [])) for entry, key in zip(entries, keys, strict=True)]


def _canonical_entry(entry: Json, stored_mappers: list[Json]) -> Json:
    stream, sent = canonical_stream(entry["stream"]), entry["config"]
    mappers = canonical_mappers(sent.get("mappers") or [], sent.get("hashedFields") or [], stored_mappers)
    config: Json = {
        "syncMode": _choice(sent.get("syncMode"), SYNC_MODES),
        "cursorField": sent.get("cursorField") or [],
        "destinationSyncMode": _choice(sent.get("destinationSyncMode"), DESTINATION_SYNC_MODES),
        "primaryKey": sent.get("primaryKey") or [],
        "aliasName": re.sub(r"[^A-Za-z0-9_]", "_", stream["name"]),
        "selected": True,
        "suggested": False,
        "fieldSelectionEnabled": bool(sent.get("fieldSelectionEnabled")),
        "selectedFields": [],
        "hashedFields": hashed_fields(mappers),
        "mappers": mappers,
    }
    # Where source and destination can move files, streams of files include them unless the client says no.
    by_default = {"includeFiles": True} if stream.get("isFileBased") else {}
    config |= by_default | present({key: sent.get(key) for key in ("destinationObjectName", "includeFiles")})
    if config["fieldSelectionEnabled"]:
        _select_fields(stream, config, sent.get("selectedFields") or [])
    return {"stream": stream, "config": config}


def _select_fields(stream: Json, config: Json, wanted: list[Json]) -> None:
    """Trim the schema to the selected columns; what reads back as selected follows from the trimmed schema."""
    names = {field["fieldPath"][0] for field in wanted if field.get("fieldPath")}
    if any(len(field.get("fieldPath") or []) > 1 for field in wanted):
        raise RefusedError(422, "Nested field selection is not supported.")
    if config["syncMode"] == "incremental" and config["cursorField"] and config["cursorField"][0] not in names:
        raise RefusedError(422, f"The cursor field of the stream {stream['name']} must be selected.")
    if config["destinationSyncMode"].endswith("_dedup") and not {path[0] for path in config["primaryKey"]} <= names:
        raise RefusedError(422, f"The primary key of the stream {stream['name']} must be selected.")
    kept = {name: schema for name, schema in _properties(stream).items() if name in names}
    stream["jsonSchema"] = {**stream["jsonSchema"], "properties": kept}
    config["selectedFields"] = [{"fieldPath": [name]} for name in kept]


def _properties(stream: Json) -> Json:
    found: Json = (stream.get("jsonSchema") or {}).get("properties") or {}
    return found


def _choice(found: Any, allowed: tuple[str, ...]) -> str:
    if str(found).lower() not in allowed:
        raise InvalidBodyError(f"Unexpected value '{found}', allowed are {', '.join(allowed)}.")
    return str(found).lower()


def with_default_config(stream: Json, *, selected: bool) -> Json:
    """An entry for a discovered stream, with the modes that Airbyte proposes.

    Incremental is proposed only when the *source* defines the cursor.
    """
    modes = stream["supportedSyncModes"]
    if stream["sourceDefinedCursor"] and stream["sourceDefinedPrimaryKey"]:
        sync_mode, destination_mode = "incremental", "append_dedup"
    elif stream["sourceDefinedCursor"] and "full_refresh" not in modes:
        sync_mode, destination_mode = "incremental", "append"
    else:
        sync_mode, destination_mode = "full_refresh", "overwrite"
    sent = {
        "syncMode": sync_mode,
        "destinationSyncMode": destination_mode,
        "cursorField": stream["defaultCursorField"],
        "primaryKey": stream["sourceDefinedPrimaryKey"],
    }
    entry = _canonical_entry({"stream": stream, "config": sent}, [])
    entry["config"]["selected"] = selected
    return entry


def configured(entry: Json, generation: int, minimum_generation: int) -> ConfiguredStream:
    """A stored stream as a connector gets it."""
    stream, config = entry["stream"], entry["config"]
    return ConfiguredStream(
        name=stream["name"],
        namespace=stream.get("namespace"),
        schema=stream["jsonSchema"],
        sync_mode=config["syncMode"],
        destination_sync_mode=config["destinationSyncMode"],
        cursor=stream["defaultCursorField"] if stream["sourceDefinedCursor"] else config["cursorField"],
        primary_key=stream["sourceDefinedPrimaryKey"] or config["primaryKey"],
        generation=generation,
        minimum_generation=minimum_generation,
    )
