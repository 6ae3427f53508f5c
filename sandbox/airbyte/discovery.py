"""Stored catalogs: what a discovery found, and what a client is proposed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.airbyte.catalog import canonical_stream, with_default_config
from sandbox.airbyte.checks import discover_key
from sandbox.airbyte.definitions import Version
from sandbox.airbyte.entities import Catalog, new_id
from sandbox.airbyte.kinds import SOURCE
from sandbox.airbyte.wire import Json

if TYPE_CHECKING:
    from sandbox.airbyte.entities import Connection
    from sandbox.airbyte.instance import Instance


def discovered_catalog(instance: Instance, source_id: str, key: str, streams: list[Json]) -> Catalog:
    """Store what a discovery found; an equal catalog of the source keeps its id."""
    canonical = [canonical_stream(stream) for stream in streams]
    held = latest_catalog(instance, source_id)
    if held is not None and held.streams == canonical:
        held.fingerprint = key
        return instance.store.catalogs.save(held)
    return instance.store.catalogs.save(Catalog(new_id(), source_id, key, canonical))


def latest_catalog(instance: Instance, source_id: str) -> Catalog | None:
    """The newest catalog of a source, if it was ever discovered."""
    return next((c for c in reversed(list(instance.store.catalogs)) if c.source_id == source_id), None)


def refreshed_catalog(instance: Instance, connection: Connection) -> Catalog | None:
    """Discover a connection's source now; None when that fails. Takes the store's lock by itself."""
    with instance.store.lock:
        source = instance.actors.get(SOURCE, connection.source_id)
        version = instance.definitions.resolve_actor(source)
        config = instance.actors.hydrated(source)
        key = discover_key(source.id, version.tag, source.configuration or {})
    streams, _ = instance.runs.discover(version, config)
    if streams is None:
        return None
    with instance.store.lock:
        return discovered_catalog(instance, source.id, key, streams)


def proposed_catalog(version: Version, streams: list[Json]) -> list[Json]:
    """The streams with the configuration that Airbyte proposes; few are selected."""
    suggested = set(version.connector.facts.get("suggestedStreams", [])) if version.connector else set()
    canonical = [canonical_stream(stream) for stream in streams]
    return [
        with_default_config(stream, selected=len(canonical) == 1 or stream["name"] in suggested) for stream in canonical
    ]
