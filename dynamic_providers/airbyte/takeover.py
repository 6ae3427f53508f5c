"""Finding what an earlier or interrupted create left behind, instead of making it twice."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from dynamic_providers.airbyte.errors import AlreadyExistsError

_Found = TypeVar("_Found")
_LOOKS = 4


def only_one(what: str, ids: Sequence[str], origin: str | None) -> None:
    """Raise AlreadyExistsError, listing the ids, where more than one object could be the one that is meant."""
    if len(ids) > 1:
        raise AlreadyExistsError(
            f"There are {len(ids)} objects that could be {what}: {', '.join(sorted(ids))}; nothing was written",
            origin=origin,
            fix="Airbyte lets names repeat. Delete or rename all but one, then run `pulumi up` again.",
        )


def after_lost_answer(
    forget: Callable[[], None],
    look: Callable[[], _Found | None],
    sleep: Callable[[float], None],
) -> _Found | None:
    """Look a few times for what a create may have made whose answer was lost; None if it does not turn up."""
    for attempt in range(_LOOKS):
        forget()
        found = look()
        if found is not None:
            return found
        if attempt < _LOOKS - 1:
            sleep(0.25 * 2**attempt)
    return None
