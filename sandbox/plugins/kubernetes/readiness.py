"""When an object that was written counts as made: what an update waits for.

Less than the official plugin awaits: a Service does not wait for endpoints nor an Ingress for an address, pods' events
and logs are not followed, and a refresh does not look at readiness at all. As there, ``pulumi.com/skipAwait: "true"``
waits for nothing and ``pulumi.com/timeoutSeconds`` (or the resource's own timeout) says how long; ten minutes else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.plugins.kubernetes.cluster import ApiError, ApiKind, Cluster
from sandbox.plugins.resource import PluginError
from sandbox.plugins.values import Properties, Value

SKIP: Final = "pulumi.com/skipAwait"
TIMEOUT: Final = "pulumi.com/timeoutSeconds"

_DEFAULT_SECONDS: Final = 600
_POLL_SECONDS: Final = 0.2
_SLOWEST_POLL_SECONDS: Final = 2.0


class NotReadyError(PluginError):
    """The object is there, and something keeps it from becoming ready; `live` is how it was last seen."""

    def __init__(self, message: str, live: Properties) -> None:
        super().__init__(message)
        self.live = live


class _Failed(Exception):  # noqa: N818 - never leaves this module
    """It will not become ready by waiting."""


def annotation(declared: Properties, name: str) -> str | None:
    """An annotation of an object, if it has it as a text."""
    metadata = declared.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(name) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else None


def patience(declared: Properties, seconds: float) -> float:
    """How long to wait for an object: `seconds` if the program says so, else what its annotation says."""
    told = annotation(declared, TIMEOUT) or ""
    return seconds or (float(told) if told.isdigit() else _DEFAULT_SECONDS)


def wait_until_ready(
    cluster: Cluster, kind: ApiKind, live: Properties, declared: Properties, seconds: float
) -> Properties:
    """The object once it is ready; at once for kinds that are what they are as soon as they are written.

    Raises :class:`NotReadyError` when it fails for good or the time is up.
    """
    lacking = _LACKING.get((kind.version, kind.name))
    if lacking is None or annotation(declared, SKIP) == "true":
        return live
    path = kind.path(live["metadata"].get("namespace"), live["metadata"]["name"])
    end, pause = time.monotonic() + patience(declared, seconds), _POLL_SECONDS
    while True:
        try:
            missing = lacking(live)
        except _Failed as failure:
            raise NotReadyError(f"it was written, but it failed: {failure}", live) from None
        if missing is None:
            return live
        if time.monotonic() > end or cluster.stopping.wait(pause):
            why = (
                "the update was cancelled" if cluster.stopping.is_set() else f"{patience(declared, seconds):g} s passed"
            )
            raise NotReadyError(
                f"it was written, but it was not ready when {why}: {missing}. Look at it with `kubectl describe`; "
                "the next update waits for it again",
                live,
            )
        pause = min(pause * 1.5, _SLOWEST_POLL_SECONDS)
        live = cluster.request("GET", path)


def wait_until_gone(cluster: Cluster, path: str, uid: str, declared: Properties, seconds: float) -> None:
    """Return when there is no such object any more, or another of its name. Raises PluginError when the time is up."""
    end, pause = time.monotonic() + patience(declared, seconds), _POLL_SECONDS
    while True:
        try:
            live = cluster.request("GET", path)
        except ApiError as error:
            if error.status == 404:
                return
            raise
        metadata = live["metadata"]
        if metadata["uid"] != uid:
            return
        if time.monotonic() > end or cluster.stopping.wait(pause):
            holders = ", ".join(metadata.get("finalizers", [])) or _conditions(live) or "nothing that it tells"
            raise PluginError(
                f"it is marked for deletion, but it was still there when the wait ended; what holds it: {holders}"
            )
        pause = min(pause * 1.5, _SLOWEST_POLL_SECONDS)


# -- what each kind lacks: None when it is ready


def _namespace(live: Properties) -> str | None:
    phase = _status(live).get("phase")
    return None if phase == "Active" else f"its phase is {phase or 'not told yet'}"


def _deployment(live: Properties) -> str | None:
    spec, status = live["spec"], _status(live)
    if spec.get("paused"):
        return None
    for condition in status.get("conditions", []):
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            raise _Failed(f"{condition.get('message')} {_conditions(live)}".strip())
    wanted = spec.get("replicas", 1)
    return _rollout(live, wanted, status.get("updatedReplicas", 0), status.get("availableReplicas", 0)) or (
        f"{status['replicas'] - wanted} pods of the version before are still there"
        if status.get("replicas", 0) > wanted
        else None
    )


def _stateful_set(live: Properties) -> str | None:
    status = _status(live)
    updated = status.get("updatedReplicas") or status.get("replicas", 0)
    return _rollout(live, live["spec"].get("replicas", 1), updated, status.get("readyReplicas", 0))


def _daemon_set(live: Properties) -> str | None:
    status = _status(live)
    wanted = status.get("desiredNumberScheduled", 0)
    return _rollout(live, wanted, status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0))


def _rollout(live: Properties, wanted: int, updated: int, available: int) -> str | None:
    if _status(live).get("observedGeneration", 0) < live["metadata"].get("generation", 0):
        return "its controller has not seen it yet"
    if min(updated, available) >= wanted:
        return None
    return f"{min(updated, available)} of {wanted} pods are updated and available. {_conditions(live)}".strip()


def _pod(live: Properties) -> str | None:
    status = _status(live)
    phase = status.get("phase")
    if phase == "Failed":
        raise _Failed(f"{status.get('reason', '')} {status.get('message', '')} {_waiting(status)}".strip() or phase)
    if phase == "Succeeded" or _condition(live, "Ready") == "True":
        return None
    return f"its phase is {phase}. {_waiting(status)} {_conditions(live)}".strip()


def _job(live: Properties) -> str | None:
    if _condition(live, "Failed") == "True":
        raise _Failed(_conditions(live))
    done = _condition(live, "Complete") == "True" or live["spec"].get("suspend")
    return None if done else f"it has not completed. {_conditions(live)}".strip()


def _volume_claim(live: Properties) -> str | None:
    phase = _status(live).get("phase")
    return None if phase == "Bound" else f"its phase is {phase}"


def _volume(live: Properties) -> str | None:
    phase = _status(live).get("phase")
    return None if phase in ("Available", "Bound") else f"its phase is {phase}"


def _quota(live: Properties) -> str | None:
    hard = live.get("spec", {}).get("hard", {})
    return None if _status(live).get("hard", {}) == hard else "its controller has not counted what it limits yet"


def _service(live: Properties) -> str | None:
    if live["spec"].get("type") != "LoadBalancer" or _status(live).get("loadBalancer", {}).get("ingress"):
        return None
    return "its load balancer has no address"


_LACKING: Final[Mapping[tuple[str, str], Callable[[Properties], str | None]]] = {
    ("v1", "Namespace"): _namespace,
    ("v1", "PersistentVolume"): _volume,
    ("v1", "PersistentVolumeClaim"): _volume_claim,
    ("v1", "Pod"): _pod,
    ("v1", "ResourceQuota"): _quota,
    ("v1", "Service"): _service,
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("batch/v1", "Job"): _job,
}


def _status(live: Properties) -> Properties:
    return live.get("status") or {}


def _condition(live: Properties, name: str) -> Value:
    return next((entry["status"] for entry in _status(live).get("conditions", []) if entry["type"] == name), None)


def _conditions(live: Properties) -> str:
    """What the conditions that have something to say, say."""
    told = [entry["message"] for entry in _status(live).get("conditions", []) if entry.get("message")]
    return "; ".join(message.rstrip(".") for message in told)


def _waiting(status: Properties) -> str:
    """Why containers wait or ended."""
    states = [
        (entry["name"], state)
        for group in ("initContainerStatuses", "containerStatuses")
        for entry in status.get(group, [])
        for name, state in entry.get("state", {}).items()
        if name != "running"
    ]
    return "; ".join(
        f"container {name}: {state.get('reason', '')} {state.get('message', '')}".strip() for name, state in states
    )
