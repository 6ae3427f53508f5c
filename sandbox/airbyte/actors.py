"""Sources and destinations: validation, secrets, tombstones, and what a read shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sandbox.airbyte import masking
from sandbox.airbyte.definitions import Definitions, Version
from sandbox.airbyte.entities import Actor, Connection, Definition, new_id
from sandbox.airbyte.errors import NotFoundError, ServerFaultError
from sandbox.airbyte.kinds import SOURCE, ActorKind
from sandbox.airbyte.secret_store import SecretStore
from sandbox.airbyte.spec_validation import validate
from sandbox.airbyte.store import Store
from sandbox.airbyte.versions import Release
from sandbox.airbyte.wire import Json, present


@dataclass(frozen=True)
class Change:
    """The writable fields of an actor.

    Attributes:
        resource_allocation: Always written as given, so leaving it out of an update clears it.
    """

    name: str
    configuration: Json
    resource_allocation: Json | None = None


class Actors:
    """The sources and destinations of an instance."""

    def __init__(self, store: Store, definitions: Definitions, secrets: SecretStore, release: Release) -> None:
        self._store = store
        self._definitions = definitions
        self._secrets = secrets
        self._release = release

    def get(self, kind: ActorKind, actor_id: str) -> Actor:
        """An actor, deleted ones included, as Airbyte has it.

        Raises:
            NotFoundError: no actor of this kind has the id.
        """
        found = self._store.actors.find(actor_id)
        if found is None or found.kind != kind.name:
            raise NotFoundError(kind.stored_as, actor_id)
        return found

    def in_workspaces(self, kind: ActorKind, workspace_ids: list[str], *, deleted: bool = False) -> list[Actor]:
        """The actors of workspaces; deleted ones only when asked for."""
        wanted = set(workspace_ids)
        return [
            actor
            for actor in self._store.actors
            if actor.kind == kind.name and actor.workspace_id in wanted and (deleted or not actor.tombstone)
        ]

    def create(self, definition: Definition, workspace_id: str, change: Change) -> Actor:
        """Store a new actor. Names need not be unique, and nobody checks connectivity.

        Raises:
            NotFoundError: unknown workspace.
            SchemaMismatchError: the configuration does not fit the version resolved for the workspace.
        """
        self._store.workspaces.get(workspace_id)
        version = self._definitions.resolve(definition, workspace_id)
        validate(change.configuration, version.spec)
        stored = self._secrets.split(change.configuration, self._definitions.secret_paths(version), workspace_id)
        return self._store.actors.save(
            Actor(
                new_id(),
                definition.kind,
                definition.id,
                workspace_id,
                change.name,
                stored,
                change.resource_allocation,
            )
        )

    def update(self, actor: Actor, change: Change) -> Actor:
        """Replace name and configuration; masks stand for what is stored.

        Raises:
            ServerFaultError: the actor is deleted, there is no configuration to take masked secrets from.
            SchemaMismatchError: the configuration does not fit.
        """
        version = self._definitions.resolve_actor(actor)
        return self._write(actor, self.restored(actor, change.configuration, version), change, version)

    def restored(self, actor: Actor, configuration: Json, version: Version) -> Json:
        """A sent configuration with the masks replaced by the stored coordinates.

        Raises:
            ServerFaultError: the actor is deleted.
        """
        if actor.configuration is None:
            raise ServerFaultError("Failed requirement.")
        return masking.restore_masks(actor.configuration, configuration, version.spec)

    def partial_update(
        self,
        actor: Actor,
        name: str | None,
        configuration: Json | None,
        resource_allocation: Json | None,
    ) -> Actor:
        """Merge a configuration into the stored one, masks and all: a mask sent here becomes the secret.

        Raises:
            SchemaMismatchError: the merged configuration does not fit.
        """
        version = self._definitions.resolve_actor(actor)
        merged: Json = masking.merge(actor.configuration or {}, configuration or {})
        return self._write(actor, merged, Change(name or actor.name, merged, resource_allocation), version)

    def _write(self, actor: Actor, configuration: Json, change: Change, version: Version) -> Actor:
        validate(masking.with_placeholders(configuration), version.spec)
        actor.configuration = self._secrets.split(
            configuration, self._definitions.secret_paths(version), actor.workspace_id, actor.configuration
        )
        actor.name = change.name
        actor.resource_allocation = change.resource_allocation
        return self._store.actors.save(actor)

    def delete(self, actor: Actor) -> None:
        """Mark an actor deleted, drop its configuration and secrets, deprecate its connections; idempotent."""
        for connection in self.connections_of(actor):
            connection.status = "deprecated"
            self._store.connections.save(connection)
        self._secrets.forget_all(actor.configuration)
        actor.tombstone = True
        actor.configuration = None
        self._store.actors.save(actor)

    def connections_of(self, actor: Actor) -> list[Connection]:
        """The connections that use an actor and are not deleted."""
        return [
            connection
            for connection in self._store.connections
            if actor.id in (connection.source_id, connection.destination_id) and connection.status != "deprecated"
        ]

    def hydrated(self, actor: Actor) -> Json:
        """The configuration with its secrets, for a connector.

        Raises:
            ServerFaultError: the actor is deleted, or a secret is missing.
        """
        if actor.configuration is None:
            raise ServerFaultError(f"{actor.kind} {actor.id} has no configuration")
        return self.hydrate(actor.configuration)

    def hydrate(self, configuration: Json) -> Json:
        """A configuration with the secrets that its coordinates stand for.

        Raises:
            ServerFaultError: a secret is missing.
        """
        try:
            found: Json = self._secrets.hydrate(configuration)
        except KeyError as error:
            raise ServerFaultError(f"secret {error.args[0]} was not found in the store") from error
        return found

    # Reads

    def read(self, kind: ActorKind, actor: Actor, *, coordinates: bool = False) -> Json:
        """``SourceRead`` or ``DestinationRead``, secrets masked (or shown as coordinates)."""
        version = self._definitions.resolve_actor(actor)
        upcoming = self._definitions.upcoming_breaking_changes(version)
        newer = self._release.shows_resource_allocation
        return present(
            {
                kind.id_key: actor.id,
                kind.definition_key: actor.definition_id,
                "workspaceId": actor.workspace_id,
                "connectionConfiguration": self.shown_configuration(actor, version, coordinates=coordinates),
                "name": actor.name,
                kind.definition_name_key: version.definition.name,
                "isVersionOverrideApplied": version.is_override,
                "isEntitled": True if newer else None,
                "breakingChanges": breaking_changes_read(upcoming),
                "supportState": self._definitions.support_state(version),
                "createdAt": actor.created_at,
                "resourceAllocation": actor.resource_allocation if newer else None,
            }
        )

    def shown_configuration(self, actor: Actor, version: Version, *, coordinates: bool = False) -> Json | None:
        """The configuration as a client may see it."""
        if actor.configuration is None:
            return None
        if "properties" not in version.spec and "oneOf" not in version.spec:
            return actor.configuration
        show = masking.show_coordinates if coordinates else masking.mask
        return show(actor.configuration, self._definitions.secret_paths(version))

    def read_all(self, kind: ActorKind, actors: list[Actor]) -> list[Json]:
        """The reads of a list, with what only lists show: use by connections and the last sync."""
        users: dict[str, list[Connection]] = defaultdict(list)
        for connection in self._store.connections:
            if connection.status != "deprecated":
                users[connection.source_id if kind is SOURCE else connection.destination_id].append(connection)
        finished = {job.connection_id: job.created_at for job in self._store.jobs if job.status == "succeeded"}
        reads = []
        for actor in actors:
            connections = users[actor.id]
            last = [finished[c.id] for c in connections if c.id in finished]
            reads.append(
                self.read(kind, actor)
                | present(
                    {
                        "status": "active" if any(c.status == "active" for c in connections) else "inactive",
                        "numConnections": len(connections),
                        "lastSync": max(last, default=None),
                    }
                )
            )
        return reads


def breaking_changes_read(upcoming: list[Json]) -> Json | None:
    """The ``breakingChanges`` of a read; None when there are none."""
    if not upcoming:
        return None
    keys = ("version", "message", "migrationDocumentationUrl", "upgradeDeadline", "deadlineAction")
    soonest = min(upcoming, key=lambda change: str(change["upgradeDeadline"]))
    return present(
        {
            "upcomingBreakingChanges": [{k: change[k] for k in keys if k in change} for change in upcoming],
            "minUpgradeDeadline": soonest["upgradeDeadline"],
            "deadlineAction": soonest.get("deadlineAction"),
        }
    )
