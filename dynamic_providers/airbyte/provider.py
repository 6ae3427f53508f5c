"""The shell that hands the resources to Pulumi's engine: one dynamic provider a kind, without any logic.

What matters about the classes: they live in an importable module and have no attributes of their own, so state holds
a reference to them and not their code, and `pulumi refresh` runs what is installed and not what once was.
"""

import sys
import traceback
from types import ModuleType, SimpleNamespace
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from dynamic_providers.airbyte import session
from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.availability import AirbyteApiResource
from dynamic_providers.airbyte.connection import ConnectionResource
from dynamic_providers.airbyte.connector_version import ConnectorVersionResource
from dynamic_providers.airbyte.crud import Resource
from dynamic_providers.airbyte.custom_connector import CustomConnectorResource
from dynamic_providers.airbyte.declarative_connector import DeclarativeConnectorResource
from dynamic_providers.airbyte.engine import Engine
from dynamic_providers.airbyte.errors import AirbyteError
from dynamic_providers.airbyte.fingerprint_key import FingerprintKeyResource
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.tag import TagResource
from dynamic_providers.airbyte.values import UNKNOWN, Properties, is_unknown, plain
from dynamic_providers.airbyte.workspace_notifications import WorkspaceNotificationsResource

_PROVIDER_KEY = "__provider"
_HOST = "pulumi.dynamic.__main__"


class Provider(ResourceProvider):
    """Translates between the engine's calls and a Resource."""

    serialize_as_secret_always = False  # there is nothing in it to keep secret

    def resource(self) -> Resource:
        """The CRUD of this kind."""
        raise NotImplementedError

    def configure(self, req: ConfigureRequest) -> None:
        """Take stack config."""
        _print_our_errors_without_traceback()
        session.configure(req.config.get, Engine(sys.argv) if _host() is not None else None)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """See Resource.check."""
        checked = self.resource().check(_from_engine(_olds), _from_engine(news))
        # The engine would print a failing property's value, so failures name the field in their text instead.
        failures = [CheckFailure("", session.scrub(failure)) for failure in checked.failures]
        return CheckResult(_to_engine(checked.inputs), failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """See Resource.diff."""
        difference = self.resource().diff(_id, _from_engine(_olds), _from_engine(_news))
        return DiffResult(
            changes=bool(difference.changed),
            replaces=list(difference.replaces),
            delete_before_replace=difference.delete_before_replace,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """See Resource.create."""
        id_, outputs = self.resource().create(_from_engine(props))
        return CreateResult(id_, outputs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """See Resource.read; a blank id tells the engine that the object is gone."""
        live = self.resource().read(id_, _from_engine(props))
        return ReadResult("", {}) if live is None else ReadResult(id_, live.outputs, live.inputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """See Resource.update."""
        return UpdateResult(self.resource().update(_id, _from_engine(_olds), _from_engine(_news)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """See Resource.delete."""
        self.resource().delete(_id, _from_engine(_props))


class FingerprintKeyProvider(Provider):
    """Serves FingerprintKey."""

    def resource(self) -> Resource:
        """Needs no server."""
        return FingerprintKeyResource()


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


def _from_engine(props: dict[str, Any]) -> Properties:
    cleaned = {key: _known(value) for key, value in props.items() if key != _PROVIDER_KEY}
    result: Properties = plain(cleaned)
    return result


def _known(value: Any) -> Any:
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    return [_known(item) for item in value] if isinstance(value, list) else value


def _to_engine(value: Any) -> Any:
    if is_unknown(value):
        return pulumi.output.Unknown()  # type: ignore[no-untyped-call]
    if isinstance(value, dict):
        return {key: _to_engine(item) for key, item in value.items()}
    return [_to_engine(item) for item in value] if isinstance(value, list) else value


def _print_our_errors_without_traceback() -> None:
    """Let a user see our paragraph alone, where the host process would print it below a traceback.

    The host formats whatever a provider raises with ``traceback.format_exc()``, looked up in its own module: that
    name is replaced there, and nowhere else. Other exceptions keep their traceback, less the secrets in it.
    """
    host = _host()
    if host is not None:
        host.traceback = SimpleNamespace(format_exc=_format_exception)  # type: ignore[attr-defined]


def _host() -> ModuleType | None:
    """The main module of the process that hosts dynamic providers, where this is one."""
    main = sys.modules.get("__main__")
    return main if getattr(getattr(main, "__spec__", None), "name", None) == _HOST else None


def _format_exception() -> str:
    error = sys.exception()
    text = str(error) if isinstance(error, AirbyteError) else traceback.format_exc()
    return session.scrub(text)
