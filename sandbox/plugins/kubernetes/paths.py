"""Property paths as the engine writes them: ``metadata.annotations["example.com/a"]``, ``spec.ports[0]``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.plugins.values import Path

_STEP = re.compile(r"""\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\.?([^.\[\]"]+)""")


def written(path: Path) -> str:
    """`path` in the engine's spelling."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif any(character in step for character in '."[]'):
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text


def parsed(text: str) -> Path:
    """The path that `text` spells; raises ValueError when it spells none."""
    path: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise ValueError(f"{text!r} is not a property path")
        index, quoted, plain = step.groups()
        path.append(int(index) if index is not None else quoted.replace('\\"', '"') if quoted is not None else plain)
        position = step.end()
    return tuple(path)


def contains(outer: Path, inner: Path) -> bool:
    """Whether `inner` is at or below `outer`."""
    return inner[: len(outer)] == outer


def outermost(paths: Iterable[Path]) -> frozenset[Path]:
    """`paths` without those that lie below another of them."""
    kept: list[Path] = []
    for path in sorted(paths, key=len):
        if not any(contains(outer, path) for outer in kept):
            kept.append(path)
    return frozenset(kept)
