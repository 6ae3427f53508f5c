"""Drift of objects inside a Helm release, on a real API server: seen field by field, and mended."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient

from dynamic_providers.kubernetes.cluster import ClusterError, connect
from dynamic_providers.kubernetes.release_guard import ReleaseGuardResource
from sandbox.cluster import Cluster
from tests.kubectl import Kubectl

CHART = """\
apiVersion: v2
name: tiny
version: 0.1.0
"""
TEMPLATES = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          env: [{name: MODE, value: "0644"}]
          resources: {limits: {cpu: 1000m, memory: 1024Mi}}
          securityContext: {allowPrivilegeEscalation: false}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {"helm.sh/hook": "pre-install,pre-upgrade"}}
data: {MODE: "0644"}
---
apiVersion: v1
kind: Pod
metadata: {name: once, annotations: {"helm.sh/hook": pre-install}}
spec: {restartPolicy: Never, containers: [{name: once, image: "once:1"}]}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials}
stringData: {password: a-released-password}
"""
WEB = "Deployment/web"
CONTAINER = "spec.template.spec.containers[web]"


@pytest.fixture
def release(kubectl: Kubectl, cluster: Cluster, tmp_path: Path) -> dict[str, Any]:
    """A release of a small chart: the inputs of its guard."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text(CHART)
    (tmp_path / "templates" / "all.yaml").write_text(TEMPLATES)
    helm(cluster, "install", "tiny", str(tmp_path), "--namespace", kubectl.namespace)
    return {"namespace": kubectl.namespace, "release": "tiny", "revision": 1, "drift": {}}


def helm(cluster: Cluster, *arguments: str) -> None:
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    subprocess.run([cluster.bin_dir / "helm", *arguments], env=environment, check=True, timeout=60)


@pytest.fixture
def guard(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReleaseGuardResource]:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    made: list[ApiClient] = []

    def connected(context: str | None) -> ApiClient:
        made.append(connect(context))
        return made[-1]

    yield ReleaseGuardResource(connected)
    for client in made:
        client.close()


def drift_of(guard: ReleaseGuardResource, release: dict[str, Any]) -> dict[str, dict[str, str]]:
    live = guard.read("id", release)
    assert live is not None
    assert live.inputs["drift"] == live.outputs["drift"]
    found: dict[str, dict[str, str]] = live.outputs["drift"]
    return found


def test_an_untouched_release_has_not_drifted(guard: ReleaseGuardResource, release: dict[str, Any]) -> None:
    id_, outputs = guard.create(release)
    assert (id_, outputs["chart"], outputs["objects"]) == (f"{release['namespace']}/tiny", "tiny-0.1.0", 3)
    assert drift_of(guard, release) == {}


@pytest.mark.parametrize(
    ("edit", "seen"),
    [
        (["scale", "deployment/web", "--replicas=3"], {WEB: {"spec.replicas": "3, released as 1"}}),
        (
            ["set", "image", "deployment/web", "web=evil:1"],
            {WEB: {f"{CONTAINER}.image": "evil:1, released as web:1"}},
        ),
        (
            ["set", "env", "deployment/web", "MODE-"],
            {WEB: {f"{CONTAINER}.env": 'absent, released as [{"name": "MODE", "value": "0644"}]'}},
        ),
        (
            ["set", "env", "deployment/web", "API_TOKEN=swordfish"],
            {WEB: {f"{CONTAINER}.env[API_TOKEN]": "(hidden), added by kubectl-set"}},
        ),
        (["delete", "deployment", "web"], {WEB: {"(object)": "deleted"}}),
        (["delete", "configmap", "hook"], {"ConfigMap/hook": {"(object)": "deleted"}}),
        (
            ["patch", "secret", "credentials", "-p", '{"stringData": {"password": "guessed"}}'],
            {"Secret/credentials": {"data.password": "(hidden), released as (hidden)"}},
        ),
    ],
    ids=["replicas", "image", "removed variable", "added variable", "deleted", "deleted hook", "secret"],
)
def test_what_kubectl_changes_is_seen_and_mended(
    guard: ReleaseGuardResource, release: dict[str, Any], kubectl: Kubectl, edit: list[str], seen: dict[str, Any]
) -> None:
    kubectl(*edit)

    drifted = {**release, "drift": drift_of(guard, release)}
    assert drifted["drift"] == seen
    assert guard.diff("id", drifted, guard.check(drifted, release).inputs).changed == ("drift",)

    assert guard.update("id", drifted, release)["drift"] == {}
    assert drift_of(guard, release) == {}


def test_a_weakened_security_context_is_put_back_and_what_was_added_to_it_taken_away(
    guard: ReleaseGuardResource, release: dict[str, Any], kubectl: Kubectl
) -> None:
    weakened = '{"allowPrivilegeEscalation": true, "privileged": true, "runAsUser": 0}'
    container = f'{{"name": "web", "securityContext": {weakened}}}'
    added = '{"name": "sidecar", "image": "sidecar:1"}'
    pod = f'{{"hostNetwork": true, "containers": [{container}, {added}]}}'
    kubectl("patch", "deployment", "web", "-p", f'{{"spec": {{"template": {{"spec": {pod}}}}}}}')

    assert set(drift_of(guard, release)[WEB]) == {
        f"{CONTAINER}.securityContext.allowPrivilegeEscalation",
        f"{CONTAINER}.securityContext.privileged",
        f"{CONTAINER}.securityContext.runAsUser",
        "spec.template.spec.containers[sidecar]",
        "spec.template.spec.hostNetwork",
    }
    guard.update("id", release, release)
    spec = kubectl.get("deployment", "web")["spec"]["template"]["spec"]
    assert [each["name"] for each in spec["containers"]] == ["web"]
    assert spec["containers"][0]["securityContext"] == {"allowPrivilegeEscalation": False}
    assert "hostNetwork" not in spec


def test_a_restart_is_not_drift_and_survives_a_mend(
    guard: ReleaseGuardResource, release: dict[str, Any], kubectl: Kubectl
) -> None:
    kubectl("rollout", "restart", "deployment/web")
    assert drift_of(guard, release) == {}
    kubectl("scale", "deployment/web", "--replicas=2")
    guard.update("id", release, release)
    annotations = kubectl.get("deployment", "web")["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


def test_helm_still_upgrades_what_was_mended(
    guard: ReleaseGuardResource, release: dict[str, Any], kubectl: Kubectl, cluster: Cluster, tmp_path: Path
) -> None:
    kubectl("delete", "deployment", "web")
    guard.update("id", release, release)
    templates = tmp_path / "templates" / "all.yaml"
    templates.write_text(TEMPLATES.replace("web:1", "web:2"))
    helm(cluster, "upgrade", "tiny", str(tmp_path), "--namespace", kubectl.namespace)
    image = kubectl.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "web:2"
    assert drift_of(guard, release) == {}


def test_a_release_that_is_gone_is_gone_and_one_that_failed_is_said_to_have(
    guard: ReleaseGuardResource, release: dict[str, Any], kubectl: Kubectl, cluster: Cluster
) -> None:
    with pytest.raises(ClusterError, match="no release"):
        guard.update("id", release, {**release, "release": "other"})
    assert guard.read("id", {**release, "release": "other"}) is None
    kubectl("label", "secret", "sh.helm.release.v1.tiny.v1", "status=pending-upgrade", "--overwrite")
    with pytest.raises(ClusterError, match="tiny is pending-upgrade at revision 1"):
        guard.read("id", release)
