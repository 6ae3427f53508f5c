"""How jobs, attempts and sync statuses are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.airbyte.wire import Json, present

if TYPE_CHECKING:
    from sandbox.airbyte.entities import Connection, Job
    from sandbox.airbyte.instance import Instance

RUNNING = ("pending", "running", "incomplete")


def job_info(job: Job, *, logs: bool = True) -> Json:
    """``JobInfoRead``."""
    attempts = []
    for attempt in job.attempts:
        item: Json = {"attempt": attempt_read(attempt)}
        if logs:
            item |= {"logType": "formatted", "logs": {"logLines": attempt.get("log", [])}}
        attempts.append(item)
    return {"job": job_read(job), "attempts": attempts}


def job_read(job: Job) -> Json:
    """``JobRead``."""
    enabled = [_descriptor(entry) for entry in job.streams]
    last = job.attempts[-1] if job.attempts else None
    reset = {"streamsToReset": enabled} if job.kind in ("reset_connection", "clear") else None
    refresh = {"streamsToRefresh": enabled} if job.kind == "refresh" else None
    return present(
        {
            "id": job.id,
            "configType": job.kind,
            "configId": job.connection_id,
            "enabledStreams": enabled,
            "createdAt": job.created_at,
            "updatedAt": job.updated_at,
            "startedAt": job.started_at,
            "status": job.status,
            "resetConfig": reset,
            "refreshConfig": refresh,
            "aggregatedStats": last.get("totalStats") if last else None,
            "streamAggregatedStats": _stream_stats(last) if last else None,
        }
    )


def _descriptor(entry: Json) -> Json:
    stream = entry["stream"]
    return present({"name": stream["name"], "namespace": stream.get("namespace")})


def _stream_stats(attempt: Json) -> list[Json]:
    return [
        present({"streamName": s["streamName"], "streamNamespace": s.get("streamNamespace"), **s["stats"]})
        for s in attempt.get("streamStats", [])
    ]


def attempt_read(attempt: Json) -> Json:
    """``AttemptRead``."""
    return {key: value for key, value in attempt.items() if key != "log" and value is not None}


def connection_status(instance: Instance, connection: Connection) -> Json:
    """``ConnectionStatusRead``, in the shape that the release has."""
    jobs = [job for job in instance.store.jobs if job.connection_id == connection.id]
    last = jobs[-1] if jobs else None
    syncs = [job for job in jobs if job.kind in ("sync", "refresh")]
    successes = [job.updated_at for job in syncs if job.status == "succeeded"]
    failure = _failure(last) if last and last.status in ("failed", "incomplete") else None
    common = {
        "connectionId": connection.id,
        "lastSuccessfulSync": max(successes, default=None),
        "lastSyncJobId": syncs[-1].id if syncs else None,
        "lastSyncAttemptNumber": len(syncs[-1].attempts) - 1 if syncs and syncs[-1].attempts else None,
        "failureReason": failure,
    }
    if instance.release.status_has_old_shape:
        return present(
            common
            | {
                "lastSyncJobStatus": syncs[-1].status if syncs else None,
                "isRunning": last is not None and last.status in RUNNING,
                "isLastCompletedJobReset": last is not None and last.kind in ("reset_connection", "clear"),
            }
        )
    active = last if last and last.status in RUNNING else None
    return present(
        common
        | {
            "connectionSyncStatus": _sync_status(connection, last, active),
            "scheduleData": connection.schedule_data,
            "activeJob": job_read(active) if active else None,
            "lastSyncJobCreatedAt": syncs[-1].created_at if syncs else None,
        }
    )


def _sync_status(connection: Connection, last: Job | None, active: Job | None) -> str:
    if active:
        return "queued" if active.status == "pending" else "running"
    if connection.status != "active":
        return "paused"
    if last is None or last.status == "cancelled" or last.kind in ("reset_connection", "clear"):
        return "pending"
    return "synced" if last.status == "succeeded" else "failed"


def _failure(job: Job) -> Json | None:
    failures = (job.attempts[-1].get("failureSummary") or {}).get("failures") if job.attempts else None
    return failures[0] if failures else None
