"""Jobs of connections."""

from __future__ import annotations

from sandbox.airbyte.entities import Job
from sandbox.airbyte.errors import NotFoundError, ServerFaultError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.job_reads import attempt_read, job_info, job_read
from sandbox.airbyte.routes.connections import epoch
from sandbox.airbyte.wire import Body, Endpoints, Json, present

api = Endpoints()

_REPLICATION = ("sync", "refresh", "reset_connection", "clear")
_DEFAULT_PAGE = 200


def _found(instance: Instance, body: Body) -> Job:
    return instance.store.jobs.get(body.integer("id"))


@api.post("/v1/jobs/list")
def list_jobs(instance: Instance, body: Body) -> Json:
    """Jobs with their attempts, newest first."""
    kinds = {str(kind).lower() for kind in body.array("configTypes")}
    if not kinds:
        raise ServerFaultError("Must include at least one configType")
    config_id = body.optional_text("configId")
    statuses = {str(status).lower() for status in body.array("statuses")}
    created = epoch(body, "createdAtStart"), epoch(body, "createdAtEnd")
    updated = epoch(body, "updatedAtStart"), epoch(body, "updatedAtEnd")
    jobs = [
        job
        for job in instance.store.jobs
        if job.kind in kinds
        and config_id in (None, job.connection_id)
        and (not statuses or job.status in statuses)
        and _between(job.created_at, *created)
        and _between(job.updated_at, *updated)
    ]
    by_update = body.optional_choice("orderByField", ("createdAt", "updatedAt")) == "updatedAt"
    descending = (body.optional_choice("orderByMethod", ("ASC", "DESC")) or "DESC") == "DESC"
    jobs.sort(key=lambda job: (job.updated_at if by_update else job.created_at, job.id), reverse=descending)
    page = Body(body.optional_object("pagination") or {})
    size, offset = page.integer("pageSize", _DEFAULT_PAGE), page.integer("rowOffset", 0)
    if body.has("includingJobId"):
        ids = [job.id for job in jobs]
        wanted = body.integer("includingJobId")
        offset = ids.index(wanted) // size * size if wanted in ids else len(jobs)
    shown = jobs[offset : offset + size]
    return {
        "jobs": [
            {"job": job_read(job), "attempts": [attempt_read(attempt) for attempt in job.attempts]} for job in shown
        ],
        "totalJobCount": len(jobs),
    }


def _between(moment: int, start: float | None, end: float | None) -> bool:
    return (start is None or moment >= start) and (end is None or moment <= end)


@api.post("/v1/jobs/get")
def get(instance: Instance, body: Body) -> Json:
    """A job with attempts and logs."""
    return job_info(_found(instance, body))


@api.post("/v1/jobs/get_without_logs")
def get_without_logs(instance: Instance, body: Body) -> Json:
    """A job with attempts."""
    return job_info(_found(instance, body), logs=False)


@api.post("/v1/jobs/get_light")
def get_light(instance: Instance, body: Body) -> Json:
    """A job alone."""
    return {"job": job_read(_found(instance, body))}


@api.post("/v1/jobs/get_last_replication_job")
def get_last(instance: Instance, body: Body) -> Json:
    """The latest job of a connection; empty when it never ran."""
    connection = instance.store.connections.get(body.id("connectionId"))
    jobs = [j for j in instance.store.jobs if j.connection_id == connection.id and j.kind in _REPLICATION]
    return present({"job": job_read(jobs[-1]) if jobs else None})


@api.post("/v1/jobs/get_debug_info")
def get_debug_info(instance: Instance, body: Body) -> Json:
    """A job with the connector versions that ran."""
    job = _found(instance, body)
    info = job_info(job)
    return {
        "job": {
            "id": job.id,
            "configType": job.kind,
            "configId": job.connection_id,
            "status": job.status,
            "airbyteVersion": instance.release.number,
            "sourceDefinition": {"dockerImageTag": job.versions.get("source", "")},
            "destinationDefinition": {"dockerImageTag": job.versions.get("destination", "")},
        },
        "attempts": info["attempts"],
    }


@api.post("/v1/jobs/cancel")
def cancel(instance: Instance, body: Body) -> Json:
    """Stop a running job."""
    job = _found(instance, body)
    if instance.store.connections.find(job.connection_id) is None:
        raise NotFoundError("STANDARD_SYNC", job.connection_id)
    instance.jobs.cancel(job)
    return job_info(job)
