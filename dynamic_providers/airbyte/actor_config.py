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
from dynamic_providers.values import plain

Config = dict[str, Any]


@dataclass(frozen=True)
class LiveConfig:
    """A live configuration in the program's terms."""

    declared: Config
    """Comparable with what the program declares: secrets filled in from it, undeclared extras left out."""
    extras: dict[str, Any]
    """What the server holds beyond that, by dotted path."""
    changed_secrets: tuple[str, ...] = ()
    """Secret paths at which the server shows that it has something else, without a look into its store."""


def problems(
    config: Config, specification: Specification, secret_paths: Iterable[str], *, other_version: bool = False
) -> list[str]:
    """Why this configuration may not be sent: it breaks the spec, or has a secret not marked as one.

    With `other_version` the spec is not that of the version which the configuration is for, so that a field which it
    does not know is no slip of the pen.
    """
    schema = specification.connection_specification
    marked = set(secret_paths)
    unmarked = [
        path
        for path in secrets.leaves(config, secrets.spec_paths(schema))
        if not secrets.is_coordinate(secrets.get(config, path))
    ]
    objections = spec.violations if other_version else spec.problems
    return objections(config, schema) + [
        f"{path} is a secret to this connector, but the program does not treat it as one, so it would be stored "
        f"in plain text: make it a secret output and name it in secret_paths"
        for path in unmarked
        if not within(path, marked)
    ]


def live(
    read: Mapping[str, Any], state: Config, tolerated: Mapping[str, Any], secret_paths: Iterable[str] = ()
) -> LiveConfig:
    """What the server shows, in the program's terms.

    `state` is what was last declared, `tolerated` the extras that were there after the last write: those, and
    ones that went away since, are no drift; new or changed ones are, and stay in `declared`.

    Which fields the server masks follows the connector's version. So what the program calls a secret is taken from
    `state` even where the server shows it, and what was once masked is never shown.
    """
    marked = list(secret_paths)
    shown = plain(secrets.unmasked(dict(read), state))
    extras = dict(_extras(shown, state, ""))
    if _shows_secrets(read, marked):
        # The spec no longer tells the server what is secret, so nothing new it shows can be taken for plain.
        extras = dict.fromkeys(extras, MASK)
        shown = secrets.replaced(shown, extras)
    drift = {path for path, value in extras.items() if path not in tolerated or not _alike(value, tolerated[path])}
    kept = _without(shown, set(extras) - drift, "")
    hidden = {path: secrets.unmasked(extras[path], tolerated.get(path)) for path in drift}
    return LiveConfig(
        _with_states_secrets(secrets.replaced(kept, hidden), state, marked),
        extras,
        tuple(path for path in secrets.leaves(kept, marked) if _changed(kept, state, path)),
    )


def differences(read: Mapping[str, Any], declared: Config, schema: Mapping[str, Any]) -> list[str]:
    """The fields in which an existing object's configuration is not what the program declares; secrets aside.

    A field that only one of the two has counts only if it has another value than the spec's default for it.
    """
    shown = with_absent(
        plain(secrets.unmasked(dict(read), declared)),
        {path: value for path, value in absent(read, declared).items() if _is_default(schema, path, value)},
    )
    extras = dict(_extras(shown, declared, ""))
    meaningless = {
        path for path, value in extras.items() if not spec.knows(schema, path) or value in spec.default_at(schema, path)
    }
    return sorted(_differing(_without(shown, meaningless, ""), declared, ""))


def absent(read: Mapping[str, Any], declared: Config) -> dict[str, Any]:
    """The declared fields that the server does not hold, by dotted path."""
    return dict(_extras(plain(declared), plain(dict(read)), ""))


def with_absent(config: Config, values: Mapping[str, Any]) -> Config:
    """The configuration with these values where it still lacks them; a path whose parent is gone stays out."""
    result: Config = plain(config)
    for path, value in values.items():
        *parents, last = path.split(".")
        holder: Any = result
        for parent in parents:
            holder = holder.get(parent) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.setdefault(last, value)
    return result


