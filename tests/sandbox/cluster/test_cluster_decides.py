"""What the cluster decides is what a real one decides, and what it simulates goes the way of containers that work."""

import json
import re
import socket
import ssl
import subprocess
from typing import Any

import httpx
import pytest

from sandbox.cluster import Cluster
from tests.kubectl import Kubectl
from tests.relay import Relay

Thing = dict[str, Any]

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
COMPLIANT: Thing = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod_spec(security: Thing | None = None, image: str = "example/server:1", **more: Any) -> Thing:
    return {"containers": [{"name": "main", "image": image, "securityContext": security or {}}], **more}


def pod(name: str, spec: Thing) -> Thing:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def workload(kind: str, name: str, spec: Thing, **more: Any) -> Thing:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **more},
    }


def restrict(kubectl: Kubectl) -> None:
    """Enforce Pod Security's strictest profile in the test's namespace."""
    labels = [f"{key}={value}" for key, value in RESTRICTED.items()]
    kubectl("label", "namespace", kubectl.namespace, *labels)


def test_pod_security_refuses_a_privileged_pod_and_admits_a_compliant_one(kubectl: Kubectl) -> None:
    restrict(kubectl)

    refused = kubectl.run("apply", "-f", "-", given=pod("bad", pod_spec({"privileged": True})))
    kubectl.apply(pod("good", pod_spec(COMPLIANT)))

    assert refused.returncode == 1
    assert 'violates PodSecurity "restricted:latest": privileged' in refused.stderr
    kubectl.wait("pod/good", "condition=Ready")


def test_a_privileged_pod_may_run_where_nothing_restricts_it(kubectl: Kubectl) -> None:
    kubectl.apply(pod("agent", pod_spec({"privileged": True})))

    kubectl.wait("pod/agent", "condition=Ready")


def test_rbac_gives_an_account_what_its_role_says_and_nothing_more(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "launcher")
    kubectl("create", "role", "launches", "--verb=create", "--resource=pods")
    kubectl(
        "create", "rolebinding", "launches", "--role=launches", f"--serviceaccount={kubectl.namespace}:launcher"
    )  # fmt: skip

    def may(verb: str, resource: str, namespace: str) -> bool:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": f"system:serviceaccount:{kubectl.namespace}:launcher",
                "resourceAttributes": {"verb": verb, "resource": resource, "namespace": namespace},
            },
        }
        return bool(json.loads(kubectl("create", "-f", "-", "-o", "json", given=review))["status"]["allowed"])

    assert may("create", "pods", kubectl.namespace)
    assert not may("create", "pods", "default")
    assert not may("get", "secrets", kubectl.namespace)


def test_a_token_of_an_account_is_known_by_the_api_server(kubectl: Kubectl, cluster: Cluster) -> None:
    kubectl("create", "serviceaccount", "launcher")
    token = kubectl("create", "token", "launcher").strip()

    answer = httpx.post(
        f"{cluster.url}/apis/authentication.k8s.io/v1/selfsubjectreviews",
        json={"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        headers={"Authorization": f"Bearer {token}"},
        verify=ssl.create_default_context(cafile=cluster.data / "pki" / "ca.crt"),
        trust_env=False,
    )

    assert answer.json()["status"]["userInfo"]["username"] == f"system:serviceaccount:{kubectl.namespace}:launcher"


def test_nobody_gets_in_without_saying_who_they_are(cluster: Cluster) -> None:
    answer = httpx.get(f"{cluster.url}/api/v1/secrets", verify=False, trust_env=False)  # noqa: S501

    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_a_quota_refuses_a_pod_that_requests_nothing_until_a_limit_range_speaks_for_it(kubectl: Kubectl) -> None:
    kubectl("create", "quota", "all", "--hard=requests.cpu=2")

    refused = kubectl.run("apply", "-f", "-", given=pod("silent", pod_spec()))
    assert refused.returncode == 1
    assert "failed quota: all: must specify requests.cpu" in refused.stderr

    limits = {"limits": [{"type": "Container", "defaultRequest": {"cpu": "100m"}}]}
    kubectl.apply({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "defaults"}, "spec": limits})
    kubectl.apply(pod("silent", pod_spec()))
    assert kubectl.get("quota", "all")["status"]["used"] == {"requests.cpu": "100m"}


def test_server_side_apply_tells_two_managers_of_one_field(kubectl: Kubectl) -> None:
    def config_map(value: str) -> Thing:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": {"key": value}}

    kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", given=config_map("a"))
    conflict = kubectl.run("apply", "--server-side", "--field-manager=two", "-f", "-", given=config_map("b"))

    assert 'conflict with "one": .data.key' in conflict.stderr
    assert kubectl.get("configmap", "shared")["data"] == {"key": "a"}


