"""An actor's configuration, declared and live: what to send, what came back, what differs.

The server masks secrets, and may hold fields the program never declared (defaults it filled in, or what somebody
set by hand). Neither may show as a difference that isn't one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dynamic_providers.airbyte import secrets, spec
from dynamic_providers.airbyte.models import Specification
from dynamic_providers.airbyte.secrets import MASK
from dynamic_providers.airbyte.values import plain

Config = dict[str, Any]


@dataclass(frozen=True)
class LiveConfig:
    """A live configuration in the program's terms."""

    declared: Config
    """Comparable with what the program declares: secrets filled in from it, undeclared extras left out."""
    extras: dict[str, Any]
    """What the server holds beyond that, by dotted path."""


def problems(config: Config, specification: Specification, secret_paths: Iterable[str]) -> list[str]:
    """Why this configuration may not be sent: it breaks the spec, or has a secret not marked as one."""
    schema = specification.connection_specification
    marked = set(secret_paths)
    unmarked = [
        path
        for path in secrets.leaves(config, secrets.spec_paths(schema))
        if path not in marked and not secrets.is_coordinate(secrets.get(config, path))
    ]
    return spec.problems(config, schema) + [
        f"{path} is a secret to this connector, but the program does not treat it as one, so it would be stored "
        f"in plain text: make it a secret output and name it in secret_paths"
        for path in unmarked
        if not _inside(path, marked)
    ]


def live(read: Mapping[str, Any], state: Config, tolerated: Mapping[str, Any]) -> LiveConfig:
    """What the server shows, in the program's terms.

    `state` is what was last declared, `tolerated` the extras that were there after the last write: those, and
    ones that went away since, are no drift; new or changed ones are, and stay in `declared`.
    """
    shown = plain(secrets.unmasked(dict(read), state))
    extras = dict(_extras(shown, state, ""))
    drift = {path: value for path, value in extras.items() if path not in tolerated or tolerated[path] != value}
    kept = _without(shown, set(extras) - set(drift), "")
    return LiveConfig(kept, extras)


def differences(read: Mapping[str, Any], declared: Config, schema: Mapping[str, Any]) -> list[str]:
    """The fields in which an existing object's configuration is not what the program declares; secrets aside.

    An undeclared field counts only if it has another value than the spec's default for it.
    """
    shown = plain(secrets.unmasked(dict(read), declared))
    extras = dict(_extras(shown, declared, ""))
    meaningless = {
        path for path, value in extras.items() if not spec.knows(schema, path) or value in spec.default_at(schema, path)
    }
    return sorted(_differing(_without(shown, meaningless, ""), declared, ""))


def to_send(
    news: Config,
    olds: Config,
    read: Mapping[str, Any] | None,
    secret_paths: Iterable[str],
    schema: Mapping[str, Any],
) -> Config:
    """The full configuration of an update: real values for changed secrets, masks for the others.

    A mask keeps the secret's version in the server's store, but works only where the server has a secret at that
    very path, outside arrays, and where the mask itself passes the spec; elsewhere the real value goes.
    """
    unchanged = {
        path: MASK
        for path in secrets.leaves(news, secret_paths)
        if not secrets.in_array(path)
        and secrets.get(read, path) == MASK
        and secrets.get(olds, path) == secrets.get(news, path)
    }
    masked = secrets.replaced(news, unchanged)
    return masked if not spec.problems(masked, schema) else news


def same(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether two configurations are alike, numbers compared as numbers."""
    return bool(plain(olds) == plain(news))


def _extras(shown: Any, declared: Any, prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in shown.items():
        path = f"{prefix}.{key}" if prefix else key
        if key not in declared:
            yield path, value
        elif isinstance(value, dict) and isinstance(declared[key], dict):
            yield from _extras(value, declared[key], path)


def _without(shown: Config, paths: set[str], prefix: str) -> Config:
    result: Config = {}
    for key, value in shown.items():
        path = f"{prefix}.{key}" if prefix else key
        if path not in paths:
            result[key] = _without(value, paths, path) if isinstance(value, dict) else value
    return result


def _differing(left: Mapping[str, Any], right: Mapping[str, Any], prefix: str) -> Iterable[str]:
    for key in {*left, *right}:
        path = f"{prefix}.{key}" if prefix else key
        one, other = left.get(key), right.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differing(one, other, path)
        elif one != other:
            yield path


def _inside(path: str, marked: set[str]) -> bool:
    """Whether a whole object that holds the path is marked."""
    parts = path.split(".")
    return any(".".join(parts[:length]) in marked for length in range(1, len(parts)))
