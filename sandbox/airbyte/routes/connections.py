"""Connections: create, read, update, delete, list, and their timeline."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.airbyte import connections
from sandbox.airbyte.errors import InvalidBodyError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.wire import Answer, Body, Endpoints, Json

api = Endpoints()


@api.post("/v1/connections/create")
def create(instance: Instance, body: Body) -> Json:
    """A new connection."""
    return connections.read(instance, connections.create(instance, body))


@api.post("/v1/connections/update")
def update(instance: Instance, body: Body) -> Json:
    """A patch; nothing is refreshed or cleared by it."""
    connection = instance.store.connections.get(body.id("connectionId"))
    return connections.read(instance, connections.update(instance, connection, body))


@api.post("/v1/connections/get")
def get(instance: Instance, body: Body) -> Json:
    """One connection, deleted ones (``deprecated``) included."""
    return connections.read(instance, instance.store.connections.get(body.id("connectionId")))


@api.post("/v1/connections/list")
def list_connections(instance: Instance, body: Body) -> Json:
    """The connections of a workspace that are not deleted."""
    return _listing(instance, body.id("workspaceId"), deleted=False)


@api.post("/v1/connections/list_all")
def list_all(instance: Instance, body: Body) -> Json:
    """The connections of a workspace, deleted ones included."""
    return _listing(instance, body.id("workspaceId"), deleted=True)


@api.post("/v1/connections/list_paginated")
def list_paginated(instance: Instance, body: Body) -> Json:
    """Connections of several workspaces by offset."""
    workspaces, page = set(body.ids("workspaceIds")), body.body("pagination")
    found = [
        connection
        for connection in instance.store.connections
        if connection.workspace_id in workspaces and (connection.status != "deprecated" or body.flag("includeDeleted"))
    ]
    offset = page.integer("rowOffset", 0)
    shown = found[offset : offset + page.integer("pageSize", len(found) or 1)]
    return {"connections": [connections.read(instance, connection) for connection in shown]}


@api.post("/v1/connections/delete", status=204)
def delete(instance: Instance, body: Body) -> Answer:
    """Deprecate a connection; idempotent."""
    connections.delete(instance, instance.store.connections.get(body.id("connectionId")))
    return None


@api.post("/v1/connections/events/list")
def list_events(instance: Instance, body: Body) -> Json:
    """The timeline of a connection, newest first."""
    connection_id = body.id("connectionId")
    kinds = {str(kind).upper() for kind in body.array("eventTypes")}
    start, end = epoch(body, "createdAtStart"), epoch(body, "createdAtEnd")
    page = Body(body.optional_object("pagination") or {})
    events = [
        event
        for event in reversed(list(instance.store.events))
        if event.connection_id == connection_id
        and (not kinds or event.kind in kinds)
        and (start is None or event.created_at >= start)
        and (end is None or event.created_at <= end)
    ]
    offset = page.integer("rowOffset", 0)
    return {
        "events": [
            {
                "id": event.id,
                "eventType": event.kind,
                "createdAt": event.created_at,
                "connectionId": connection_id,
                "summary": event.summary,
            }
            for event in events[offset : offset + page.integer("pageSize", 200)]
        ]
    }


def _listing(instance: Instance, workspace_id: str, *, deleted: bool) -> Json:
    return {
        "connections": [
            connections.read(instance, connection)
            for connection in instance.store.connections
            if connection.workspace_id == workspace_id and (deleted or connection.status != "deprecated")
        ]
    }


def epoch(body: Body, name: str) -> float | None:
    """An optional ISO date-time, in epoch seconds."""
    text = body.optional_text(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidBodyError(f"{name} is no ISO date-time.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
