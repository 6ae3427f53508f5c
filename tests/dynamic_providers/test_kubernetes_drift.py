"""What counts as drift of a released object, given the live one and the server's own dry run of the released one."""

import copy
import json
from typing import Any

from dynamic_providers.kubernetes.drift import deviations

RELEASED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "airbyte-server", "labels": {"app": "airbyte"}},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "server",
                        "image": "airbyte/server:2.2.0",
                        "env": [{"name": "LOG_LEVEL", "value": "INFO"}, {"name": "DB_PASSWORD", "value": "hunter2"}],
                        "securityContext": {"allowPrivilegeEscalation": False},
                        "resources": {"limits": {"cpu": "1000m"}},
                    }
                ]
            }
        },
    },
}


def live() -> dict[str, Any]:
    """The object as a server has it: with defaults, normalised, and with its own bookkeeping."""
    found = copy.deepcopy(RELEASED)
    found["metadata"] |= {"uid": "u", "resourceVersion": "7", "generation": 1, "managedFields": []}
    found["spec"] |= {"progressDeadlineSeconds": 600}
    container(found)["resources"] = {"limits": {"cpu": "1"}}
    container(found)["terminationMessagePath"] = "/dev/termination-log"
    found["status"] = {"readyReplicas": 1}
    return found


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return found


def managed(found: dict[str, Any], manager: str, fields: dict[str, Any], **entry: Any) -> None:
    found["metadata"]["managedFields"].append({"manager": manager, "fieldsV1": fields, **entry})


def found_in(changed: dict[str, Any], applied: dict[str, Any] | None = None) -> dict[str, str]:
    return {each.label: each.text for each in deviations(RELEASED, changed, applied or live())}


def test_an_untouched_object_has_not_drifted_whatever_the_server_made_of_it() -> None:
    assert found_in(live()) == {}


def test_each_changed_field_is_named_with_both_values() -> None:
    changed = live()
    changed["spec"]["replicas"] = 3
    container(changed)["image"] = "airbyte/server:evil"
    container(changed)["securityContext"]["allowPrivilegeEscalation"] = True
    container(changed)["env"][0]["value"] = "DEBUG"
    spec = "spec.template.spec.containers[server]"
    assert found_in(changed) == {
        "spec.replicas": "3, released as 1",
        f"{spec}.image": "airbyte/server:evil, released as airbyte/server:2.2.0",
        f"{spec}.securityContext.allowPrivilegeEscalation": "true, released as false",
        f"{spec}.env[LOG_LEVEL].value": "DEBUG, released as INFO",
    }


def test_a_field_that_was_taken_away_is_absent() -> None:
    changed = live()
    del container(changed)["securityContext"]
    del container(changed)["env"][0]
    spec = "spec.template.spec.containers[server]"
    assert found_in(changed) == {
        f"{spec}.securityContext": 'absent, released as {"allowPrivilegeEscalation": false}',
        f"{spec}.env[LOG_LEVEL]": 'absent, released as {"name": "LOG_LEVEL", "value": "INFO"}',
    }


def test_what_somebody_added_beside_the_released_fields_is_found_by_the_servers_record() -> None:
    changed = live()
    container(changed)["env"].insert(0, {"name": "JAVA_TOOL_OPTIONS", "value": "-javaagent"})
    container(changed)["securityContext"]["privileged"] = True
    own = {
        "f:env": {'k:{"name":"JAVA_TOOL_OPTIONS"}': {".": {}, "f:name": {}, "f:value": {}}},
        "f:securityContext": {"f:privileged": {}},
    }
    record = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"server"}': own}}}}}
    managed(changed, "kubectl-edit", record)
    applied = copy.deepcopy(changed)  # applying the released fields takes nothing away
    deviating = deviations(RELEASED, changed, applied)
    spec = "spec.template.spec.containers[server]"
    assert {each.label: each.text for each in deviating} == {
        f"{spec}.env[JAVA_TOOL_OPTIONS]": '{"name": "JAVA_TOOL_OPTIONS", "value": "-javaagent"}, added by kubectl-edit',
        f"{spec}.securityContext.privileged": "true, added by kubectl-edit",
    }
    assert [each.path[-2:] for each in deviating] == [("env", 0), ("securityContext", "privileged")]


def test_what_helm_the_controllers_and_a_restart_write_is_no_addition() -> None:
    changed = live()
    changed["spec"]["paused"] = False
    changed["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}
    managed(changed, "helm", {"f:spec": {"f:paused": {}}})
    managed(changed, "kube-controller-manager", {"f:spec": {"f:paused": {}}})
    managed(changed, "kubelet", {"f:status": {"f:readyReplicas": {}}}, subresource="status")
    restart: dict[str, Any] = {"f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}}}
    managed(changed, "kubectl-rollout", {"f:spec": {"f:template": restart}})
    assert found_in(changed, copy.deepcopy(changed)) == {}


def test_no_secret_is_shown() -> None:
    changed = live()
    container(changed)["env"][1]["value"] = "guessed"
    assert "guessed" not in str(found_in(changed))
    assert "hunter2" not in str(found_in(changed))
    assert list(found_in(changed)) == ["spec.template.spec.containers[server].env[DB_PASSWORD].value"]

    secret: dict[str, Any] = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"colour": "Ymx1ZQ=="}}
    edited = copy.deepcopy(secret)
    edited["data"] = {"colour": "cmVk", "further": "eA=="}
    edited["metadata"]["managedFields"] = [{"manager": "me", "fieldsV1": {"f:data": {"f:further": {}}}}]
    applied = {**edited, "data": {**edited["data"], **secret["data"]}}
    texts = {each.label: each.text for each in deviations(secret, edited, applied)}
    assert texts == {"data.colour": "(hidden), released as (hidden)", "data.further": "(hidden), added by me"}


def test_of_a_lists_items_only_those_that_came_and_went_are_named() -> None:
    rules = [{"to": [{"ipBlock": {"cidr": f"192.0.2.{host}/32"}}]} for host in range(7)]
    released: dict[str, Any] = {"kind": "NetworkPolicy", "metadata": {}, "spec": {"egress": rules[:5]}}
    changed: dict[str, Any] = {**released, "spec": {"egress": [*rules[:2], *rules[3:]]}}
    assert {each.label: each.text for each in deviations(released, changed, released)} == {
        "spec.egress[2]": f"absent, released as {json.dumps(rules[2])}",
        "spec.egress[4]": f"{json.dumps(rules[5])}, released as absent",
        "spec.egress[5]": f"{json.dumps(rules[6])}, released as absent",
    }
