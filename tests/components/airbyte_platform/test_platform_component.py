"""What AirbytePlatform declares, in which order, and what of it is secret."""

import base64
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pydantic import SecretStr

from components.airbyte_platform.model import Credential, Generated
from components.airbyte_platform.plan import AirbytePlatformArgs, Client, plan_platform
from components.airbyte_platform.platform import AirbytePlatform
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.workloads import WORKLOADS

if TYPE_CHECKING:
    from tests.components.conftest import Declared
else:
    Declared = Any

Written = dict[str, Any]
Load = Callable[[Written], PlatformSettings]
CLIENT = Client("https://airbyte.example.com", "client-id", "hunter2-client")
SECRET = "kubernetes:core/v1:Secret"
SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d"
RELEASE = "kubernetes:helm.sh/v3:Release"


def args_of(settings: PlatformSettings, environment: Any = "production") -> AirbytePlatformArgs:
    return plan_platform(settings, environment, CLIENT, [], [], "Pulumi.test.yaml")


def declare(settings: PlatformSettings, check: Callable[[], None], environment: Any = "production") -> Any:
    """Run a check once everything is registered."""
    platform = AirbytePlatform("platform", args_of(settings, environment))
    return pulumi.Output.all(*[each.urn for each in platform.ready]).apply(lambda _: check())


def unwrapped(value: Any) -> Any:
    """What is inside of Pulumi's envelope of a secret."""
    return value["value"] if isinstance(value, dict) and SECRET_SIGNATURE in value else value


@pulumi.runtime.test
def test_the_release_comes_last_and_is_the_pinned_chart(load: Load, production: Written, declared: Declared) -> Any:
    def check() -> None:
        kinds = [each.typ.rsplit(":", 1)[1] for each in declared.resources]
        first = kinds.index("Namespace")
        last = kinds.index("Release")
        inside = {"ServiceAccount", "Role", "NetworkPolicy", "ResourceQuota", "LimitRange", "Secret"}
        assert all(first < kinds.index(kind) for kind in inside)
        assert all(index < last for index, kind in enumerate(kinds) if kind in inside)
        (release,) = declared.of_type(RELEASE).values()
        assert (release["chart"], release["version"]) == ("airbyte", "2.2.0")
        assert release["repositoryOpts"] == {"repo": "https://airbytehq.github.io/charts"}
        assert (release["atomic"], release["cleanupOnFail"], release["skipCrds"]) == (True, True, True)
        assert release["createNamespace"] is False
        assert release["timeout"] == 900

    return declare(load(production), check)


@pulumi.runtime.test
def test_a_chart_may_come_from_a_registry_or_a_path(load: Load, production: Written, declared: Declared) -> Any:
    production["chart"] = {"version": "2.2.0", "oci": "oci://registry.example.com/charts/airbyte"}

    def check() -> None:
        (release,) = declared.of_type(RELEASE).values()
        assert release["chart"] == "oci://registry.example.com/charts/airbyte"
        assert "repositoryOpts" not in release

    return declare(load(production), check)


