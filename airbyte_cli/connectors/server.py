"""What an Airbyte server tells of connector versions.

A report costs up to nine lists, and one call for each group of sources or destinations that must run the same
version: those of a connector that no pin of their own sets apart.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from airbyte_cli.connectors.registry_file import RegistryChange, image
from airbyte_cli.connectors.versions import by_number
from dynamic_providers.airbyte import versions
from dynamic_providers.airbyte.errors import NotFoundError, UnauthorizedError, UnknownConnectorError
from dynamic_providers.airbyte.kinds import Kind, kind_of
from dynamic_providers.airbyte.models import Actor, Definition
from dynamic_providers.airbyte.session import Session


@dataclass(frozen=True)
class Running:
    """A version that really runs in the workspace."""

    version: str
    support_state: str
    """supported, deprecated (a breaking change must be adopted by the deadline) or unsupported (it is past)."""
    support_deadline: date | None
    used_by: tuple[str, ...]
    """Names of the sources or destinations, sorted."""
    upcoming: dict[str, RegistryChange]
    """Breaking changes above the version, up to the instance's default version."""


class Server:
    """One server, seen from one workspace. Any method raises ApiError where the server fails."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tags: dict[str, dict[str, str]] = {}
        self._running: dict[str, tuple[Running, ...]] = {}

    @cached_property
    def workspace_id(self) -> str:
        """The workspace that versions are resolved for."""
        return self._session.workspace()

    def latest(self, connector: str) -> str | None:
        """The newest version in the registry that the server reads; None when it can't tell.

        A server that does not reach its registry answers with an empty list.
        """
        return self._listed(connector, "list_latest")

    def default(self, connector: str) -> str | None:
        """The instance's own version, which runs where nothing is pinned."""
        return self._listed(connector, "list")

    def has(self, connector: str) -> bool:
        """Whether the workspace can use the connector."""
        return self._definition(connector) is not None

    def has_version(self, connector: str, version: str) -> bool | None:
        """Whether the server or its registry knows a version; None where this application may not ask."""
        definition = self._definition(connector)
        if definition is None:
            return False
        body = {
            "actorDefinitionId": definition.definition_id,
            "actorType": kind_of(connector).name,
            "dockerImageTag": version,
        }
        try:
            self._session.client.post("actor_definition_versions/resolve", body)
        except NotFoundError:
            return False
        except UnauthorizedError as error:
            if error.status == 403:
                return None
            raise
        return True

    def running(self, connector: str) -> tuple[Running, ...]:
        """The versions that the workspace's sources or destinations of a connector run, by version."""
        if connector not in self._running:
            self._running[connector] = self._resolve(connector)
        return self._running[connector]

    def _resolve(self, connector: str) -> tuple[Running, ...]:
        definition, kind = self._definition(connector), kind_of(connector)
        if definition is None:
            return ()
        found: dict[str, Running] = {}
        for group in self._groups(kind, definition):
            answer = self._session.client.post(
                f"actor_definition_versions/get_for_{kind.name}", {kind.id_field: group[0].actor_id}
            )
            this = _running(answer, tuple(actor.name for actor in group))
            same = found.get(this.version)
            names = (*same.used_by, *this.used_by) if same else this.used_by
            found[this.version] = Running(
                this.version, this.support_state, this.support_deadline, tuple(sorted(names)), this.upcoming
            )
        return tuple(found[version] for version in sorted(found, key=by_number))

    def _groups(self, kind: Kind, definition: Definition) -> list[list[Actor]]:
        """Actors that must run the same version: all but those with a pin of their own."""
        inventory = self._session.inventory
        every = inventory.actors(kind, self.workspace_id).values()
        actors = sorted((a for a in every if a.definition_id == definition.definition_id), key=lambda a: a.name)
        pins = inventory.pins()
        # No pin in the whole instance may also mean that this application may not see them: then each is asked.
        alone = {pin.scope_id for pin in pins if pin.scope_type == "actor"} if pins else {a.actor_id for a in actors}
        groups: dict[str, list[Actor]] = defaultdict(list)
        for actor in actors:
            groups[actor.actor_id if actor.actor_id in alone else ""].append(actor)
        return list(groups.values())

    def _definition(self, connector: str) -> Definition | None:
        try:
            return versions.find_definition(self._session, connector, self.workspace_id)
        except UnknownConnectorError:
            return None

    def _listed(self, connector: str, listing: str) -> str | None:
        kind = kind_of(connector)
        operation = f"{kind.definitions}/{listing}"
        if operation not in self._tags:
            answer = self._session.client.post(operation).get(f"{kind.name}Definitions", [])
            definitions = [kind.definition(read) for read in answer]
            self._tags[operation] = {d.docker_repository: d.docker_image_tag for d in definitions}
        return self._tags[operation].get(image(connector))


def _running(answer: dict[str, Any], used_by: tuple[str, ...]) -> Running:
    breaking = answer.get("breakingChanges") or {}
    deadline = breaking.get("minUpgradeDeadline")
    return Running(
        version=str(answer["dockerImageTag"]),
        support_state=str(answer.get("supportState", "supported")),
        support_deadline=date.fromisoformat(deadline) if deadline else None,
        used_by=used_by,
        upcoming={
            str(change["version"]): RegistryChange.model_validate(change)
            for change in breaking.get("upcomingBreakingChanges") or []
        },
    )
