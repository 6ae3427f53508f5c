"""The public API, through Airbyte's official Python SDK."""

from __future__ import annotations

import time
from collections.abc import Iterator

import airbyte_api
import pytest
from airbyte_api import api as requests
from airbyte_api import errors, models

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import MASK, NOBODY, SECRET, Api, stream


def public(api: Api) -> str:
    return f"{api.server.url}/api/public/v1"


@pytest.fixture
def sdk(api: Api) -> Iterator[airbyte_api.AirbyteAPI]:
    token = api.http.headers["Authorization"].split()[1]
    with airbyte_api.AirbyteAPI(models.Security(bearer_auth=token), server_url=public(api)) as client:
        yield client


def test_the_sdk_gets_its_token_by_client_credentials(start_airbyte: StartAirbyte) -> None:
    # the SDK keeps tokens by client for the whole process, so this client is nobody else's
    api = start_airbyte(client_id="of-the-sdk")
    credentials = models.SchemeClientCredentials(
        client_id="of-the-sdk", client_secret=SECRET, token_url=f"{public(api)}/applications/token"
    )
    with airbyte_api.AirbyteAPI(models.Security(client_credentials=credentials), server_url=public(api)) as client:
        listed = client.sources.list_sources(request=requests.ListSourcesRequest()).sources_response
    assert listed is not None
    assert listed.data == []


def test_health_and_workspaces(sdk: airbyte_api.AirbyteAPI, api: Api) -> None:
    assert sdk.health.get_health_check() is not None
    listed = sdk.workspaces.list_workspaces(request=requests.ListWorkspacesRequest()).workspaces_response
    assert listed is not None
    assert [workspace.workspace_id for workspace in listed.data] == [api.workspace]
    one = sdk.workspaces.get_workspace(request=requests.GetWorkspaceRequest(workspace_id=api.workspace))
    assert one.workspace_response is not None
    failure = one.workspace_response.notifications.failure
    assert failure is not None
    assert failure.email is not None
    assert failure.email.enabled is True


def test_sources_and_destinations(sdk: airbyte_api.AirbyteAPI, api: Api) -> None:
    for number in range(25):
        source = api.source(name=f"s{number}")
    destination = api.destination(name="d")
    page = sdk.sources.list_sources(request=requests.ListSourcesRequest(limit=20, offset=20)).sources_response
    assert page is not None
    assert len(page.data) == 5
    assert page.next == ""
    one = sdk.sources.get_source(request=requests.GetSourceRequest(source_id=source["sourceId"])).source_response
    assert one is not None
    assert (one.source_type, one.name, one.workspace_id) == ("postgres", "s24", api.workspace)
    there = sdk.destinations.list_destinations(request=requests.ListDestinationsRequest()).destinations_response
    assert there is not None
    assert [(item.destination_id, item.destination_type) for item in there.data] == [
        (destination["destinationId"], "snowflake")
    ]


def test_connections_speak_the_public_dialect(sdk: airbyte_api.AirbyteAPI, api: Api) -> None:
    entry = stream("users", syncMode="incremental", destinationSyncMode="append_dedup", primaryKey=[["id"]])
    data = {"cron": {"cronExpression": "0 0 0 * * ?", "cronTimeZone": "UTC"}}
    made = api.connection(
        namespaceDefinition="customformat",
        namespaceFormat="x",
        syncCatalog={"streams": [entry]},
        scheduleType="cron",
        scheduleData=data,
        nonBreakingChangesPreference="disable",
    )
    request = requests.GetConnectionRequest(connection_id=made["connectionId"])
    one = sdk.connections.get_connection(request=request).connection_response
    assert one is not None
    assert one.workspace_id == api.workspace
    assert one.schedule.cron_expression == "0 0 0 * * ? UTC"
    assert one.namespace_definition == models.NamespaceDefinitionEnum.CUSTOM_FORMAT
    assert one.non_breaking_schema_updates_behavior == models.NonBreakingSchemaUpdatesBehaviorEnum.DISABLE_CONNECTION
    assert one.configurations.streams is not None
    assert one.configurations.streams[0].sync_mode == models.ConnectionSyncModeEnum.INCREMENTAL_DEDUPED_HISTORY
    basic = {"basicSchedule": {"timeUnit": "hours", "units": 6}}
    api.post("connections/update", connectionId=made["connectionId"], scheduleType="basic", scheduleData=basic)
    listed = sdk.connections.list_connections(request=requests.ListConnectionsRequest()).connections_response
    assert listed is not None
    assert listed.data[0].schedule.basic_timing == "Every 6 HOURS"


def test_a_job_can_be_started_and_followed(sdk: airbyte_api.AirbyteAPI, api: Api) -> None:
    connection = api.connection()
    job_request = models.JobCreateRequest(connection_id=connection["connectionId"], job_type=models.JobTypeEnum.SYNC)
    job = sdk.jobs.create_job(request=job_request).job_response
    assert job is not None
    assert job.job_type == models.JobTypeEnum.SYNC
    end = time.monotonic() + 20
    while job.status in (models.JobStatusEnum.PENDING, models.JobStatusEnum.RUNNING):
        assert time.monotonic() < end
        job = sdk.jobs.get_job(request=requests.GetJobRequest(job_id=job.job_id)).job_response
        assert job is not None
    assert job.status == models.JobStatusEnum.FAILED  # nobody answers at the source
    listed = sdk.jobs.list_jobs(
        request=requests.ListJobsRequest(connection_id=connection["connectionId"])
    ).jobs_response
    assert listed is not None
    assert [item.job_id for item in listed.data] == [job.job_id]
    with pytest.raises(errors.SDKError):
        sdk.jobs.cancel_job(request=requests.CancelJobRequest(job_id=job.job_id))


def test_errors_are_problems(api: Api) -> None:
    answer = api.http.get(f"/api/public/v1/sources/{NOBODY}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "https://reference.airbyte.com/reference/errors#resource-not-found"
    del api.http.headers["Authorization"]
    assert api.http.get("/api/public/v1/sources").status_code == 401


def test_the_token_endpoint_tells_the_lifetime(api: Api) -> None:
    body = {"client_id": "sandbox", "client_secret": SECRET, "grant-type": "client_credentials"}
    answer = api.http.post("/api/public/v1/applications/token", json=body).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 900)
    body["client_secret"] = "wrong"
    assert api.http.post("/api/public/v1/applications/token", json=body).status_code == 401


def test_put_keeps_masked_secrets_and_patch_corrupts_them(api: Api) -> None:
    source = api.source()
    path = f"/api/public/v1/sources/{source['sourceId']}"
    body = {"name": "n", "configuration": source["connectionConfiguration"]}
    assert api.http.put(path, json=body).json()["configuration"]["password"] == MASK
    assert api.stored(source["sourceId"])["password"] == "first"
    api.http.patch(path, json={"configuration": {"password": MASK}})
    assert api.stored(source["sourceId"])["password"] == MASK
