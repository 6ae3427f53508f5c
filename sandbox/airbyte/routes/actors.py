"""Sources and destinations: create, read, update, delete, list."""

from __future__ import annotations

from sandbox.airbyte.actors import Change
from sandbox.airbyte.entities import Actor
from sandbox.airbyte.errors import NotFoundError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import KINDS, ActorKind
from sandbox.airbyte.wire import Answer, Body, Endpoints, Json

api = Endpoints()

_DEFAULT_PAGE = 20
_SORT_KEYS = [
    f"{field}_{order}" for field in ("actorName", "actorDefinitionName", "lastSync") for order in ("asc", "desc")
]


def change(body: Body) -> Change:
    """The fields of a create or a full update."""
    return Change(body.text("name"), body.object("connectionConfiguration"), body.optional_object("resourceAllocation"))


def _register(kind: ActorKind) -> None:
    prefix = f"/v1/{kind.plural}"

    def found(instance: Instance, body: Body) -> Actor:
        return instance.actors.get(kind, body.id(kind.id_key))

    @api.post(f"{prefix}/create")
    def create(instance: Instance, body: Body) -> Json:
        """A new actor; nothing is checked but the shape of its configuration."""
        definition = instance.definitions.get(kind, body.id(kind.definition_key))
        wanted = change(body)
        return instance.actors.read(kind, instance.actors.create(definition, body.id("workspaceId"), wanted))

    @api.post(f"{prefix}/update")
    def update(instance: Instance, body: Body) -> Json:
        """Replace name and configuration; masks keep secrets."""
        return instance.actors.read(kind, instance.actors.update(found(instance, body), change(body)))

    @api.post(f"{prefix}/partial_update")
    def partial_update(instance: Instance, body: Body) -> Json:
        """Merge into what is stored, masks included: this one corrupts secrets, as Airbyte's does."""
        updated = instance.actors.partial_update(
            found(instance, body),
            body.optional_text("name"),
            body.optional_object("connectionConfiguration"),
            body.optional_object("resourceAllocation"),
        )
        return instance.actors.read(kind, updated)

    @api.post(f"{prefix}/get")
    def get(instance: Instance, body: Body) -> Json:
        """One actor; a deleted one has no ``connectionConfiguration``."""
        return instance.actors.read(kind, found(instance, body))

    @api.post(f"{prefix}/get_with_metadata", since=(2, 1))
    def get_with_metadata(instance: Instance, body: Body) -> Json:
        """One actor, with coordinates in place of masks on demand."""
        coordinates = body.flag("includeSecretCoordinates")
        return instance.actors.read(kind, found(instance, body), coordinates=coordinates)

    @api.post(f"{prefix}/list")
    def list_actors(instance: Instance, body: Body) -> Json:
        """All actors of a workspace, or since 1.8 the next 20 after a cursor."""
        actors = instance.actors.in_workspaces(kind, [body.id("workspaceId")])
        if not instance.release.paginates_actor_lists:
            return {kind.plural: instance.actors.read_all(kind, actors)}
        return _page(instance, kind, actors, body)

    @api.post(f"{prefix}/list_paginated")
    def list_paginated(instance: Instance, body: Body) -> Json:
        """Actors of several workspaces by offset, the same in all releases."""
        page = body.body("pagination")
        actors = instance.actors.in_workspaces(kind, body.ids("workspaceIds"), deleted=body.flag("includeDeleted"))
        offset = page.integer("rowOffset", 0)
        return {
            kind.plural: instance.actors.read_all(
                kind, actors[offset : offset + page.integer("pageSize", len(actors) or 1)]
            )
        }

    @api.post(f"{prefix}/search")
    def search(instance: Instance, body: Body) -> Json:
        """Actors that equal the given ids and name."""
        wanted = {
            "id": body.optional_id(kind.id_key),
            "definition_id": body.optional_id(kind.definition_key),
            "workspace_id": body.optional_id("workspaceId"),
            "name": body.optional_text("name"),
        }
        actors = [
            actor
            for actor in instance.store.actors
            if actor.kind == kind.name
            and not actor.tombstone
            and all(value is None or getattr(actor, field) == value for field, value in wanted.items())
        ]
        return {kind.plural: instance.actors.read_all(kind, actors)}

    @api.post(f"{prefix}/delete", status=204)
    def delete(instance: Instance, body: Body) -> Answer:
        """Mark deleted, together with the connections that use it."""
        instance.actors.delete(found(instance, body))
        return None

    @api.post(f"{prefix}/upgrade_version", status=204)
    def upgrade_version(instance: Instance, body: Body) -> Answer:
        """Release an actor from the pin that a breaking change made."""
        instance.definitions.upgrade(found(instance, body))
        return None

    if kind.name == "source":

        @api.post(f"{prefix}/clone", until=(1, 5))
        def clone(instance: Instance, body: Body) -> Json:
            """A copy of a source, secrets included."""
            original = instance.actors.get(kind, body.id("sourceCloneId"))
            definition = instance.store.definitions.get(original.definition_id)
            copy = Change(f"{original.name}-copy", instance.actors.hydrated(original), original.resource_allocation)
            return instance.actors.read(kind, instance.actors.create(definition, original.workspace_id, copy))


def _page(instance: Instance, kind: ActorKind, actors: list[Actor], body: Body) -> Json:
    """One page of the cursor pagination; the cursor is the id of the last actor seen."""
    sort = body.optional_choice("sortKey", _SORT_KEYS) or "actorName_asc"
    filters = body.optional_object("filters") or {}
    term = str(filters.get("searchTerm") or "").lower()
    named = [
        actor
        for actor in actors
        if term in actor.name.lower() or term in instance.store.definitions.get(actor.definition_id).name.lower()
    ]
    reads = {read[kind.id_key]: read for read in instance.actors.read_all(kind, named)}
    states = {str(state).lower() for state in filters.get("states") or []}
    matching = [read for read in reads.values() if not states or read["status"] in states]
    field, _, order = sort.partition("_")
    name = {"actorName": "name", "actorDefinitionName": kind.definition_name_key, "lastSync": "lastSync"}[field]
    matching.sort(key=lambda read: (str(read.get(name, "")).lower(), read[kind.id_key]), reverse=order == "desc")
    start = 0
    if cursor := body.optional_id("cursor"):
        ids = [read[kind.id_key] for read in matching]
        if cursor not in ids:
            raise NotFoundError(kind.stored_as, cursor)
        start = ids.index(cursor) + 1
    size = body.integer("pageSize", _DEFAULT_PAGE)
    return {kind.plural: matching[start : start + size], "num_connections": len(matching), "page_size": size}


for _kind in KINDS.values():
    _register(_kind)
