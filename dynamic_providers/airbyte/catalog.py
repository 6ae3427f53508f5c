"""From declared streams and a discovered catalog to the catalog Airbyte is sent, with the rules it does not check.

The Config API takes any sync mode, cursor and key without asking whether the source or the destination can do it;
the next sync then fails, or loads duplicates. So these rules are ours. See
https://docs.airbyte.com/platform/using-airbyte/core-concepts/sync-modes
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynamic_providers.airbyte import mappers
from dynamic_providers.airbyte.errors import InvalidStreamsError
from dynamic_providers.airbyte.models import DiscoveredStream
from dynamic_providers.airbyte.streams import DEDUP_MODES, Stream, Streams, as_paths
from dynamic_providers.airbyte.suggestions import nearest


class StaleCatalogError(InvalidStreamsError):
    """A stream or field is missing: perhaps only from the server's cached discovery."""


@dataclass(frozen=True)
class Plan:
    """What to send, and which of the source's namespaces each declared stream was found in."""

    sync_catalog: dict[str, Any]
    namespaces: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """Where the streams go, as far as the rules ask."""

    destination_sync_modes: tuple[str, ...]
    """Empty where the destination does not say."""
    one_schema: bool
    """Whether all namespaces land in one schema, so that equal names would share a table."""


def plan(
    streams: Streams,
    discovered: list[DiscoveredStream],
    target: Target,
    live: Iterable[DiscoveredStream] = (),
    *,
    files: Collection[str] = (),
    keep_undeclared: bool = False,
) -> Plan:
    """Match, check and configure the streams; raises InvalidStreamsError with all that is wrong.

    `live` is what the connection syncs now: what the server added to a stream is sent back. `files` are the keys of
    the streams for which the server chose to include files.
    """
    live_by_name = {(entry.namespace, entry.name): entry for entry in live}
    problems: list[str] = []
    stale = False
    chosen: dict[str, DiscoveredStream] = {}
    for key, stream in streams.items():
        try:
            chosen[key] = match(key, discovered)
            problems += rules(key, stream, chosen[key], target)
        except StaleCatalogError as error:
            stale = True
            problems.append(str(error))
        except InvalidStreamsError as error:
            problems.append(str(error))
        if key in chosen and _missing_fields(stream, chosen[key]):
            stale = True
    problems += _collisions(chosen, target)
    if problems:
        raise (StaleCatalogError if stale else InvalidStreamsError)(
            " ".join(problem if problem.endswith((".", "?")) else f"{problem}." for problem in problems)
        )
    entries = [
        configured(streams[key], entry, live_by_name.get((entry.namespace, entry.name)), files=key in files)
        for key, entry in chosen.items()
    ]
    if keep_undeclared:
        declared = {(entry.namespace, entry.name) for entry in chosen.values()}
        entries += [
            {"stream": entry.stream, "config": entry.config}
            for name, entry in live_by_name.items()
            if name not in declared
        ]
    return Plan({"streams": entries}, {key: entry.namespace for key, entry in chosen.items()})


def match(key: str, discovered: list[DiscoveredStream]) -> DiscoveredStream:
    """The stream a key means; raises for none (StaleCatalogError, with the nearest names) and for several."""
    by_full = [d for d in discovered if d.namespace and f"{d.namespace}.{d.name}" == key]
    found = by_full or [d for d in discovered if d.name == key]
    if len(found) == 1:
        return found[0]
    if found:
        choices = ", ".join(sorted(f"{d.namespace}.{d.name}" for d in found))
        raise InvalidStreamsError(
            f"Stream {key} exists in several schemas", fix=f"Name one of {choices} by its `namespace`."
        )
    known = {d.name for d in discovered} | {f"{d.namespace}.{d.name}" for d in discovered if d.namespace and "." in key}
    raise StaleCatalogError(
        f"The source has no stream {key}",
        fix=nearest(key, known) or "Check its name, and that the source's user may read it.",
    )


