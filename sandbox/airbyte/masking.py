"""Secrets inside configurations: where a specification puts them, and how masks replace and restore them.

Pure functions over JSON. A specification marks a secret with the keyword ``airbyte_secret``. A stored secret is a node
``{"_secret": coordinate}``; what a client sees instead is ``MASK``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft7Validator

from sandbox.airbyte.wire import Json

MASK = "**********"
COORDINATE_PREFIX = "secret_coordinate::"
SECRET_KEY = "_secret"  # noqa: S105 - the key of the node, no secret
ANY = "[*]"

Path = tuple[str, ...]
_BRANCHES = ("oneOf", "anyOf", "allOf")


def secret_paths(spec: Json) -> set[Path]:
    """The paths whose schema has the keyword ``airbyte_secret``, whatever its value; ``ANY`` stands for array items.

    Paths of all ``oneOf`` branches are united, so a plain field is masked too when another branch has a secret there.
    """
    return set(_walk(spec, ()))


def _walk(schema: Any, path: Path) -> Iterator[Path]:
    if not isinstance(schema, dict):
        return
    if "airbyte_secret" in schema:
        yield path
    for name, child in schema.get("properties", {}).items():
        yield from _walk(child, (*path, name))
    yield from _walk(schema.get("items"), (*path, ANY))
    for branch in _BRANCHES:
        for child in schema.get(branch, []):
            yield from _walk(child, path)


def replace_at(node: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """Replace, in place, what sits at a path, where it exists; returns the node."""
    if not path:
        return change(node)
    head, rest = path[0], path[1:]
    if head == ANY:
        if isinstance(node, list):
            node[:] = [replace_at(item, rest, change) for item in node]
    elif isinstance(node, dict) and head in node and not is_coordinate(node):
        node[head] = replace_at(node[head], rest, change)
    return node


def mask(configuration: Json, paths: set[Path]) -> Json:
    """A copy with a mask at every secret path that exists."""
    masked = copy.deepcopy(configuration)
    for path in paths:
        replace_at(masked, path, lambda _: MASK)
    return masked


def show_coordinates(configuration: Json, paths: set[Path]) -> Json:
    """A copy with ``secret_coordinate::…`` for stored secrets, and a mask for what is stored literally."""

    def show(node: Any) -> str:
        return f"{COORDINATE_PREFIX}{node[SECRET_KEY]}" if is_coordinate(node) else MASK

    shown = copy.deepcopy(configuration)
    for path in paths:
        replace_at(shown, path, show)
    return shown


def is_coordinate(node: Any) -> bool:
    """Whether a node stands for a stored secret."""
    return isinstance(node, dict) and set(node) == {SECRET_KEY}


def restore_masks(stored: Json, update: Json, spec: Json) -> Json:
    """A copy of a full update in which masks are replaced by what is stored at the same place.

    As Airbyte does it: only where the schema says ``airbyte_secret: true``, into nested objects and into those branches
    of a ``oneOf`` that the new value fulfils, and never into arrays.
    """
    restored = copy.deepcopy(update)
    _restore(stored, restored, spec)
    return restored


def _restore(stored: Any, new: Any, schema: Json) -> None:
    if not isinstance(stored, dict) or not isinstance(new, dict):
        return
    for name, child in schema.get("properties", {}).items():
        if name not in stored or name not in new:
            continue
        if child.get("airbyte_secret") is True:
            if new[name] == MASK:
                new[name] = copy.deepcopy(stored[name])
            continue
        _restore(stored[name], new[name], child)
        for branch in child.get("oneOf", []):
            if Draft7Validator(branch).is_valid(new[name]):
                _restore(stored[name], new[name], branch)


def merge(stored: Any, patch: Any) -> Any:
    """The deep merge of a partial update, which knows nothing of masks.

    Keys cannot be removed, an object is not replaced by a scalar, arrays are replaced whole.
    """
    if not isinstance(stored, dict):
        return copy.deepcopy(patch)
    if not isinstance(patch, dict):
        return stored
    merged = dict(stored)
    for name, value in patch.items():
        held = merged.get(name)
        merged[name] = merge(held, value) if isinstance(held, dict) and not is_coordinate(held) else value
    return copy.deepcopy(merged)


def with_placeholders(configuration: Any) -> Any:
    """A copy with text in place of stored secrets, so that it can be validated against the specification."""
    if is_coordinate(configuration):
        return MASK
    if isinstance(configuration, dict):
        return {name: with_placeholders(value) for name, value in configuration.items()}
    if isinstance(configuration, list):
        return [with_placeholders(item) for item in configuration]
    return configuration
