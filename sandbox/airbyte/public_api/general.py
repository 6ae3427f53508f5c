"""Health, tokens, workspaces."""

from __future__ import annotations

from sandbox.airbyte.entities import Workspace
from sandbox.airbyte.errors import RefusedError, UnauthorizedError
from sandbox.airbyte.public_api._call import Call, Operations
from sandbox.airbyte.wire import Json

api = Operations()

_NOTIFICATIONS = {
    "failure": "sendOnFailure",
    "success": "sendOnSuccess",
    "connectionUpdate": "sendOnConnectionUpdate",
    "connectionUpdateActionRequired": "sendOnConnectionUpdateActionRequired",
    "syncDisabled": "sendOnSyncDisabled",
    "syncDisabledWarning": "sendOnSyncDisabledWarning",
}


@api.on("GET", "/health", open=True)
def health(_: Call) -> Json:
    """Always available."""
    return {"available": True}


@api.on("POST", "/applications/token", open=True)
def token(call: Call) -> Json:
    """A new access token with its lifetime in seconds."""
    tokens = call.instance.tokens
    try:
        access_token = tokens.issue(call.body.text("client_id"), call.body.text("client_secret"))
    except RefusedError as error:
        raise UnauthorizedError from error
    return {"access_token": access_token, "token_type": "Bearer", "expires_in": tokens.lifetime_seconds}


@api.on("GET", "/workspaces")
def list_workspaces(call: Call) -> Json:
    """Workspaces, a page at a time."""
    wanted = set(call.workspaces())
    found = [w for w in call.instance.store.workspaces if w.id in wanted]
    return call.page([_read(w) for w in found if not w.tombstone or call.query.flag("includeDeleted")])


@api.on("GET", "/workspaces/{workspaceId}")
def get_workspace(call: Call) -> Json:
    """One workspace."""
    return _read(call.instance.store.workspaces.get(call.id("workspaceId")))


def _read(workspace: Workspace) -> Json:
    return {
        "workspaceId": workspace.id,
        "name": workspace.name,
        "dataResidency": "auto",
        "notifications": {
            name: _notification(workspace.notification_settings.get(key, {})) for name, key in _NOTIFICATIONS.items()
        },
    }


def _notification(item: Json) -> Json:
    kinds, slack = item.get("notificationType", []), item.get("slackConfiguration") or {}
    return {
        "email": {"enabled": "customerio" in kinds},
        "webhook": {"enabled": "slack" in kinds, "url": slack.get("webhook", "")},
    }
