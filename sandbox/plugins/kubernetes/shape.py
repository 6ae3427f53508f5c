"""What of a live object is ours to compare, and in what it differs from what is declared.

An API server adds much to what it is given: defaults, status, what controllers and other people set. As in the official
plugin, a live object is first cut to the shape of what was declared, and only then compared:

- of a map, the declared keys count; one that somebody adds (a quota's further ``hard`` entry) is not ours, nor seen;
- of a list, the declared *positions* count. A changed, removed or inserted element is seen; one appended behind the
  declared ones is not, even where the API server takes the list as one value (a NetworkPolicy's rules).

The second is a blind spot for whoever relies on a refresh to notice a weakened policy. It is kept, because a sandbox
that sees more than production does would hide it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from sandbox.plugins.values import UNKNOWN, Path, Properties, Value

ChangeKind = Literal["ADD", "DELETE", "UPDATE"]

_QUANTITIES: Final = frozenset(
    {"limits", "requests", "hard", "max", "min", "default", "defaultRequest", "maxLimitRequestRatio", "capacity"}
)
"""Maps of quantities: ``0.5`` and ``500m`` say the same, and the server answers in its own spelling."""

_SUFFIXES: Final = {
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
}

_STRING_MAPS: Final = _QUANTITIES | {
    "annotations",
    "labels",
    "matchLabels",
    "nodeSelector",
    "data",
    "binaryData",
    "stringData",
    "parameters",
}
_PLAIN_SCALARS: Final = frozenset(
    {
        "globalDefault",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "initialDelaySeconds",
        "minReadySeconds",
        "publishNotReadyAddresses",
        "readOnly",
        "stdin",
        "stdinOnce",
        "tty",
    }
)
"""Fields whose zero value the API server leaves out of its answers; a pointer's (``runAsNonRoot: false``) it keeps."""


@dataclass(frozen=True)
class Difference:
    """One place in which what is wanted differs from what is there."""

    path: Path
    kind: ChangeKind
    was: Value
    will_be: Value


def pruned(live: Value, declared: Value, path: Path = (), *, literally: bool = False) -> Value:
    """`live` cut to the shape of `declared`, in the declared spelling where both mean the same.

    :param literally: every spelling means something else, as in the values of a Helm release.
    """
    if isinstance(live, dict) and isinstance(declared, dict):
        return {
            key: pruned(live[key], wanted, (*path, key), literally=literally) if key in live else wanted
            for key, wanted in declared.items()
            if key in live or (not literally and left_out((*path, key), wanted))
        }
    if isinstance(live, list) and isinstance(declared, list):
        pairs = enumerate(zip(live, declared, strict=False))
        return [pruned(ours, wanted, (*path, index), literally=literally) for index, (ours, wanted) in pairs]
    return declared if not literally and same(path, live, declared) else live


def differences(old: Value, new: Value, path: Path = (), *, literally: bool = False) -> Iterator[Difference]:
    """Place by place, how `new` differs from `old`. What is not known yet counts as a difference."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _member(old, new, (*path, key), literally=literally)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _element(old, new, index, (*path, index), literally=literally)
    elif new is UNKNOWN or not (_equal(old, new) if literally else same(path, old, new)):
        yield Difference(path, "UPDATE", old, new)


def _member(old: Properties, new: Properties, path: Path, *, literally: bool) -> Iterator[Difference]:
    was, will_be = old.get(str(path[-1])), new.get(str(path[-1]))
    if was is not None and will_be is not None:
        yield from differences(was, will_be, path, literally=literally)
    elif not (was is None and will_be is None) and (
        literally or not left_out(path, was if will_be is None else will_be)
    ):
        yield Difference(path, "DELETE" if will_be is None else "ADD", was, will_be)


def _element(old: list[Value], new: list[Value], index: int, path: Path, *, literally: bool) -> Iterator[Difference]:
    if index >= len(new):
        yield Difference(path, "DELETE", old[index], None)
    elif index >= len(old):
        yield Difference(path, "ADD", None, new[index])
    else:
        yield from differences(old[index], new[index], path, literally=literally)


def left_out(path: Path, declared: Value) -> bool:
    """Whether an API server answers without a field that is declared so: it says nothing."""
    if declared in (None, "") or declared == []:
        return True
    if declared == {}:
        return path[-1] in _STRING_MAPS
    return path[-1] in _PLAIN_SCALARS and declared in (False, 0)


def same(path: Path, one: Value, other: Value) -> bool:
    """Whether two values at `path` mean the same to an API server."""
    if _equal(one, other):
        return True
    if (len(path) > 1 and path[-2] in _QUANTITIES) or path[-1:] == ("sizeLimit",):
        first, second = quantity(one), quantity(other)
        return first is not None and first == second
    return False


def _equal(one: Value, other: Value) -> bool:
    """Equality in which true is not 1."""
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def quantity(value: Value) -> Decimal | None:
    """The number that a Kubernetes quantity (``500m``, ``1Gi``, ``2``) says; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text, factor = str(value), Decimal(1)
    for suffix, size in _SUFFIXES.items():
        if text.endswith(suffix):
            text, factor = text.removesuffix(suffix), size
            break
    try:
        return Decimal(text) * factor
    except InvalidOperation:
        return None


def without(changes: Collection[Difference], ignored: Collection[Path]) -> list[Difference]:
    """`changes` but for those at or below an ignored path."""
    return [change for change in changes if not any(change.path[: len(path)] == path for path in ignored)]
