"""Jobs of connections: starting, running in a thread, retrying, cancelling, recovering after a restart."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from sandbox.airbyte import connections
from sandbox.airbyte.checks import failure_reason
from sandbox.airbyte.connectors.base import ConnectorError, CrashError
from sandbox.airbyte.discovery import refreshed_catalog
from sandbox.airbyte.entities import Connection, Job, now
from sandbox.airbyte.errors import ApiError, RefusedError, ServerFaultError
from sandbox.airbyte.job_reads import RUNNING
from sandbox.airbyte.propagation import apply_discovery
from sandbox.airbyte.replication import CancelledError, Plan, Progress, clear, plan, replicate
from sandbox.airbyte.wire import Json

if TYPE_CHECKING:
    from sandbox.airbyte.instance import Instance

log = logging.getLogger(__name__)

_EVENTS = {"sync": "SYNC", "refresh": "REFRESH", "clear": "CLEAR", "reset_connection": "CLEAR"}


class Jobs:
    """The jobs of an instance. A connection has at most one that runs."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._store = instance.store
        self._threads: dict[int, threading.Thread] = {}
        self._cancelled: set[int] = set()

    def running(self, connection_id: str) -> Job | None:
        """The running job of a connection."""
        return next((j for j in self._store.jobs if j.connection_id == connection_id and j.status in RUNNING), None)

    def start(
        self, connection: Connection, kind: str, streams: list[Json] | None = None, refresh_mode: str | None = None
    ) -> Job:
        """Make a job and run it in the background.

        Raises:
            RefusedError: 409, one is running already.
            ServerFaultError: the connection is not active.
        """
        if connection.status == "deprecated" or (kind == "sync" and connection.status != "active"):
            raise ServerFaultError("Can only sync an active connection", "java.lang.IllegalStateException")
        if self.running(connection.id):
            raise RefusedError(409, "A sync is already running for: " + connection.id)
        chosen = connection.streams if streams is None else streams
        job = Job(self._store.next_number("job"), kind, connection.id, "pending", chosen, refresh_mode)
        self._store.jobs.save(job)
        self._instance.note(connection, f"{_EVENTS[kind]}_STARTED", jobId=job.id)
        thread = threading.Thread(target=self._run, args=(job.id,), name=f"job-{job.id}", daemon=True)
        self._threads[job.id] = thread
        thread.start()
        return job

    def cancel(self, job: Job) -> None:
        """Ask a job to stop; it counts as cancelled from now on."""
        if job.status not in RUNNING:
            raise ServerFaultError(f"job {job.id} is not running", "java.lang.IllegalStateException")
        self._cancelled.add(job.id)
        self._finish(job, "cancelled")

    def recover(self) -> None:
        """Fail what a stopped server left running."""
        for job in self._store.jobs:
            if job.status in RUNNING:
                reason = failure_reason(ConnectorError("the server stopped during the job"), "airbyte_platform")
                if job.attempts:
                    _close_attempt(job.attempts[-1], reason)
                self._finish(job, "failed")

    def wait_all(self, timeout: float) -> None:
        """Wait for running jobs, each so many seconds."""
        for thread in list(self._threads.values()):
            thread.join(timeout)

    def is_cancelled(self, job_id: int) -> bool:
        """Whether a running job shall stop."""
        return job_id in self._cancelled or self._instance.stopping.is_set()

    def _run(self, job_id: int) -> None:
        with self._store.lock:
            job = self._store.jobs.get(job_id)
            if job.status != "pending":
                return
            job.status, job.started_at = "running", now()
            self._store.jobs.save(job)
        status = "failed"
        for number in range(self._instance.settings.max_attempts):
            failure = self._attempt(job, number)
            if failure is None:
                status = "succeeded" if job.status in RUNNING else job.status
                break
            if not failure["retryable"] or self.is_cancelled(job.id):
                break
        with self._store.lock:
            if job.status in RUNNING:
                self._finish(job, "cancelled" if self.is_cancelled(job.id) else status)
        self._threads.pop(job_id, None)

    def _attempt(self, job: Job, number: int) -> Json | None:
        """One attempt; its failure, or None."""
        attempt: Json = {
            "id": number,
            "status": "running",
            "createdAt": now(),
            "updatedAt": now(),
            "log": [f"{job.kind} of connection {job.connection_id}, attempt {number + 1}"],
        }
        with self._store.lock:
            job.attempts.append(attempt)
            self._store.jobs.save(job)
        reason, progress = None, Progress()
        try:
            self._work(job, progress)
        except CancelledError:
            reason = None
        except ConnectorError as error:
            reason = failure_reason(error, progress.origin)
        except ApiError as error:
            reason = failure_reason(CrashError(error.message), "airbyte_platform")
        except Exception as error:
            log.exception("job %s failed", job.id)
            reason = failure_reason(CrashError(f"{type(error).__name__} in the sandbox: {error}"), "airbyte_platform")
        with self._store.lock:
            attempt.update(progress.stats())
            attempt["log"].append(reason["internalMessage"] if reason else "done")
            _close_attempt(attempt, reason)
            job.updated_at = now()
            self._store.jobs.save(job)
        return reason

    def _work(self, job: Job, progress: Progress) -> None:
        with self._store.lock:
            connection = self._store.connections.get(job.connection_id)
        if job.kind in ("sync", "refresh"):
            progress.origin = "source"
            if not self._follow_schema(job, connection):
                return
        with self._store.lock:
            work: Plan = plan(self._instance, job, connection)
            job.versions = {"source": work.source.tag, "destination": work.destination.tag}
        if job.kind in ("sync", "refresh"):
            replicate(self._instance, work, progress, lambda: self.is_cancelled(job.id))
        else:
            clear(self._instance, work, progress)

    def _follow_schema(self, job: Job, connection: Connection) -> bool:
        """Discover the source and apply what changed; False when that made the connection inactive."""
        catalog = refreshed_catalog(self._instance, connection)
        with self._store.lock:
            if catalog is not None:
                apply_discovery(self._instance, connection, catalog, propagate=True)
            if connection.status == "active" or job.kind == "refresh":
                if job.kind == "sync":
                    job.streams = connection.streams
                return True
            self._finish(job, "cancelled")
            return False

    def _finish(self, job: Job, status: str) -> None:
        job.status, job.updated_at = status, now()
        self._store.jobs.save(job)
        connection = self._store.connections.find(job.connection_id)
        if connection is None:
            return
        outcome = {"succeeded": "SUCCEEDED", "failed": "FAILED"}.get(status, "CANCELLED")
        self._instance.note(connection, f"{_EVENTS[job.kind]}_{outcome}", jobId=job.id)
        if status == "failed":
            self._disable_after_failures(connection)

    def _disable_after_failures(self, connection: Connection) -> None:
        jobs = [job for job in self._store.jobs if job.connection_id == connection.id and job.kind == "sync"]
        limit = self._instance.settings.failed_jobs_before_disable
        if (
            len(jobs) >= limit
            and all(job.status == "failed" for job in jobs[-limit:])
            and connection.status == "active"
        ):
            connections.disable(self._instance, connection, "TOO_MANY_FAILED_JOBS_WITH_NO_RECENT_SUCCESS")


def _close_attempt(attempt: Json, reason: Json | None) -> None:
    attempt["status"] = "failed" if reason else "succeeded"
    attempt["updatedAt"] = attempt["endedAt"] = now()
    if reason:
        partial = bool(attempt.get("recordsSynced"))
        attempt["failureSummary"] = {"failures": [reason], "partialSuccess": partial}