def filled(
    read: Mapping[str, Any], declared: Config, secret_paths: Iterable[str], schema: Mapping[str, Any]
) -> dict[str, Any]:
    """What the server holds beyond what the program declares, by dotted path, secrets in it as masks."""
    extras = live(read, declared, {}, secret_paths).extras
    if not ("properties" in schema or "oneOf" in schema):
        return dict.fromkeys(extras, MASK)  # the server does not know what to mask either
    hidden = dict.fromkeys(secrets.leaves(read, secrets.spec_paths(schema)), MASK)
    masked = secrets.replaced(read, hidden)
    return {path: secrets.unmasked(value, plain(secrets.get(masked, path))) for path, value in extras.items()}


def without_secrets(values: Mapping[str, Any], secret_paths: Iterable[str]) -> dict[str, Any]:
    """The values, by dotted path, less those that are, hold or belong to a secret."""
    marked = list(secret_paths)
    return {
        path: value
        for path, value in values.items()
        if not within(path, marked) and not any(within(secret, [path]) for secret in marked)
    }


def to_send(
    news: Config,
    olds: Config,
    read: Mapping[str, Any] | None,
    secret_paths: Iterable[str],
    schema: Mapping[str, Any],
    push: Iterable[str] = (),
) -> Config:
    """The full configuration of an update: real values for changed secrets and for those in `push`, masks for others.

    A mask keeps the secret's version in the server's store, but works only where the server has a secret at that
    very path, puts it back there, and where the mask itself passes the spec; elsewhere the real value goes.
    """
    marked, pushed = set(secret_paths), set(push)
    unchanged = [
        path
        for path in secrets.masks(read or {})
        if within(path, marked)
        and not within(path, pushed)
        and secrets.leaves(news, [path])
        and secrets.get(olds, path) == secrets.get(news, path)
    ]
    accepted = set(spec.problems(news, schema))

    def works(paths: list[str]) -> bool:
        trial = secrets.replaced(news, dict.fromkeys(paths, MASK))
        restored = all(secrets.restored(schema, trial, path) for path in paths)
        return restored and accepted.issuperset(spec.problems(trial, schema))

    if not works(unchanged):
        one_by_one: list[str] = []
        for path in unchanged:
            if works([*one_by_one, path]):
                one_by_one.append(path)
        unchanged = one_by_one
    return secrets.replaced(news, dict.fromkeys(unchanged, MASK))


def same(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether two configurations are alike, numbers compared as numbers."""
    return bool(plain(olds) == plain(news))


def within(path: str, marked: Iterable[str]) -> bool:
    """Whether a path is marked, or a whole object or array that holds it is."""
    parts = path.split(".")
    return not set(marked).isdisjoint(".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _shows_secrets(read: Mapping[str, Any], marked: list[str]) -> bool:
    """Whether the server masks nothing at all, although it holds what the program calls a secret."""
    return not secrets.masked(dict(read)) and bool(secrets.leaves(read, map(secrets.anywhere, marked)))


def _with_states_secrets(config: Config, state: Config, marked: list[str]) -> Config:
    values = {}
    for path in secrets.leaves(config, {secrets.anywhere(path) for path in marked}):
        known = secrets.get(state, path)
        values[path] = MASK if known is None else known
    return secrets.replaced(config, values)


def _changed(live_config: Config, state: Config, path: str) -> bool:
    """Whether a secret is another one, as far as can be seen; a list with secrets counts as one thing."""
    place = secrets.array_of(path) or path
    return bool(secrets.get(live_config, place) != secrets.get(state, place))


def _alike(value: Any, known: Any) -> bool:
    """Whether two values are equal where neither is masked."""
    return bool(secrets.unmasked(value, known) == known)


def _is_default(schema: Mapping[str, Any], path: str, value: Any) -> bool:
    """Whether leaving the field out comes to the same; a switch without a default is off."""
    defaults = spec.default_at(schema, path)
    return value in defaults if defaults else value is False


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
