"""Why a connection is inactive, from its timeline.

Airbyte switches connections off by itself: after a breaking schema change, after any schema change if it is told so,
after too many failed syncs. See https://docs.airbyte.com/cloud/managing-airbyte-cloud/review-connection-timeline
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dynamic_providers.airbyte.errors import ApiError
from dynamic_providers.airbyte.models import Connection
from dynamic_providers.airbyte.notices import warn
from dynamic_providers.airbyte.session import Session
from dynamic_providers.values import Properties

_REASONS: Final[Mapping[str, str]] = {
    "SCHEMA_CHANGES_ARE_BREAKING": "the source's schema changed, and a cursor or a primary key in use is gone or "
    "another one",
    "DISABLE_CONNECTION_IF_ANY_SCHEMA_CHANGES": "the source's schema changed, and schema_changes is disable",
    "TOO_MANY_FAILED_JOBS_WITH_NO_RECENT_SUCCESS": "too many syncs failed in a row",
    "TOO_MANY_CONSECUTIVE_FAILED_JOBS_IN_A_ROW": "too many syncs failed in a row",
    "ONLY_FAILED_JOBS_RECENTLY": "for days all syncs failed",
}


def status_reason(session: Session, connection: Connection, olds: Properties) -> Properties:
    """The property ``status_reason`` of a connection that should be active and is not; empty for any other.

    It shows in a diff beside ``status``, and a warning says the same: nothing switches the connection on again unseen.
    """
    meant_active = olds.get("status") == "active" or olds.get("status_reason")
    if connection.status == "active" or not meant_active:
        return {}
    reason = why_inactive(session, connection.connection_id)
    warn(
        session,
        f"Connection {connection.name} is {connection.status}: {reason}. The next `pulumi up` makes it active again, "
        "unless the program says `status: inactive`.",
    )
    return {"status_reason": reason}


def warn_left_inactive(session: Session, connection: Connection) -> None:
    """Say that a change was made to a connection that is off, and is left so since no preview has shown that."""
    reason = why_inactive(session, connection.connection_id)
    warn(
        session,
        f"Connection {connection.name} is changed and stays {connection.status}: {reason}. To have it active again run "
        "`pulumi refresh`, see the preview, then `pulumi up`.",
    )


def why_inactive(session: Session, connection_id: str) -> str:
    """Who or what switched a connection off, and when; one call, and never an error."""
    body = {
        "connectionId": connection_id,
        "eventTypes": ["CONNECTION_DISABLED"],
        "pagination": {"pageSize": 1, "rowOffset": 0},
    }
    try:
        events = session.client.post("connections/events/list", body).get("events") or []
    except ApiError as error:
        return f"switched off; this server does not say why (HTTP {error.status})"
    if not events:
        return "switched off outside this program; the connection's timeline does not say by whom"
    latest = max(events, key=lambda event: event.get("createdAt") or 0)
    return session.redactor.scrub(_sentence(latest))


def _sentence(event: Mapping[str, Any]) -> str:
    moment = datetime.fromtimestamp(event.get("createdAt") or 0, UTC)
    when = f"on {moment:%Y-%m-%d} at {moment:%H:%M} UTC"
    reason = (event.get("summary") or {}).get("disabledReason")
    if reason:
        why = _REASONS.get(reason, str(reason).lower().replace("_", " "))
        return f"switched off by Airbyte {when}: {why}"
    user = event.get("user") or {}
    return f"switched off by {user.get('name') or user.get('email') or 'a person'} {when}"
