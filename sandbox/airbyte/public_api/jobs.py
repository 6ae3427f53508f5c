"""Jobs. They never say why one failed."""

from __future__ import annotations

from sandbox.airbyte.entities import Job
from sandbox.airbyte.public_api._call import Call, Operations, iso
from sandbox.airbyte.wire import Body, Json, present

api = Operations()

_KINDS = {"sync": "sync", "refresh": "refresh", "reset": "reset_connection", "clear": "clear"}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@api.on("GET", "/jobs")
def list_jobs(call: Call) -> Json:
    """Jobs, newest first, filtered by connection, workspace, type and status."""
    query, store = call.query, call.instance.store
    workspaces = set(query.all("workspaceIds"))
    connection_id, status = query.text("connectionId"), query.text("status")
    kind = _KINDS.get(query.text("jobType") or "")
    found = [
        job
        for job in reversed(list(store.jobs))
        if connection_id in (None, job.connection_id)
        and status in (None, job.status)
        and kind in (None, job.kind)
        and (not workspaces or store.connections.get(job.connection_id).workspace_id in workspaces)
    ]
    if (query.text("orderBy") or "").upper().endswith("|ASC"):
        found.reverse()
    return call.page([read(job) for job in found])


@api.on("POST", "/jobs")
def create(call: Call) -> Json:
    """Start a sync, refresh, reset or clear of a whole connection."""
    kind = _KINDS[call.body.choice("jobType", _KINDS)]
    connection = call.instance.store.connections.get(call.body.id("connectionId"))
    streams = None if kind == "sync" else connection.streams
    mode = "Truncate" if kind == "refresh" else None
    return read(call.instance.jobs.start(connection, kind, streams, mode))


def _found(call: Call) -> Job:
    return call.instance.store.jobs.get(call.path["jobId"])


@api.on("GET", "/jobs/{jobId:int}")
def get(call: Call) -> Json:
    """One job."""
    return read(_found(call))


@api.on("DELETE", "/jobs/{jobId:int}")
def cancel(call: Call) -> Json:
    """Cancel a job."""
    job = _found(call)
    call.instance.jobs.cancel(job)
    return read(job)


def read(job: Job) -> Json:
    """``JobResponse``."""
    last = Body(job.attempts[-1] if job.attempts else {})
    seconds = job.updated_at - (job.started_at or job.created_at)
    return present(
        {
            "jobId": job.id,
            "status": job.status,
            "jobType": _NAMES[job.kind],
            "startTime": iso(job.started_at or job.created_at),
            "connectionId": job.connection_id,
            "lastUpdatedAt": iso(job.updated_at),
            "duration": _duration(seconds),
            "bytesSynced": last.integer("bytesSynced", 0) if last.has("bytesSynced") else None,
            "rowsSynced": last.integer("recordsSynced", 0) if last.has("recordsSynced") else None,
        }
    )


def _duration(seconds: int) -> str:
    """ISO 8601, as Java writes it."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if value]
    return "PT" + ("".join(parts) or "0S")
