"""What the server stores: one dataclass a kind of row, all fields JSON-compatible."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox.airbyte.wire import NIL_UUID, Json


def new_id() -> str:
    """A random UUID in canonical form."""
    return str(uuid.uuid4())


def now() -> int:
    """Epoch seconds, the unit of most of Airbyte's timestamps."""
    return int(time.time())


@dataclass
class Workspace:
    """A workspace; ``settings`` has its plain flags and texts."""

    id: str
    name: str
    slug: str
    organization_id: str = NIL_UUID
    email: str | None = None
    customer_id: str = field(default_factory=new_id)
    settings: Json = field(default_factory=dict)
    notifications: list[Json] = field(default_factory=list)
    notification_settings: Json = field(default_factory=dict)
    webhooks: list[Json] = field(default_factory=list)
    tombstone: bool = False


@dataclass
class Definition:
    """A connector definition; ``tag`` is the instance's default version."""

    id: str
    kind: str
    name: str
    repository: str
    tag: str
    custom: bool = False
    workspace_id: str | None = None
    documentation_url: str | None = None
    resource_requirements: Json | None = None
    tombstone: bool = False


@dataclass
class BuilderProject:
    """A project of the Connector Builder; published, it has a definition."""

    id: str
    workspace_id: str
    name: str
    definition_id: str | None = None
    draft: Json | None = None
    components: str | None = None
    updated_at: int = field(default_factory=now)


@dataclass
class Manifest:
    """One version of a declarative definition's manifest."""

    id: str
    definition_id: str
    version: int
    description: str
    manifest: Json
    spec: Json
    components: str | None = None
    active: bool = False


@dataclass
class Actor:
    """A source or a destination.

    Attributes:
        configuration: As stored, secrets replaced by ``{"_secret": coordinate}``; None once deleted.
    """

    id: str
    kind: str
    definition_id: str
    workspace_id: str
    name: str
    configuration: Json | None
    resource_allocation: Json | None = None
    tombstone: bool = False
    created_at: int = field(default_factory=now)


@dataclass
class Pin:
    """A scoped configuration; of the key ``connector_version`` it fixes a connector's version for a scope."""

    id: str
    key: str
    value: str
    scope_type: str
    scope_id: str
    origin_type: str
    origin: str
    resource_type: str | None = None
    resource_id: str | None = None
    description: str | None = None
    reference_url: str | None = None
    expires_at: str | None = None
    created_at: int = field(default_factory=now)
    updated_at: int = field(default_factory=now)


@dataclass
class Catalog:
    """A discovered catalog; ``fingerprint`` is the key of the discover cache."""

    id: str
    source_id: str | None
    fingerprint: str
    streams: list[Json]
    created_at: int = field(default_factory=now)


@dataclass
class Connection:
    """A connection; ``streams`` are the selected ones in canonical form."""

    id: str
    name: str
    workspace_id: str
    source_id: str
    destination_id: str
    streams: list[Json]
    status: str
    namespace_definition: str = "source"
    namespace_format: str | None = None
    prefix: str | None = None
    schedule_type: str = "manual"
    schedule_data: Json | None = None
    operation_ids: list[str] = field(default_factory=list)
    resource_requirements: Json | None = None
    source_catalog_id: str | None = None
    notify_schema_changes: bool | None = None
    notify_schema_changes_by_email: bool | None = None
    non_breaking_changes_preference: str = "ignore"
    backfill_preference: str = "disabled"
    geography: str | None = None
    tags: list[Json] = field(default_factory=list)
    breaking_change: bool = False
    created_at: int = field(default_factory=now)


@dataclass
class ConnectionState:
    """What a connection has synced so far; ``id`` is the connection's.

    Attributes:
        streams: Per stream key (see ``catalog.stream_key``) what the source needs to go on from there.
        shared: State of all streams together, e.g. a position in the write-ahead log.
        generations: Per stream key how often it was refreshed or cleared.
    """

    id: str
    kind: str = "not_set"
    shared: Json | None = None
    streams: dict[str, Json] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)


@dataclass
class Job:
    """A job of a connection. ``attempts`` are kept as Airbyte answers them."""

    id: int
    kind: str
    connection_id: str
    status: str
    streams: list[Json]
    refresh_mode: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    attempts: list[Json] = field(default_factory=list)
    created_at: int = field(default_factory=now)
    updated_at: int = field(default_factory=now)
    started_at: int | None = None


@dataclass
class Event:
    """An entry of a connection's timeline."""

    id: str
    connection_id: str
    kind: str
    summary: Json
    created_at: int = field(default_factory=now)


@dataclass
class Tag:
    """A workspace's tag for connections."""

    id: str
    workspace_id: str
    name: str
    color: str


@dataclass
class Operation:
    """A webhook operation that runs after a sync."""

    id: str
    workspace_id: str
    name: str
    configuration: Json


@dataclass
class Secret:
    """A stored secret; ``id`` is its coordinate. ``external`` ones are the customer's: never versioned or deleted."""

    id: str
    value: Any
    external: bool = False


@dataclass
class Setting:
    """A value that must survive a restart: the instance's ids, the job counter, the key that signs tokens."""

    id: str
    value: Any
