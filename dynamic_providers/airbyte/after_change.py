"""What a changed key, cursor, mode or table name leaves behind, and the refresh or clear that puts it right.

Changing these does nothing to what was loaded before: the table then holds rows of both ways. Airbyte can load such
streams again (a refresh) or empty their tables first (a clear); see
https://docs.airbyte.com/platform/operator-guides/refreshes
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from dynamic_providers.airbyte import versions
from dynamic_providers.airbyte.errors import AfterChangeError, ApiError, OutcomeUnknownError, RefusedError
from dynamic_providers.airbyte.kinds import DESTINATION
from dynamic_providers.airbyte.models import Connection, DiscoveredStream
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.state_loss import ENDPOINTS, named
from dynamic_providers.values import Properties, contains_unknown

CHOICES: Final = ("refresh", "clear", "none")
_OF_STREAM: Final = {
    "primary_key": "primary key",
    "cursor_field": "cursor",
    "destination_sync_mode": "destination sync mode",
    "hash": "hashed columns",
}
_OF_TABLE: Final = ("prefix", "namespace_definition", "namespace_format")
_LOADS: Final = ("sync", "refresh")
_REFRESHES: Final[tuple[str, ...]] = ("refresh",)
_CLEARS: Final[tuple[str, ...]] = ("clear", "reset_connection")
_RECENT: Final = 20


def affected(olds: Properties, news: Properties) -> dict[str, list[str]]:
    """The streams whose loaded rows no longer fit, with what changed; none for a new connection.

    One that is overwritten by each sync is put right by the next.
    """
    before, after = olds.get("streams") or {}, news.get("streams") or {}
    if contains_unknown(before) or contains_unknown(after) or any(olds.get(k) != news.get(k) for k in ENDPOINTS):
        return {}
    moved = [key for key in _OF_TABLE if (olds.get(key) or None) != (news.get(key) or None)]
    found: dict[str, list[str]] = {}
    for key in sorted(set(before) & set(after)):
        old, new = before[key], after[key]
        if str(new.get("destination_sync_mode")).startswith("overwrite"):
            continue
        changed = [words for field, words in _OF_STREAM.items() if old.get(field) != new.get(field)]
        if moved and new.get("sync_mode") == "incremental":
            changed.append("table")
        if changed:
            found[key] = changed
    return found


def offer(found: Mapping[str, list[str]], choice: str | None) -> str:
    """What a user should know of it, in the preview."""
    what = "; ".join(f"{key} changes its {' and its '.join(changed)}" for key, changed in found.items())
    if choice == "refresh":
        return f"Stream {what}. `up` then loads {named(list(found))} again (after_change: refresh)."
    if choice == "clear":
        return f"Stream {what}. `up` then empties the tables of {named(list(found))} (after_change: clear)."
    return (
        f"Stream {what}, and what was loaded before stays as it is, beside what comes. To load it again set "
        "after_change: refresh; to empty the table first, after_change: clear."
    )


def last_load(session: Session, connection_id: str) -> int | None:
    """The number of the last job that loaded anything; None where none ever did."""
    return max((int(job["id"]) for job in _jobs(session, connection_id, _LOADS, 1)), default=None)


def last_settled(session: Session, connection_id: str, entries: Mapping[str, DiscoveredStream]) -> dict[str, int]:
    """For each stream the number of the last job that refreshed or cleared it, of those that have succeeded."""
    found: dict[str, int] = {}
    for job in _jobs(session, connection_id, (*_REFRESHES, *_CLEARS), _RECENT):
        if job.get("status") == "succeeded":
            covered = _covered(job)
            done = [key for key, entry in entries.items() if (entry.namespace, entry.name) in covered]
            found |= {key: max(int(job["id"]), found.get(key, -1)) for key in done}
    return found


def settle(
    session: Session, connection: Connection, pending: Mapping[str, DiscoveredStream], choice: str, since: float | None
) -> list[str]:
    """Start the refresh or the clear of these streams, and give those that are still to come.

    A connection runs one job at a time: where some streams keep their history (append) and others replace their rows,
    the former's refresh is left for the next `up`. `since` (epoch seconds) is when an interrupted run made the change:
    a job that it started counts. Raises AfterChangeError, and ApiError's children.
    """
    now, later = dict(pending), dict[str, DiscoveredStream]()
    body: dict[str, Any] = {"connectionId": connection.connection_id}
    operation, kinds = "connections/clear/stream", _CLEARS
    if choice == "refresh":
        operation, kinds = "connections/refresh", _REFRESHES
        _refuse_without_refreshes(session, connection)
        keeping = {key: entry for key, entry in now.items() if entry.config.get("destinationSyncMode") == "append"}
        if len(keeping) < len(now):
            now, later = {key: entry for key, entry in now.items() if key not in keeping}, keeping
        # Truncate drops the old rows once the new ones are there; a history of appended rows is kept.
        body["refreshMode"] = "Merge" if now == keeping else "Truncate"
    if since is None or not _started(session, connection.connection_id, kinds, now.values(), since=since):
        body["streams"] = [_descriptor(entry) for entry in now.values()]
        _start(session, connection, operation, kinds, now, body)
    return sorted(later)


def changed_at(session: Session, connection_id: str) -> float | None:
    """When the connection was last changed, in epoch seconds; None where its timeline does not tell."""
    body = {
        "connectionId": connection_id,
        "eventTypes": ["CONNECTION_SETTINGS_UPDATE", "SCHEMA_CONFIG_UPDATE"],
        "pagination": {"pageSize": 1, "rowOffset": 0},
    }
    try:
        events = session.client.post("connections/events/list", body).get("events") or []
    except ApiError:
        return None
    moments = [event["createdAt"] for event in events if isinstance(event.get("createdAt"), int | float)]
    return max(moments, default=None)


def _start(
    session: Session,
    connection: Connection,
    operation: str,
    kinds: tuple[str, ...],
    streams: Mapping[str, DiscoveredStream],
    body: dict[str, Any],
) -> None:
    newest = max((int(job["id"]) for job in _jobs(session, connection.connection_id, kinds, 1)), default=-1)
    try:
        session.client.post(operation, body)
    except OutcomeUnknownError:
        # A second try could load everything twice.
        if not _started(session, connection.connection_id, kinds, streams.values(), after=newest):
            raise
    except RefusedError as error:
        if error.status != 409:
            raise
        raise AfterChangeError(
            f"Connection {connection.name} is changed, but its {named(list(streams))} could not be loaded again or "
            "emptied yet",
            why="Another job of it is running",
            fix="Run `pulumi up` again when that has ended, or cancel it.",
        ) from None


def _started(
    session: Session,
    connection_id: str,
    kinds: tuple[str, ...],
    streams: Iterable[DiscoveredStream],
    *,
    since: float = 0,
    after: int = -1,
) -> bool:
    """Whether a job of all these streams, not failed, was made since then and after the job of that number."""
    wanted = {(entry.namespace, entry.name) for entry in streams}
    for job in _jobs(session, connection_id, kinds, _RECENT):
        recent = job["createdAt"] >= since and int(job["id"]) > after
        if recent and wanted <= _covered(job) and job.get("status") not in ("failed", "cancelled"):
            return True
    return False


def _covered(job: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Namespace and name of the streams that a job refreshes or clears."""
    config = job.get("refreshConfig") or job.get("resetConfig") or {}
    descriptors = config.get("streamsToRefresh") or config.get("streamsToReset") or []
    return {(str(item.get("namespace") or ""), str(item.get("name"))) for item in descriptors}


def _jobs(session: Session, connection_id: str, kinds: tuple[str, ...], count: int) -> list[dict[str, Any]]:
    body = {
        "configTypes": list(kinds),
        "configId": connection_id,
        "orderByField": "createdAt",
        "orderByMethod": "DESC",
        "pagination": {"pageSize": count, "rowOffset": 0},
    }
    return [entry["job"] for entry in session.client.post("jobs/list", body).get("jobs") or []]


def _refuse_without_refreshes(session: Session, connection: Connection) -> None:
    version = versions.running(session, DESTINATION, connection.destination_id)
    if not version.supports_refreshes:
        raise AfterChangeError(
            f"Connection {connection.name} is changed, but its streams can't be refreshed",
            why=f"The destination's version {version.docker_image_tag} does not support refreshes",
            fix="Use after_change: clear, or a version of the destination that does.",
        )


def _descriptor(entry: DiscoveredStream) -> dict[str, Any]:
    return {"streamName": entry.name, **({"streamNamespace": entry.namespace} if entry.namespace else {})}
