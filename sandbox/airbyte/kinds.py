"""The two kinds of actors, and what the API calls their parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ActorKind:
    """How paths and fields name a source or a destination."""

    name: str
    stored_as: str

    @property
    def plural(self) -> str:
        """The collection: ``sources``."""
        return f"{self.name}s"

    @property
    def id_key(self) -> str:
        """The field of the actor's id: ``sourceId``."""
        return f"{self.name}Id"

    @property
    def definition_key(self) -> str:
        """The field of the definition's id: ``sourceDefinitionId``."""
        return f"{self.name}DefinitionId"

    @property
    def definition_name_key(self) -> str:
        """The field of a read that has the *definition's* name: ``sourceName``."""
        return f"{self.name}Name"


SOURCE = ActorKind("source", "SOURCE_CONNECTION")
DESTINATION = ActorKind("destination", "DESTINATION_CONNECTION")
KINDS = {kind.name: kind for kind in (SOURCE, DESTINATION)}
