"""Who manages which fields of an object, as far as an apply has to know it.

Background: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sandbox.plugins.values import Path, Properties

CREATOR: Final = "pulumi-kubernetes"
"""Who creates: a plain create, so that what exists already is refused and not taken over."""

_TAKEN_OVER: Final = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (CREATOR, "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)
"""Whose fields an update takes over, as the official plugin does: the start of the manager's name, and how it wrote.

So `kubectl edit`, `patch`, `label` and `apply` are undone without a conflict, and what they *added* beside what is
declared goes too, once there is an update for another reason. What a controller, Helm or another tool wrote stays
theirs, and changing it is a conflict. A preview takes nothing over: its dry run conflicts with `kubectl edit` unless
the object has never been updated, or force is asked for."""


def taken_over(live: Properties, manager: str) -> list[Properties] | None:
    """The object's managed fields with those that are ours under another name moved to `manager`; None if none are."""
    entries: list[Properties] = live["metadata"].get("managedFields", [])
    moved = [entry for entry in entries if _is_ours(entry)]
    if not moved:
        return None
    kept = [entry for entry in entries if not _is_ours(entry)]
    mine = next((entry for entry in kept if entry["manager"] == manager and entry["operation"] == "Apply"), None)
    if mine is None:
        mine = {**moved[0], "manager": manager, "operation": "Apply", "fieldsV1": {}}
        kept.append(mine)
    for entry in moved:
        mine["fieldsV1"] = _union(mine["fieldsV1"], entry["fieldsV1"])
    return kept


def _is_ours(entry: Properties) -> bool:
    return not entry.get("subresource") and any(
        entry["manager"].startswith(name) and entry["operation"] == operation for name, operation in _TAKEN_OVER
    )


def _union(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    union = dict(one)
    for key, inner in other.items():
        union[key] = _union(union[key], inner) if key in union else inner
    return union


def created_by_us(live: Properties) -> bool:
    """Whether fields are still held by the create, or by nobody, so that an apply would conflict with ourselves."""
    entries: Sequence[Properties] = live["metadata"].get("managedFields", [])
    return not entries or any(entry["manager"] == CREATOR and entry["operation"] == "Update" for entry in entries)


def is_anothers(live: Properties, path: Path, manager: str) -> bool:
    """Whether somebody else manages the field at `path`, and we do not."""
    owners = {
        entry["manager"]
        for entry in live["metadata"].get("managedFields", [])
        if _holds(entry.get("fieldsV1", {}), path)
    }
    return bool(owners) and not owners & {manager, CREATOR}


def _holds(fields: dict[str, Any], path: Path) -> bool:
    if not path:
        return True
    inner = fields.get(f"f:{path[0]}")
    return isinstance(inner, dict) and _holds(inner, path[1:])
