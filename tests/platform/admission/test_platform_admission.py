"""What a real API server says to the platform: admission, rights, quotas and who owns which field."""

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_args

import httpx
import pytest

from components.airbyte_platform.objects import manifest
from components.airbyte_platform.secrets import secret_objects
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.values import chart_values, merge
from dynamic_providers.kubernetes.object_guard import ObjectGuardResource
from sandbox.cluster.job_pods import Job, job_pod, launcher_environment

if TYPE_CHECKING:
    from tests.platform.admission.conftest import Api, Render
else:
    Api, Render = Any, Any

Object = dict[str, Any]
ACCOUNTS = ("airbyte-jobs", "airbyte-norbac", "airbyte-server", "airbyte-launcher", "airbyte-bootloader")
JOBS = get_args(Job)
NAMESPACE = "admission"
CONTROLLERS = ("Deployment", "StatefulSet")


def pods(objects: list[Object]) -> dict[str, Object]:
    """A pod for each template of a render, by the name of what owns it; tests of the release are not installed."""
    found = {}
    for each in objects:
        name = each["metadata"]["name"]
        if each["kind"] == "Pod" and (each["metadata"].get("annotations") or {}).get("helm.sh/hook") != "test":
            found[name] = each
        elif each["kind"] in CONTROLLERS:
            template = each["spec"]["template"]
            claims = [claim["metadata"]["name"] for claim in each["spec"].get("volumeClaimTemplates", [])]
            volumes = [*template["spec"].get("volumes", []), *({"name": claim, "emptyDir": {}} for claim in claims)]
            spec = {**template["spec"], "volumes": volumes}
            found[name] = {"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": spec}
    for name, each in found.items():
        each["metadata"] = {**each["metadata"], "name": f"{name}-trial", "namespace": NAMESPACE}
    return found


def refusal(api: Api, thing: Mapping[str, Any]) -> str:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        api.create(thing)
    assert refused.value.response.status_code == 403
    return str(refused.value.response.json()["message"])


def test_every_object_stays_as_it_was_sent(api: Api, native: list[Object]) -> None:
    """What the server writes differently would be a change in every preview."""
    for each in native:
        live = api.get(each)
        for field in each.keys() - {"metadata"}:
            assert live[field] == each[field] or field == "spec", (each["kind"], field)
            if isinstance(each[field], dict):
                assert {key: live[field].get(key) for key in each[field]} == each[field], each["metadata"]["name"]


def test_every_pod_of_the_chart_is_admitted(api: Api, rendered: list[Object]) -> None:
    found = pods(rendered)
    assert len(found) == 8, "seven Deployments and the bootloader"
    for name, pod in found.items():
        assert api.create(pod)["metadata"]["namespace"] == NAMESPACE, name


def test_the_bundled_servers_are_admitted_too(api: Api, render: Render, settings: PlatformSettings) -> None:
    bundled = {
        "namespace": NAMESPACE,
        "chart": {"version": "2.2.0"},
        "database": {"type": "bundled"},
        "storage": {"type": "bundled"},
    }
    found = pods(render(chart_values(PlatformSettings.model_validate(bundled), "")))
    assert {"airbyte-db", "airbyte-minio", "airbyte-minio-create-bucket"} <= {*found}
    for pod in found.values():
        api.create(pod)


@pytest.mark.parametrize("job", JOBS)
def test_job_pods_are_admitted(job: Job, api: Api, rendered: list[Object]) -> None:
    pod = job_pod(job, launcher_environment(rendered), NAMESPACE)
    assert pod["spec"]["serviceAccountName"] == "airbyte-jobs"
    assert pod["spec"]["nodeSelector"] == {"example.com/pool": "airbyte-jobs"}
    api.create(pod)


@pytest.mark.parametrize("job", JOBS)
def test_without_the_rootless_switch_job_pods_are_refused(job: Job, api: Api, rendered: list[Object]) -> None:
    environment = {**launcher_environment(rendered), "ROOTLESS_WORKLOAD": "false"}
    message = refusal(api, job_pod(job, environment, NAMESPACE))
    assert 'violates PodSecurity "restricted:v1.33"' in message


@pytest.mark.parametrize("job", JOBS)
def test_every_container_of_a_job_is_limited_by_the_values(job: Job, rendered: list[Object]) -> None:
    """Not by the LimitRange's defaults, which fit none of them."""
    spec = job_pod(job, launcher_environment(rendered), NAMESPACE)["spec"]
    for container in [*spec["initContainers"], *spec["containers"]]:
        assert {*container["resources"]["limits"]} == {*container["resources"]["requests"]} == {"cpu", "memory"}