def test_a_deployment_becomes_available_and_scales_and_goes(kubectl: Kubectl) -> None:
    kubectl.apply(workload("Deployment", "web", pod_spec(initContainers=[{"name": "first", "image": "example/init"}])))
    kubectl.wait("deployment/web", "condition=Available")

    kubectl("scale", "deployment/web", "--replicas=3")
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert kubectl.get("deployment", "web")["status"]["readyReplicas"] == 3

    kubectl("delete", "deployment/web", "--cascade=foreground", "--timeout=30s")
    assert kubectl.get("pods")["items"] == []


def test_a_deployment_whose_image_does_not_exist_never_becomes_available(kubectl: Kubectl) -> None:
    kubectl.apply(
        workload("Deployment", "broken", pod_spec(image="example/does-not-exist:1"), progressDeadlineSeconds=1)
    )

    kubectl.wait("deployment/broken", "jsonpath={.status.conditions[?(@.type=='Progressing')].status}=False")
    (found,) = kubectl.get("pods")["items"]
    assert found["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert kubectl.get("deployment", "broken")["status"].get("availableReplicas", 0) == 0


def test_a_pod_that_asks_for_more_than_there_is_stays_pending(kubectl: Kubectl) -> None:
    greedy = pod_spec()
    greedy["containers"][0]["resources"] = {"requests": {"cpu": "1000"}}
    kubectl.apply(pod("greedy", greedy))

    kubectl.wait("pod/greedy", "condition=PodScheduled=False")
    (condition,) = kubectl.get("pod", "greedy")["status"]["conditions"]
    assert "Insufficient cpu" in condition["message"]


@pytest.mark.parametrize("restart", ["Never", "OnFailure"])
def test_a_bare_pod_that_may_end_completes(kubectl: Kubectl, restart: str) -> None:
    kubectl.apply(pod("hook", pod_spec(restartPolicy=restart)))

    kubectl.wait("pod/hook", "jsonpath={.status.phase}=Succeeded")


def test_a_job_completes_and_is_deleted_with_its_pod(kubectl: Kubectl) -> None:
    template = {"spec": pod_spec(restartPolicy="Never")}
    kubectl.apply(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": {"template": template}}
    )

    kubectl.wait("job/job", "condition=Complete")
    kubectl("delete", "job/job", "--cascade=foreground", "--timeout=30s")
    assert kubectl.get("pods")["items"] == []


def test_a_stateful_set_gets_its_volume_and_the_volume_goes_with_the_claim(kubectl: Kubectl) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    kubectl.apply(workload("StatefulSet", "store", pod_spec(), serviceName="store", volumeClaimTemplates=[claim]))
    kubectl("rollout", "status", "statefulset/store", "--timeout=30s")
    volume = kubectl.get("pvc", "data-store-0")["spec"]["volumeName"]

    kubectl("delete", "statefulset/store", "--cascade=foreground", "--timeout=30s")
    kubectl("delete", "pvc/data-store-0", "--timeout=30s")
    kubectl("wait", f"pv/{volume}", "--for=delete", "--timeout=30s")


def test_the_log_of_a_container_says_that_it_is_simulated(kubectl: Kubectl) -> None:
    kubectl.apply(pod("web", pod_spec()))
    kubectl.wait("pod/web", "condition=Ready")

    assert "simulated" in kubectl("logs", "web")


def test_a_port_forward_to_a_service_relays_bytes_both_ways(kubectl: Kubectl, relay: Relay, echo_port: int) -> None:
    kubectl.apply(workload("Deployment", "web", pod_spec()))
    kubectl("expose", "deployment/web", "--port=8001")
    kubectl.wait("deployment/web", "condition=Available")
    message = b"what a port-forward carries " * 10_000

    command = kubectl.command("port-forward", "service/web", ":8001", "--address=127.0.0.1")
    with (
        relay.to(echo_port),
        subprocess.Popen(command, env=kubectl.environment, stdout=subprocess.PIPE, text=True) as forward,
    ):
        try:
            assert forward.stdout is not None
            said = re.match(r"Forwarding from 127\.0\.0\.1:(\d+) -> 8001", forward.stdout.readline())
            assert said is not None
            assert exchange(int(said[1]), message) == message.upper()
        finally:
            forward.terminate()


def exchange(port: int, message: bytes) -> bytes:
    """What comes back of `message`."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.settimeout(30)
        received = b""
        for start in range(0, len(message), 20_000):
            part = message[start : start + 20_000]
            connection.sendall(part)
            while len(received) < start + len(part):
                got = connection.recv(65536)
                assert got, "the connection was closed"
                received += got
        return received
