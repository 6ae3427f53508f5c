"""Airbyte as Pulumi resources: pinned connectors, sources, destinations and connections.

Made of Airbyte's Config API, which alone can check a configuration before it is saved, discover streams and pin
versions. Where to start reading: ``resources`` for the program's side, ``actor`` and ``connection`` for what happens on
the server, ``client`` for how it is asked.
"""

from dynamic_providers.airbyte import schedule
from dynamic_providers.airbyte.errors import AirbyteError
from dynamic_providers.airbyte.resources import (
    ActorArgs,
    AirbyteApi,
    Connection,
    ConnectorVersion,
    Destination,
    FingerprintKey,
    Source,
)
from dynamic_providers.airbyte.settings import Settings, resolve_reference
from dynamic_providers.airbyte.workspace_resources import (
    CustomConnector,
    DeclarativeConnector,
    Tag,
    WorkspaceNotifications,
)

__all__ = [
    "ActorArgs",
    "AirbyteApi",
    "AirbyteError",
    "Connection",
    "ConnectorVersion",
    "CustomConnector",
    "DeclarativeConnector",
    "Destination",
    "FingerprintKey",
    "Settings",
    "Source",
    "Tag",
    "WorkspaceNotifications",
    "resolve_reference",
    "schedule",
]