def test_a_quota_needs_its_limit_range(api: Api, native: list[Object], poll: Callable[..., Any]) -> None:
    """A container that names no resources is refused under the quota alone, and gets defaults with the LimitRange."""

    def inside(kind: str, **body: Any) -> Object:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "airbyte", "namespace": "quota-alone"}, **body}

    specs = {each["kind"]: each["spec"] for each in native if each["kind"] in ("ResourceQuota", "LimitRange")}
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "quota-alone"}}, dry_run=False)
    api.create(inside("ServiceAccount"), dry_run=False)
    quota = inside("ResourceQuota", spec=specs["ResourceQuota"])
    api.create(quota, dry_run=False)
    poll(lambda: api.get(quota)["status"].get("used"), 30)  # it counts from then on
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare", "namespace": "quota-alone"},
        "spec": {"serviceAccountName": "airbyte", "containers": [{"name": "main", "image": "example.com/image:1"}]},
    }
    assert "must specify limits.cpu for: main" in refusal(api, pod)
    api.create(inside("LimitRange", spec=specs["LimitRange"]), dry_run=False)
    (container,) = api.create(pod)["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "512Mi"}


class TestRights:
    def test_only_the_launcher_handles_pods(self, api: Api) -> None:
        verbs = ("create", "delete", "get", "list", "patch", "watch")
        allowed = {(account, verb) for account in ACCOUNTS for verb in verbs if api.may(account, verb, "pods")}
        assert allowed == {("airbyte-launcher", verb) for verb in verbs}

    def test_the_launcher_can_do_nothing_else(self, api: Api) -> None:
        verbs = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
        resources = {
            "": ("secrets", "configmaps", "serviceaccounts", "serviceaccounts/token", "services", "events"),
            "apps": ("deployments", "statefulsets"),
            "batch": ("jobs", "cronjobs"),
            "rbac.authorization.k8s.io": ("roles", "rolebindings", "clusterroles"),
            "networking.k8s.io": ("networkpolicies",),
        }
        for group, kinds in resources.items():
            for kind in kinds:
                for verb in verbs:
                    assert not api.may("airbyte-launcher", verb, kind, group=group), (verb, kind)
        for subresource in ("exec", "attach", "portforward", "log", "ephemeralcontainers", "eviction"):
            assert not api.may("airbyte-launcher", "create", f"pods/{subresource}")
        assert not api.may("airbyte-launcher", "create", "pods", space="default")

    @pytest.mark.parametrize("account", ["airbyte-jobs", "airbyte-norbac", "airbyte-server"])
    def test_the_others_have_no_rights_at_all(self, account: str, api: Api, as_account: Callable[[str], Api]) -> None:
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": NAMESPACE},
        }
        rules = as_account(account).call("POST", path, body)["status"]["resourceRules"]
        groups = {group for rule in rules for group in rule["apiGroups"]}
        # What every account of every cluster may: ask who it is and what it may.
        assert groups <= {"authorization.k8s.io", "authentication.k8s.io"}

    def test_a_connectors_token_reads_no_secret(self, as_account: Callable[[str], Api]) -> None:
        """Check and discover pods run a connector's code with this token mounted."""
        with pytest.raises(httpx.HTTPStatusError) as refused:
            as_account("airbyte-jobs").call("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets/airbyte-auth-secrets")
        assert refused.value.response.status_code == 403

    def test_the_bootloader_reads_and_completes_one_secret_only(self, api: Api) -> None:
        def may(verb: str, name: str) -> bool:
            return api.may("airbyte-bootloader", verb, "secrets", name)

        assert may("get", "airbyte-auth-secrets")
        assert may("update", "airbyte-auth-secrets")
        for verb in ("list", "watch", "create", "patch", "delete"):
            assert not may(verb, "airbyte-auth-secrets")
        assert not may("get", "airbyte-database")


def test_the_bootloaders_keys_survive_a_rotation_of_ours(api: Api, as_account: Callable[[str], Api]) -> None:
    def ours(password: str) -> Object:
        data = {"instance-admin-password": base64.b64encode(password.encode()).decode()}
        return manifest("v1", "Secret", "airbyte-auth-secrets", NAMESPACE, type="Opaque", data=data)

    api.apply(ours("first"))
    bootloader = as_account("airbyte-bootloader")
    live = bootloader.get(ours("first"))
    dataplane = {"dataplane-client-id": "aWQ=", "dataplane-client-secret": "c2VjcmV0"}
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets/airbyte-auth-secrets"
    bootloader.call("PUT", path, {**live, "data": live["data"] | dataplane})

    after = api.apply(ours("second"))["data"]

    assert base64.b64decode(after["instance-admin-password"]) == b"second"
    assert {key: after[key] for key in dataplane} == dataplane


