"""Connector versions that nobody should run: withdrawn, rolled back or called broken by those who make them.

The list is data, in ``known_bad.yaml`` beside this module: facts with their public sources, exact versions only::

    - connector: source-mongodb-v2       # as the image is named
      versions: ["1.5.18"]
      reason: its makers call it bugged. # ends a sentence that starts with "source-mongodb-v2 1.5.18:"
      sources: [https://github.com/…]    # at least one statement of a maintainer
"""

from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from ruamel.yaml import YAML

from dynamic_providers.airbyte.errors import AirbyteError

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class KnownBadVersionError(AirbyteError):
    """A connector version that is known not to do its work."""


class KnownBad(BaseModel):
    """Versions of one connector that share a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connector: Annotated[str, StringConstraints(pattern=r"^(source|destination)-[a-z0-9-]+$")]
    versions: Annotated[tuple[_Text, ...], Field(min_length=1)]
    reason: _Text
    sources: Annotated[tuple[Annotated[str, StringConstraints(pattern=r"^https://")], ...], Field(min_length=1)]


def find(connector: str, version: str) -> KnownBad | None:
    """What is known against a version of a connector; ``airbyte/source-postgres`` means ``source-postgres``."""
    return _by_version().get((connector.removeprefix("airbyte/"), version))


def reason(connector: str, version: str) -> str | None:
    """Why a version should not run, with where that is said; None where nothing is known against it."""
    found = find(connector, version)
    return f"{found.reason} See {' and '.join(found.sources)}" if found else None


def refuse(connector: str, version: str, origin: str | None = None) -> None:
    """Raise KnownBadVersionError for a version on the list; `origin` is the file and line that asks for it."""
    why = reason(connector, version)
    if why is not None:
        raise KnownBadVersionError(
            f"{connector} {version} is known to be bad",
            origin=origin,
            why=why,
            fix="Pin another version; `airbyte-cli connectors upgrade` moves a pin.",
        )


def entries() -> tuple[KnownBad, ...]:
    """The whole list, in the file's order."""
    text = resources.files(__package__).joinpath("known_bad.yaml").read_text("utf-8")
    return TypeAdapter(tuple[KnownBad, ...]).validate_python(YAML(typ="safe").load(text))


@cache
def _by_version() -> dict[tuple[str, str], KnownBad]:
    return {(entry.connector, version): entry for entry in entries() for version in entry.versions}
