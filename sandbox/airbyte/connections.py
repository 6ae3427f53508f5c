"""Connections: creation, the patch rules of updates, and what a read shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.airbyte.catalog import canonical_streams, key_of
from sandbox.airbyte.entities import Actor, Connection, new_id
from sandbox.airbyte.errors import RefusedError, ServerFaultError
from sandbox.airbyte.kinds import DESTINATION, SOURCE
from sandbox.airbyte.mappers import masked_streams
from sandbox.airbyte.schedule import read_schedule
from sandbox.airbyte.wire import Body, Json, present

if TYPE_CHECKING:
    from sandbox.airbyte.instance import Instance

STATUSES = ("active", "inactive", "deprecated", "locked")
NAMESPACES = ("source", "destination", "customformat")
NON_BREAKING = ("ignore", "disable", "propagate_columns", "propagate_fully")
BACKFILL = ("enabled", "disabled")


def create(instance: Instance, body: Body) -> Connection:
    """Store a new connection; neither sync modes nor cursors are compared with the source.

    Raises:
        NotFoundError: source or destination do not exist. Deleted ones are fine, as Airbyte has it.
        ServerFaultError: they live in different workspaces, or the catalog has a stream twice.
        ProblemError: the schedule or a mapper does not work.
    """
    source = instance.actors.get(SOURCE, body.id("sourceId"))
    destination = instance.actors.get(DESTINATION, body.id("destinationId"))
    status = body.choice("status", STATUSES)
    if source.workspace_id != destination.workspace_id:
        raise ServerFaultError("source and destination are not in the same workspace")
    operation_ids = _operations(instance, body.array("operationIds"), source)
    streams = canonical_streams(body.optional_object("syncCatalog") or {})
    schedule_type, schedule_data = read_schedule(body) or _legacy_schedule(body)
    connection = Connection(
        id=new_id(),
        name=body.optional_text("name") or f"{source.name} <> {destination.name}",
        workspace_id=source.workspace_id,
        source_id=source.id,
        destination_id=destination.id,
        streams=streams,
        status=status,
        namespace_definition=body.optional_choice("namespaceDefinition", NAMESPACES) or "source",
        namespace_format=body.optional_text("namespaceFormat"),
        prefix=body.optional_text("prefix"),
        schedule_type=schedule_type,
        schedule_data=schedule_data,
        operation_ids=operation_ids,
        resource_requirements=_resources(body),
        source_catalog_id=body.optional_id("sourceCatalogId"),
        # notifySchemaChangesByEmail and dataplaneGroupId are accepted and dropped: only an update keeps the former.
        notify_schema_changes=body.flag("notifySchemaChanges") if body.has("notifySchemaChanges") else None,
        non_breaking_changes_preference=body.optional_choice("nonBreakingChangesPreference", NON_BREAKING) or "ignore",
        backfill_preference=body.optional_choice("backfillPreference", BACKFILL) or "disabled",
        geography=body.optional_text("geography"),
        tags=_tags(instance, body.array("tags"), source.workspace_id),
    )
    return instance.store.connections.save(connection)


def update(instance: Instance, connection: Connection, body: Body) -> Connection:
    """A patch: missing and null leave a field; what is there replaces it.

    Raises:
        ServerFaultError: schedule data without a type, the legacy ``schedule``, or a stream twice.
        ProblemError: the schedule or a mapper does not work.
    """
    if body.has("schedule"):
        raise ServerFaultError("Failed requirement.")
    schedule = read_schedule(body)
    before = connection.status
    if body.has("syncCatalog"):
        _replace_streams(instance, connection, body.object("syncCatalog"))
    if schedule:
        connection.schedule_type, connection.schedule_data = schedule
    if (operation_ids := body.nullable_array("operationIds")) is not None:
        source = instance.store.actors.get(connection.source_id)
        connection.operation_ids = _operations(instance, operation_ids, source)
    if (tags := body.nullable_array("tags")) is not None:
        connection.tags = _tags(instance, tags, connection.workspace_id)
    if body.has("resourceRequirements"):
        connection.resource_requirements = _resources(body)
    _patch_scalars(connection, body)
    instance.store.connections.save(connection)
    _note_update(instance, connection, before)
    return connection


def _patch_scalars(connection: Connection, body: Body) -> None:
    """The plain fields: present means replaced."""
    found = {
        "name": body.optional_text("name"),
        "namespace_definition": body.optional_choice("namespaceDefinition", NAMESPACES),
        "namespace_format": body.optional_text("namespaceFormat"),
        "prefix": body.optional_text("prefix"),
        "status": body.optional_choice("status", STATUSES),
        "source_catalog_id": body.optional_id("sourceCatalogId"),
        "non_breaking_changes_preference": body.optional_choice("nonBreakingChangesPreference", NON_BREAKING),
        "backfill_preference": body.optional_choice("backfillPreference", BACKFILL),
        "geography": body.optional_text("geography"),
    }
    for flag, field in (
        ("notifySchemaChanges", "notify_schema_changes"),
        ("notifySchemaChangesByEmail", "notify_schema_changes_by_email"),
        ("breakingChange", "breaking_change"),
    ):
        if body.has(flag):
            setattr(connection, field, body.flag(flag))
    for field, value in found.items():
        if value is not None:
            setattr(connection, field, value)


def _replace_streams(instance: Instance, connection: Connection, catalog: Json) -> None:
    """Replace the streams; the state of those whose sync mode changed is dropped, and of no others."""
    before = {key_of(entry): entry["config"]["syncMode"] for entry in connection.streams}
    connection.streams = canonical_streams(catalog, connection.streams)
    state = instance.store.states.find(connection.id)
    if state is None:
        return
    for entry in connection.streams:
        key = key_of(entry)
        if before.get(key, entry["config"]["syncMode"]) != entry["config"]["syncMode"]:
            state.streams.pop(key, None)
    instance.store.states.save(state)


def _note_update(instance: Instance, connection: Connection, status_before: str) -> None:
    if connection.status != status_before and connection.status in ("active", "inactive"):
        kind = "CONNECTION_ENABLED" if connection.status == "active" else "CONNECTION_DISABLED"
        instance.note(connection, kind)
    else:
        instance.note(connection, "CONNECTION_SETTINGS_UPDATE")


def delete(instance: Instance, connection: Connection) -> None:
    """Deprecate a connection; its data stays in the destination."""
    connection.status = "deprecated"
    instance.store.connections.save(connection)


def disable(instance: Instance, connection: Connection, reason: str) -> None:
    """Make a connection inactive on the server's own account, with the reason in the timeline."""
    connection.status = "inactive"
    instance.store.connections.save(connection)
    instance.note(connection, "CONNECTION_DISABLED", disabledReason=reason)


