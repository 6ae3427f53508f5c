"""Every resource of Airbyte as the engine knows it: one dynamic provider a kind, without any logic."""

import sys

from pulumi.dynamic import ConfigureRequest

from dynamic_providers import shell
from dynamic_providers.airbyte import session
from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.availability import AirbyteApiResource
from dynamic_providers.airbyte.connection import ConnectionResource
from dynamic_providers.airbyte.connector_version import ConnectorVersionResource
from dynamic_providers.airbyte.custom_connector import CustomConnectorResource
from dynamic_providers.airbyte.declarative_connector import DeclarativeConnectorResource
from dynamic_providers.airbyte.engine import Engine
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.tag import TagResource
from dynamic_providers.airbyte.workspace_notifications import WorkspaceNotificationsResource
from dynamic_providers.crud import Resource
from dynamic_providers.generated_secret import GeneratedSecretResource


class Provider(shell.Provider):
    """Works in the session of its process."""

    def configure(self, req: ConfigureRequest) -> None:
        """Take stack config."""
        super().configure(req)
        shell.scrub_with(session.scrub)
        session.configure(req.config.get, Engine(sys.argv) if shell.host() is not None else None)


class FingerprintKeyProvider(Provider):
    """Serves FingerprintKey."""

    def resource(self) -> Resource:
        """Needs no server."""
        return GeneratedSecretResource("key")


class AirbyteApiProvider(Provider):
    """Serves AirbyteApi."""

    def resource(self) -> Resource:
        """The server of the process's session."""
        return AirbyteApiResource(session.current())


class ConnectorVersionProvider(Provider):
    """Serves ConnectorVersion."""

    def resource(self) -> Resource:
        """Pins in the process's session."""
        return ConnectorVersionResource(session.current())


class SourceProvider(Provider):
    """Serves Source."""

    def resource(self) -> Resource:
        """Sources in the process's session."""
        return ActorResource(session.current(), SOURCE)


class DestinationProvider(Provider):
    """Serves Destination."""

    def resource(self) -> Resource:
        """Destinations in the process's session."""
        return ActorResource(session.current(), DESTINATION)


class ConnectionProvider(Provider):
    """Serves Connection."""

    def resource(self) -> Resource:
        """Connections in the process's session."""
        return ConnectionResource(session.current())


class CustomConnectorProvider(Provider):
    """Serves CustomConnector."""

    def resource(self) -> Resource:
        """Custom definitions in the process's session."""
        return CustomConnectorResource(session.current())


class DeclarativeConnectorProvider(Provider):
    """Serves DeclarativeConnector."""

    def resource(self) -> Resource:
        """Declarative definitions in the process's session."""
        return DeclarativeConnectorResource(session.current())


class TagProvider(Provider):
    """Serves Tag."""

    def resource(self) -> Resource:
        """Tags in the process's session."""
        return TagResource(session.current())


class WorkspaceNotificationsProvider(Provider):
    """Serves WorkspaceNotifications."""

    def resource(self) -> Resource:
        """Notifications in the process's session."""
        return WorkspaceNotificationsResource(session.current())
