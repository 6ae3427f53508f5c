"""The profile ``restricted`` on pods, rule by rule."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from airbyte_cli.platform.pod_security import violations

Spec = dict[str, Any]
Change = Callable[[Spec], Any]

ADMITTED: Spec = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "config", "configMap": {"name": "config"}}],
    "containers": [
        {
            "name": "main",
            "image": "example",
            "ports": [{"containerPort": 8080}],
            "livenessProbe": {"httpGet": {"path": "/", "port": 8080}},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}

REFUSED: dict[str, Change] = {
    "hostNetwork is set": lambda pod: pod.update(hostNetwork=True),
    "hostPID is set": lambda pod: pod.update(hostPID=True),
    "volume host is of the type hostPath": lambda pod: pod["volumes"].append(
        {"name": "host", "hostPath": {"path": "/"}}
    ),
    "sysctl kernel.msgmax": lambda pod: pod["securityContext"].update(
        sysctls=[{"name": "kernel.msgmax", "value": "1"}]
    ),
    "pod: runAsUser is 0": lambda pod: pod["securityContext"].update(runAsUser=0),
    "main: runAsUser is 0": lambda pod: main(pod).update(runAsUser=0),
    "main: is privileged": lambda pod: main(pod).update(privileged=True),
    "allowPrivilegeEscalation is not false": lambda pod: main(pod).pop("allowPrivilegeEscalation"),
    "capabilities.drop has no ALL": lambda pod: main(pod).update(capabilities={"drop": ["NET_RAW"]}),
    "capabilities.add has SYS_PTRACE": lambda pod: main(pod)["capabilities"].update(add=["SYS_PTRACE"]),
    "main: runAsNonRoot is not true": lambda pod: pod["securityContext"].pop("runAsNonRoot"),
    "seccompProfile is neither": lambda pod: pod["securityContext"].pop("seccompProfile"),
    "main: procMount is Unmasked": lambda pod: main(pod).update(procMount="Unmasked"),
    "hostPort 80": lambda pod: pod["containers"][0]["ports"].append({"containerPort": 80, "hostPort": 80}),
    "appArmorProfile is neither": lambda pod: main(pod).update(appArmorProfile={"type": "Unconfined"}),
    "seLinuxOptions are not": lambda pod: main(pod).update(seLinuxOptions={"type": "spc_t"}),
    "hostProcess is set": lambda pod: main(pod).update(windowsOptions={"hostProcess": True}),
    "livenessProbe.httpGet.host": lambda pod: pod["containers"][0]["livenessProbe"]["httpGet"].update(host="10.0.0.1"),
}


def main(pod: Spec) -> Spec:
    context: Spec = pod["containers"][0]["securityContext"]
    return context


def test_what_every_rule_allows_is_admitted() -> None:
    assert violations(ADMITTED) == []


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_pod_that_breaks_one_rule_is_refused_for_it_alone(sentence: str) -> None:
    pod = copy.deepcopy(ADMITTED)
    REFUSED[sentence](pod)
    found = violations(pod)
    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.parametrize("kind", ["initContainers", "ephemeralContainers"])
def test_every_container_counts(kind: str) -> None:
    pod = {**ADMITTED, kind: [{"name": "other", "image": "example"}]}
    assert {sentence.partition(":")[0] for sentence in violations(pod)} == {"other"}


def test_a_container_overrules_its_pod() -> None:
    pod = copy.deepcopy(ADMITTED)
    main(pod)["runAsNonRoot"] = False
    assert violations(pod) == ["main: runAsNonRoot is not true"]
    pod["securityContext"]["runAsNonRoot"] = False
    main(pod)["runAsNonRoot"] = True
    assert violations(pod) == []


def test_a_pod_without_any_context_is_refused() -> None:
    found = violations({"containers": [{"name": "main", "image": "example"}]})
    assert len(found) == 4
    assert violations({"containers": []}, {"container.apparmor.security.beta.kubernetes.io/x": "unconfined"})
