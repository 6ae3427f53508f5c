"""The two kinds of actors, which the API treats alike under different names."""

from dataclasses import dataclass
from typing import Any, Final

from dynamic_providers.airbyte import secrets
from dynamic_providers.airbyte.models import Actor, Definition


@dataclass(frozen=True)
class Kind:
    """Source or destination: how its operations and fields are called."""

    name: str

    @property
    def title(self) -> str:
        """For the start of a sentence."""
        return self.name.capitalize()

    @property
    def collection(self) -> str:
        """The first part of its operations, and the key of a list's answer."""
        return f"{self.name}s"

    @property
    def id_field(self) -> str:
        """sourceId or destinationId."""
        return f"{self.name}Id"

    @property
    def definition_field(self) -> str:
        """sourceDefinitionId or destinationDefinitionId."""
        return f"{self.name}DefinitionId"

    @property
    def definitions(self) -> str:
        """The first part of the operations on its definitions."""
        return f"{self.name}_definitions"

    @property
    def specifications(self) -> str:
        """The first part of the operations on its specs."""
        return f"{self.name}_definition_specifications"

    @property
    def name_input(self) -> str:
        """The input that holds its name: source_name or destination_name."""
        return f"{self.name}_name"

    def actor(self, read: dict[str, Any]) -> Actor:
        """An actor of this kind, from the server's answer."""
        ids = {"actorId": read[self.id_field], "definitionId": read[self.definition_field]}
        config = {"connectionConfiguration": secrets.closed(read.get("connectionConfiguration"))}
        return Actor.model_validate({**read, **ids, **config})

    def definition(self, read: dict[str, Any]) -> Definition:
        """A definition of this kind, from the server's answer."""
        return Definition.model_validate({**read, "definitionId": read[self.definition_field]})


SOURCE: Final = Kind("source")
DESTINATION: Final = Kind("destination")


def kind_of(connector: str) -> Kind:
    """The kind of a connector, which its name starts with: source-postgres, destination-snowflake."""
    return DESTINATION if connector.rpartition("/")[2].startswith("destination-") else SOURCE
