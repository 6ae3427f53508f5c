"""A connection's settings between the program's terms and the API's, both ways."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from dynamic_providers.airbyte import schedule, streams
from dynamic_providers.airbyte.models import Connection
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.suggestions import nearest
from dynamic_providers.crud import present
from dynamic_providers.values import Properties, is_unknown, known

MANAGED: Final = (
    "connection_name",
    "streams",
    "schedule",
    "namespace_definition",
    "namespace_format",
    "prefix",
    "schema_changes",
    "status",
    "resources",
    "tags",
    "operation_ids",
    "notify_schema_changes",
    "notify_schema_changes_by_email",
    "backfill_new_columns",
)
"""What can be changed in place."""
IGNORED_BY_CREATE: Final = ("notify_schema_changes_by_email",)
"""What the server drops from a create without a word, and takes in an update."""

_ALLOWED: Final = {
    "namespace_definition": ("source", "destination", "customformat"),
    "schema_changes": ("ignore", "disable", "propagate_columns", "propagate_fully"),
    "status": ("active", "inactive"),
}
RESOURCES: Final = ("cpu_request", "cpu_limit", "memory_request", "memory_limit")
TAG_COLOR: Final = "615EFF"


def problems(inputs: Properties) -> list[str]:
    """What is wrong with the plain settings, a sentence each."""
    found = []
    for key, allowed in _ALLOWED.items():
        value = inputs.get(key)
        if not is_unknown(value) and value not in allowed:
            found.append(f"{key}: {value!r} is unknown. {nearest(str(value), allowed)}".rstrip())
    custom = inputs.get("namespace_definition") == "customformat"
    if custom and not is_unknown(inputs.get("namespace_format")) and not inputs.get("namespace_format"):
        found.append("namespace_definition customformat needs a namespace_format, as raw_${SOURCE_NAMESPACE}.")
    if not custom and inputs.get("namespace_format"):
        found.append("namespace_format has a meaning for namespace_definition customformat only.")
    resources = known(inputs.get("resources"), {})
    found += [
        f"resources.{key} is unknown. {nearest(key, RESOURCES)}".rstrip() for key in resources if key not in RESOURCES
    ]
    return found


def to_api(news: Properties, tags: list[dict[str, Any]] | None) -> dict[str, Any]:
    """The settings without streams, all of them, so that none keeps a value of its own; tags only where given.

    An update leaves alone what is null, so what is to be empty is sent as empty.
    """
    body: dict[str, Any] = {
        "name": news["connection_name"],
        "status": news["status"],
        "namespaceDefinition": news["namespace_definition"],
        "namespaceFormat": news.get("namespace_format") or "",
        "prefix": news.get("prefix") or "",
        "nonBreakingChangesPreference": news["schema_changes"],
        "resourceRequirements": dict(news.get("resources") or {}),
        "operationIds": list(news.get("operation_ids") or []),
        "notifySchemaChanges": bool(news.get("notify_schema_changes")),
        "notifySchemaChangesByEmail": bool(news.get("notify_schema_changes_by_email")),
        "backfillPreference": "enabled" if news.get("backfill_new_columns") else "disabled",
        **schedule.to_api(news["schedule"]),
    }
    return body if tags is None else {**body, "tags": tags}


def from_api(
    connection: Connection, declared: Properties, namespaces: Mapping[str, str], files: Collection[str] = ()
) -> Properties:
    """A live connection's settings and streams in the program's terms; `declared` is what was last written.

    `namespaces` and `files` are what streams.from_api wants to know. What is left out here is as a new connection has
    it, however a release of the server says so: absent, empty or false.
    """
    live: Properties = {
        "connection_name": connection.name,
        "streams": streams.from_api(
            connection.streams,
            declared.get("streams") or {},
            namespaces,
            connection.non_breaking_changes_preference,
            files,
        ),
        "schedule": schedule.from_api(connection.schedule_type, connection.schedule_data, declared.get("schedule")),
        "namespace_definition": connection.namespace_definition or "source",
        "namespace_format": connection.namespace_format,
        "prefix": connection.prefix or "",
        "schema_changes": connection.non_breaking_changes_preference or "ignore",
        "status": connection.status,
        "resources": {key: value for key, value in (connection.resource_requirements or {}).items() if value},
        "tags": sorted(str(tag.get("name")) for tag in connection.tags),
        "operation_ids": sorted(connection.operation_ids),
        "notify_schema_changes": bool(connection.notify_schema_changes),
        "notify_schema_changes_by_email": bool(connection.notify_schema_changes_by_email),
        "backfill_new_columns": connection.backfill_preference == "enabled",
    }
    if live["namespace_definition"] != "customformat":
        live["namespace_format"] = None  # kept by the server, without a meaning
    return present(live)


def tags(session: Session, names: Iterable[str], workspace_id: str) -> list[dict[str, Any]]:
    """The workspace's tags of these names, made where they do not exist; connections are sent whole tags."""
    wanted = list(names)
    if not wanted:
        return []
    known = {tag["name"]: tag for tag in session.client.post_many("tags/list", {"workspaceId": workspace_id})}
    for name in wanted:
        if name not in known:
            body = {"workspaceId": workspace_id, "name": name, "color": TAG_COLOR}
            known[name] = session.client.post("tags/create", body)
    return [known[name] for name in wanted]
