"""Clients that others wrote see what the stack made."""

from typing import TYPE_CHECKING, Any

import airbyte_api
import pytest
from airbyte_api import api, models

if TYPE_CHECKING:
    from tests.e2e.conftest import Airbyte, Project
else:
    Airbyte = Project = Any

pytestmark = pytest.mark.e2e


def test_the_official_airbyte_sdk_lists_what_the_stack_made(
    project: Project, airbyte: Airbyte, sandbox: dict[str, str]
) -> None:
    project.up()
    ids = project.outputs()["pipelines"]["production"]
    client = airbyte_api.AirbyteAPI(
        server_url=f"{sandbox['AIRBYTE_URL']}/api/public/v1",
        security=models.Security(
            client_credentials=models.SchemeClientCredentials(
                client_id=sandbox["AIRBYTE_CLIENT_ID"],
                client_secret=sandbox["AIRBYTE_CLIENT_SECRET"],
                token_url=f"{sandbox['AIRBYTE_URL']}/api/public/v1/applications/token",
            )
        ),
    )
    workspaces = [airbyte.workspace]
    sources = client.sources.list_sources(request=api.ListSourcesRequest(workspace_ids=workspaces)).sources_response
    destinations = client.destinations.list_destinations(
        request=api.ListDestinationsRequest(workspace_ids=workspaces)
    ).destinations_response
    connections = client.connections.list_connections(
        request=api.ListConnectionsRequest(workspace_ids=workspaces)
    ).connections_response
    assert sources is not None
    assert destinations is not None
    assert connections is not None
    assert [(each.source_id, each.name) for each in sources.data] == [(ids["sourceId"], "postgres_production")]
    assert [(each.destination_id, each.name) for each in destinations.data] == [
        (ids["destinationId"], "snowflake_warehouse")
    ]
    assert [(each.connection_id, each.name) for each in connections.data] == [(ids["connectionId"], ids["name"])]
