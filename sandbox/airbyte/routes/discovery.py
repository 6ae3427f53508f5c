"""Discovering schemas, with Airbyte's cache."""

from __future__ import annotations

from sandbox.airbyte.checks import cached_job_info, discover_key
from sandbox.airbyte.definitions import Version
from sandbox.airbyte.discovery import discovered_catalog, proposed_catalog
from sandbox.airbyte.entities import Catalog, new_id
from sandbox.airbyte.errors import ServerFaultError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import DESTINATION, SOURCE
from sandbox.airbyte.propagation import apply_discovery, diff
from sandbox.airbyte.wire import Body, Endpoints, Json, present

api = Endpoints()


@api.post("/v1/sources/discover_schema", slow=True)
def discover(instance: Instance, body: Body) -> Json:
    """The catalog of a stored source; with ``connectionId`` it also judges, and may disable, that connection."""
    with instance.store.lock:
        source = instance.actors.get(SOURCE, body.id("sourceId"))
        version = instance.definitions.resolve_actor(source)
        if source.configuration is None:
            raise ServerFaultError(f"source {source.id} has no configuration")
        key = discover_key(source.id, version.tag, source.configuration)
        config = instance.actors.hydrated(source)
        cached = None if body.flag("disable_cache") else _cached(instance, key)
    if cached:
        catalog, info = cached, cached_job_info()
    else:
        streams, info = instance.runs.discover(version, config)
        if streams is None:
            return {"jobInfo": info}
        with instance.store.lock:
            catalog = discovered_catalog(instance, source.id, key, streams)
    answer = _answer(version, catalog, info)
    if connection_id := body.optional_id("connectionId"):
        with instance.store.lock:
            connection = instance.store.connections.get(connection_id)
            changes = diff(connection.streams, catalog.streams)
            apply_discovery(instance, connection, catalog, propagate=False)
            answer |= {
                "catalogDiff": {"transforms": changes.transforms()},
                "breakingChange": connection.breaking_change,
                "connectionStatus": connection.status,
            }
    return answer


@api.post("/v1/scheduler/sources/discover_schema", slow=True)
def discover_unsaved(instance: Instance, body: Body) -> Json:
    """The catalog of a configuration that is stored nowhere."""
    with instance.store.lock:
        definition = instance.definitions.get(SOURCE, body.id("sourceDefinitionId"))
        version = instance.definitions.resolve(definition, body.id("workspaceId"), body.optional_id("sourceId"))
        config = instance.actors.hydrate(body.object("connectionConfiguration"))
    streams, info = instance.runs.discover(version, config)
    if streams is None:
        return {"jobInfo": info}
    return _answer(version, Catalog(new_id(), None, "", streams), info)


@api.post("/v1/sources/most_recent_source_actor_catalog")
def most_recent(instance: Instance, body: Body) -> Json:
    """The latest catalog that was discovered for a source."""
    source = instance.actors.get(SOURCE, body.id("sourceId"))
    found = [catalog for catalog in instance.store.catalogs if catalog.source_id == source.id]
    return {"updatedAt": found[-1].created_at, "catalog": {"streams": found[-1].streams}} if found else {}


@api.post("/v1/destinations/discover_schema", slow=True, since=(1, 7))
def discover_destination(instance: Instance, body: Body) -> Json:
    """Only data activation destinations have a catalog, and none of the sandbox's is one."""
    with instance.store.lock:
        instance.actors.get(DESTINATION, body.id("destinationId"))
    raise ServerFaultError("the destination does not support data activation")


def _cached(instance: Instance, key: str) -> Catalog | None:
    return next((c for c in reversed(list(instance.store.catalogs)) if c.fingerprint == key), None)


def _answer(version: Version, catalog: Catalog, info: Json) -> Json:
    return present(
        {
            "catalog": {"streams": proposed_catalog(version, catalog.streams)},
            "catalogId": catalog.id if catalog.source_id else None,
            "jobInfo": info,
        }
    )
