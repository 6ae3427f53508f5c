"""What the stand-in chart renders, and the pods that the launcher would make of it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airbyte_cli.platform.helm import Helm
from airbyte_cli.platform.manifest import Pod, hooks, name, pods
from airbyte_cli.platform.pod_security import violations
from components.errors import ConfigurationError
from sandbox.cluster.job_pods import JOBS, Job, job_pod, launcher_environment

Manifest = dict[str, Any]
Render = Callable[..., list[Manifest]]

DEPLOYMENTS = {
    "airbyte-cron",
    "airbyte-manifest-server",
    "airbyte-server",
    "airbyte-temporal",
    "airbyte-worker",
    "airbyte-workload-api-server",
    "airbyte-workload-launcher",
}
ALWAYS_HOOKS = {
    "ConfigMap/airbyte-airbyte-env": ["pre-install", "pre-upgrade"],
    "ConfigMap/airbyte-airbyte-telemetry-env": ["pre-install", "pre-upgrade"],
    "Secret/airbyte-airbyte-secrets": ["pre-install", "pre-upgrade"],
    "Pod/airbyte-bootloader": ["pre-install", "pre-upgrade"],
    "Pod/airbyte-test-connection": ["test"],
}
SHIPPED_HOOKS = {
    **ALWAYS_HOOKS,
    "ServiceAccount/airbyte-admin": ["pre-install"],
    "Role/airbyte-admin-role": ["pre-install"],
    "RoleBinding/airbyte-admin-binding": ["pre-install"],
    "Service/airbyte-db-svc": ["pre-install"],
    "StatefulSet/airbyte-db": ["pre-install"],
    "Service/airbyte-minio-svc": ["pre-install"],
    "StatefulSet/airbyte-minio": ["pre-install"],
    "Pod/airbyte-minio-create-bucket": ["post-install", "post-upgrade"],
}


@pytest.fixture(scope="module")
def shipped(render: Render) -> list[Manifest]:
    """Rendered with the chart's own values."""
    return render()


@pytest.fixture(scope="module")
def hardened(render: Render, production: dict[str, Any]) -> list[Manifest]:
    """Rendered with the values of a platform in production."""
    return render(production)


def pod_of(objects: list[Manifest], component: str) -> Pod:
    return next(pod for pod in pods(objects) if pod.component == component)


def environment(objects: list[Manifest]) -> dict[str, str]:
    return next(item["data"] for item in objects if name(item) == "ConfigMap/airbyte-airbyte-env")


def test_a_hardened_platform_is_seven_deployments_and_the_bootloader(hardened: list[Manifest]) -> None:
    kinds = Counter(item["kind"] for item in hardened)
    assert {item["metadata"]["name"] for item in hardened if item["kind"] == "Deployment"} == DEPLOYMENTS
    assert kinds == {
        "Deployment": 7,
        "Pod": 2,
        "Service": 4,
        "ConfigMap": 3,
        "Secret": 1,
        "Ingress": 1,
    }


def test_hooks_are_the_foundations(shipped: list[Manifest], hardened: list[Manifest]) -> None:
    assert {name(item): hooks(item) for item in hardened if hooks(item)} == ALWAYS_HOOKS
    assert {name(item): hooks(item) for item in shipped if hooks(item)} == SHIPPED_HOOKS


def test_hooks_come_in_the_order_in_which_they_need_each_other(shipped: list[Manifest]) -> None:
    weights = {
        name(item): int(item["metadata"]["annotations"].get("helm.sh/hook-weight", "0"))
        for item in shipped
        if "pre-install" in hooks(item)
    }
    assert [each.partition("/")[0] for each in sorted(weights, key=lambda each: weights[each])][:3] == [
        "ServiceAccount",
        "Role",
        "RoleBinding",
    ]
    assert max(weights, key=lambda each: weights[each]) == "Pod/airbyte-bootloader"


def test_every_pod_but_the_test_is_admitted(shipped: list[Manifest], hardened: list[Manifest]) -> None:
    for objects in (shipped, hardened):
        refused = {pod.owner for pod in pods(objects) if violations(pod.spec)}
        assert refused == {"Pod/airbyte-test-connection"}


