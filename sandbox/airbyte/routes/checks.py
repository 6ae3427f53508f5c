"""Checking connections: of stored actors, of changes to them, and of actors that do not exist yet."""

from __future__ import annotations

from sandbox.airbyte.checks import Outcome
from sandbox.airbyte.definitions import Version
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import KINDS, ActorKind
from sandbox.airbyte.spec_validation import validate
from sandbox.airbyte.wire import Body, Endpoints, Json

api = Endpoints()


def _register(kind: ActorKind) -> None:
    @api.post(f"/v1/{kind.plural}/check_connection", slow=True)
    def check(instance: Instance, body: Body) -> Json:
        """Check a stored actor as it is."""
        with instance.store.lock:
            actor = instance.actors.get(kind, body.id(kind.id_key))
            version = instance.definitions.resolve_actor(actor)
            config = instance.actors.hydrated(actor)
        return _run(instance, version, config)

    @api.post(f"/v1/{kind.plural}/check_connection_for_update", slow=True)
    def check_for_update(instance: Instance, body: Body) -> Json:
        """Check a change before it is made; the sent configuration is validated with its masks still in it."""
        with instance.store.lock:
            actor = instance.actors.get(kind, body.id(kind.id_key))
            version = instance.definitions.resolve_actor(actor)
            sent = body.object("connectionConfiguration")
            body.text("name")
            validate(sent, version.spec)
            config = instance.actors.hydrate(instance.actors.restored(actor, sent, version))
        return _run(instance, version, config)

    @api.post(f"/v1/scheduler/{kind.plural}/check_connection", slow=True)
    def check_unsaved(instance: Instance, body: Body) -> Json:
        """Check a configuration that is stored nowhere: no schema validation, workspace pins count."""
        with instance.store.lock:
            definition = instance.definitions.get(kind, body.id(kind.definition_key))
            config = instance.actors.hydrate(body.object("connectionConfiguration"))
            version = instance.definitions.resolve(definition, body.id("workspaceId"), body.optional_id(kind.id_key))
        return _run(instance, version, config)


def _run(instance: Instance, version: Version, config: Json) -> Json:
    outcome: Outcome = instance.runs.check(version, config)
    return outcome.read()


for _kind in KINDS.values():
    _register(_kind)