@pulumi.runtime.test
def test_the_namespace_admits_restricted_pods_only(load: Load, production: Written, declared: Declared) -> Any:
    def check() -> None:
        (home,) = declared.of_type("kubernetes:core/v1:Namespace").values()
        labels = home["metadata"]["labels"]
        for mode in ("enforce", "audit", "warn"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.33"

    return declare(load(production), check)


@pulumi.runtime.test
def test_job_pods_have_no_role_and_the_others_the_least(load: Load, production: Written, declared: Declared) -> Any:
    def check() -> None:
        roles = declared.of_type("kubernetes:rbac.authorization.k8s.io/v1:Role")
        rules = {each["metadata"]["name"]: each["rules"] for each in roles.values()}
        assert rules == {
            "airbyte-launcher": [
                {
                    "apiGroups": [""],
                    "resources": ["pods"],
                    "verbs": ["create", "delete", "get", "list", "patch", "watch"],
                }
            ],
            "airbyte-bootloader": [
                {
                    "apiGroups": [""],
                    "resources": ["secrets"],
                    "resourceNames": ["airbyte-auth-secrets"],
                    "verbs": ["get", "update"],
                }
            ],
        }
        bindings = declared.of_type("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding").values()
        bound = {each["subjects"][0]["name"] for each in bindings}
        assert bound == {"airbyte-launcher", "airbyte-bootloader"}
        accounts = declared.of_type("kubernetes:core/v1:ServiceAccount").values()
        mounted = {each["metadata"]["name"] for each in accounts if each["automountServiceAccountToken"]}
        assert mounted == {"airbyte-bootloader"}
        jobs = next(each for each in accounts if each["metadata"]["name"] == "airbyte-jobs")
        assert jobs["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].endswith("role/airbyte-jobs")

    return declare(load(production), check)


@pulumi.runtime.test
def test_secrets_hold_what_was_given_and_nothing_shows_it(load: Load, production: Written, declared: Declared) -> Any:
    production["secretsManager"] = {"type": "vault", "address": "https://vault.example.com", "token": "hunter2-token"}
    production["auth"] = {"adminPassword": "hunter2-admin"}
    settings = load(production)
    args = args_of(settings)
    assert "hunter2" not in repr(args)
    platform = AirbytePlatform("platform", args)

    def check(_: Any) -> None:
        secrets = {each["metadata"]["name"]: each for each in declared.of_type(SECRET).values()}
        assert {*secrets} == {"airbyte-auth-secrets", "airbyte-database", "airbyte-secrets-manager"}
        assert all(SECRET_SIGNATURE in each["data"] for each in secrets.values())
        data = unwrapped(secrets["airbyte-auth-secrets"]["data"])
        assert {*data} == {
            "instance-admin-password",
            "instance-admin-client-id",
            "instance-admin-client-secret",
            "jwt-signature-secret",
        }
        read = {key: base64.b64decode(value).decode() for key, value in data.items()}
        assert read["instance-admin-password"] == "hunter2-admin"
        assert read["instance-admin-client-secret"] == "hunter2-client"
        assert read["jwt-signature-secret"] == "made-platform-jwt-signature"
        for each in declared.resources:
            if each.typ != SECRET:
                assert "hunter2" not in str(each.inputs), each.typ

    return pulumi.Output.all(*[each.urn for each in platform.ready]).apply(check)


@pulumi.runtime.test
def test_what_nobody_gave_is_made_and_the_bundled_database_told(
    load: Load, bundled: Written, declared: Declared
) -> Any:
    args = args_of(load({**bundled, "network": {"kubeApi": ["10.0.0.10:6443"]}}), "dev")
    platform = AirbytePlatform("platform", args)

    def check(_: Any) -> None:
        made = {
            each.name for each in declared.resources if each.typ == "pulumi-python:dynamic/generated:GeneratedSecret"
        }
        assert made == {
            f"platform-{name}"
            for name in ("admin-password", "jwt-signature", "database-password", "storage-password", "fingerprint-key")
        }

    return pulumi.Output.all(*[each.urn for each in platform.ready]).apply(check)


@pulumi.runtime.test
def test_a_changed_secret_is_updated_in_place(load: Load, production: Written, declared: Declared) -> Any:
    """Replaced, it would lose the keys that the bootloader adds, and every sync would stop."""

    def check() -> None:
        (cluster,) = declared.of_type("pulumi:providers:kubernetes").values()
        assert cluster["enableSecretMutable"] == cluster["enableServerSideApply"] == "true"
        assert cluster["enablePatchForce"] == cluster["upsertExistingObjects"] == "true"

    return declare(load(production), check)


@pulumi.runtime.test
def test_no_machines_kubeconfig_is_in_the_state(
    load: Load, production: Written, declared: Declared, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The next machine has it elsewhere; which cluster it leads to is what must stay the same."""
    monkeypatch.setenv("KUBECONFIG", "/home/me/.kube/production")

    def check() -> None:
        assert "/home/me" not in str([each.inputs for each in declared.resources])
        (cluster,) = declared.of_type("pulumi:providers:kubernetes").values()
        assert cluster["kubeconfig"] == ""
        (identity,) = declared.of_type("pulumi-python:dynamic/kubernetes:ClusterIdentity").values()
        assert identity["uid"] == "another-uid"
        kinds = [each.typ.rsplit(":", 1)[1] for each in declared.resources]
        assert kinds.index("ClusterIdentity") < kinds.index("Namespace")

    production["clusterUid"] = "another-uid"
    return declare(load(production), check)


@pulumi.runtime.test
def test_a_destroy_asks_for_the_cluster_first(load: Load, production: Written, declared: Declared) -> Any:
    def check() -> None:
        (guard,) = declared.of_type("pulumi-python:dynamic/kubernetes:ReleaseGuard").values()
        (identity,) = declared.of_type("pulumi-python:dynamic/kubernetes:ClusterIdentity").values()
        assert guard["cluster"] == identity["uid"] == "another-uid"

    production["clusterUid"] = "another-uid"

    return declare(load(production), check)


@pulumi.runtime.test
def test_another_credential_starts_new_pods_and_another_pull_secret_does_not(
    load: Load, production: Written, declared: Declared, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Given three plans that differ in one secret each, when the releases are declared, then the pods' annotation tells
    those apart that pods hold, in plain text."""
    production["secretsManager"] = {"type": "vault", "address": "https://vault.example.com", "token": "hunter2-one"}
    rotated = {**production, "secretsManager": {**production["secretsManager"], "token": "hunter2-two"}}
    pulled = {**production, "image": {"pullSecret": "registry", "dockerConfig": "{}"}}
    plans = {"as it was": production, "rotated": rotated, "pulled": pulled}
    given = AirbytePlatform._credential

    def same_in_all(self: AirbytePlatform, credential: Credential) -> pulumi.Output[str]:
        return given(self, SecretStr(credential.name) if isinstance(credential, Generated) else credential)

    monkeypatch.setattr(AirbytePlatform, "_credential", same_in_all)
    platforms = [AirbytePlatform(name, args_of(load(written))) for name, written in plans.items()]

    def check(_: Any) -> None:
        releases = declared.of_type(RELEASE)
        annotations = {
            name: {
                workload.key: releases[f"{name}-release"]["values"][workload.key]["podAnnotations"]
                for workload in WORKLOADS
            }
            for name in plans
        }
        prints = {name: each["server"]["checksum/credentials"] for name, each in annotations.items()}
        assert all(each == annotations["as it was"]["server"] for each in annotations["as it was"].values())
        assert all(re.fullmatch("[0-9a-f]{12}", each) for each in prints.values())
        assert prints["as it was"] == prints["pulled"] != prints["rotated"]

    return pulumi.Output.all(*[each.urn for platform in platforms for each in platform.ready]).apply(check)


@pytest.mark.parametrize("keep", [True, False])
@pulumi.runtime.test
def test_what_holds_data_outlives_a_destroy_unless_told_otherwise(
    keep: bool, load: Load, production: Written, declared: Declared, monkeypatch: pytest.MonkeyPatch
) -> Any:
    production["keepDataOnDestroy"] = keep
    kept: dict[str, bool] = {}
    original = AirbytePlatform._declare

    def watch(self: AirbytePlatform, made: Any, opts: pulumi.ResourceOptions) -> pulumi.Resource:
        kept[f"{made['kind']}/{made['metadata']['name']}"] = bool(opts.retain_on_delete)
        return original(self, made, opts)

    monkeypatch.setattr(AirbytePlatform, "_declare", watch)

    def check() -> None:
        expected = {"Namespace/airbyte", "Secret/airbyte-auth-secrets", "Secret/airbyte-database"}
        assert {name for name, retained in kept.items() if retained} == (expected if keep else set())

    return declare(load(production), check)


@pulumi.runtime.test
def test_guards_hold_the_objects_and_the_release_to_what_they_are(
    load: Load, production: Written, declared: Declared
) -> Any:
    def check() -> None:
        (guard,) = declared.of_type("pulumi-python:dynamic/kubernetes:ObjectGuard").values()
        own = {each["kind"] for each in guard["__objects"]}
        assert own == {
            "Namespace",
            "ServiceAccount",
            "Role",
            "RoleBinding",
            "NetworkPolicy",
            "ResourceQuota",
            "LimitRange",
            "PodDisruptionBudget",
        }
        (release,) = declared.of_type("pulumi-python:dynamic/kubernetes:ReleaseGuard").values()
        assert (release["namespace"], release["release"], release["revision"]) == ("airbyte", "airbyte", 1)

    return declare(load(production), check)


@pulumi.runtime.test
def test_the_api_server_is_found_where_the_settings_do_not_say_it(
    load: Load, bundled: Written, declared: Declared, monkeypatch: pytest.MonkeyPatch
) -> Any:
    found = pulumi.Output.from_input(["10.9.8.7:6443"])
    monkeypatch.setattr(AirbytePlatform, "_kube_api", lambda self: found)
    platform = AirbytePlatform("platform", args_of(load(bundled), "dev"))

    def check(_: Any) -> None:
        policies = declared.of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy")
        naming = {
            name.removeprefix("platform-airbyte-")
            for name, each in policies.items()
            if "10.9.8.7/32" in str(each["spec"])
        }
        assert naming == {"workload-launcher", "bootloader"}

    return pulumi.Output.all(*[each.urn for each in platform.ready]).apply(check)
