"""Workspaces."""

from __future__ import annotations

from sandbox.airbyte.entities import Workspace, new_id
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.notifications import with_defaults
from sandbox.airbyte.wire import NIL_UUID, Answer, Body, Endpoints, Json, present

api = Endpoints()

_FLAGS = ("initialSetupComplete", "displaySetupWizard", "anonymousDataCollection", "news", "securityUpdates")


@api.post("/v1/workspaces/get")
def get(instance: Instance, body: Body) -> Json:
    """One workspace, deleted ones included."""
    return read(instance, instance.store.workspaces.get(body.id("workspaceId")))


@api.post("/v1/workspaces/get_by_slug")
def get_by_slug(instance: Instance, body: Body) -> Json:
    """One workspace by its slug."""
    slug = body.text("slug")
    found = next((w for w in instance.store.workspaces if w.slug == slug), None)
    return read(instance, found or instance.store.workspaces.get(slug))


@api.post("/v1/workspaces/list", until=(1, 6))
def list_all(instance: Instance, _: Body) -> Json:
    """Every workspace; gone since 1.7."""
    return _listing(instance, [w for w in instance.store.workspaces if not w.tombstone])


@api.post("/v1/workspaces/list_by_organization_id")
def list_by_organization(instance: Instance, body: Body) -> Json:
    """The workspaces of an organization."""
    organization = body.id("organizationId")
    return _paged(instance, body, [w for w in instance.store.workspaces if w.organization_id == organization])


@api.post("/v1/workspaces/list_by_user_id")
def list_by_user(instance: Instance, body: Body) -> Json:
    """The workspaces a user may see: all, as there is one user."""
    body.id("userId")
    return _paged(instance, body, list(instance.store.workspaces))


@api.post("/v1/workspaces/list_paginated")
def list_paginated(instance: Instance, body: Body) -> Json:
    """The given workspaces."""
    wanted = set(body.ids("workspaceIds"))
    return _paged(instance, body, [w for w in instance.store.workspaces if w.id in wanted], required=True)


@api.post("/v1/workspaces/create")
def create(instance: Instance, body: Body) -> Json:
    """A new workspace."""
    workspace = instance.add_workspace(
        body.text("name"), organization_id=body.optional_id("organizationId") or NIL_UUID
    )
    _apply(instance, workspace, body)
    return read(instance, workspace)


@api.post("/v1/workspaces/delete", status=204)
def delete(instance: Instance, body: Body) -> Answer:
    """Mark a workspace deleted."""
    workspace = instance.store.workspaces.get(body.id("workspaceId"))
    workspace.tombstone = True
    instance.store.workspaces.save(workspace)
    return None


@api.post("/v1/workspaces/update")
def update(instance: Instance, body: Body) -> Json:
    """A patch, with a trap: leaving ``webhookConfigs`` out removes every webhook."""
    workspace = instance.store.workspaces.get(body.id("workspaceId"))
    if instance.release.workspace_update_takes_name and body.has("name"):
        _rename(instance, workspace, body.text("name"))
    _apply(instance, workspace, body)
    return read(instance, workspace)


@api.post("/v1/workspaces/update_name")
def update_name(instance: Instance, body: Body) -> Json:
    """Rename a workspace, and nothing else."""
    workspace = instance.store.workspaces.get(body.id("workspaceId"))
    _rename(instance, workspace, body.text("name"))
    return read(instance, instance.store.workspaces.save(workspace))


def _rename(instance: Instance, workspace: Workspace, name: str) -> None:
    workspace.name = name
    workspace.slug = instance.slug(name)


def _apply(instance: Instance, workspace: Workspace, body: Body) -> None:
    """The patch rules: null leaves a field, but settings are replaced whole and webhooks are replaced always."""
    if email := body.optional_text("email"):
        workspace.email = email
    for flag in _FLAGS:
        if body.has(flag):
            workspace.settings[flag] = body.flag(flag)
    if notifications := body.array("notifications"):
        workspace.notifications = notifications
    if (settings := body.optional_object("notificationSettings")) is not None:
        workspace.notification_settings = with_defaults(settings, instance.release)
    # An omitted array is empty on the server, and an empty list of webhooks is a valid value. Ids are new every time.
    workspace.webhooks = [
        present({"id": new_id(), "name": hook.get("name"), "customDbtHost": hook.get("customDbtHost")})
        for hook in body.array("webhookConfigs")
    ]
    instance.store.workspaces.save(workspace)


def _paged(instance: Instance, body: Body, found: list[Workspace], *, required: bool = False) -> Json:
    page = body.body("pagination") if required or body.has("pagination") else Body({})
    contains = (body.optional_text("nameContains") or "").lower()
    shown = [w for w in found if contains in w.name.lower() and (not w.tombstone or body.flag("includeDeleted"))]
    offset = page.integer("rowOffset", 0)
    return _listing(instance, shown[offset : offset + page.integer("pageSize", len(shown) or 1)])


def _listing(instance: Instance, workspaces: list[Workspace]) -> Json:
    return {"workspaces": [read(instance, workspace) for workspace in workspaces]}


def read(instance: Instance, workspace: Workspace) -> Json:
    """``WorkspaceRead``: webhook tokens are never shown, Slack addresses are shown in the clear."""
    region = {"defaultGeography": "auto"} if instance.release.has_geography else {"dataplaneGroupId": NIL_UUID}
    return present(
        {
            "workspaceId": workspace.id,
            "customerId": workspace.customer_id,
            "email": workspace.email,
            "name": workspace.name,
            "slug": workspace.slug,
            **workspace.settings,
            "notifications": workspace.notifications,
            "notificationSettings": workspace.notification_settings,
            **region,
            "webhookConfigs": workspace.webhooks,
            "organizationId": workspace.organization_id,
            "tombstone": workspace.tombstone,
        }
    )
