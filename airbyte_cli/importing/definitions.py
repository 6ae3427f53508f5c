"""Connectors of one's own, which are no part of a pipeline file: what a program would declare for them."""

from dynamic_providers.airbyte.connection_api import RESOURCES
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import Definition

_RUNS_MANIFESTS = "source-declarative-manifest"


def is_manifest(definition: Definition) -> bool:
    """Whether it was made in the Connector Builder, and so shares the image that runs manifests."""
    return definition.docker_repository.rpartition("/")[2] == _RUNS_MANIFESTS


def declaration(kind: Kind, definition: Definition, name: str) -> str:
    """The line of a program that takes the connector over as it is; `name` is what Pulumi is to call it."""
    arguments = {"connector_name": definition.name}
    if is_manifest(definition):
        called = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        return f'DeclarativeConnector("{name}", {called}, manifest=Path("connectors/{name}.yaml"), adopt=True)'
    arguments |= {
        "docker_repository": definition.docker_repository,
        "docker_image_tag": definition.docker_image_tag,
    }
    called = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    limits = (definition.resource_requirements or {}).get("default") or {}
    resources = {key: limits[key] for key in RESOURCES if limits.get(key)}
    also = f", resources={resources!r}" if resources else ""
    return f'CustomConnector("{name}", kind="{kind.name}", {called}{also}, adopt=True)'


def advice(kind: Kind, definition: Definition, name: str) -> str:
    """A clause for the report."""
    line = declaration(kind, definition, name)
    manifest = f", with its manifest, as the Connector Builder exports it, in connectors/{name}.yaml"
    return (
        "a connector of your own is no part of a pipeline file; a program declares it as "
        f"{line}{manifest if is_manifest(definition) else ''}"
    )
