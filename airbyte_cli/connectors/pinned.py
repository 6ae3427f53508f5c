"""Which connector versions are pinned, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from components.pipeline_file import Pins, load_pins
from components.pipeline_file.document import Document

_KINDS = ("source", "destination")


@dataclass(frozen=True)
class Place:
    """One pin in one file."""

    connector: str
    version: str
    where: str
    """``connectors.yaml:3: source-postgres`` or ``pipelines/orders.yaml:4: source.version``."""


@dataclass(frozen=True)
class Pinned:
    """All pins of a project."""

    pins: Pins
    """connectors.yaml."""
    in_pipelines: tuple[Place, ...]
    """What pipeline files pin with ``version:``, for their own source or destination."""

    @property
    def places(self) -> list[Place]:
        """Every pin: those of connectors.yaml first."""
        return [*self._listed(), *self.in_pipelines]

    def where(self, connector: str) -> str:
        """The line of connectors.yaml, for messages."""
        return self.pins.document.where((connector,))

    def _listed(self) -> Iterable[Place]:
        for connector, version in self.pins.versions.items():
            yield Place(connector, version, self.where(connector))


def read(pins_file: Path, pipelines: Path) -> Pinned:
    """Read the pins; raises ConfigurationError for a file that can't be read.

    Of pipeline files only `connector` and `version` are looked at: whether the rest is right is for
    `airbyte-cli pipelines validate` to say. A folder that is not there pins nothing.
    """
    files = sorted(file for ending in ("*.yaml", "*.yml") for file in pipelines.glob(ending))
    return Pinned(load_pins(pins_file), tuple(place for file in files for place in _places(Document.read(file))))


def _places(document: Document) -> Iterable[Place]:
    tree = document.plain()
    for kind in _KINDS:
        actor = tree.get(kind) if isinstance(tree, dict) else None
        if isinstance(actor, dict) and isinstance(actor.get("connector"), str) and actor.get("version") is not None:
            yield Place(actor["connector"], str(actor["version"]), document.where((kind, "version")))
