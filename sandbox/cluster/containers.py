"""Starts the containers of some pods as a kubelet does: their environment is read when they start, and only then.

kwok takes a pod of these components up to where its containers are to be created, and waits
(`pod-waits-for-its-environment` in stages.yaml). Here its environment is put together from what the API server has at
that moment, and written down; then the pod may go on. So nobody sees such a pod ready whose environment is not written.
Where it can't be put together the pod stays, with the reason that a kubelet gives, and is tried again.
"""

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from sandbox.cluster.container_environment import Kind, UnresolvedError, container_environment
from sandbox.processes import write_private

log = logging.getLogger(__name__)

LABEL = "airbyte"
"""The label whose value is a pod's component."""

MAY_START = "simulated/ContainersMayStart"
"""The condition that such a pod gets when its environment is written. It stands in stages.yaml as well."""

CONFIG_ERROR = "CreateContainerConfigError"
AGAIN_SECONDS = 1
"""After which a pod that could not start is tried again, and an API server that did not answer."""

WATCH_SECONDS = 60
END_SECONDS = 1

_PATHS: dict[Kind, str] = {"ConfigMap": "configmaps", "Secret": "secrets"}

Pod = dict[str, Any]
Environments = Mapping[str, Path]
"""By component, the file for the environment of its last started pod: a JSON object, mode 0600."""


class Containers:
    """A thread that starts the containers of the components in `environments`, from now on.

    Pods that wait already are found. `connect` makes a client of the API server, as its administrator.
    """

    def __init__(self, environments: Environments, connect: Callable[[], httpx.Client]) -> None:
        self._environments = environments
        self._connect = connect
        self._stopping = threading.Event()
        self._connection: socket.socket | None = None
        # By the uid of a pod, why its containers can't be started; empty once they are.
        self._verdicts: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="containers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Start nothing more, and leave no connection: an API server that ends waits for those that listen to it."""
        self._stopping.set()
        if connection := self._connection:
            with contextlib.suppress(OSError):  # it is closed
                # Of the plain socket: the reader wakes up, and TLS is left to it alone.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._connect() as client:
                    while not self._stopping.is_set():
                        self._follow(client)
            except (httpx.HTTPError, OSError, ValueError):  # no answer, or one that broke off in the middle of a line
                self._stopping.wait(AGAIN_SECONDS)

    def _follow(self, client: httpx.Client) -> None:
        """Look at all pods and then at each that changes, until one can't start or the API server ends that."""
        chosen = {"labelSelector": f"{LABEL} in ({','.join(self._environments)})"}
        listed = client.get("/api/v1/pods", params=chosen).raise_for_status().json()
        present = {pod["metadata"]["uid"] for pod in listed["items"]}
        self._verdicts = {uid: verdict for uid, verdict in self._verdicts.items() if uid in present}
        stuck = [pod for pod in listed["items"] if not self._look_at(pod, client)]
        since = {"resourceVersion": listed["metadata"]["resourceVersion"]}
        seconds = AGAIN_SECONDS if stuck else WATCH_SECONDS
        for pod in self._changes(client, {**chosen, **since, "timeoutSeconds": str(seconds)}):
            if not self._look_at(pod, client):
                return

    def _changes(self, client: httpx.Client, chosen: Mapping[str, str]) -> Iterator[Pod]:
        """The pods that change, until the time is over or the API server can't tell any more what was missed."""
        query = {**chosen, "watch": "true"}
        with client.stream("GET", "/api/v1/pods", params=query, timeout=WATCH_SECONDS + 10) as answer:
            answer.raise_for_status()
            self._connection = answer.extensions["network_stream"].get_extra_info("socket")
            lines = answer.iter_lines()
            while not self._stopping.is_set() and (line := next(lines, None)):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] in ("ADDED", "MODIFIED"):
                    yield event["object"]

    def _look_at(self, pod: Pod, client: httpx.Client) -> bool:
        """Start a pod's containers if that is due; false where it is and can't be done."""
        metadata = pod["metadata"]
        before = self._verdicts.get(metadata["uid"])
        if before == "" or not _is_due(pod):
            return True
        verdict = self._write_environment(pod, client)
        if verdict != before:
            if not _report(client, pod, verdict):
                return True  # it is gone
            self._verdicts[metadata["uid"]] = verdict
            if verdict:
                log.warning(
                    "The pod %s/%s does not start, %s: %s. It is tried again every second; until then %s stays.",
                    metadata["namespace"],
                    metadata["name"],
                    CONFIG_ERROR,
                    verdict,
                    self._environments[metadata["labels"][LABEL]],
                )
        return not verdict

    def _write_environment(self, pod: Pod, client: httpx.Client) -> str:
        """Write what a pod's main container starts with; return why that can't be done, if so."""
        metadata = pod["metadata"]
        try:
            environment = container_environment(
                pod, lambda kind, name: _read(client, metadata["namespace"], kind, name)
            )
            write_private(self._environments[metadata["labels"][LABEL]], json.dumps(environment, indent=2))
        except (UnresolvedError, OSError) as error:
            return f"{error}"
        return ""


def _is_due(pod: Pod) -> bool:
    """Tell whether a pod's containers are to be created, and are not yet."""
    status = pod["status"]
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
    return (
        "deletionTimestamp" not in pod["metadata"]
        and status["phase"] == "Pending"
        and conditions.get("PodReadyToStartContainers") == "True"
        and conditions.get(MAY_START) != "True"
    )


def _read(client: httpx.Client, namespace: str, kind: Kind, name: str) -> dict[str, Any] | None:
    answer = client.get(f"/api/v1/namespaces/{namespace}/{_PATHS[kind]}/{name}")
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return None
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def _report(client: httpx.Client, pod: Pod, verdict: str) -> bool:
    """Say in a pod's status that its containers may start, or why not; false where that pod is no more."""
    metadata, status = pod["metadata"], pod["status"]
    condition = {"type": MAY_START, "status": "True", "reason": None, "message": None}
    said: dict[str, Any] = {"conditions": [condition]}
    if verdict:
        waiting = {"reason": CONFIG_ERROR, "message": verdict}
        condition |= {"status": "False", **waiting}
        main, *others = status["containerStatuses"]
        said["containerStatuses"] = [{**main, "state": {"waiting": waiting}}, *others]
    answer = client.patch(
        f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status",
        # With the uid, as a pod of the same name may have taken its place.
        json={"metadata": {"uid": metadata["uid"]}, "status": said},
        headers={"Content-Type": "application/strategic-merge-patch+json"},
    )
    if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
        return False
    answer.raise_for_status()
    return True
