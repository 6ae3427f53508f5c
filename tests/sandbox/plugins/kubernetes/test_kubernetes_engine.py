"""A program of the typed SDK, run by the real engine with the stand-in against a real API server."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.plugins.stack import EXPECTED_NO_CHANGES, Stack, stand_in_stack

if TYPE_CHECKING:
    from sandbox.cluster import Cluster
    from tests.kubectl import Kubectl

pytestmark = pytest.mark.e2e

PASSWORDS = {"database": "a password of the database", "chart": "a password in the chart's values"}

PROGRAM = """
import json, os
import pulumi, pulumi_kubernetes as k8s

given = json.loads(os.environ["GIVEN"])
secret = pulumi.Output.secret

cluster = k8s.Provider("cluster", kubeconfig=given["kubeconfig"])
here = pulumi.ResourceOptions(provider=cluster)
space = k8s.core.v1.Namespace("space", metadata={
    "name": given["namespace"], "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}, opts=here)
name = space.metadata.name
jobs = k8s.core.v1.ServiceAccount("jobs", metadata={"name": "jobs", "namespace": name},
    automount_service_account_token=False, opts=here)
role = k8s.rbac.v1.Role("launcher", metadata={"namespace": name},
    rules=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list"]}], opts=here)
k8s.rbac.v1.RoleBinding("launcher", metadata={"name": "launcher", "namespace": name},
    role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": role.metadata.name},
    subjects=[{"kind": "ServiceAccount", "name": jobs.metadata.name, "namespace": name}], opts=here)
k8s.networking.v1.NetworkPolicy("fence", metadata={"name": "fence", "namespace": name}, spec={
    "pod_selector": {}, "policy_types": ["Ingress", "Egress"], "ingress": [],
    "egress": [{"to": [{"ip_block": {"cidr": "10.0.0.0/8", "except_": ["10.1.0.0/16"]}}]}]}, opts=here)
k8s.core.v1.ResourceQuota("quota", metadata={"name": "quota", "namespace": name},
    spec={"hard": {"limits.memory": "1024Mi", "pods": "10"}}, opts=here)
k8s.core.v1.Secret("database", metadata={"name": "database", "namespace": name},
    string_data={"password": secret(given["passwords"]["database"])}, opts=here)
k8s.helm.v3.Release("tiny", name="tiny", chart=given["chart"], namespace=name, timeout=60,
    values={"greeting": given["greeting"], "password": secret(given["passwords"]["chart"])}, opts=here)

"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart of one ConfigMap and one Secret."""
    folder = tmp_path / "tiny"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("{apiVersion: v2, name: tiny, version: 0.1.0}")
    (folder / "values.yaml").write_text("{greeting: hello, password: ''}")
    (folder / "templates" / "all.yaml").write_text(
        textwrap.dedent("""\
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: tiny}
        data: {greeting: {{ .Values.greeting | quote }}}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: tiny}
        stringData: {password: {{ .Values.password | quote }}}
        """)
    )
    return folder


@pytest.fixture
def stack(
    tmp_path: Path, project_root: Path, cluster: Cluster, kubectl: Kubectl, chart: Path, monkeypatch: pytest.MonkeyPatch
) -> Stack:
    given = {
        "kubeconfig": str(cluster.kubeconfig),
        "namespace": f"{kubectl.namespace}-stack",
        "chart": str(chart),
        "greeting": "hi",
        "passwords": PASSWORDS,
    }
    return stand_in_stack(tmp_path, project_root, monkeypatch, PROGRAM, given, cluster.bin_dir)


def test_a_stack_lives_its_life(stack: Stack, kubectl: Kubectl, chart: Path) -> None:
    within = f"--namespace={stack.given['namespace']}"

    # an update plans and makes everything, and then there is nothing to do
    assert "10 to create" in stack.run("up", "--yes")
    assert kubectl.get("configmap/tiny", within)["data"] == {"greeting": "hi"}
    stack.run("preview", "--refresh", "--expect-no-changes")

    # what somebody else changes is seen, place by place
    kubectl(
        "label", "namespace", stack.given["namespace"], "pod-security.kubernetes.io/enforce=privileged", "--overwrite"
    )
    for thing, operation in (
        ("networkpolicy/fence", {"op": "replace", "path": "/spec/egress/0/to/0/ipBlock/cidr", "value": "0.0.0.0/0"}),
        ("resourcequota/quota", {"op": "replace", "path": "/spec/hard/pods", "value": "999"}),
        ("secret/database", {"op": "replace", "path": "/data/password", "value": "b3RoZXI="}),
    ):
        kubectl("patch", thing, within, "--field-manager=kubectl-edit", "--type=json", f"-p={json.dumps([operation])}")
    kubectl("delete", "serviceaccount/jobs", within)
    seen = stack.run("refresh", "--preview-only", "--expect-no-changes", "--diff", exits=EXPECTED_NO_CHANGES)
    assert '~ pod-security.kubernetes.io/enforce: "restricted" => "privileged"' in seen
    assert '~ cidr: "10.0.0.0/8" => "0.0.0.0/0"' in seen
    assert '~ pods: "10" => "999"' in seen
    assert "~ password: [secret] => [secret]" in seen
    assert "- kubernetes:core/v1:ServiceAccount: (delete)" in seen
    assert "5 changes. 5 unchanged" in seen

    # and undone by the next update
    stack.run("up", "--yes", "--refresh", "--skip-preview")
    assert kubectl.get("networkpolicy/fence", within)["spec"]["egress"][0]["to"][0]["ipBlock"]["cidr"] == "10.0.0.0/8"
    assert kubectl.get("resourcequota/quota", within)["spec"]["hard"]["pods"] == "10"

    # an upgrade of a chart reads as one
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: tiny, version: 0.2.0}")
    stack.given["greeting"] = "bye"
    planned = stack.run("preview", "--diff")
    assert '~ version: "0.1.0" => "0.2.0"' in planned
    assert '~ greeting: "hi" => "bye"' in planned
    assert "1 to update" in planned

    # a destroy leaves nothing
    stack.run("destroy", "--yes", "--skip-preview")
    assert stack.given["namespace"] not in kubectl("get", "namespaces")

    # and no secret was shown or kept in clear
    for secret in PASSWORDS.values():
        assert secret not in stack.said
        assert secret not in stack.state()
