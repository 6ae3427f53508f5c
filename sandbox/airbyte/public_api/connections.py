"""Connections."""

from __future__ import annotations

from sandbox.airbyte.entities import Connection
from sandbox.airbyte.mappers import masked_streams
from sandbox.airbyte.public_api._call import Call, Operations
from sandbox.airbyte.wire import Json, present

api = Operations()

_SYNC_MODES = {
    ("full_refresh", "overwrite"): "full_refresh_overwrite",
    ("full_refresh", "overwrite_dedup"): "full_refresh_overwrite_deduped",
    ("full_refresh", "append"): "full_refresh_append",
    ("full_refresh", "update"): "full_refresh_update",
    ("full_refresh", "soft_delete"): "full_refresh_soft_delete",
    ("incremental", "append"): "incremental_append",
    ("incremental", "append_dedup"): "incremental_deduped_history",
    ("incremental", "update"): "incremental_update",
    ("incremental", "soft_delete"): "incremental_soft_delete",
}


@api.on("GET", "/connections")
def list_connections(call: Call) -> Json:
    """Connections of workspaces, a page at a time."""
    wanted, deleted = set(call.workspaces()), call.query.flag("includeDeleted")
    found = [
        connection
        for connection in call.instance.store.connections
        if connection.workspace_id in wanted and (deleted or connection.status != "deprecated")
    ]
    return call.page([read(connection) for connection in found])


@api.on("GET", "/connections/{connectionId}")
def get(call: Call) -> Json:
    """One connection, deleted ones included."""
    return read(call.instance.store.connections.get(call.id("connectionId")))


def read(connection: Connection) -> Json:
    """``ConnectionResponse``; unlike in the Config API it has the workspace."""
    definition = connection.namespace_definition
    behaviour = connection.non_breaking_changes_preference
    return present(
        {
            "connectionId": connection.id,
            "name": connection.name,
            "sourceId": connection.source_id,
            "destinationId": connection.destination_id,
            "workspaceId": connection.workspace_id,
            "status": connection.status,
            "schedule": _schedule(connection),
            "nonBreakingSchemaUpdatesBehavior": "disable_connection" if behaviour == "disable" else behaviour,
            "namespaceDefinition": "custom_format" if definition == "customformat" else definition,
            "namespaceFormat": connection.namespace_format,
            "prefix": connection.prefix,
            "configurations": {"streams": [_stream(entry) for entry in masked_streams(connection.streams)]},
            "createdAt": connection.created_at,
            "tags": connection.tags,
        }
    )


def _schedule(connection: Connection) -> Json:
    """Cron expressions come with their zone at the end, basic schedules as words."""
    data = connection.schedule_data or {}
    if "cron" in data:
        cron = data["cron"]
        return {"scheduleType": "cron", "cronExpression": f"{cron['cronExpression']} {cron['cronTimeZone']}"}
    if "basicSchedule" in data:
        basic = data["basicSchedule"]
        return {"scheduleType": "basic", "basicTiming": f"Every {basic['units']} {basic['timeUnit'].upper()}"}
    return {"scheduleType": "manual"}


def _stream(entry: Json) -> Json:
    stream, config = entry["stream"], entry["config"]
    return present(
        {
            "name": stream["name"],
            "namespace": stream.get("namespace"),
            "syncMode": _SYNC_MODES.get((config["syncMode"], config["destinationSyncMode"])),
            "cursorField": config["cursorField"],
            "primaryKey": config["primaryKey"],
            "selectedFields": config["selectedFields"],
            "mappers": config["mappers"],
            "destinationObjectName": config.get("destinationObjectName"),
            "includeFiles": config.get("includeFiles"),
        }
    )
