"""Sources and destinations."""

from __future__ import annotations

from sandbox.airbyte.actors import Change
from sandbox.airbyte.entities import Actor
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import KINDS, ActorKind
from sandbox.airbyte.public_api._call import Call, Operations
from sandbox.airbyte.wire import Json, present

api = Operations()


def _register(kind: ActorKind) -> None:
    one = f"/{kind.plural}/{{{kind.id_key}}}"

    def found(call: Call) -> Actor:
        return call.instance.actors.get(kind, call.id(kind.id_key))

    @api.on("GET", f"/{kind.plural}")
    def list_actors(call: Call) -> Json:
        """Actors of workspaces, a page at a time."""
        deleted = call.query.flag("includeDeleted")
        actors = call.instance.actors.in_workspaces(kind, call.workspaces(), deleted=deleted)
        return call.page([read(call.instance, kind, actor) for actor in actors])

    @api.on("GET", one)
    def get(call: Call) -> Json:
        """One actor, deleted ones included; since 1.7 with secret coordinates on demand."""
        coordinates = call.query.flag("includeSecretCoordinates") and call.instance.release.shows_secret_coordinates
        return read(call.instance, kind, found(call), coordinates=coordinates)

    @api.on("PUT", one)
    def put(call: Call) -> Json:
        """Replace name and configuration; masks keep secrets."""
        wanted = Change(
            call.body.text("name"),
            call.body.object("configuration"),
            call.body.optional_object("resourceAllocation"),
        )
        return read(call.instance, kind, call.instance.actors.update(found(call), wanted))

    @api.on("PATCH", one)
    def patch(call: Call) -> Json:
        """Merge into what is stored, masks included: this one corrupts secrets, as Airbyte's does."""
        updated = call.instance.actors.partial_update(
            found(call),
            call.body.optional_text("name"),
            call.body.optional_object("configuration"),
            call.body.optional_object("resourceAllocation"),
        )
        return read(call.instance, kind, updated)


def read(instance: Instance, kind: ActorKind, actor: Actor, *, coordinates: bool = False) -> Json:
    """``SourceResponse`` or ``DestinationResponse``."""
    version = instance.definitions.resolve_actor(actor)
    type_key = f"{kind.name}Type"
    return present(
        {
            kind.id_key: actor.id,
            "name": actor.name,
            type_key: version.definition.repository.rpartition("/")[2].removeprefix(f"{kind.name}-"),
            "definitionId": actor.definition_id,
            "workspaceId": actor.workspace_id,
            "configuration": instance.actors.shown_configuration(actor, version, coordinates=coordinates),
            "createdAt": actor.created_at,
            "resourceAllocation": actor.resource_allocation,
        }
    )


for _kind in KINDS.values():
    _register(_kind)
