"""Objects of a real API server: made, compared, applied, imported and deleted."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent import futures
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import empty_pb2  # type: ignore[import-untyped]

from tests.sandbox.plugins.kubernetes.samples import (
    BINDING,
    CONFIG,
    DEPLOYMENT,
    JOB,
    NAMESPACE,
    POLICY,
    QUOTA,
    ROLE,
    SAMPLES,
    SECRET,
    SERVICE_ACCOUNT,
    deployment,
    policy,
)

if TYPE_CHECKING:
    from tests.kubectl import Kubectl
    from tests.sandbox.plugins.kubernetes.conftest import Engine

Refusal = Callable[[Callable[[], object]], str]


@pytest.mark.parametrize("token", SAMPLES)
def test_what_was_made_needs_no_change_neither_before_nor_after_a_refresh(
    engine: Engine, kubectl: Kubectl, token: str
) -> None:
    # made as declared, in the provider's namespace
    held = engine.create(token, SAMPLES[token])
    assert held.id == f"{kubectl.namespace}/{SAMPLES[token]['metadata']['name']}"

    # what the API server added or spelled otherwise is no difference
    assert engine.changes(held, SAMPLES[token]) == {}
    seen = engine.refresh(held)
    assert seen is not None
    assert seen.declared == held.declared
    assert engine.changes(seen, SAMPLES[token]) == {}

    # applying the same over what was created is fine, although another field manager made it
    applied = engine.update(seen, SAMPLES[token])
    assert engine.changes(applied, SAMPLES[token]) == {}

    # and it goes
    engine.delete(applied)
    assert engine.refresh(applied) is None
    engine.delete(applied)


def test_a_namespace_goes_with_all_that_is_in_it(engine: Engine, kubectl: Kubectl) -> None:
    name = f"{kubectl.namespace}-2"
    held = engine.create(NAMESPACE, {"metadata": {"name": name}})
    assert held.id == name
    assert held.outputs["status"]["phase"] == "Active"
    inside = engine.create(CONFIG, {"metadata": {"name": "words", "namespace": name}})
    engine.delete(held)
    assert engine.refresh(held) is None
    assert engine.refresh(inside) is None


def test_a_deployment_counts_as_made_when_its_pods_are_available(engine: Engine, refusal: Refusal) -> None:
    held = engine.create(DEPLOYMENT, deployment(replicas=2))
    assert held.outputs["status"]["availableReplicas"] == 2

    # one that can't get there is kept, with what is missing
    stuck = deployment(nodeSelector={"nowhere": "true"})
    stuck["metadata"]["name"] = "stuck"
    said = refusal(lambda: engine.create(DEPLOYMENT, stuck, timeout=2))
    assert "The Deployment " in said
    assert "/stuck could not be created: it was written, but it was not ready when 2 s passed: 0 of 1 pods" in said

    # unless nobody wants to wait
    stuck["metadata"] |= {"name": "unwatched", "annotations": {"pulumi.com/skipAwait": "true"}}
    assert engine.create(DEPLOYMENT, stuck).id.endswith("/unwatched")


def test_waiting_ends_when_the_update_is_cancelled(
    engine: Engine, kubectl: Kubectl, poll: Callable[[Callable[[], Any], float], Any], refusal: Refusal
) -> None:
    with futures.ThreadPoolExecutor() as pool:
        made = pool.submit(
            refusal, lambda: engine.create(DEPLOYMENT, deployment(nodeSelector={"no": "where"}), timeout=60)
        )
        poll(lambda: kubectl.get("deployments")["items"] or None, 20)
        engine.stub.Cancel(empty_pb2.Empty())
        assert "it was not ready when the update was cancelled" in made.result(timeout=20)


def test_a_job_counts_as_made_when_it_is_done(engine: Engine) -> None:
    spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example/job:1"}]}
    held = engine.create(JOB, {"metadata": {"name": "once"}, "spec": {"template": {"spec": spec}}})
    assert held.outputs["status"]["succeeded"] == 1


# -- names


def test_what_has_no_name_gets_one_and_keeps_it(engine: Engine) -> None:
    held = engine.create(ROLE, {"rules": []})
    name = held.declared["metadata"]["name"]
    assert name.startswith("thing-")
    assert len(name) == len("thing-") + 8
    assert held.declared["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert engine.changes(held, {"rules": []}) == {}

    # a replacement of it needs no deletion first, since it gets another name
    answer = engine.diff(held, {"metadata": {"name": "mine"}, "rules": []})
    assert list(answer.replaces) == ["metadata.name"]
    assert not answer.deleteBeforeReplace


def test_the_engines_proposal_is_taken_and_its_prohibition_heeded(engine: Engine) -> None:
    modes = {"PROPOSE": 0, "DISABLE": 2}
    proposed = engine.check(ROLE, {"rules": []}, autonaming={"proposed_name": "thing-x1", "mode": modes["PROPOSE"]})
    assert proposed.inputs["metadata"]["name"] == "thing-x1"
    refused = engine.check(ROLE, {"rules": []}, autonaming={"mode": modes["DISABLE"]})
    assert "autonaming is disabled" in refused.failures[0].reason


def test_a_namespace_is_given_only_to_what_lives_in_one(engine: Engine, kubectl: Kubectl) -> None:
    placed = engine.check(ROLE, {"metadata": {"name": "a"}}).inputs
    assert placed["metadata"]["namespace"] == kubectl.namespace
    free = engine.check("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", {"metadata": {"name": "a"}}).inputs
    assert "namespace" not in free["metadata"]


# -- differences


def test_edits_of_declared_fields_are_seen_place_by_place_and_undone(engine: Engine, kubectl: Kubectl) -> None:
    wanted = policy("10.0.0.0/8", "10.9.0.0/16")
    held = engine.create(POLICY, wanted)

    kubectl.edit(
        "networkpolicy/fence",
        {"op": "replace", "path": "/spec/egress/0/to/0/ipBlock/cidr", "value": "0.0.0.0/0"},
        {"op": "remove", "path": "/spec/egress/1"},
    )
    kubectl("label", "networkpolicy/fence", "note=mine")
    seen = engine.refresh(held)
    assert seen is not None
    assert seen.declared["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    assert engine.changes(seen, wanted) == {"spec.egress[0].to[0].ipBlock.cidr": "UPDATE", "spec.egress[1]": "ADD"}

    mended = engine.update(seen, wanted)
    assert engine.changes(mended, wanted) == {}
    live = kubectl.get("networkpolicy/fence")
    assert [rule["to"][0]["ipBlock"]["cidr"] for rule in live["spec"]["egress"]] == ["10.0.0.0/8", "10.9.0.0/16"]


def test_an_inserted_rule_is_seen_and_an_appended_one_is_not_as_in_the_official_plugin(
    engine: Engine, kubectl: Kubectl
) -> None:
    held = engine.create(POLICY, policy("10.0.0.0/8"))
    kubectl.edit("networkpolicy/fence", {"op": "add", "path": "/spec/egress/-", "value": {}})
    appended = engine.refresh(held)
    assert appended is not None
    assert engine.changes(appended) == {}
    assert len(appended.outputs["spec"]["egress"]) == 2

    kubectl.edit("networkpolicy/fence", {"op": "add", "path": "/spec/egress/0", "value": {}})
    inserted = engine.refresh(held)
    assert inserted is not None
    assert engine.changes(inserted, policy("10.0.0.0/8")) == {
        "spec.egress[0].ports": "ADD",
        "spec.egress[0].to": "ADD",
    }


def test_keys_that_others_add_are_theirs(engine: Engine, kubectl: Kubectl) -> None:
    declared = {"metadata": {"name": "quota", "labels": {"team": "data"}}, "spec": {"hard": {"pods": "9"}}}
    held = engine.create(QUOTA, declared)
    kubectl("label", "resourcequota/quota", "note=mine")
    kubectl.edit("resourcequota/quota", {"op": "add", "path": "/spec/hard/services", "value": "3"})
    seen = engine.refresh(held)
    assert seen is not None
    assert engine.changes(seen, declared) == {}

    # a declared one that they change is ours, and what the program stops declaring goes
    kubectl.edit("resourcequota/quota", {"op": "replace", "path": "/spec/hard/pods", "value": "99"})
    seen = engine.refresh(held)
    assert seen is not None
    assert engine.changes(seen, declared) == {"spec.hard.pods": "UPDATE"}
    fewer = {"metadata": {"name": "quota"}, "spec": {"hard": {"pods": "9"}}}
    assert engine.changes(held, fewer) == {"metadata.labels": "DELETE"}
    engine.update(seen, fewer)
    live = kubectl.get("resourcequota/quota")
    assert "team" not in live["metadata"].get("labels", {})
    assert live["spec"]["hard"]["pods"] == "9"


def test_a_removed_safeguard_is_seen_although_its_value_is_false(engine: Engine, kubectl: Kubectl) -> None:
    held = engine.create(SERVICE_ACCOUNT, SAMPLES[SERVICE_ACCOUNT])
    kubectl.edit("serviceaccount/jobs", {"op": "remove", "path": "/automountServiceAccountToken"})
    seen = engine.refresh(held)
    assert seen is not None
    assert engine.changes(seen, SAMPLES[SERVICE_ACCOUNT]) == {"automountServiceAccountToken": "ADD"}


@pytest.mark.parametrize(
    ("token", "after", "replaced"),
    [
        (SECRET, {**SAMPLES[SECRET], "stringData": {"password": "other"}}, ["data.password"]),
        (CONFIG, {**SAMPLES[CONFIG], "data": {"greeting": "bye"}}, ["data.greeting"]),
        (BINDING, {**SAMPLES[BINDING], "roleRef": {**SAMPLES[BINDING]["roleRef"], "name": "x"}}, ["roleRef.name"]),
        (ROLE, {**SAMPLES[ROLE], "metadata": {"name": "role", "labels": {"a": "b"}}}, []),
    ],
)
def test_what_can_not_change_in_place_is_replaced_and_goes_first(
    engine: Engine, token: str, after: dict[str, Any], replaced: list[str]
) -> None:
    answer = engine.diff(engine.create(token, SAMPLES[token]), after)
    assert list(answer.replaces) == replaced
    assert answer.deleteBeforeReplace == bool(replaced)


def test_a_changed_selector_replaces_a_deployment(engine: Engine) -> None:
    held = engine.create(DEPLOYMENT, deployment())
    other = deployment(image="example/server:2")
    assert engine.changes(held, other) == {"spec.template.spec.containers[0].image": "UPDATE"}
    other["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    assert engine.changes(held, other)["spec.selector.matchLabels.app"] == "UPDATE_REPLACE"


def test_secrets_may_be_declared_mutable(plugin: Callable[..., Engine], cluster: Any, kubectl: Kubectl) -> None:
    engine = plugin(kubeconfig=str(cluster.kubeconfig), namespace=kubectl.namespace, enableSecretMutable="true")
    held = engine.create(SECRET, SAMPLES[SECRET])
    after = {**SAMPLES[SECRET], "stringData": {"password": "other"}}
    assert engine.changes(held, after) == {"data.password": "UPDATE"}
    engine.update(held, after)
    assert base64.b64decode(kubectl.get("secret/words")["data"]["password"]) == b"other"


def test_ignored_paths_are_left_as_they_are(engine: Engine, kubectl: Kubectl) -> None:
    held = engine.create(DEPLOYMENT, deployment())
    kubectl("scale", "deployment/server", "--replicas=3")
    seen = engine.refresh(held)
    assert seen is not None
    after = deployment(image="example/server:2")
    assert engine.changes(seen, after, ("spec.replicas",)) == {"spec.template.spec.containers[0].image": "UPDATE"}
    engine.update(seen, after, ("spec.replicas",))
    live = kubectl.get("deployment/server")
    assert live["spec"]["replicas"] == 3
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "example/server:2"


# -- who manages what


def test_a_conflict_names_the_manager_and_force_takes_the_field(
    engine: Engine, kubectl: Kubectl, refusal: Refusal
) -> None:
    held = engine.create(POLICY, policy("10.0.0.0/8"))
    patch = '{"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}'
    kubectl("patch", "networkpolicy/fence", "--field-manager=some-operator", "--type=merge", "--patch", patch)
    wanted = policy("10.0.0.0/8")
    wanted["spec"]["podSelector"] = {"matchLabels": {"a": "c"}}
    seen = engine.refresh(held)
    assert seen is not None

    said = refusal(lambda: engine.update(seen, wanted))
    assert 'conflict with "some-operator"' in said
    assert "pulumi.com/patchForce" in said

    wanted["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    engine.update(seen, wanted)
    assert kubectl.get("networkpolicy/fence")["spec"]["podSelector"] == {"matchLabels": {"a": "c"}}


def test_what_was_made_is_held_by_one_manager_after_an_update(engine: Engine, kubectl: Kubectl) -> None:
    def managers() -> list[tuple[str, str]]:
        live = kubectl.get("--show-managed-fields", "networkpolicy/fence")
        return [(entry["manager"], entry["operation"]) for entry in live["metadata"]["managedFields"]]

    held = engine.create(POLICY, policy("10.0.0.0/8"))
    assert managers() == [("pulumi-kubernetes", "Update")]
    held = engine.update(held, policy("10.0.0.0/8", "10.9.0.0/16"))
    assert managers() == [(held.outputs["__fieldManager"], "Apply")]
    assert held.outputs["__fieldManager"].startswith("pulumi-kubernetes-")

    # an entry that the program drops goes with it
    engine.update(held, policy("10.0.0.0/8"))
    assert len(kubectl.get("networkpolicy/fence")["spec"]["egress"]) == 1


def test_a_previews_dry_run_conflicts_with_an_edit_as_in_the_official_plugin(
    engine: Engine, plugin: Callable[..., Engine], cluster: Any, kubectl: Kubectl, refusal: Refusal
) -> None:
    # given an object that was updated before, and edited since
    held = engine.update(engine.create(POLICY, policy("10.0.0.0/8")), policy("10.8.0.0/16"))
    edit = {"op": "replace", "path": "/spec/egress/0/to/0/ipBlock/cidr", "value": "0.0.0.0/0"}
    kubectl.edit("networkpolicy/fence", edit)

    assert 'conflict with "kubectl-edit"' in refusal(lambda: engine.update(held, policy("10.8.0.0/16"), preview=True))

    # a provider that forces previews and mends it
    forceful = plugin(kubeconfig=str(cluster.kubeconfig), namespace=kubectl.namespace, enablePatchForce="true")
    planned = forceful.update(held, policy("10.8.0.0/16"), preview=True)
    assert planned.outputs["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "10.8.0.0/16"}}]
    assert kubectl.get("networkpolicy/fence")["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    forceful.update(held, policy("10.8.0.0/16"))
    assert kubectl.get("networkpolicy/fence")["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "10.8.0.0/16"}}]


def test_what_exists_already_is_refused_unless_adopted(
    engine: Engine, plugin: Callable[..., Engine], cluster: Any, kubectl: Kubectl, refusal: Refusal
) -> None:
    kubectl("create", "configmap", "words", "--from-literal=greeting=theirs")
    said = refusal(lambda: engine.create(CONFIG, SAMPLES[CONFIG]))
    assert 'configmaps "words" already exists' in said
    assert "import_" in said
    assert kubectl.get("configmap/words")["data"] == {"greeting": "theirs"}
    assert engine.plan(CONFIG, SAMPLES[CONFIG])["data"] == {"greeting": "hello"}

    adopting = plugin(
        kubeconfig=str(cluster.kubeconfig),
        namespace=kubectl.namespace,
        upsertExistingObjects="true",
        enablePatchForce="true",
    )
    adopting.create(CONFIG, SAMPLES[CONFIG])
    assert kubectl.get("configmap/words")["data"] == {"greeting": "hello"}


# -- imports


def test_an_import_takes_what_a_program_would_declare(engine: Engine, kubectl: Kubectl) -> None:
    kubectl("create", "quota", "quota", "--hard=pods=3")
    found = engine.find(QUOTA, f"{kubectl.namespace}/quota")
    assert found is not None
    assert found.declared == {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "quota", "namespace": kubectl.namespace},
        "spec": {"hard": {"pods": "3"}},
    }
    assert engine.changes(found, {"metadata": {"name": "quota"}, "spec": {"hard": {"pods": 3}}}) == {}
    assert engine.find(QUOTA, f"{kubectl.namespace}/none") is None


# -- secrets


def test_the_data_of_a_secret_is_secret_whoever_declares_it(engine: Engine, kubectl: Kubectl) -> None:
    held = engine.create(SECRET, SAMPLES[SECRET])
    assert held.secrets >= {("data",), ("__inputs", "data")}
    assert b"hunter2" not in held.inputs.SerializeToString()
    assert "stringData" not in held.declared
    seen = engine.refresh(held)
    assert seen is not None
    assert seen.secrets == held.secrets
    found = engine.find(SECRET, f"{kubectl.namespace}/words")
    assert found is not None
    assert ("data",) in found.secrets


def test_what_the_program_marks_as_secret_stays_so(engine: Engine) -> None:
    declared = {"metadata": {"name": "words"}, "data": {"open": "a", "hidden": "b"}}
    held = engine.create(CONFIG, declared, secrets=(("data", "hidden"),))
    assert held.secrets == {("data", "hidden"), ("__inputs", "data", "hidden")}
    seen = engine.refresh(held)
    assert seen is not None
    assert seen.secrets == held.secrets


def test_no_error_tells_a_secret(engine: Engine, refusal: Refusal) -> None:
    declared = {"metadata": {"name": "words", "labels": {"note": "not a label: hunter2"}}}
    said = refusal(lambda: engine.create(CONFIG, declared, secrets=(("metadata", "labels", "note"),)))
    assert "hunter2" not in said
    assert "[secret]" in said
