"""Sources and destinations."""

from __future__ import annotations

from sandbox.airbyte.actors import Change
from sandbox.airbyte.entities import Actor
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import DESTINATION, KINDS, ActorKind
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
            _sent(kind, call.body.object("configuration")),
            call.body.optional_object("resourceAllocation"),
        )
        return read(call.instance, kind, call.instance.actors.update(found(call), wanted))

    @api.on("PATCH", one)
    def patch(call: Call) -> Json:
        """Merge into what is stored, masks included: this one corrupts secrets, as Airbyte's does."""
        updated = call.instance.actors.partial_update(
            found(call),
            call.body.optional_text("name"),
            _sent(kind, call.body.optional_object("configuration") or {}),
            call.body.optional_object("resourceAllocation"),
        )
        return read(call.instance, kind, updated)


def read(instance: Instance, kind: ActorKind, actor: Actor, *, coordinates: bool = False) -> Json:
    """``SourceResponse`` or ``DestinationResponse``."""
    version = instance.definitions.resolve_actor(actor)
    connector_type = version.definition.repository.rpartition("/")[2].removeprefix(f"{kind.name}-")
    shown = instance.actors.shown_configuration(actor, version, coordinates=coordinates)
    return present(
        {
            kind.id_key: actor.id,
            "name": actor.name,
            _type_key(kind): connector_type,
            "definitionId": actor.definition_id,
            "workspaceId": actor.workspace_id,
            "configuration": _with_type(kind, connector_type, shown),
            "createdAt": actor.created_at,
            "resourceAllocation": actor.resource_allocation,
        }
    )


def _type_key(kind: ActorKind) -> str:
    return f"{kind.name}Type"


def _with_type(kind: ActorKind, connector_type: str, shown: Json | None) -> Json | None:
    """The configuration with the discriminator that the official SDK needs to read a destination.

    Airbyte itself leaves it out, and its Python SDK 1.0.1 then refuses the answer; for sources the SDK does without.
    """
    if shown is None or kind is not DESTINATION:
        return shown
    return {_type_key(kind): connector_type} | shown


def _sent(kind: ActorKind, configuration: Json) -> Json:
    """A sent configuration without the discriminator, which Airbyte does not store."""
    return {key: value for key, value in configuration.items() if key != _type_key(kind)}


for _kind in KINDS.values():
    _register(_kind)
