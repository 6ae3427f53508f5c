"""Health, and what an instance says about itself."""

from __future__ import annotations

from sandbox.airbyte.instance import Instance
from sandbox.airbyte.wire import NIL_UUID, Body, Endpoints, Json

api = Endpoints()


@api.open("GET", "/v1/health")
def health(_: Instance, __: Body) -> Json:
    """Always available: the server answers or it does not."""
    return {"available": True}


@api.open("GET", "/v1/instance_configuration")
def instance_configuration(instance: Instance, _: Body) -> Json:
    """Version, edition, and the ids of the default workspace, organization and user."""
    return {
        "edition": "community",
        "version": instance.release.number,
        "licenseStatus": "pro",
        "auth": {"mode": "simple" if instance.settings.auth else "none"},
        "airbyteUrl": "http://localhost",
        "initialSetupComplete": True,
        "defaultUserId": NIL_UUID,
        "defaultOrganizationId": NIL_UUID,
        "defaultOrganizationEmail": "admin@example.com",
        "defaultWorkspaceId": instance.default_workspace_id,
        "trackingStrategy": "logging",
    }


@api.post("/v1/deployment/metadata")
def deployment_metadata(instance: Instance, _: Body) -> Json:
    """The instance's id, mode and version."""
    return {"id": instance.deployment_id, "mode": "OSS", "version": instance.release.number}
