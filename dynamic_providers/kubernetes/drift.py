"""How a live object deviates from what was released: fields that differ, and fields that somebody added.

The API server itself compares. A dry run of applying the released object gives the live one with the released fields
put right, whatever spelling of a quantity or order of a list there was, so what differs between the two is drift.
What was added beside the released fields shows in the record that the server keeps of who set which field
(https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dynamic_providers.kubernetes.releases import Object

FIELD_MANAGER: Final = "airbyte-as-code"
"""Who puts fields back, in the server's record."""

_INSTALLERS: Final = frozenset({FIELD_MANAGER, "helm", "Helm", "pulumi-resource-kubernetes"})
"""Whose fields are the release's: Helm's, who goes by the name of its program, and inside Pulumi's provider by that."""
_CONTROLLERS: Final = frozenset({"kube-controller-manager", "kube-scheduler"})
"""The cluster's own, whose work the fields below are."""
_SERVER_MADE: Final = ("status", "metadata")
"""What is nobody's declaration; labels and annotations are compared where they are released."""
_RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` adds, which is how rotated credentials are taken up."""
_SENSITIVE: Final = re.compile(r"password|passwd|secret|token|credential|private|(^|[_\-\]\[.])key", re.IGNORECASE)
_HIDDEN: Final = "(hidden)"
_LONGEST: Final = 200
_ABSENT: Final = object()

Step = str | int
"""A key of a map or an index into a list."""


@dataclass(frozen=True)
class Deviation:
    """One field that is not as released."""

    path: tuple[Step, ...]
    """Where it is in the live object."""
    label: str
    """Where it is, for people: ``spec.template.spec.containers[server].image``."""
    text: str
    """What it is and what it should be, without secrets."""
    added: Any = None
    """The live value, where the release does not have the field at all."""


def deviations(released: Object, live: Object, applied: Object) -> list[Deviation]:
    """Every field of `live` that is not as `released`; `applied` is the dry run's answer."""
    hide = live.get("kind") == "Secret"
    differing = list(_compare(_comparable(applied), _comparable(live), (), "", hide))
    return [*differing, *_additions(released, live, hide)]


def overlaid(declared: Any, spelled: Any, live: Any) -> Any:
    """The live value with what was declared put right, `spelled` as the server spells it."""
    if isinstance(declared, Mapping) and isinstance(spelled, Mapping) and isinstance(live, Mapping):
        inner = {key: overlaid(value, spelled.get(key), live.get(key)) for key, value in declared.items()}
        return {**live, **inner}
    if isinstance(declared, list) and isinstance(spelled, list) and isinstance(live, list):
        names, there = _names(declared), _names(live)
        if names is not None and there is not None:
            wanted = {name: (declared[i], spelled[i]) for i, name in enumerate(names)}
            kept = [overlaid(*wanted[name], live[i]) if name in wanted else live[i] for i, name in enumerate(there)]
            return [*kept, *(wanted[name][1] for name in names if name not in there)]
    return spelled


def _comparable(live: Object) -> Object:
    metadata = live.get("metadata") or {}
    kept = {key: metadata.get(key) or {} for key in ("labels", "annotations")}
    return {**{key: value for key, value in live.items() if key not in _SERVER_MADE}, "metadata": kept}


def _compare(applied: Any, live: Any, path: tuple[Step, ...], label: str, hide: bool) -> Iterator[Deviation]:
    if applied == live:
        return
    if isinstance(applied, Mapping) and isinstance(live, Mapping):
        for key in sorted({*applied, *live}):
            name = f"{label}.{key}" if label else str(key)
            yield from _compare(
                applied.get(key, _ABSENT), live.get(key, _ABSENT), (*path, key), name, hide or _sensitive(live)
            )
    elif isinstance(applied, list) and isinstance(live, list) and (pairs := _paired(applied, live)):
        for name, index, one, other in pairs:
            yield from _compare(one, other, (*path, index), f"{label}[{name}]", hide)
    elif isinstance(applied, list) and isinstance(live, list) and (items := _only_in_one(applied, live)):
        for index, one, other in items:
            yield _deviation(one, other, (*path, index), f"{label}[{index}]", hide)
    else:
        yield _deviation(applied, live, path, label, hide)


def _deviation(applied: Any, live: Any, path: tuple[Step, ...], label: str, hide: bool) -> Deviation:
    secret = hide or bool(_SENSITIVE.search(label))
    return Deviation(path, label, f"{_shown(live, secret)}, released as {_shown(applied, secret)}")


def _sensitive(item: Any) -> bool:
    """Whether an item of a list, such as an environment variable, is named like a secret."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return isinstance(name, str) and bool(_SENSITIVE.search(name)) and "value" in item


def _paired(applied: list[Any], live: list[Any]) -> list[tuple[str, int, Any, Any]] | None:
    """Items that belong together, by name or else position, with the live one's index; None where that is unclear."""
    names = [_names(items) for items in (applied, live)]
    if all(found is not None for found in names):
        left, right = dict(zip(names[0] or [], applied, strict=True)), dict(zip(names[1] or [], live, strict=True))
        order = list(right) + [name for name in left if name not in right]
        return [(name, index, left.get(name, _ABSENT), right.get(name, _ABSENT)) for index, name in enumerate(order)]
    if len(applied) == len(live):
        return [(str(index), index, *both) for index, both in enumerate(zip(applied, live, strict=True))]
    return None


def _only_in_one(applied: list[Any], live: list[Any]) -> list[tuple[int, Any, Any]]:
    """Of lists of different lengths, as a policy's rules: positions of items that the other list does not have."""
    released = {index: item for index, item in enumerate(applied) if item not in live}
    there = {index: item for index, item in enumerate(live) if item not in applied}
    return [(index, released.get(index, _ABSENT), there.get(index, _ABSENT)) for index in sorted({*released, *there})]


def _names(items: list[Any]) -> list[str] | None:
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    known = [name for name in names if isinstance(name, str)]
    return known if len(set(known)) == len(items) else None


def _additions(released: Object, live: Object, hide: bool) -> Iterator[Deviation]:
    for entry in (live.get("metadata") or {}).get("managedFields") or []:
        ours = entry.get("manager") in _INSTALLERS | _CONTROLLERS
        if not ours and entry.get("subresource") != "status":
            fields = {name: sub for name, sub in (entry.get("fieldsV1") or {}).items() if name != "f:metadata"}
            by = f"added by {entry.get('manager')}"
            yield from _owned(fields, released, live, (), "", by, hide)


def _owned(
    fields: Mapping[str, Any], released: Any, live: Any, path: tuple[Step, ...], label: str, by: str, hide: bool
) -> Iterator[Deviation]:
    """The fields in a manager's record that the release does not have.

    A record nests as the object does: ``f:NAME`` is a key of a map, ``k:{…}`` an item of a list by its key, ``.`` says
    that the map or the item is the manager's as such.
    """
    for name, sub in fields.items():
        found = _find(name, released, live)
        if found is None or found[1] == _RESTARTED or (not path and found[1] in _SERVER_MADE):
            continue
        step, shown, mine, there = found
        inner = f"{label}.{shown}" if label and isinstance(step, str) else f"{label}{shown}"
        whole = "." in sub if isinstance(step, int) else sub.keys() <= {"."}
        if mine is _ABSENT and whole:
            secret = hide or bool(_SENSITIVE.search(inner)) or _sensitive(there)
            yield Deviation((*path, step), inner, f"{_shown(there, secret)}, {by}", added=there)
        else:
            yield from _owned(sub, mine, there, (*path, step), inner, by, hide)


def _find(name: str, released: Any, live: Any) -> tuple[Step, str, Any, Any] | None:
    """What an entry of a record stands for: step, label, released value, live value; None where it is not there."""
    kind, _, key = name.partition(":")
    if kind == "f" and isinstance(live, Mapping) and key in live:
        mine = released.get(key, _ABSENT) if isinstance(released, Mapping) else _ABSENT
        return key, key, mine, live[key]
    if kind == "k" and isinstance(live, list):
        wanted = json.loads(key)
        for index, item in enumerate(live):
            if _has(item, wanted):
                items = released if isinstance(released, list) else ()
                mine = next((each for each in items if _has(each, wanted)), _ABSENT)
                return index, f"[{','.join(str(value) for value in wanted.values())}]", mine, item
    return None


def _has(item: Any, wanted: Mapping[str, Any]) -> bool:
    # A port's protocol is part of its key, and TCP where a manifest does not say.
    return isinstance(item, Mapping) and all(
        item.get(key, "TCP" if key == "protocol" else None) == value for key, value in wanted.items()
    )


def _shown(value: Any, secret: bool) -> str:
    if value is _ABSENT:
        return "absent"
    if secret:
        return _HIDDEN
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
