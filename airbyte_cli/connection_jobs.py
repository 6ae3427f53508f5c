"""Jobs of a connection: starting one, following it, and saying how it ended."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import AirbyteError, OutcomeUnknownError, RefusedError
from dynamic_providers.airbyte.gates import explain
from dynamic_providers.airbyte.models import Connection, DiscoveredStream
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.suggestions import nearest

_RUNS: Final = frozenset({"pending", "queued", "running", "incomplete"})
_KINDS: Final = ("sync", "refresh", "reset_connection", "clear")
_CONFLICT: Final = 409
_INTERVAL: Final = 2.0
"""Seconds between looks at a running job."""


@dataclass(frozen=True)
class Result:
    """A job as it was last seen."""

    connection_id: str
    job_id: int
    kind: str
    status: str
    attempts: int
    records: int
    bytes: int
    seconds: int
    failure: str = ""
    followed: bool = field(default=True)
    """Whether somebody waited for its end."""

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than it should, as far as anybody waited."""
        return self.followed and self.status != "succeeded"

    def as_json(self) -> dict[str, Any]:
        """For --output json: ids, status, counts, seconds from start to end; `failure` only where there is one."""
        shown = {
            "connectionId": self.connection_id,
            "jobId": self.job_id,
            "kind": self.kind,
            "status": self.status,
            "attempts": self.attempts,
            "records": self.records,
            "bytes": self.bytes,
            "seconds": self.seconds,
        }
        return {**shown, "failure": self.failure} if self.failure else shown

    def __str__(self) -> str:
        if not self.followed:
            return f"Job {self.job_id} ({self.kind}) is {self.status}; --wait would follow it."
        seconds = f"after {self.seconds} s"
        if not self.failed:
            return f"Job {self.job_id} ({self.kind}) succeeded {seconds}{self.loaded}."
        tries = f" and {self.attempts} attempts" if self.attempts > 1 else ""
        return f"Job {self.job_id} ({self.kind}) {self.status} {seconds}{tries}{self.loaded}. {self.failure}".rstrip()

    @property
    def loaded(self) -> str:
        """Records and bytes so far, after a colon; nothing where there are none, as in a clear."""
        return f": {self.records} records, {_size(self.bytes)}" if self.records else ""


