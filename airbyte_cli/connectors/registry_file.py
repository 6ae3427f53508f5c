"""A connector registry in a file, in the format of Airbyte's ``oss_registry.json``.

Airbyte publishes it at https://connectors.airbyte.com/files/registries/v0/oss_registry.json; a copy serves where the
server has no way out, and it alone tells every breaking change. The format, as far as it is read here::

    {"sources": [{"dockerRepository": "airbyte/source-postgres", "dockerImageTag": "3.7.0", "tombstone": false,
                  "releases": {"breakingChanges": {"3.0.0": {"message": "…", "upgradeDeadline": "2023-09-27",
                                                             "migrationDocumentationUrl": "https://…"}}}}],
     "destinations": […]}
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from components.errors import ConfigurationError, Problem

_FIX = "Give a copy of https://connectors.airbyte.com/files/registries/v0/oss_registry.json."


def image(connector: str) -> str:
    """The image of a connector: ``source-postgres`` is one of Airbyte's, ``acme/source-orders`` one of your own."""
    return connector if "/" in connector else f"airbyte/{connector}"


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class RegistryChange(_Model):
    """A breaking change, as registry and server tell it."""

    message: str = ""
    migration_documentation_url: str | None = None
    upgrade_deadline: date | None = None
    deadline_action: str | None = None


class _Releases(_Model):
    breaking_changes: dict[str, RegistryChange] = Field(default_factory=dict)


class Entry(_Model):
    """One connector of the registry."""

    docker_repository: str
    docker_image_tag: str
    tombstone: bool = False
    releases: _Releases | None = None

    @property
    def breaking_changes(self) -> dict[str, RegistryChange]:
        """Its breaking changes by version."""
        return self.releases.breaking_changes if self.releases else {}


@dataclass(frozen=True)
class RegistryFile:
    """A registry that was read."""

    file: Path
    entries: dict[str, Any]
    """By image name; each is checked when it is asked for, so that one odd connector spoils no other."""

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a registry; raises ConfigurationError for what is none."""
        try:
            tree = json.loads(file.read_text(encoding="utf-8"))
            listed = [*tree["sources"], *tree["destinations"]]
            entries = {entry["dockerRepository"]: entry for entry in listed}
        except OSError as error:
            raise ConfigurationError([Problem(str(file), f"can't be read ({error.strerror}).", _FIX)]) from error
        except (ValueError, KeyError, TypeError) as error:
            what = "is no connector registry: it needs the lists `sources` and `destinations`."
            raise ConfigurationError([Problem(str(file), what, _FIX)]) from error
        if not entries:
            raise ConfigurationError([Problem(str(file), "is a registry without connectors.", _FIX)])
        return cls(file, entries)

    def find(self, connector: str) -> Entry | None:
        """A connector that is still offered, by its image's name; raises ConfigurationError for an unusable entry."""
        found = self.entries.get(image(connector))
        if found is None:
            return None
        try:
            entry = Entry.model_validate(found)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
            what = f"describes {connector} in a way that can't be read: {fields}."
            raise ConfigurationError([Problem(str(self.file), what, _FIX)]) from error
        return None if entry.tombstone else entry
