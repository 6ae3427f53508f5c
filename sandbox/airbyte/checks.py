"""Running a connector once, for a check or a discovery, and how the outcome is told."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.airbyte import connectors
from sandbox.airbyte.connectors.base import ConnectorError, CrashError, Destination, RefusalError, Source
from sandbox.airbyte.definitions import Version
from sandbox.airbyte.entities import new_id
from sandbox.airbyte.faults import Faults
from sandbox.airbyte.settings import Settings
from sandbox.airbyte.wire import Json, present

log = logging.getLogger(__name__)

CRASHED = "Something went wrong in the connector. See the logs for more details."


@dataclass(frozen=True)
class Outcome:
    """What a check came to.

    Attributes:
        succeeded: Whether the connector said yes; None when it crashed and said nothing.
        message: The connector's words when it said no.
        failure: A FailureReason, when it did not say yes.
        job_info: ``SynchronousJobRead``.
    """

    succeeded: bool | None
    message: str | None
    failure: Json | None
    job_info: Json

    def read(self) -> Json:
        """``CheckConnectionRead``: a crash has no ``status``."""
        status = None if self.succeeded is None else ("succeeded" if self.succeeded else "failed")
        return present({"status": status, "message": self.message, "jobInfo": self.job_info})


def failure_reason(error: ConnectorError, origin: str) -> Json:
    """``FailureReason``; its timestamp is in milliseconds."""
    return {
        "failureOrigin": origin,
        "failureType": error.failure_type,
        "externalMessage": error.message,
        "internalMessage": error.message,
        "retryable": error.failure_type in ("transient_error", "system_error"),
        "timestamp": int(time.time() * 1000),
    }


class ConnectorRuns:
    """Runs connectors of resolved versions."""

    def __init__(self, settings: Settings, faults: Faults) -> None:
        self._settings = settings
        self._faults = faults

    def source(self, version: Version) -> Source:
        """The implementation of a source version."""
        return connectors.source(version.definition.repository, self._settings)

    def destination(self, version: Version) -> Destination:
        """The implementation of a destination version."""
        return connectors.destination(version.definition.repository, self._settings)

    def injected(self, operation: str, version: Version) -> None:
        """Fail or wait as a fault on ``connector:<operation>:<repository>`` says.

        Raises:
            ConnectorError: what the fault lets the connector say.
        """
        fault = self._faults.strike(f"connector:{operation}:{version.definition.repository}")
        if fault is None:
            return
        time.sleep(fault.delay_ms / 1000)
        if fault.connector is not None:
            kind = CrashError if fault.connector.get("crash") else RefusalError
            raise kind(str(fault.connector.get("message", CRASHED)), fault.connector.get("failureType"))

    def check(self, version: Version, config: Json) -> Outcome:
        """Check a configuration (secrets included) for real."""
        kind = version.definition.kind
        started = int(time.time())
        try:
            self.injected("check", version)
            connector = self.source(version) if kind == "source" else self.destination(version)
            with _bugs_as_crashes(version):
                connector.check(config)
        except CrashError as error:
            reason = failure_reason(error, kind)
            return Outcome(None, None, reason, _job_info(f"check_connection_{kind}", version, started, reason))
        except ConnectorError as error:
            info = _job_info(f"check_connection_{kind}", version, started)
            return Outcome(False, error.message, failure_reason(error, kind), info)
        return Outcome(True, None, None, _job_info(f"check_connection_{kind}", version, started))

    def discover(self, version: Version, config: Json) -> tuple[list[Json] | None, Json]:
        """The streams of a source and the job's info; no streams when it failed."""
        started = int(time.time())
        try:
            self.injected("discover", version)
            with _bugs_as_crashes(version):
                streams = self.source(version).discover(config)
        except ConnectorError as error:
            reason = failure_reason(error, "source")
            return None, _job_info("discover_schema", version, started, reason)
        return streams, _job_info("discover_schema", version, started)


@contextmanager
def _bugs_as_crashes(version: Version) -> Iterator[None]:
    """A connector may be handed a configuration that nobody validated; stumbling over it is a crash of its own.

    Raises:
        CrashError: in place of any error that is not a connector's; without its text, which may hold a secret.
    """
    try:
        yield
    except ConnectorError:
        raise
    except Exception as error:
        log.warning("%s stumbled: %s", version.image, type(error).__name__)
        raise CrashError(f"{CRASHED} ({type(error).__name__} in {version.image})") from error


def _job_info(kind: str, version: Version, started: int, failure: Json | None = None) -> Json:
    return present(
        {
            "id": new_id(),
            "configType": kind,
            "configId": version.definition.id,
            "createdAt": started,
            "endedAt": int(time.time()),
            "succeeded": failure is None,
            "connectorConfigurationUpdated": False,
            "logType": "formatted",
            "logs": {"logLines": []},
            "failureReason": failure,
        }
    )


def cached_job_info() -> Json:
    """The job info of a discovery that was answered from the cache."""
    return {
        "id": new_id(),
        "configType": "discover_schema",
        "configId": "NoConfiguration",
        "createdAt": 0,
        "endedAt": 0,
        "succeeded": True,
        "connectorConfigurationUpdated": False,
        "logType": "formatted",
        "logs": {"logLines": []},
    }


def discover_key(source_id: str, tag: str, stored_configuration: Json) -> str:
    """The key of the discover cache: a rotated secret has another coordinate, and so another key."""
    text = json.dumps(stored_configuration, sort_keys=True)
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"{source_id}:{tag}:{digest}"
