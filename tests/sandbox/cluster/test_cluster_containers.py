"""A container has the environment that the cluster holds when it starts, and no later one."""

import base64
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox.cluster import Cluster
from sandbox.cluster.container_environment import Kind, UnresolvedError, container_environment
from sandbox.cluster.containers import MAY_START
from tests.kubectl import Kubectl

Thing = dict[str, Any]
Poll = Callable[[Callable[[], Any], float], Any]

OBSERVED = {"airbyte": "observed"}
"""What the shared cluster writes the environment of."""


@pytest.fixture
def file(cluster: Cluster) -> Path:
    """Where the environment of the last observed pod is."""
    return cluster.data / "environment.json"


@pytest.fixture
def credentials(kubectl: Kubectl) -> None:
    """A Secret with the one key `password`: `first`."""
    kubectl("create", "secret", "generic", "credentials", "--from-literal=password=first")


def rotate(kubectl: Kubectl, **values: str) -> None:
    """Give the Secret other values."""
    kubectl("patch", "secret", "credentials", "--patch", json.dumps({"stringData": values}))


def container(*variables: Thing, image: str = "example/server:1", **more: Any) -> Thing:
    return {"containers": [{"name": "main", "image": image, "env": [*variables], **more}]}


def pod(name: str, spec: Thing) -> Thing:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": OBSERVED}, "spec": spec}


def deployment(name: str, spec: Thing) -> Thing:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": OBSERVED},
            "template": {"metadata": {"labels": OBSERVED}, "spec": spec},
        },
    }


def secret(key: str, name: str = "credentials", **more: Any) -> Thing:
    """A variable out of a Secret, named as its key in capitals."""
    return {"name": key.upper(), "valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def written(file: Path) -> Any:
    return json.loads(file.read_text())


def await_config_error(kubectl: Kubectl, name: str, words: str) -> None:
    """Wait until a pod says that its container can't be configured, and why."""
    waiting = "jsonpath={.status.containerStatuses[0].state.waiting"
    kubectl.wait(f"pod/{name}", f"{waiting}.reason}}=CreateContainerConfigError")
    found = kubectl.get("pod", name)["status"]["containerStatuses"][0]
    assert words in found["state"]["waiting"]["message"]
    assert not found["ready"]


@pytest.mark.usefixtures("credentials")
def test_a_changed_secret_takes_effect_when_the_next_pod_starts_and_not_before(kubectl: Kubectl, file: Path) -> None:
    kubectl.apply(deployment("server", container(secret("password"))))
    kubectl.wait("deployment/server", "condition=Available")
    assert written(file) == {"PASSWORD": "first"}
    before = file.stat()

    # A Secret that changes, a pod that changes, and one that can't start: all seen, and the file is as it was.
    rotate(kubectl, password="second")
    kubectl("annotate", "pod", "--all", "seen=yes")
    kubectl.apply(pod("stuck", container(secret("no-such-key"))))
    await_config_error(kubectl, "stuck", f"couldn't find key no-such-key in Secret {kubectl.namespace}/credentials")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    kubectl("delete", "pod", "stuck", "--wait=false")
    kubectl("rollout", "restart", "deployment/server")
    kubectl("rollout", "status", "deployment/server", "--timeout=30s")
    assert written(file) == {"PASSWORD": "second"}

    rotate(kubectl, password="third")
    kubectl("delete", "pod", "--selector=airbyte=observed")
    kubectl("rollout", "status", "deployment/server", "--timeout=30s")
    assert written(file) == {"PASSWORD": "third"}


@pytest.mark.usefixtures("credentials")
def test_a_pod_that_lacks_something_is_told_of_and_starts_as_soon_as_it_is_there(
    kubectl: Kubectl, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kubectl.apply(pod("server", container(secret("password"), secret("token", "later"))))
    await_config_error(kubectl, "server", 'secret "later" not found')
    (said,) = [text for text in caplog.messages if kubectl.namespace in text]
    assert f"{kubectl.namespace}/server does not start, CreateContainerConfigError: secret" in said
    assert str(file) in said
    assert "first" not in said

    kubectl("create", "secret", "generic", "later", "--from-literal=token=there")
    kubectl.wait("pod/server", "condition=Ready")
    assert written(file) == {"PASSWORD": "first", "TOKEN": "there"}
    kinds = {each["type"]: each for each in kubectl.get("pod", "server")["status"]["conditions"]}
    assert kinds[MAY_START].keys().isdisjoint({"reason", "message"})


def test_no_pod_is_ready_before_its_environment_is_written(kubectl: Kubectl, file: Path) -> None:
    # Given a place where nothing can be written
    file.unlink(missing_ok=True)
    file.mkdir()
    try:
        kubectl.apply(pod("server", container({"name": "A", "value": "1"})))
        await_config_error(kubectl, "server", str(file))
    finally:
        file.rmdir()

    kubectl.wait("pod/server", "condition=Ready")
    assert written(file) == {"A": "1"}


def test_an_image_that_cannot_be_pulled_comes_first(kubectl: Kubectl, file: Path) -> None:
    kubectl.apply(pod("good", container({"name": "IMAGE", "value": "good"})))
    kubectl.wait("pod/good", "condition=Ready")
    kubectl.apply(pod("bad", container({"name": "IMAGE", "value": "bad"}, image="example/does-not-exist:1")))

    kubectl.wait("pod/bad", "jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff")
    kubectl.apply(pod("stuck", container(secret("password", "none"))))
    await_config_error(kubectl, "stuck", "not found")
    assert written(file) == {"IMAGE": "good"}


@pytest.mark.usefixtures("credentials")
def test_nobody_else_can_read_the_file_and_nobody_sees_half_of_it(kubectl: Kubectl, file: Path) -> None:
    kubectl.apply(pod("one", container(secret("password"))))
    kubectl.wait("pod/one", "condition=Ready")
    assert file.stat().st_mode & 0o777 == 0o600

    with file.open() as opened:
        rotate(kubectl, password="second")
        kubectl.apply(pod("two", container(secret("password"))))
        kubectl.wait("pod/two", "condition=Ready")
        assert json.load(opened) == {"PASSWORD": "first"}, "the file is replaced, and not written over"

    assert written(file) == {"PASSWORD": "second"}
    assert list(file.parent.glob(f".{file.name}*")) == []


@pytest.mark.usefixtures("credentials")
def test_all_that_an_environment_is_made_of(kubectl: Kubectl, file: Path) -> None:
    kubectl("create", "configmap", "settings", "--from-literal=LEVEL=info", "--from-literal=SHARED=of-the-map")
    rotate(kubectl, SHARED="of-the-secret")
    sources = [
        {"configMapRef": {"name": "settings"}},
        {"configMapRef": {"name": "absent", "optional": True}},
        {"prefix": "DB_", "secretRef": {"name": "credentials"}},
        {"secretRef": {"name": "credentials"}},
    ]
    variables = [
        {"name": "PLAIN", "value": "text"},
        {"name": "EMPTY"},
        secret("password", optional=False),
        secret("absent", optional=True),
        {**secret("absent", "no-such-secret", optional=True), "name": "LEVEL"},
        {"name": "COPY", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "LEVEL"}}},
        {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "none", "optional": True}}},
        {"name": "URL", "value": "db://$(DB_password)@$(HOST)/$$(PLAIN)?$(PLAIN)"},
        {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "COMPONENT", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['airbyte']"}}},
        {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
        {"name": "PLAIN", "value": "$(PLAIN), twice"},
    ]
    kubectl.apply(pod("server", container(*variables, envFrom=sources)))
    kubectl.wait("pod/server", "condition=Ready")

    assert written(file) == {
        "LEVEL": "info",
        "SHARED": "of-the-secret",
        "DB_password": "first",
        "DB_SHARED": "of-the-secret",
        "password": "first",
        "PLAIN": "text, twice",
        "EMPTY": "",
        "PASSWORD": "first",
        "COPY": "info",
        "URL": "db://first@$(HOST)/$(PLAIN)?text",
        "NAMESPACE": kubectl.namespace,
        "COMPONENT": "observed",
    }


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"env": [secret("a", "gone")]}, 'secret "gone" not found'),
        ({"env": [secret("a", "gone", optional=True), secret("a", "gone")]}, 'secret "gone" not found'),
        ({"env": [secret("b", "there")]}, "couldn't find key b in Secret here/there"),
        ({"envFrom": [{"configMapRef": {"name": "gone"}}]}, 'configmap "gone" not found'),
        (
            {"env": [{"name": "B", "valueFrom": {"configMapKeyRef": {"name": "there", "key": "b"}}}]},
            "couldn't find key b in ConfigMap here/there",
        ),
    ],
)
def test_what_is_missing_is_named_as_a_kubelet_names_it(more: Thing, words: str) -> None:
    def read(kind: Kind, name: str) -> Thing | None:
        value = "text" if kind == "ConfigMap" else base64.b64encode(b"text").decode()
        return {"data": {"a": value}} if name == "there" else None

    described = {"metadata": {"namespace": "here"}, "spec": {"containers": [{"name": "main", **more}]}}
    with pytest.raises(UnresolvedError) as raised:
        container_environment(described, read)
    assert str(raised.value) == words