def find(session: Session, named: str) -> Connection:
    """The connection of that id or name; raises AirbyteError where there is none, or more than one."""
    connections = session.inventory.connections(session.workspace())
    found = [c for c in connections.values() if named in (c.connection_id, c.name)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(sorted(connection.connection_id for connection in found))
        raise AirbyteError(
            f"{len(found)} connections are called {named}: {ids}", fix="Name the one you mean by its id."
        )
    names = [connection.name for connection in connections.values()]
    raise AirbyteError(f"The workspace has no connection {named}", fix=nearest(named, names))


def streams_named(connection: Connection, names: Iterable[str]) -> list[dict[str, str]]:
    """The API's descriptors of a connection's streams; raises AirbyteError for a name that is none, or several."""
    descriptors = []
    for name in names:
        found = [s for s in connection.streams if name in (s.name, f"{s.namespace}.{s.name}")]
        if len(found) != 1:
            known = [_full_name(stream) for stream in connection.streams]
            what = "is in several namespaces" if found else "is not one of its streams"
            raise AirbyteError(
                f"Connection {connection.name}: {name} {what}; nothing was started", fix=nearest(name, known)
            )
        stream = found[0]
        descriptors.append(
            {"streamName": stream.name, **({"streamNamespace": stream.namespace} if stream.namespace else {})}
        )
    return descriptors


class Jobs:
    """The jobs of one connection. `say` takes a line of progress."""

    sleep: Callable[[float], None] = staticmethod(time.sleep)
    """How to wait between looks."""

    def __init__(self, client: Client, connection: Connection, say: Callable[[str], None]) -> None:
        self._client, self._connection, self._say = client, connection, say

    def run(self, operation: str, body: dict[str, Any], *, wait: bool) -> Result:
        """Start a job and, if told, follow it to its end.

        One that runs already is an error, unless it may be waited for: for a sync it does what was asked for,
        anything else starts after it. Raises AirbyteError.
        """
        name = self._connection.name
        if self._connection.status != "active" and operation == "sync":
            raise AirbyteError(
                f"Connection {name} is {self._connection.status}, so it can't sync", fix="Make it active first."
            )
        while (info := self._start(operation, body)) is None:
            running = self._running()
            if running is None:  # it ended just now
                self.sleep(_INTERVAL)
                continue
            job = running["job"]
            if not wait:
                raise AirbyteError(
                    f"Connection {name} is busy: job {job['id']} ({job['configType']}) is {job['status']}; nothing "
                    "was started",
                    fix="Add --wait, or try again once it has ended.",
                )
            self._say(f"Job {job['id']} ({job['configType']}) runs already; waiting for it.")
            result = self._follow(running)
            if operation == "sync" and result.kind in ("sync", "refresh"):
                return result
        return self._follow(info) if wait else self._result(info, followed=False)

    def _start(self, operation: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The new job; None where another one runs."""
        newest = self._newest()
        try:
            return self._client.post(
                f"connections/{operation}", {"connectionId": self._connection.connection_id, **body}
            )
        except RefusedError as error:
            if error.status != _CONFLICT:
                raise
            return None
        except OutcomeUnknownError as error:
            # Started or not? A job that was not there before tells.
            started = self._newest()
            if started is not None and (newest is None or started["job"]["id"] != newest["job"]["id"]):
                return started
            raise AirbyteError(
                f"The answer to {operation} of connection {self._connection.name} was lost, and no job was started",
                why=error.why,
                fix="Run the command again.",
            ) from None

    def _follow(self, info: dict[str, Any]) -> Result:
        """Look at a job until it ends, saying what changed in between."""
        said = ""
        while True:
            result = self._result(info, followed=True)
            if result.status not in _RUNS:
                return result
            attempt = f", attempt {result.attempts}" if result.attempts > 1 else ""
            line = f"Job {result.job_id} ({result.kind}) is {result.status}{attempt}{result.loaded}"
            if line != said:
                self._say(line)
                said = line
            self.sleep(_INTERVAL)
            info = self._client.post("jobs/get_without_logs", {"id": result.job_id})

    def _running(self) -> dict[str, Any] | None:
        newest = self._newest()
        return newest if newest is not None and newest["job"]["status"] in _RUNS else None

    def _newest(self) -> dict[str, Any] | None:
        body = {
            "configTypes": list(_KINDS),
            "configId": self._connection.connection_id,
            "pagination": {"pageSize": 1, "rowOffset": 0},
        }
        jobs: list[dict[str, Any]] = self._client.post("jobs/list", body).get("jobs", [])
        return jobs[0] if jobs else None

    def _result(self, info: dict[str, Any], *, followed: bool) -> Result:
        job = info["job"]
        attempts = [each.get("attempt", each) for each in info.get("attempts") or []]
        last = attempts[-1] if attempts else {}
        stats = job.get("aggregatedStats") or last.get("totalStats") or {}
        failures = (last.get("failureSummary") or {}).get("failures") or []
        return Result(
            connection_id=self._connection.connection_id,
            job_id=int(job["id"]),
            kind=str(job["configType"]),
            status=str(job["status"]),
            attempts=len(attempts),
            records=int(stats.get("recordsCommitted") or stats.get("recordsEmitted") or last.get("recordsSynced") or 0),
            bytes=int(stats.get("bytesCommitted") or stats.get("bytesEmitted") or last.get("bytesSynced") or 0),
            seconds=int(job["updatedAt"]) - int(job.get("startedAt") or job["createdAt"]),
            failure=self._failure(failures[0]) if failures and job["status"] != "succeeded" else "",
            followed=followed,
        )

    def _failure(self, reason: dict[str, Any]) -> str:
        said = str(reason.get("externalMessage") or reason.get("internalMessage") or "no reason was given")
        said = " ".join(self._client.redactor.scrub(said).split())
        origin = str(reason.get("failureOrigin") or "platform").removeprefix("airbyte_")
        meaning, fix = explain(said)
        return f"The {origin} says: {said.rstrip('.')}." + (f" {meaning.rstrip('.')}. {fix}" if meaning else "")


def _full_name(stream: DiscoveredStream) -> str:
    return f"{stream.namespace}.{stream.name}" if stream.namespace else stream.name


def _size(count: int) -> str:
    """Bytes in the largest unit that leaves a whole part."""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.1f} {units[0]}" if units[0] != "B" else f"{count} B"