def rules(key: str, stream: Stream, entry: DiscoveredStream, target: Target) -> list[str]:
    """What makes this stream impossible to sync as declared, a sentence or two each."""
    found: list[str] = []
    mode, destination_mode = stream["sync_mode"], stream["destination_sync_mode"]
    if mode not in entry.sync_modes:
        found.append(
            f"Stream {key}: the source can't do sync_mode {mode}, only {', '.join(entry.sync_modes)}."
            + (" A table needs a primary key or a cursor for incremental." if mode == "incremental" else "")
        )
    if mode == "full_refresh" and "incremental" in entry.sync_modes and not stream.get("allow_full_refresh"):
        found.append(
            f"Stream {key}: full_refresh reads the whole table on every run, and the source can do incremental. "
            'Use sync_mode incremental, or say why not: allow_full_refresh: "<reason>".'
        )
    modes = target.destination_sync_modes
    if modes and destination_mode not in modes:
        found.append(
            f"Stream {key}: the destination can't do destination_sync_mode {destination_mode}, only {', '.join(modes)}."
        )
    if mode == "incremental" and not (entry.defines_cursor or _cursor(stream, entry)):
        found.append(
            f"Stream {key}: incremental needs a cursor_field, a column that grows with every change, "
            "such as updated_at."
        )
    declared_key = as_paths(stream.get("primary_key"))
    if entry.source_key and declared_key and declared_key != as_paths(entry.source_key):
        found.append(
            f"Stream {key}: the source defines the primary key {_columns(entry.source_key)}, and another can't be "
            f"set. Remove primary_key, or change the table."
        )
    if destination_mode in DEDUP_MODES and not (declared_key or entry.source_key):
        found.append(
            f"Stream {key}: {destination_mode} needs a primary_key to tell which rows are the same. Name the "
            "columns, or use append."
        )
    found += [
        f"Stream {key}: there is no column {name}. {nearest(name, _columns_of(entry))}".rstrip()
        for name in _missing_fields(stream, entry)
    ]
    selected = set(stream.get("fields") or [])
    needed = {path[0] for path in _key(stream, entry)} | set(stream.get("cursor_field", [])[:1])
    if selected and not entry.defines_cursor:
        needed |= set(_cursor(stream, entry)[:1])
    if selected and not needed - set(entry.default_cursor if entry.defines_cursor else []) <= selected:
        absent = ", ".join(sorted(needed - selected))
        found.append(f"Stream {key}: fields must include {absent}, its key or cursor.")
    return found


def configured(
    stream: Stream, entry: DiscoveredStream, live: DiscoveredStream | None, *, files: bool = False
) -> dict[str, Any]:
    """The stream as it is sent: as discovered, verbatim, with the declared configuration.

    What the source defines itself, cursor or key, goes as the source defines it; what is declared for it is not sent.
    `files` is whether the server chose to include files, back when the stream was new.
    """
    base = dict(live.config if live else entry.config)
    fields = set(stream.get("fields") or [])
    if fields and entry.defines_cursor:
        fields |= set(entry.default_cursor[:1]) & _columns_of(entry)
    config = {
        **base,
        "selected": True,
        "syncMode": stream["sync_mode"],
        "destinationSyncMode": stream["destination_sync_mode"],
        "cursorField": _cursor(stream, entry),
        "primaryKey": _key(stream, entry),
        "fieldSelectionEnabled": bool(fields),
        "selectedFields": [{"fieldPath": [name]} for name in sorted(fields)],
        "mappers": mappers.to_api(stream.get("hash") or [], stream.get("mappers") or [], base.get("mappers") or []),
    }
    optional = {
        "destinationObjectName": stream.get("destination_object_name"),
        "includeFiles": _include_files(stream, base, is_new=live is None, by_default=files),
    }
    # The streams are replaced as a whole, so what is left out is gone.
    for name, value in optional.items():
        config.pop(name, None)
        config |= {name: value} if value is not None else {}
    config.pop("hashedFields", None)  # derived from the mappers
    return {"stream": entry.stream, "config": config}


def _include_files(stream: Stream, base: Mapping[str, Any], *, is_new: bool, by_default: bool) -> bool | None:
    """Whether files are loaded; None leaves it to the server."""
    declared: bool | None = stream.get("include_files")
    if declared is not None:
        return declared
    found: bool | None = base.get("includeFiles")
    return found if is_new or (found is None and not by_default) else by_default


def _cursor(stream: Stream, entry: DiscoveredStream) -> list[str]:
    if entry.defines_cursor:
        return entry.default_cursor
    return list(stream.get("cursor_field") or (entry.default_cursor if stream["sync_mode"] == "incremental" else []))


def _key(stream: Stream, entry: DiscoveredStream) -> list[list[str]]:
    return entry.source_key or as_paths(stream.get("primary_key"))


def _missing_fields(stream: Stream, entry: DiscoveredStream) -> list[str]:
    """Columns the stream names that the source does not have, where the source says which it has."""
    known = _columns_of(entry)
    if not known:
        return []
    named = set(stream.get("fields", []))
    named |= mappers.missing_fields(stream.get("hash", []), stream.get("mappers", []), known)
    named |= {path[0] for path in stream.get("primary_key", [])}
    if not entry.defines_cursor:
        named |= set(stream.get("cursor_field", [])[:1])
    return sorted(named - known)


def _columns_of(entry: DiscoveredStream) -> set[str]:
    return set(entry.schema_.get("properties") or {})


def _collisions(chosen: Mapping[str, DiscoveredStream], target: Target) -> list[str]:
    if not target.one_schema:
        return []
    by_name: dict[str, list[str]] = {}
    for key, entry in chosen.items():
        by_name.setdefault(entry.name.casefold(), []).append(key)
    return [
        f"Streams {' and '.join(sorted(keys))} would load into one table, since all land in one schema. "
        "Set namespace: source, or give each schema a connection with its own prefix."
        for keys in by_name.values()
        if len(keys) > 1
    ]


def _columns(key: list[list[str]]) -> str:
    return ", ".join(".".join(path) for path in key)
