"""The commands API (since 1.7): checks and discoveries under ids of the client's choice, each run once."""

from __future__ import annotations

from sandbox.airbyte.checks import discover_key
from sandbox.airbyte.discovery import discovered_catalog, proposed_catalog
from sandbox.airbyte.errors import MissingFieldError, NotFoundError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import SOURCE
from sandbox.airbyte.wire import Answer, Body, Endpoints, Json, present

api = Endpoints()

_SINCE = (1, 7)


@api.post("/v1/commands/run/check", slow=True, since=_SINCE)
def run_check(instance: Instance, body: Body) -> Json:
    """Check an actor, or a configuration of a definition in a workspace."""
    command_id = body.text("id")
    if not _reserve(instance, command_id):
        return {"id": command_id}
    with instance.store.lock:
        if body.has("actor_id"):
            actor = instance.store.actors.get(body.id("actor_id"))
            version, config = instance.definitions.resolve_actor(actor), instance.actors.hydrated(actor)
        else:
            definition = instance.store.definitions.get(body.id("actor_definition_id"))
            version = instance.definitions.resolve(definition, body.id("workspace_id"))
            config = instance.actors.hydrate(body.object("config"))
    outcome = instance.runs.check(version, config)
    instance.commands[command_id] = {
        "status": "completed",
        "output": present(
            {
                "id": command_id,
                "status": "succeeded" if outcome.succeeded else "failed",
                "connectorConfigurationUpdated": False,
                "message": outcome.message,
                "failureReason": outcome.failure,
            }
        ),
    }
    return {"id": command_id}


@api.post("/v1/commands/run/discover", slow=True, since=_SINCE)
def run_discover(instance: Instance, body: Body) -> Json:
    """Discover a source."""
    command_id = body.text("id")
    if not _reserve(instance, command_id):
        return {"id": command_id}
    with instance.store.lock:
        actor = instance.actors.get(SOURCE, body.id("actor_id"))
        version, config = instance.definitions.resolve_actor(actor), instance.actors.hydrated(actor)
        key = discover_key(actor.id, version.tag, actor.configuration or {})
    streams, info = instance.runs.discover(version, config)
    output: Json = {"id": command_id, "status": "failed", "failureReason": info.get("failureReason")}
    if streams is not None:
        with instance.store.lock:
            catalog = discovered_catalog(instance, actor.id, key, streams)
        output = {
            "id": command_id,
            "status": "succeeded",
            "catalogId": catalog.id,
            "catalog": {"streams": proposed_catalog(version, catalog.streams)},
        }
    instance.commands[command_id] = {"status": "completed", "output": output}
    return {"id": command_id}


@api.post("/v1/commands/status", since=_SINCE)
def status(instance: Instance, body: Body) -> Json:
    """How far a command is."""
    return {"id": body.text("id"), "status": _found(instance, body)["status"]}


@api.post("/v1/commands/output/check", since=_SINCE)
@api.post("/v1/commands/output/discover", since=_SINCE)
def output(instance: Instance, body: Body) -> Json:
    """What a completed command found."""
    found: Json | None = _found(instance, body).get("output")
    if found is None:
        raise NotFoundError("COMMAND_OUTPUT", body.text("id"))
    return found


@api.post("/v1/commands/cancel", since=_SINCE)
def cancel(instance: Instance, body: Body) -> Answer:
    """Cancel a command; one that is done stays done."""
    found = _found(instance, body)
    if found["status"] != "completed":
        found["status"] = "cancelled"
    return {"id": body.text("id")}


def _reserve(instance: Instance, command_id: str) -> bool:
    """Take an id; False when a command has it already."""
    if not command_id:
        raise MissingFieldError("id")
    with instance.store.lock:
        if command_id in instance.commands:
            return False
        instance.commands[command_id] = {"status": "running"}
        return True


def _found(instance: Instance, body: Body) -> Json:
    command = instance.commands.get(body.text("id"))
    if command is None:
        raise NotFoundError("COMMAND", body.text("id"))
    return command
