"""Workspace notifications: which keys there are, and what the server fills in for those not sent."""

from __future__ import annotations

from sandbox.airbyte.versions import Release
from sandbox.airbyte.wire import Json, present

_OFF_BY_DEFAULT = ("sendOnSuccess", "sendOnConnectionSyncQueued")
_KEYS = (
    "sendOnSuccess",
    "sendOnFailure",
    "sendOnSyncDisabled",
    "sendOnSyncDisabledWarning",
    "sendOnConnectionUpdate",
    "sendOnConnectionUpdateActionRequired",
    "sendOnBreakingChangeWarning",
    "sendOnBreakingChangeSyncsDisabled",
)

TRIGGERS = (
    "sync_success",
    "sync_failure",
    "sync_disabled",
    "sync_disabled_warning",
    "connection_update",
    "connection_update_action_required",
    "breaking_change_warning",
    "breaking_change_syncs_disabled",
    "connection_sync_queued",
)


def keys(release: Release) -> tuple[str, ...]:
    """The notification keys that a release knows."""
    return (*_KEYS, "sendOnConnectionSyncQueued") if release.has_queued_notifications else _KEYS


def with_defaults(sent: Json, release: Release) -> Json:
    """A whole ``notificationSettings``: keys not sent are filled in, most of them with e-mail.

    So turning one off takes an explicit ``{"notificationType": []}``. An absent webhook URL reads back empty.
    """
    return {
        key: _item(sent[key]) if sent.get(key) is not None else {"notificationType": _default(key)}
        for key in keys(release)
    }


def _default(key: str) -> list[str]:
    return [] if key in _OFF_BY_DEFAULT else ["customerio"]


def _item(sent: Json) -> Json:
    slack = sent.get("slackConfiguration")
    return present(
        {
            "notificationType": [str(kind).lower() for kind in sent.get("notificationType") or []],
            "slackConfiguration": {"webhook": slack.get("webhook") or ""} if slack is not None else None,
            "customerioConfiguration": sent.get("customerioConfiguration"),
        }
    )