def _operations(instance: Instance, sent: list[str], source: Actor) -> list[str]:
    for operation_id in sent:
        if instance.store.operations.get(operation_id).workspace_id != source.workspace_id:
            raise ServerFaultError("operation is not in the same workspace")
    return list(sent)


def _tags(instance: Instance, sent: list[Json], workspace_id: str) -> list[Json]:
    if not instance.release.has_tags:
        return []
    known = {tag.id: tag for tag in instance.store.tags if tag.workspace_id == workspace_id}
    chosen = dict.fromkeys(str(tag.get("tagId")) for tag in sent)
    if not set(chosen) <= set(known):
        raise RefusedError(400, "A tag does not belong to the workspace of the connection.")
    return [
        {"tagId": tag.id, "workspaceId": tag.workspace_id, "name": tag.name, "color": tag.color}
        for tag in (known[tag_id] for tag_id in chosen)
    ]


def _resources(body: Body) -> Json | None:
    """Processor and memory; ephemeral storage is dropped."""
    sent = body.optional_object("resourceRequirements")
    if sent is None:
        return None
    keys = ("cpu_request", "cpu_limit", "memory_request", "memory_limit")
    return {key: sent[key] for key in keys if sent.get(key) is not None}


def _legacy_schedule(body: Body) -> tuple[str, Json | None]:
    legacy = body.optional_object("schedule")
    return ("basic", {"basicSchedule": legacy}) if legacy else ("manual", None)


def read(instance: Instance, connection: Connection) -> Json:
    """``ConnectionRead``; ``workspaceId`` is declared by Airbyte, but never filled."""
    basic = (connection.schedule_data or {}).get("basicSchedule")
    release = instance.release
    return present(
        {
            "connectionId": connection.id,
            "name": connection.name,
            "namespaceDefinition": connection.namespace_definition,
            "namespaceFormat": connection.namespace_format,
            "prefix": connection.prefix,
            "sourceId": connection.source_id,
            "destinationId": connection.destination_id,
            "operationIds": connection.operation_ids,
            "syncCatalog": {"streams": masked_streams(connection.streams)},
            "schedule": basic,
            "scheduleType": connection.schedule_type,
            "scheduleData": connection.schedule_data,
            "status": connection.status,
            "resourceRequirements": connection.resource_requirements,
            "sourceCatalogId": connection.source_catalog_id,
            "geography": (connection.geography or "auto") if release.has_geography else None,
            "breakingChange": connection.breaking_change,
            "notifySchemaChanges": connection.notify_schema_changes,
            "notifySchemaChangesByEmail": connection.notify_schema_changes_by_email,
            "nonBreakingChangesPreference": connection.non_breaking_changes_preference,
            "backfillPreference": connection.backfill_preference,
            "tags": connection.tags if release.has_tags else None,
            "created_at": connection.created_at,
        }
    )