def test_pods_need_keys_of_secrets_that_the_chart_does_not_make(hardened: list[Manifest]) -> None:
    """Not one of the references is optional: a missing key keeps its pod from starting."""
    needed: dict[str, set[str]] = {}
    for pod in pods(hardened):
        for secret, key in pod.secrets.values():
            needed.setdefault(secret, set()).add(key)
        for variable in pod.variables():
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef", {})
            assert "optional" not in reference
    made = {item["metadata"]["name"]: set(item["stringData"]) for item in hardened if item["kind"] == "Secret"}
    assert needed.pop("airbyte-airbyte-secrets") <= made["airbyte-airbyte-secrets"]
    assert needed == {
        "airbyte-auth-secrets": {
            "instance-admin-password",
            "instance-admin-client-id",
            "instance-admin-client-secret",
            "jwt-signature-secret",
            "dataplane-client-id",
            "dataplane-client-secret",
        },
        "airbyte-database": {"username", "password"},
        "airbyte-storage": {"access-key-id", "secret-access-key"},
        "airbyte-secrets-manager": {"token"},
    }


def test_a_database_secret_needs_keys_for_the_replica(render: Render) -> None:
    """Named or not: two keys are not enough."""
    objects = render({"global": {"database": {"secretName": "db", "userSecretKey": "u", "passwordSecretKey": "p"}}})
    keys = {key for secret, key in pod_of(objects, "server").secrets.values() if secret == "db"}
    assert keys == {"u", "p", "CONFIG_DATABASE_REPLICA_USER", "CONFIG_DATABASE_REPLICA_PASSWORD"}


def test_settings_come_to_pods_by_reference(hardened: list[Manifest]) -> None:
    settings = environment(hardened)
    for pod in pods(hardened):
        for variable in pod.variables():
            reference = (variable.get("valueFrom") or {}).get("configMapKeyRef")
            if reference and reference["name"] == "airbyte-airbyte-env":
                assert reference["key"] in settings


def test_names_begin_with_the_release_and_some_do_not(render: Render) -> None:
    objects = render(release="data", namespace="elt")
    services = {item["metadata"]["name"] for item in objects if item["kind"] == "Service"}
    assert services == {
        "data-airbyte-server-svc",
        "data-workload-api-server-svc",
        "data-airbyte-manifest-server-svc",
        "data-temporal",
        "airbyte-db-svc",
        "airbyte-minio-svc",
    }
    assert {item["metadata"]["namespace"] for item in objects} == {"elt"}


def test_serviceaccount_create_takes_account_and_role_with_it(render: Render) -> None:
    kinds = {item["kind"] for item in render({"serviceAccount": {"create": False}})}
    assert not kinds & {"ServiceAccount", "Role", "RoleBinding"}


def test_the_account_of_job_pods_is_another_key_than_the_one_that_is_made(render: Render) -> None:
    assert environment(render({"serviceAccount": {"name": "mine"}}))["JOB_KUBE_SERVICEACCOUNT"] == "airbyte-admin"
    assert environment(render({"global": {"serviceAccountName": "jobs"}}))["JOB_KUBE_SERVICEACCOUNT"] == "jobs"


def test_an_ingress_leads_to_the_server_only(render: Render) -> None:
    def ingress(backend: str) -> list[Manifest]:
        paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
        return render({"ingress": {"enabled": True, "hosts": [{"host": "airbyte.example.com", "paths": paths}]}})

    rules = next(item for item in ingress("server") if item["kind"] == "Ingress")["spec"]["rules"]
    assert rules[0]["http"]["paths"][0]["backend"]["service"]["name"] == "airbyte-airbyte-server-svc"
    with pytest.raises(ConfigurationError, match="webapp"):
        ingress("webapp")


def test_a_name_that_is_there_already_stands_there_twice(render: Render) -> None:
    """As in the official chart, where server-side apply then refuses the pod."""
    objects = render({"workloadLauncher": {"env_vars": {"JOB_KUBE_SERVICEACCOUNT": "other"}}})
    assert pod_of(objects, "workload-launcher").repeated == ["JOB_KUBE_SERVICEACCOUNT"]
    assert launcher_environment(objects)["JOB_KUBE_SERVICEACCOUNT"] == "other"