class TestGuard:
    """What was changed by hand shows by object and field, and is put back; what was added as well."""

    def props(self, native: list[Object]) -> Object:
        return {"namespace": NAMESPACE, "__objects": native, "context": None, "drift": {}}

    def drift(self, guard: ObjectGuardResource, native: list[Object]) -> Object:
        live = guard.read(NAMESPACE, self.props(native))
        assert live is not None
        found: Object = live.inputs["drift"]
        return found

    def test_as_made_there_is_no_drift(
        self, api: Api, native: list[Object], connect: Callable[[str | None], Any]
    ) -> None:
        assert self.drift(ObjectGuardResource(connect), native) == {}

    def test_changes_and_additions_are_found_and_mended(
        self, api: Api, native: list[Object], connect: Callable[[str | None], Any]
    ) -> None:
        guard = ObjectGuardResource(connect)
        by_name = {f"{each['kind']}/{each['metadata']['name']}": each for each in native}
        edits: dict[str, Object] = {
            "NetworkPolicy/airbyte-default-deny": {"spec": {"egress": [{}]}},
            "NetworkPolicy/airbyte-job-pod": {"spec": {"egress": [{}]}},
            "ResourceQuota/airbyte": {"spec": {"hard": {"pods": "9999"}}},
            "Role/airbyte-launcher": {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]},
            f"Namespace/{NAMESPACE}": {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
            "ServiceAccount/airbyte-jobs": {"automountServiceAccountToken": True},
        }
        for name, change in edits.items():
            api.merge(by_name[name], change)

        found = self.drift(guard, native)
        assert {*found} == {*edits}
        assert found["NetworkPolicy/airbyte-default-deny"] == {"spec.egress": "[{}], added by kubectl-edit"}
        assert found["ResourceQuota/airbyte"] == {"spec.hard.pods": "9999, released as 137"}

        guard.update(NAMESPACE, {**self.props(native), "drift": found}, self.props(native))
        assert self.drift(guard, native) == {}
        assert api.get(by_name["NetworkPolicy/airbyte-default-deny"])["spec"].get("egress") is None
        assert not api.may("airbyte-launcher", "get", "secrets")

    def test_a_deleted_policy_is_found_and_made_again(
        self, api: Api, native: list[Object], connect: Callable[[str | None], Any]
    ) -> None:
        guard = ObjectGuardResource(connect)
        policy = next(each for each in native if each["metadata"]["name"] == "airbyte-job-pod-pipelines")
        api.delete(policy)
        assert self.drift(guard, native) == {"NetworkPolicy/airbyte-job-pod-pipelines": {"(object)": "deleted"}}
        guard.update(NAMESPACE, self.props(native), self.props(native))
        assert api.get(policy)["spec"] == policy["spec"]


def test_no_environment_variable_stands_twice(rendered: list[Object]) -> None:
    for name, pod in pods(rendered).items():
        for container in pod["spec"]["containers"]:
            names = [variable["name"] for variable in container.get("env") or []]
            assert len(names) == len(set(names)), name


def test_every_secret_key_that_the_chart_needs_is_made(rendered: list[Object], settings: PlatformSettings) -> None:
    made = {each.name: {*each.data} for each in secret_objects(settings, "id", "secret")}
    made["airbyte-auth-secrets"] |= {"dataplane-client-id", "dataplane-client-secret"}  # the bootloader's
    for each in rendered:
        if each["kind"] == "Secret":  # the chart's own, whose keys may be empty
            own = {**each.get("data", {}), **each.get("stringData", {})}
            made[each["metadata"]["name"]] = {*own}
    needed = [
        (variable["name"], reference)
        for pod in pods(rendered).values()
        for container in pod["spec"]["containers"]
        for variable in container.get("env") or []
        if (reference := variable.get("valueFrom", {}).get("secretKeyRef"))
    ]
    assert len(needed) > 20
    for name, reference in needed:
        assert reference["key"] in made[reference["name"]], name


def test_a_mirror_and_extra_values_reach_the_pods(render: Render, settings: PlatformSettings) -> None:
    image = settings.image.model_copy(update={"registry": "mirror.example.com"})
    values = chart_values(settings.model_copy(update={"image": image}), "https://airbyte.example.com")
    found = pods(render(merge(values, {"server": {"podLabels": {"team": "data"}}})))
    assert found["airbyte-server"]["metadata"]["labels"]["team"] == "data"
    for pod in found.values():
        for container in pod["spec"]["containers"]:
            assert container["image"].startswith("mirror.example.com/")
