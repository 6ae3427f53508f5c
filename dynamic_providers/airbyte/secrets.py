"""Secret leaves of a configuration: where they are, their masks, and fingerprints to show instead of them.

A path is dotted: ``password``, ``credentials.private_key``, ``tunnels.0.key`` (a number is a place in an array).
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dynamic_providers.airbyte.values import UNKNOWN, contains_unknown

MASK = "**********"
"""What the server shows instead of any secret, and takes on an update for "the one you have"."""
COORDINATE_PREFIX = "secret_coordinate::"
"""Start of a reference into the platform's own secret manager: no secret, so it may be shown and compared."""

_ABSENT = object()


def spec_paths(spec: Mapping[str, Any]) -> set[str]:
    """Paths that a connector's spec marks secret, whatever the branch; ``*`` stands for any place in an array.

    The server goes by the presence of the key ``airbyte_secret``, and unites all branches of oneOf and its kin.
    """
    return {".".join(path) for path in _marked(spec, ())}


def leaves(config: Mapping[str, Any], paths: Iterable[str]) -> list[str]:
    """The paths that exist in this configuration, with ``*`` replaced by the places there are; sorted."""
    return sorted({found for path in paths for found in _expand(config, path.split("."), ())})


def get(config: Any, path: str) -> Any:
    """The value at a path, or None."""
    value = _get(config, path.split("."))
    return None if value is _ABSENT else value


def replaced(config: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the configuration with other values at existing paths."""
    result: dict[str, Any] = _copy(config)
    for path, value in values.items():
        *parents, last = path.split(".")
        holder = _get(result, parents)
        if isinstance(holder, dict) and last in holder:
            holder[last] = value
        elif isinstance(holder, list) and last.isdigit() and int(last) < len(holder):
            holder[int(last)] = value
    return result


def unmasked(live: Any, state: Any) -> Any:
    """What the server shows, with the state's value for every mask that the state has a value for."""
    if live == MASK:
        return MASK if state is None else state
    if isinstance(live, dict):
        known = state if isinstance(state, dict) else {}
        return {key: unmasked(value, known.get(key)) for key, value in live.items()}
    if isinstance(live, list):
        known_items = state if isinstance(state, list) and len(state) == len(live) else [None] * len(live)
        return [unmasked(value, item) for value, item in zip(live, known_items, strict=True)]
    return live


def fingerprint(key: str, value: Any) -> str:
    """Twelve hex digits that change with the secret and tell nothing about it without the key."""
    text = value if isinstance(value, str) else repr(value)
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:12]


def fingerprints(config: Mapping[str, Any], paths: Iterable[str], key: Any) -> dict[str, Any]:
    """A fingerprint for every secret path that has a value; unknown where the value or the key is."""
    result: dict[str, Any] = {}
    for path in leaves(config, paths):
        value = get(config, path)
        unknown = contains_unknown(value) or contains_unknown(key)
        result[path] = UNKNOWN if unknown else fingerprint(str(key), value)
    return result


def is_coordinate(value: Any) -> bool:
    """Whether a value refers to a secret instead of being one."""
    return isinstance(value, str) and value.startswith(COORDINATE_PREFIX)


def in_array(path: str) -> bool:
    """Whether the path leads through an array, where the server does not put secrets back for a mask."""
    return any(part.isdigit() for part in path.split("."))


def _marked(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(schema, Mapping):
        return
    if "airbyte_secret" in schema and path:
        yield path
    for branch in ("oneOf", "anyOf", "allOf"):
        for child in schema.get(branch) or ():
            yield from _marked(child, path)
    for name, child in (schema.get("properties") or {}).items():
        yield from _marked(child, (*path, name))
    if "items" in schema:
        yield from _marked(schema["items"], (*path, "*"))


def _expand(value: Any, rest: list[str], done: tuple[str, ...]) -> Iterator[str]:
    if not rest:
        yield ".".join(done)
    elif rest[0] == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _expand(item, rest[1:], (*done, str(index)))
    else:
        child = _get(value, rest[:1])
        if child is not _ABSENT:
            yield from _expand(child, rest[1:], (*done, rest[0]))


def _get(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _ABSENT
    return value


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
