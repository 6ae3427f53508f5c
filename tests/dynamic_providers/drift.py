"""What a refresh shows, by path."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Life


def differing(before: Any, now: Any, path: str = "") -> set[str]:
    """The paths at which two property values differ; a list is one value."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return set() if before == now else {path}
    return {
        found
        for key in {*before, *now}
        for found in differing(before.get(key), now.get(key), f"{path}.{key}" if path else key)
    }


def seen(life: Life) -> set[str]:
    """The paths of inputs that a refresh shows as changed; it is not kept, so the next one starts from the same."""
    live = life.resource().read(life.id, copy.deepcopy(life.outputs))
    assert live is not None
    return differing(life.inputs, live.inputs)
