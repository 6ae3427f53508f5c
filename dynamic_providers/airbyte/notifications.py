"""WorkspaceNotifications: where a workspace tells what happened, event by event.

The server keeps one item an event, ``sendOnSuccess`` and its kin, with the kinds ``slack`` (any address that takes
Slack's format) and ``customerio`` (e-mail, which a self-hosted Airbyte does not send by default). Two of its habits
shape what happens here:

- An item left out of a write is filled in, mostly with e-mail. So every item the server knows is sent, and one that is
  to be off is sent as an empty list.
- A write of a workspace that does not bring its webhook configurations, the ones dbt Cloud operations use, removes
  them; their tokens can't be read, so nobody can bring them. So a workspace that has any is not written.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from dynamic_providers.airbyte.suggestions import nearest

Settings = dict[str, Any]
"""``notificationSettings`` as the API has it."""

EVENTS: Final = (
    "success",
    "failure",
    "sync_disabled",
    "sync_disabled_warning",
    "connection_update",
    "connection_update_action_required",
    "breaking_change_warning",
    "breaking_change_syncs_disabled",
)
"""The events that every server since 1.0 knows; one may know more."""

DEFAULT_EVENTS: Final = (
    "failure",
    "sync_disabled",
    "sync_disabled_warning",
    "connection_update_action_required",
    "breaking_change_warning",
    "breaking_change_syncs_disabled",
)
"""What somebody has to act on."""

_WEBHOOK, _EMAIL = "slack", "customerio"
_PREFIX = "sendOn"


def key_of(event: str) -> str:
    """The API's name: sync_disabled -> sendOnSyncDisabled."""
    return _PREFIX + "".join(word.capitalize() for word in event.split("_"))


def event_of(key: str) -> str:
    """Ours: sendOnSyncDisabled -> sync_disabled."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", key.removeprefix(_PREFIX)).lower()


def events_of(settings: Mapping[str, Any]) -> list[str]:
    """The events a server knows, by what it has settings for."""
    return [event_of(key) for key in settings if key.startswith(_PREFIX)]


def unknown_events(named: Iterable[str], known: Iterable[str]) -> list[str]:
    """A sentence for every event that is not known."""
    known = list(known)
    return [
        f"This Airbyte knows no event {event}. {nearest(event, known)}".rstrip()
        for event in sorted(set(named) - set(known))
    ]


def to_api(webhooks: Mapping[str, str], email_events: Iterable[str], known: Iterable[str]) -> Settings:
    """Settings for every known event, the silent ones included."""
    emails = set(email_events)
    settings: Settings = {}
    for event in known:
        kinds = [*([_WEBHOOK] if event in webhooks else []), *([_EMAIL] if event in emails else [])]
        item: dict[str, Any] = {"notificationType": kinds}
        if event in webhooks:
            item["slackConfiguration"] = {"webhook": webhooks[event]}
        settings[key_of(event)] = item
    return settings


def from_api(settings: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The webhooks by event, and the events that go by e-mail, sorted.

    An address that is kept for an event without the kind ``slack`` gets nothing and so is left out.
    """
    webhooks: dict[str, str] = {}
    emails: list[str] = []
    for key, item in settings.items():
        kinds = {str(kind).lower() for kind in (item or {}).get("notificationType") or []}
        if _WEBHOOK in kinds:
            webhooks[event_of(key)] = str((item.get("slackConfiguration") or {}).get("webhook") or "")
        if _EMAIL in kinds:
            emails.append(event_of(key))
    return dict(sorted(webhooks.items())), sorted(emails)
