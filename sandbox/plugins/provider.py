"""A provider: its configuration, the kinds of resource it covers, and the server session they share."""

from __future__ import annotations

import json
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, cast

from sandbox.plugins.resource import Field, PluginError, Resource, Session
from sandbox.plugins.values import UNKNOWN, Properties, Value, is_known


class Provider(ABC, Generic[Session]):
    """What the gRPC server needs to know of one package. `package` is its name and `version` that of the SDK."""

    package: ClassVar[str]
    version: ClassVar[str]
    config: ClassVar[tuple[Field, ...]]
    environment: ClassVar[Mapping[str, str]]
    """The variable that stands in for a configuration field that is not given."""
    tolerated: ClassVar[frozenset[str]] = frozenset()
    """Configuration of the official provider that makes no difference here; any other is refused."""
    resources: Sequence[Resource[Session]]

    def __init__(self) -> None:
        self._configuration: Properties = {}
        self._session: Session | None = None
        self._lock = threading.Lock()

    @abstractmethod
    def open(self, configuration: Properties) -> Session:
        """Reach the server; called once, at the first resource that needs it. Raises PluginError."""

    @abstractmethod
    def close(self, session: Session) -> None:
        """Let go of the server."""

    def kind(self, token: str) -> Resource[Session]:
        """The kind of resource with this type token; raises PluginError that names the kinds there are."""
        for resource in self.resources:
            if resource.token == token:
                return resource
        covered = ", ".join(sorted(resource.token for resource in self.resources))
        raise PluginError(
            f"The resource type {token} is not covered by this stand-in for the {self.package} provider. "
            f"It covers: {covered}. Install the official plugin with "
            f"`pulumi plugin install resource {self.package} {self.version}` to use the others."
        )

    # -- configuration

    def check_config(self, declared: Properties) -> list[tuple[str, str]]:
        """What is wrong with a configuration, as pairs of property and reason."""
        failures = []
        for name, value in sorted(declared.items()):  # the wire has no order
            field = self._fields().get(name)
            if field is None:
                if name not in self.tolerated | _ENGINES_OWN and value not in (None, "", "false", "[]", "{}"):
                    covered = ", ".join(self._fields())
                    failures.append((name, f"not covered by this stand-in provider. It covers: {covered}"))
                continue
            try:
                field.coerce(_parsed(field, value))
            except ValueError as error:
                failures.append((name, str(error)))
        return failures

    def configure(self, declared: Properties) -> None:
        """Take a configuration: declared values that are not empty, else the environment's, else the defaults."""
        self._configuration = {}
        for field in self.config:
            value = declared.get(field.name)
            if value in (None, "") and field.name in self.environment:
                value = os.environ.get(self.environment[field.name])
            value = field.default if value in (None, "") else value
            self._configuration[field.name] = field.coerce(_parsed(field, value))

    def session(self) -> Session:
        """The session with the server, opened on first use. Raises PluginError."""
        with self._lock:
            if self._session is None:
                unknown = [name for name, value in self._configuration.items() if not is_known(value)]
                if unknown:
                    raise PluginError(
                        f"The {self.package} provider can't be reached yet: {', '.join(unknown)} of its "
                        "configuration is only known after another resource of this update is created."
                    )
                self._session = self.open(self._configuration)
            return self._session

    @property
    def current_session(self) -> Session | None:
        """The session if there is one already."""
        return self._session

    def replacing(self, was: Properties, will_be: Properties) -> list[str]:  # noqa: ARG002 - for providers with rules
        """The changed fields of the configuration that make everything anew: those that lead to another server."""
        return []

    def shut(self) -> None:
        """Close the session if there is one."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            self.close(session)

    def confidential(self) -> list[str]:
        """The secret texts of the configuration, which no message may show."""
        return [
            value
            for field in self.config
            if field.secret and isinstance(value := self._configuration.get(field.name), str)
        ]

    def _fields(self) -> dict[str, Field]:
        return {field.name: field for field in self.config}

    # -- schema

    def schema(self) -> str:
        """The package schema of what is covered: enough for `pulumi import` to write a program."""
        return json.dumps(
            {
                "name": self.package,
                "version": self.version,
                "provider": {"inputProperties": _properties(self.config)},
                "resources": {
                    resource.token: {
                        "inputProperties": _properties(resource.inputs.values()),
                        "requiredInputs": [field.name for field in resource.fields if field.required],
                        "properties": _properties(resource.fields),
                        "required": [field.name for field in resource.fields if field.required],
                    }
                    for resource in self.resources
                },
            }
        )


_ENGINES_OWN = frozenset({"version", "pluginDownloadURL"})

_SCHEMA_TYPES: Mapping[str, Mapping[str, object]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "integers": {"type": "array", "items": {"type": "integer"}},
    "object": {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}},
}


def _properties(fields: Sequence[Field] | object) -> dict[str, object]:
    return {
        field.name: {**_SCHEMA_TYPES[field.type], **({"secret": True} if field.secret else {})}
        for field in cast("Sequence[Field]", fields)
    }


def _parsed(field: Field, value: Value) -> Value:
    """A provider's own properties arrive as JSON in a string, whatever their type."""
    if value is UNKNOWN or field.type == "string" or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
