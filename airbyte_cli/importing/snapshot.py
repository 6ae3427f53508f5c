"""A workspace as it is: everything an import needs, from a few lists and one spec for each connector in use."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dynamic_providers.airbyte import versions
from dynamic_providers.airbyte.errors import UnauthorizedError, UnknownVersionError
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE, Kind
from dynamic_providers.airbyte.models import Actor, Connection, Definition, Specification
from dynamic_providers.airbyte.session import Session

_OFFICIAL = "airbyte/"


@dataclass(frozen=True)
class Connector:
    """A connector that a source or a destination of the workspace uses."""

    name: str
    """As a pipeline file names it: source-postgres, or acme/source-orders."""
    version: str
    """What the workspace runs."""
    specification: Specification
    obstacle: str = ""
    """Why no pipeline file can name it; empty where one can."""


@dataclass(frozen=True)
class Workspace:
    """Everything by id, in the order of names."""

    workspace_id: str
    actors: Mapping[Kind, Mapping[str, Actor]]
    connections: Mapping[str, Connection]
    connectors: Mapping[str, Connector]
    """By definition id."""
    held: Mapping[str, str]
    """Actors held at a version of their own, which is not the workspace's."""
    specifications: Mapping[str, Specification] = field(default_factory=dict)
    """The specifications of those versions, by actor id."""
    custom: Mapping[str, tuple[Kind, Definition]] = field(default_factory=dict)
    """The connectors of one's own, by definition id."""

    def connector(self, actor: Actor) -> Connector:
        """What an actor is made of, with the specification of the version that it runs."""
        connector = self.connectors[actor.definition_id]
        own = self.specifications.get(actor.actor_id)
        return replace(connector, specification=own) if own else connector


def read(session: Session, workspace_id: str | None = None) -> Workspace:
    """Read a workspace, the instance's default one if none is given; raises ApiError's children."""
    chosen = session.workspace(workspace_id)
    inventory = session.inventory
    actors = {kind: _by_name(inventory.actors(kind, chosen).values()) for kind in (SOURCE, DESTINATION)}
    connectors: dict[str, Connector] = {}
    held: dict[str, str] = {}
    specifications: dict[str, Specification] = {}
    custom: dict[str, tuple[Kind, Definition]] = {}
    for kind, found in actors.items():
        used = {actor.definition_id for actor in found.values()}
        definitions = inventory.definitions(kind, chosen)
        own = sorted((d for d in definitions if d.custom), key=lambda d: (d.name, d.definition_id))
        custom |= {definition.definition_id: (kind, definition) for definition in own}
        images = Counter(definition.docker_repository for definition in definitions)
        for definition in definitions:
            if definition.definition_id in used:
                connectors[definition.definition_id] = _connector(session, kind, definition, chosen, images)
        for actor in found.values():
            pin = versions.actor_pin(session, actor.definition_id, actor.actor_id)
            tag = pin.value_name if pin else None
            if tag and actor.definition_id in connectors and tag != connectors[actor.definition_id].version:
                held[actor.actor_id] = tag
                specifications[actor.actor_id] = inventory.specification(
                    kind, actor.definition_id, chosen, actor.actor_id
                )
    connections = sorted(inventory.connections(chosen).values(), key=lambda c: (c.name, c.connection_id))
    return Workspace(
        chosen, actors, {c.connection_id: c for c in connections}, connectors, held, specifications, custom
    )


def _by_name(actors: Iterable[Actor]) -> dict[str, Actor]:
    return {actor.actor_id: actor for actor in sorted(actors, key=lambda a: (a.name, a.actor_id))}


def _connector(
    session: Session, kind: Kind, definition: Definition, workspace_id: str, images: Counter[str]
) -> Connector:
    repository, tag = definition.docker_repository, definition.docker_image_tag
    obstacle = ""
    if images[repository] > 1:
        obstacle = f"{images[repository]} connectors share the image {repository}, so its name does not say which"
    elif not repository.rpartition("/")[2].startswith(f"{kind.name}-"):
        obstacle = f"its image {repository} is not named {kind.name}-…"
    else:
        try:
            versions.resolve(session, definition, kind, tag)
        except UnknownVersionError:
            obstacle = f"the server can't find its version {tag}, which it runs, so nothing could pin it"
        except UnauthorizedError:
            pass  # what runs exists; only an instance admin may have it looked up
    specification = session.inventory.specification(kind, definition.definition_id, workspace_id)
    return Connector(repository.removeprefix(_OFFICIAL), tag, specification, obstacle)
