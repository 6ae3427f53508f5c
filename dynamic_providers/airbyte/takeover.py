"""Finding what an earlier or interrupted create left behind, instead of making it twice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dynamic_providers.airbyte import connection_api, streams
from dynamic_providers.airbyte.errors import AlreadyExistsError
from dynamic_providers.airbyte.models import Connection
from dynamic_providers.crud import changed_keys
from dynamic_providers.values import Properties

_Found = TypeVar("_Found")
_LOOKS = 4


def named(what: str, adopt: Any, objects: Mapping[str, _Found], origin: str | None) -> _Found | None:
    """The object whose id `adopt` gives; None where it gives none (True, False or absent).

    Raises AlreadyExistsError where no object has that id.
    """
    if not isinstance(adopt, str):
        return None
    if adopt not in objects:
        raise AlreadyExistsError(
            f"adopt names {adopt} for {what}, and the workspace has no such object; nothing was written",
            origin=origin,
            fix="Correct the id, or remove `adopt` to have a new one made.",
        )
    return objects[adopt]


def only_one(what: str, ids: Sequence[str], origin: str | None) -> None:
    """Raise AlreadyExistsError, listing the ids, where more than one object could be the one that is meant."""
    if len(ids) > 1:
        raise AlreadyExistsError(
            f"There are {len(ids)} objects that could be {what}: {', '.join(sorted(ids))}; nothing was written",
            origin=origin,
            fix="Airbyte lets names repeat. Name the one you mean, as `adopt: <id>`, or delete or rename the others.",
        )


@dataclass(frozen=True)
class Comparison:
    """A live connection beside what is declared for it."""

    live: Properties
    """The live settings, in the program's words where these mean the same."""
    namespaces: dict[str, str]
    """Where in the source each stream is, by its key."""
    differing: tuple[str, ...]
    """The settings that are not as declared; with none, adopting writes nothing."""


def compare(connection: Connection, declared: Properties) -> Comparison:
    """Compare a live connection with inputs in canonical form."""
    entries = connection.streams
    namespaces = {streams.key_of(entry, entries, declared["streams"], {}): entry.namespace for entry in entries}
    files = streams.including_files(entries, declared["streams"], namespaces)
    live = connection_api.from_api(connection, declared, namespaces, files)
    both = [{**side, "streams": streams.comparable(side.get("streams"))} for side in (live, declared)]
    return Comparison(live, namespaces, changed_keys(both[0], both[1], connection_api.MANAGED))


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
