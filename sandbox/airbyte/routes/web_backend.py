"""The endpoints of Airbyte's own web page that clients sometimes use, with their side effects."""

from __future__ import annotations

from sandbox.airbyte import connections
from sandbox.airbyte.catalog import key_of, with_default_config
from sandbox.airbyte.discovery import latest_catalog, refreshed_catalog
from sandbox.airbyte.entities import Connection
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import DESTINATION, SOURCE
from sandbox.airbyte.propagation import apply_discovery
from sandbox.airbyte.schedule import ExpressionError, describe
from sandbox.airbyte.wire import Body, Endpoints, Json

api = Endpoints()
_PAGE_SIZE = 20


@api.post("/v1/web_backend/connections/get", slow=True)
def get(instance: Instance, body: Body) -> Json:
    """A connection with the streams that it could select; refreshing the catalog may disable it."""
    with instance.store.lock:
        connection = instance.store.connections.get(body.id("connectionId"))
    if body.flag("withRefreshedCatalog"):
        catalog = refreshed_catalog(instance, connection)
        with instance.store.lock:
            if catalog is not None:
                apply_discovery(instance, connection, catalog, propagate=False)
    with instance.store.lock:
        return _read(instance, connection)


@api.post("/v1/web_backend/connections/create")
def create(instance: Instance, body: Body) -> Json:
    """Like ``connections/create``."""
    return _read(instance, connections.create(instance, body))


@api.post("/v1/web_backend/connections/update")
def update(instance: Instance, body: Body) -> Json:
    """Like ``connections/update``, then a refresh or reset of the streams that changed, unless ``skipReset``."""
    connection = instance.store.connections.get(body.id("connectionId"))
    before = {key_of(entry): _essence(entry) for entry in connection.streams}
    connections.update(instance, connection, body)
    changed = [e for e in connection.streams if key_of(e) in before and before[key_of(e)] != _essence(e)]
    if changed and not body.flag("skipReset") and not instance.jobs.running(connection.id):
        destination = instance.actors.get(DESTINATION, connection.destination_id)
        if instance.definitions.resolve_actor(destination).supports_refreshes:
            instance.jobs.start(connection, "refresh", changed, "Merge")
        else:
            instance.jobs.start(connection, "reset_connection", changed)
    return _read(instance, connection)


@api.post("/v1/web_backend/connections/list")
def list_connections(instance: Instance, body: Body) -> Json:
    """Short reads of the connections of a workspace, of certain sources and destinations where these are given."""
    workspace_id = body.id("workspaceId")
    sources, destinations = body.array("sourceId"), body.array("destinationId")
    found = [
        connection
        for connection in instance.store.connections
        if connection.workspace_id == workspace_id
        and connection.status != "deprecated"
        and (not sources or connection.source_id in sources)
        and (not destinations or connection.destination_id in destinations)
    ]
    keys = ("connectionId", "name", "scheduleType", "scheduleData", "status", "tags")
    shown = found[: body.integer("pageSize", _PAGE_SIZE)]
    reads = [connections.read(instance, connection) for connection in shown]
    return {"connections": [{key: read[key] for key in keys if key in read} for read in reads]}


@api.post("/v1/web_backend/describe_cron_expression", since=(1, 3))
def describe_cron(_: Instance, body: Body) -> Json:
    """Whether a Quartz expression is valid, and when it runs next."""
    try:
        return {"isValid": True, **describe(body.text("cronExpression"))}
    except ExpressionError as error:
        return {"isValid": False, "validationErrorMessage": str(error)}


def _essence(entry: Json) -> Json:
    """What, when changed, makes the web page refresh a stream."""
    keys = ("syncMode", "destinationSyncMode", "cursorField", "primaryKey")
    return {"schema": entry["stream"]["jsonSchema"], **{key: entry["config"][key] for key in keys}}


def _read(instance: Instance, connection: Connection) -> Json:
    """``WebBackendConnectionRead``: also the discovered streams that are not selected."""
    read = connections.read(instance, connection)
    selected = {key_of(entry) for entry in connection.streams}
    catalog = latest_catalog(instance, connection.source_id)
    others = [s for s in catalog.streams if key_of(s) not in selected] if catalog else []
    read["syncCatalog"] = {
        "streams": read["syncCatalog"]["streams"] + [with_default_config(s, selected=False) for s in others]
    }
    for kind, actor_id in ((SOURCE, connection.source_id), (DESTINATION, connection.destination_id)):
        read[kind.name] = instance.actors.read(kind, instance.actors.get(kind, actor_id))
    running = instance.jobs.running(connection.id)
    return read | {"isSyncing": running is not None, "schemaChange": "no_change"}