def test_the_bootloader_mounts_nothing_without_a_key_in_the_singular(render: Render) -> None:
    mounts = {
        "extraVolumes": [{"name": "ca", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/pki"}],
    }
    without = pod_of(render({"airbyteBootloader": mounts}), "bootloader").containers[0]
    with_it = pod_of(render({"airbyteBootloader": {**mounts, "extraVolumeMount": "x"}}), "bootloader").containers[0]
    assert "volumeMounts" not in without
    assert with_it["volumeMounts"] == mounts["extraVolumeMounts"]


def test_parts_that_the_stand_in_lacks_are_refused(render: Render) -> None:
    with pytest.raises(ConfigurationError, match=r"keycloak\.enabled"):
        render({"keycloak": {"enabled": True}})


def test_another_version_differs_in_labels_images_and_nothing_else(
    helm: Helm, package: Callable[[str], Path], render: Render, production: dict[str, Any]
) -> None:
    with helm.chart(str(package("2.2.1")), None) as newer:
        upgraded = helm.render(newer, production, "airbyte", "airbyte")
    assert newer.version == "2.2.1"
    assert repr(upgraded) == repr(render(production)).replace("2.2.0", "2.2.1")


@pytest.mark.parametrize("job", JOBS)
def test_job_pods_are_admitted_when_told_to_be_rootless(job: Job, hardened: list[Manifest], render: Render) -> None:
    rootless = job_pod(job, launcher_environment(hardened), "airbyte")
    assert violations(rootless["spec"]) == []
    assert rootless["spec"]["serviceAccountName"] == "airbyte-jobs"
    as_shipped = job_pod(job, launcher_environment(render()), "airbyte")
    assert violations(as_shipped["spec"])
    assert "securityContext" not in as_shipped["spec"]


@pytest.mark.parametrize("job", JOBS)
def test_every_container_of_a_job_pod_has_requests_and_limits(job: Job, hardened: list[Manifest]) -> None:
    """A quota refuses a pod in which one has none."""
    spec = job_pod(job, launcher_environment(hardened), "airbyte")["spec"]
    for container in [*spec["initContainers"], *spec["containers"]]:
        assert {kind: set(container["resources"][kind]) for kind in ("requests", "limits")} == {
            "requests": {"cpu", "memory"},
            "limits": {"cpu", "memory"},
        }


def test_job_pods_are_found_by_a_label_of_their_own(hardened: list[Manifest]) -> None:
    labels = [job_pod(job, launcher_environment(hardened), "airbyte")["metadata"]["labels"] for job in JOBS]
    assert {each["airbyte"] for each in labels} == {"job-pod"}
    assert [each["job_type"] for each in labels] == ["sync", "check", "discover", "spec"]
    assert not any("app.kubernetes.io/instance" in each for each in labels)


def test_job_pods_go_where_the_values_say(render: Render) -> None:
    kube = {
        "nodeSelector": {"pool": "jobs"},
        "tolerations": [{"key": "jobs", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}],
        "annotations": {"example.com/keep": "yes"},
        "scheduling": {"check": {"nodeSelectors": {"pool": "quick"}}},
    }
    told = launcher_environment(render({"global": {"jobs": {"kube": kube}, "imagePullSecrets": [{"name": "mirror"}]}}))
    sync, check, spec = (job_pod(job, told, "airbyte") for job in ("replication", "check", "spec"))
    assert sync["spec"]["nodeSelector"] == {"pool": "jobs"}
    assert check["spec"]["nodeSelector"] == {"pool": "quick"}
    assert "nodeSelector" not in spec["spec"]
    assert sync["spec"]["tolerations"] == kube["tolerations"]
    assert sync["spec"]["imagePullSecrets"] == [{"name": "mirror"}]
    assert spec["metadata"]["annotations"] == {"example.com/keep": "yes"}


def test_only_a_sync_gets_no_token(hardened: list[Manifest]) -> None:
    told = launcher_environment(hardened)
    tokens = {job: job_pod(job, told, "airbyte")["spec"]["automountServiceAccountToken"] for job in JOBS}
    assert tokens == {"replication": False, "check": True, "discover": True, "spec": True}
