"""Connector definitions and versions: which version an actor runs, pins, breaking changes.

A version is fixed by a pin (a scoped configuration of the key ``connector_version``), the narrowest scope first: actor,
workspace, organization; without one the definition's default counts. The resolved version decides the specification,
and with it validation and masks.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sandbox.airbyte import declarative
from sandbox.airbyte.entities import Actor, Definition, Pin, new_id, now
from sandbox.airbyte.errors import NotFoundError, ServerFaultError
from sandbox.airbyte.kinds import ActorKind
from sandbox.airbyte.masking import Path, secret_paths
from sandbox.airbyte.registry import Connector, Registry, semver
from sandbox.airbyte.store import Store
from sandbox.airbyte.wire import NIL_UUID, Json

VERSION_KEY = "connector_version"
RESOURCE_TYPE = "actor_definition"
SCOPES = ("actor", "workspace", "organization")

_VERSION_NAMESPACE = uuid.UUID("1f0e2a0c-6d5b-4c1e-8a6e-2b7f5b0f9d3a")


@dataclass(frozen=True)
class Version:
    """A definition's version as resolved for a scope.

    Attributes:
        pin: What fixed it; None when it is the definition's default.
    """

    definition: Definition
    connector: Connector | None
    tag: str
    pin: Pin | None = None

    @property
    def id(self) -> str:
        """The id of the version row."""
        return version_id(self.definition.id, self.tag)

    @property
    def image(self) -> str:
        """The docker image with its tag."""
        return f"{self.definition.repository}:{self.tag}"

    @property
    def spec(self) -> Json:
        """The connection specification."""
        return self.connector.spec(self.tag) if self.connector else {"type": "object", "properties": {}}

    @property
    def is_override(self) -> bool:
        """Only a pin made by a user counts as an override in reads."""
        return self.pin is not None and self.pin.origin_type == "user"

    @property
    def supports_refreshes(self) -> bool:
        """Whether a refresh replaces a reset; a fact of destinations."""
        return bool(self.connector and self.connector.facts.get("supportsRefreshes", False))


@lru_cache(maxsize=4096)
def version_id(definition_id: str, tag: str) -> str:
    """Versions are not stored: their ids follow from definition and tag."""
    return str(uuid.uuid5(_VERSION_NAMESPACE, f"{definition_id}:{tag}"))


class Definitions:
    """The definitions of an instance and the pins on them."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self.registry = registry
        self._pins = {_place(pin): pin for pin in store.pins}
        self._paths: dict[str, set[Path]] = {}
        for connector in registry.connectors():
            self.adopt(connector)

    def adopt(self, connector: Connector) -> None:
        """Make the definition of a registry connector, unless it is there."""
        if self._store.definitions.find(connector.id) is None:
            self._store.definitions.save(
                Definition(
                    connector.id,
                    connector.kind,
                    connector.name,
                    connector.repository,
                    connector.default_tag,
                    documentation_url=connector.facts.get("documentationUrl"),
                )
            )

    # Definitions

    def get(self, kind: ActorKind, definition_id: str) -> Definition:
        """A definition of a kind.

        Raises:
            NotFoundError: unknown, or of the other kind.
        """
        found = self._store.definitions.find(definition_id)
        if found is None or found.kind != kind.name:
            raise NotFoundError(f"STANDARD_{kind.name.upper()}_DEFINITION", definition_id)
        return found

    def of_kind(self, kind: ActorKind) -> list[Definition]:
        """All definitions of a kind that are not deleted."""
        return [d for d in self._store.definitions if d.kind == kind.name and not d.tombstone]

    def connector(self, definition: Definition) -> Connector | None:
        """What is known of it: by id in the registry, by its active manifest, or by the image of a custom one."""
        return (
            self.registry.find(definition.id)
            or declarative.connector(self._store, definition)
            or self.registry.by_repository(definition.repository)
        )

    def in_use(self, definition: Definition) -> bool:
        """Whether any actor, deleted ones included, is of the definition."""
        return any(actor.definition_id == definition.id for actor in self._store.actors)

    def knows(self, definition: Definition, tag: str) -> bool:
        """Whether the database or the registry has the version."""
        connector = self.connector(definition)
        return tag == definition.tag or bool(connector and self.registry.online and tag in connector.tags)

    def tick(self) -> list[str]:
        """Take over the registry's latest version of every definition that no actor uses; returns their names."""
        moved = []
        for definition in self._store.definitions:
            connector = self.connector(definition)
            if definition.custom or connector is None or not self.registry.online or self.in_use(definition):
                continue
            if definition.tag != connector.latest_tag:
                definition.tag = connector.latest_tag
                self._store.definitions.save(definition)
                moved.append(definition.name)
        return moved

    # Versions

    def default(self, definition: Definition) -> Version:
        """The instance's default version."""
        return Version(definition, self.connector(definition), definition.tag)

    def at(self, definition: Definition, tag: str) -> Version:
        """A version by tag; its existence is the caller's business (``knows``)."""
        return Version(definition, self.connector(definition), tag)

    def by_version_id(self, wanted: str) -> Version | None:
        """The version of an id, if any known tag has it."""
        for definition in self._store.definitions:
            connector = self.connector(definition)
            for tag in {definition.tag, *(connector.tags if connector else ())}:
                if version_id(definition.id, tag) == wanted:
                    return self.at(definition, tag)
        return None

    def resolve(self, definition: Definition, workspace_id: str, actor_id: str | None = None) -> Version:
        """The version that counts for an actor or, without one, in a workspace."""
        workspace = self._store.workspaces.find(workspace_id)
        organization_id = workspace.organization_id if workspace else NIL_UUID
        for scope, scope_id in zip(SCOPES, (actor_id, workspace_id, organization_id), strict=True):
            pin = self._pins.get((VERSION_KEY, definition.id, scope, scope_id or ""))
            found = self.by_version_id(pin.value) if pin else None
            if pin and found:
                return Version(definition, found.connector, found.tag, pin)
        return self.default(definition)

    def resolve_actor(self, actor: Actor) -> Version:
        """The version an actor runs."""
        return self.resolve(self._store.definitions.get(actor.definition_id), actor.workspace_id, actor.id)

    def secret_paths(self, version: Version) -> set[Path]:
        """Where the version's specification has secrets."""
        if version.definition.repository == declarative.IMAGE:
            return secret_paths(version.spec)  # the manifest, and with it the specification, changes at the same tag
        if version.id not in self._paths:
            self._paths[version.id] = secret_paths(version.spec)
        return self._paths[version.id]

    # Pins

    def pin_at(self, definition_id: str, scope_type: str, scope_id: str) -> Pin | None:
        """The version pin of exactly this scope."""
        return self._pins.get((VERSION_KEY, definition_id, scope_type, scope_id))

    def save_pin(self, pin: Pin) -> Pin:
        """Write a pin.

        Raises:
            ServerFaultError: another pin has this scope (a unique key of the database, which Airbyte does not catch).
        """
        holder = self._pins.get(_place(pin))
        if holder is not None and holder.id != pin.id:
            raise ServerFaultError("duplicate key value violates unique constraint", "DataAccessException")
        self._pins = {place: held for place, held in self._pins.items() if held.id != pin.id}
        self._pins[_place(pin)] = self._store.pins.save(pin)
        return pin

    def remove_pin(self, pin: Pin) -> None:
        """Delete a pin."""
        self._pins.pop(_place(pin), None)
        self._store.pins.remove(pin.id)

    def pin_for_breaking_change(self, version: Version, scope_type: str, scope_id: str, breaking: str) -> Pin:
        """Hold a scope on a version because the definition moved across a breaking change."""
        return self.save_pin(
            Pin(
                new_id(),
                VERSION_KEY,
                version.id,
                scope_type,
                scope_id,
                "breaking_change",
                breaking,
                RESOURCE_TYPE,
                version.definition.id,
                updated_at=now(),
            )
        )

    def upgrade(self, actor: Actor) -> None:
        """Let an actor follow its definition again, across the breaking change that holds it.

        Raises:
            ServerFaultError: a user pinned it.
        """
        pin = self.pin_at(actor.definition_id, "actor", actor.id)
        if pin is None:
            return
        if pin.origin_type != "breaking_change":
            raise ServerFaultError(
                "Actor is pinned by a user, it cannot be upgraded", "java.lang.IllegalStateException"
            )
        self.remove_pin(pin)

    # Default version and breaking changes

    def update_default(self, definition: Definition, tag: str) -> None:
        """Move the default version; actors that would cross a breaking change are held where they are.

        Raises:
            ServerFaultError: neither database nor registry knows the tag, so Airbyte would have to pull the image.
        """
        if not self.knows(definition, tag):
            raise ServerFaultError(f"Get Spec job failed: cannot pull image {definition.repository}:{tag}")
        old = self.default(definition)
        actors = [a for a in self._store.actors if a.definition_id == definition.id and not a.tombstone]
        unpinned = [a for a in actors if self.resolve_actor(a).pin is None]
        connector = self.connector(definition)
        crossed = connector.breaking_between(old.tag, tag) if connector else []
        definition.tag = tag
        self._store.definitions.save(definition)
        for breaking in crossed:
            for actor in unpinned:
                if self._affects(connector, breaking, actor) and not self.pin_at(definition.id, "actor", actor.id):
                    self.pin_for_breaking_change(old, "actor", actor.id, breaking)
        self._roll_back(definition, tag)

    def _affects(self, connector: Connector | None, breaking: str, actor: Actor) -> bool:
        """A breaking change that names streams concerns only actors that sync one of them."""
        change = connector.breaking_changes[breaking] if connector else {}
        streams = {name for scope in change.get("scopedImpact", []) for name in scope["impactedScopes"]}
        if not streams:
            return True
        return any(
            stream["stream"]["name"] in streams
            for connection in self._store.connections
            if actor.id in (connection.source_id, connection.destination_id) and connection.status == "active"
            for stream in connection.streams
        )

    def _roll_back(self, definition: Definition, tag: str) -> None:
        """Going back below a breaking change removes the pins it had made."""
        default = semver(tag)
        for pin in list(self._pins.values()):
            origin = semver(pin.origin) if pin.origin_type == "breaking_change" else None
            if pin.resource_id == definition.id and origin and default and default < origin:
                self.remove_pin(pin)

    def upcoming_breaking_changes(self, version: Version) -> list[Json]:
        """The breaking changes between a version and the definition's default, ascending."""
        if version.connector is None:
            return []
        names = version.connector.breaking_between(version.tag, version.definition.tag)
        return [{"version": name, **version.connector.breaking_changes[name]} for name in names]

    def support_state(self, version: Version) -> str:
        """``unsupported`` once a deadline of an upcoming breaking change is past, ``deprecated`` before."""
        upcoming = self.upcoming_breaking_changes(version)
        if not upcoming:
            return "supported"
        # Deadlines are dates without a zone; the server's day decides.
        today = date.today().isoformat()  # noqa: DTZ011
        return "unsupported" if any(change["upgradeDeadline"] < today for change in upcoming) else "deprecated"


def _place(pin: Pin) -> tuple[str, str, str, str]:
    return pin.key, pin.resource_id or "", pin.scope_type, pin.scope_id