def test_bytes_that_are_no_text_survive_as_in_a_processs_environment() -> None:
    described = {"metadata": {"namespace": "here"}, "spec": container(secret("key"))}
    value = {"data": {"key": base64.b64encode(b"\xff\x00key").decode()}}

    found = json.loads(json.dumps(container_environment(described, lambda _kind, _name: value)))

    assert found["KEY"].encode(errors="surrogateescape") == b"\xff\x00key"


def test_what_starts_is_seen_although_the_connection_broke(
    kubectl: Kubectl, cluster: Cluster, file: Path, poll: Poll
) -> None:
    kubectl.apply(pod("before", container({"name": "WHEN", "value": "before"})))
    kubectl.wait("pod/before", "condition=Ready")

    poll(lambda: cut_connections(int(cluster.url.rpartition(":")[2])) or None, 10)
    kubectl.apply(pod("after", container({"name": "WHEN", "value": "after"})))

    kubectl.wait("pod/after", "condition=Ready")
    assert written(file) == {"WHEN": "after"}


def cut_connections(port: int) -> int:
    """Break this process's connections to a port of this machine, as a network does; tell how many there were."""
    found: list[socket.socket] = []
    for each in psutil.Process().net_connections("tcp"):
        if each.raddr and each.raddr.port == port and each.status == psutil.CONN_ESTABLISHED:
            with suppress(OSError):  # closed by now
                found.append(socket.socket(fileno=socket.dup(each.fd)))
    # Not before all are held: who loses one may close the others, and their numbers are given to something else.
    for connection in found:
        with connection, suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    return len(found)
