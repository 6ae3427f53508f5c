"""Making and changing definitions without holding the request, since 2.0: a ticket gets the result."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandbox.airbyte.checks import failure_reason
from sandbox.airbyte.connectors.base import CrashError
from sandbox.airbyte.entities import Definition, new_id
from sandbox.airbyte.errors import ApiError, NotFoundError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import KINDS, ActorKind
from sandbox.airbyte.routes.definitions import change, make_custom
from sandbox.airbyte.wire import Body, Endpoints, Json, present

api = Endpoints()

_SINCE = (2, 0)


@api.post("/v1/actor_definitions/create", since=_SINCE)
def create(instance: Instance, body: Body) -> Json:
    """Begin to make a custom definition."""
    kind, wanted = _kind(body), body.body("actorDefinition")
    return _begin(instance, lambda: make_custom(instance, kind, body, wanted))


@api.post("/v1/actor_definitions/update", since=_SINCE)
def update(instance: Instance, body: Body) -> Json:
    """Begin to change a definition."""
    definition = instance.definitions.get(_kind(body), body.id("actorDefinitionId"))
    body.id("workspaceId")
    return _begin(instance, lambda: change(instance, definition, body))


@api.post("/v1/actor_definitions/result", since=_SINCE)
def result(instance: Instance, body: Body) -> Json:
    """How far it is; the new definition's id, or why there is none."""
    ticket = body.text("requestId")
    if ticket not in instance.commands:
        raise NotFoundError("COMMAND", ticket)
    return instance.commands[ticket]


def _kind(body: Body) -> ActorKind:
    return KINDS[body.choice("actorType", KINDS)]


def _begin(instance: Instance, work: Callable[[], Definition | None]) -> Json:
    ticket = new_id()
    instance.commands[ticket] = {"status": "pending"}

    def run() -> None:
        with instance.store.lock:
            try:
                made = work()
            except ApiError as error:
                reason = failure_reason(CrashError(error.message.removeprefix("Internal Server Error: ")), "source")
                instance.commands[ticket] = {"status": "failed", "failureReason": reason}
            else:
                id_ = made.id if made is not None else None
                instance.commands[ticket] = present({"status": "succeeded", "actorDefinitionId": id_})

    threading.Thread(target=run, name=f"definition-{ticket}", daemon=True).start()
    return {"requestId": ticket}
