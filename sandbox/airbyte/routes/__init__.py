"""The endpoints of the Config API, one module a family; ``sandbox`` has those that are not Airbyte's."""

from __future__ import annotations

from sandbox.airbyte.routes import (
    actor_definitions,
    actor_versions,
    actors,
    applications,
    checks,
    commands,
    connection_commands,
    connections,
    connector_builder,
    definitions,
    deployment,
    discovery,
    jobs,
    notifications,
    operations,
    scoped_configuration,
    tags,
    web_backend,
    workspaces,
)

ENDPOINTS = [
    endpoint
    for module in (
        actor_definitions,
        actor_versions,
        actors,
        applications,
        checks,
        commands,
        connection_commands,
        connections,
        connector_builder,
        definitions,
        deployment,
        discovery,
        jobs,
        notifications,
        operations,
        scoped_configuration,
        tags,
        web_backend,
        workspaces,
    )
    for endpoint in module.api.all
]
