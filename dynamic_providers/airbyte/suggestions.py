"""Did you mean: the nearest of the names that would have been right."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """A sentence that offers the closest names; all of them where they are few; empty where nothing is near."""
    names = sorted(known)
    close = get_close_matches(name, names, n=count, cutoff=0.6)
    if not close:
        wanted = name.casefold()
        close = [n for n in names if wanted in n.casefold() or n.casefold() in wanted][:count]
    if close:
        return f"Did you mean {_listed(close)}?"
    return f"Known: {', '.join(names)}." if 0 < len(names) <= 20 else ""


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
