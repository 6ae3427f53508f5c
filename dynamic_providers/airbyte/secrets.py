"""Secret leaves of a configuration: where they are, their masks, and fingerprints to show instead of them.

A path is dotted: ``password``, ``credentials.private_key``, ``tunnels.0.key`` (a number is a place in an array).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator

from dynamic_providers.fingerprint import fingerprint
from dynamic_providers.values import UNKNOWN, contains_unknown

MASK = "**********"
"""What the server shows instead of any secret, and takes on an update for "the one you have"."""
COORDINATE_PREFIX = "secret_coordinate::"
"""Start of a reference into the platform's own secret manager: no secret, so it may be shown and compared."""

CHANGED_OUTSIDE = "changed outside"
"""Shown instead of a fingerprint where the server's secret is no longer the one that the program wrote."""

STORED = "_secret"
"""Key of the node that the server stores in place of a secret; its value is the coordinate."""
_STORED = frozenset({STORED, "_secret_reference_id"})

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
    """What the server shows, with the state's value for every mask that the state has a value for.

    A mask in the state stays one, even if the server, at another version of the connector, now shows what is there.
    """
    if live == MASK:
        return MASK if state is None else state
    if state == MASK and live is not None:
        return MASK
    if isinstance(live, Mapping):
        known = state if isinstance(state, Mapping) else {}
        return {key: unmasked(value, known.get(key)) for key, value in live.items()}
    if isinstance(live, list):
        known_items = state if isinstance(state, list) and len(state) == len(live) else [None] * len(live)
        return [unmasked(value, item) for value, item in zip(live, known_items, strict=True)]
    return live


def closed(config: Any) -> Any:
    """A live configuration with a mask for every node that only says where a secret is kept.

    Such a node, as ``{"_secret": "airbyte_workspace_…_v1"}``, is what the server shows of a secret it stored while the
    connector's spec called it one, once the version it runs no longer does.
    """
    if isinstance(config, Mapping):
        if config and set(config) <= _STORED:
            return MASK
        return {key: closed(item) for key, item in config.items()}
    return [closed(item) for item in config] if isinstance(config, list) else config


def masked(value: Any) -> bool:
    """Whether a value is a mask or has one inside."""
    if isinstance(value, Mapping):
        return any(masked(item) for item in value.values())
    return any(masked(item) for item in value) if isinstance(value, list) else bool(value == MASK)


def masks(config: Any, path: str = "") -> list[str]:
    """The paths at which a configuration holds a mask."""
    return [found for found, value in scalars(config, path) if value == MASK]


def scalars(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path."""
    children: Iterable[tuple[Any, Any]]
    if isinstance(value, Mapping):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        yield path, value
        return
    for key, item in children:
        yield from scalars(item, f"{path}.{key}" if path else str(key))


def texts(value: Any) -> list[str]:
    """A secret's texts, to keep them out of messages: a secret may be a number, or an object with several."""
    return [str(item) for _, item in scalars(value) if isinstance(item, str | int) and not isinstance(item, bool)]


def restored(schema: Any, config: Any, path: str) -> bool:
    """Whether the server, given this configuration, puts its own secret in place of a mask at this path.

    It looks where the schema says ``airbyte_secret: true``, inside nested objects, and inside those branches of a
    oneOf that the value sent fulfils, masks included; not into arrays, anyOf or allOf. Elsewhere it would store the
    mask itself. See
    https://github.com/airbytehq/airbyte-platform (``JsonSecretsProcessor.copySecrets``).
    """
    return _restored(schema, config, path.split("."))


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


def anywhere(path: str) -> str:
    """The path with every place in an array open: ``tunnels.0.key`` becomes ``tunnels.*.key``."""
    return ".".join("*" if part.isdigit() else part for part in path.split("."))


def array_of(path: str) -> str | None:
    """The path of the outermost array on the way, or None."""
    parts = path.split(".")
    return next((".".join(parts[:index]) for index, part in enumerate(parts) if part.isdigit()), None)


def _restored(schema: Any, config: Any, parts: list[str]) -> bool:
    name, *rest = parts
    child = (schema.get("properties") or {}).get(name) if isinstance(schema, Mapping) else None
    if not isinstance(child, Mapping) or not isinstance(config, Mapping) or name not in config:
        return False
    if not rest or child.get("airbyte_secret") is True:
        return not rest and child.get("airbyte_secret") is True
    value = config[name]
    return _restored(child, value, rest) or any(
        _restored(branch, value, rest) for branch in child.get("oneOf") or () if Draft7Validator(branch).is_valid(value)
    )


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
