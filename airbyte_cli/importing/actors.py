"""A source or a destination in the words of a pipeline file, with variables where its secrets are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from airbyte_cli.importing.names import Names, variable
from airbyte_cli.importing.snapshot import Connector
from components import normalization
from components.pipeline_file.models import SecretType
from components.pipeline_file.secrets import KeyPath, is_secret_name
from components.pipeline_file.variables import references
from dynamic_providers.airbyte import allocation, secrets, spec
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import Actor
from dynamic_providers.values import plain

_TYPES: Final[tuple[SecretType, ...]] = ("object", "array", "number", "integer", "boolean")


@dataclass(frozen=True)
class Variable:
    """A variable that a file refers to and the user has to set."""

    name: str
    path: str
    """The field of the config, dotted."""
    value: Any
    """What Airbyte shows there: a mask, as a rule."""

    type: SecretType = "string"

    @property
    def shown(self) -> bool:
        """Whether Airbyte shows the value, since to the connector it is no secret."""
        return bool(self.value != secrets.MASK)


@dataclass(frozen=True)
class ActorFile:
    """What pipeline files say of an actor."""

    kind: Kind
    actor: Actor
    connector: Connector
    document: dict[str, Any]
    variables: tuple[Variable, ...]
    obstacles: tuple[str, ...]
    """Why no file can express it."""
    unmanaged: tuple[str, ...]
    """What the file leaves out."""
    normalized: Mapping[str, Any]
    """What `normalization` stands for in the file of a pipeline, and the file of a destination alone has to say."""

    @property
    def alone(self) -> dict[str, Any]:
        """The document of a file of its own."""
        return {self.kind.name: {**self.document, "config": {**self.document["config"], **self.normalized}}}

    def restored(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """A file's config with the variables replaced by what Airbyte shows."""
        values = {each.name: each.value for each in self.variables}
        restored: dict[str, Any] = _restored(config, values)
        return restored


def describe(
    kind: Kind,
    actor: Actor,
    connector: Connector,
    *,
    variables: Names,
    version: str | None = None,
    resource: str | None = None,
    adopt: str | None = None,
) -> ActorFile:
    """Put an actor into a file's words.

    `version` is one of its own, beside the workspace's; `resource` and `adopt` tell it from others of its name;
    `variables` gives names to variables.
    """
    schema = connector.specification.connection_specification
    config = plain(actor.connection_configuration or {})
    dropped = [path for path in spec.unknown_fields(config, schema) if secrets.get(config, path) != secrets.MASK]
    decided = normalization.decides(connector.name) if kind.name == "destination" else ()
    normalized = {name: config[name] for name in sorted(decided) if name in config}
    dropped += normalized
    config = _without(config, {tuple(path.split(".")) for path in dropped})
    found: list[Variable] = []
    undeclared: dict[str, SecretType] = {}
    obstacles = [connector.obstacle] if connector.obstacle else []

    def visit(node: Any, path: KeyPath) -> Any:
        dotted = ".".join(map(str, path))
        if isinstance(node, dict):
            return {key: visit(value, (*path, key)) for key, value in node.items()}
        if isinstance(node, list):
            return [visit(value, (*path, index)) for index, value in enumerate(node)]
        secret = node == secrets.MASK
        if not isinstance(node, str) or node.startswith(secrets.COORDINATE_PREFIX):
            return node
        if not secret and not (node and is_secret_name(path, ())):
            return node.replace("${", "$${")
        types = spec.types_at(schema, dotted) - {"null"}
        kept: SecretType = "string"
        if types and "string" not in types:
            kept = next(known for known in _TYPES if known in types)
            if len(types) > 1:
                obstacles.append(f"its secret {dotted} may be {' or '.join(sorted(types))}, and Airbyte hides which")
        if secret and (kept != "string" or not is_secret_name(path, ())):
            undeclared[".".join(part for part in path if isinstance(part, str))] = kept
        name = variables.take(variable(kind.name, resource or actor.name or connector.name, dotted))
        found.append(Variable(name, dotted, node, kept))
        return "${" + name + "}"

    document: dict[str, Any] = {
        "name": actor.name,
        "connector": connector.name,
        "version": version,
        "resource": resource,
        "adopt": adopt,
        "config": visit(config, ()),
        "secrets": _declaration(undeclared),
        "resources": allocation.shown(actor),
    }
    unknown = [path for path in dropped if path not in normalized]
    unmanaged = [f"its connector's spec does not know {path}"] if (path := ", ".join(unknown)) else []
    return ActorFile(
        kind,
        actor,
        connector,
        {key: value for key, value in document.items() if value or key == "config"},
        tuple(found),
        tuple(obstacles),
        tuple(unmanaged),
        normalized,
    )


def _declaration(secret_types: Mapping[str, SecretType]) -> list[str] | dict[str, str]:
    """The paths; with their types where one is no text."""
    texts = all(kept == "string" for kept in secret_types.values())
    return sorted(secret_types) if texts else dict(sorted(secret_types.items()))


def _restored(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, Mapping):
        return {key: _restored(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_restored(value, values) for value in node]
    if not isinstance(node, str):
        return node
    return values[references(node)[0]] if references(node) else node.replace("$${", "${")


def _without(config: dict[str, Any], paths: set[tuple[str, ...]]) -> dict[str, Any]:
    def kept(node: dict[str, Any], prefix: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for key, value in node.items():
            path = (*prefix, *key.split("."))
            if path not in paths:
                yield key, dict(kept(value, path)) if isinstance(value, dict) else value

    return dict(kept(config, ()))
