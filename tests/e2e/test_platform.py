"""The platform as part of one `pulumi up`, on a real API server: installed before what needs it, held to what it is.

The tests share one installation, in the order of its life, and each leaves it as it should be.
"""

import base64
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
import yaml

from sandbox.cluster import Cluster
from sandbox.environment import Sandbox
from tests.kubectl import Kubectl
from tests.project import FILES, STACK, Project

if TYPE_CHECKING:
    from tests.e2e.conftest import Airbyte
else:
    Airbyte = Any

pytestmark = pytest.mark.e2e

DRIFT = 7
ADDRESS = "port-forward://airbyte/airbyte-airbyte-server-svc:8001"
VOLUMES = {"airbyte-volume-db-airbyte-db-0", "airbyte-minio-pv-claim-airbyte-minio-0"}

COMMANDS = (
    ("preview",),
    ("up", "--yes", "--skip-preview"),
    ("refresh", "--preview-only"),
)

RELEASE, RELEASE_GUARD, API = "kubernetes:helm.sh/v3:Release", "kubernetes:ReleaseGuard", "airbyte:AirbyteApi"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A whole sandbox of the module's own, cluster included."""
    made = Sandbox(tmp_path_factory.mktemp("platform") / ".sandbox")
    made.up(print)
    try:
        yield made
    finally:
        made.down(print)


@pytest.fixture(scope="module")
def environment(instance: Sandbox) -> dict[str, str]:
    """What its clients need to know."""
    return instance.env()


@pytest.fixture(scope="module")
def project(
    environment: dict[str, str], project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """The sandbox's stack as it is committed, once up; Airbyte's own address is kept from it."""
    known = {name: value for name, value in environment.items() if name != "AIRBYTE_URL"}
    folder = tmp_path_factory.mktemp("installation") / "project"
    made = Project(folder, project_root, known, files=FILES, stack="sandbox")
    made.up()
    yield made
    if made.resources():
        made.pulumi("destroy", "--yes", "--skip-preview", expect=0)


@pytest.fixture
def kubectl(environment: dict[str, str]) -> Kubectl:
    """`kubectl` in Airbyte's namespace."""
    return Kubectl(program(environment, "kubectl"), Path(environment["KUBECONFIG"]), "airbyte")


def program(environment: dict[str, str], name: str) -> Path:
    folders = (Path(folder) for folder in environment["PATH"].split(":"))
    return next(folder / name for folder in folders if (folder / name).exists())


def assert_clean(project: Project) -> None:
    project.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff", expect=0)


def test_airbyte_is_installed_and_answers_before_anything_is_created_in_it(project: Project, airbyte: Airbyte) -> None:
    created: dict[str, list[str]] = {}
    ids: dict[str, str] = {}
    for each in project.resources():
        if "created" in each:
            kind = each["type"].replace("pulumi-python:dynamic/", "")
            created.setdefault(kind, []).append(each["created"])
            ids[kind] = each.get("id", "")  # components have none

    around = [f"kubernetes:core/v1:{kind}" for kind in ("Secret", "ResourceQuota", "LimitRange", "ServiceAccount")]
    for kind in ("kubernetes:networking.k8s.io/v1:NetworkPolicy", *around):
        assert max(created[kind]) < min(created[RELEASE])
    steps = [RELEASE, RELEASE_GUARD, API, "airbyte:ConnectorVersion", "airbyte:Source", "airbyte:Connection"]
    for step, following in itertools.pairwise(steps):
        assert max(created[step]) < min(created[following])

    # It was reached through the cluster, the only address that the stack has,
    assert ids[API] == ADDRESS
    assert "AIRBYTE_URL" not in project.env
    # and is the sandbox's server, where the source now is.
    (source,) = airbyte.every("sources")
    assert source["sourceId"] == ids["airbyte:Source"]

    # Nothing is left to do, and a refresh finds what was made.
    project.pulumi("preview", "--refresh", "--expect-no-changes", "--diff", expect=0)


def test_no_credential_of_the_platform_is_in_the_state_or_on_the_screen(
    project: Project, kubectl: Kubectl, environment: dict[str, str]
) -> None:
    names = ("airbyte-auth-secrets", "airbyte-database", "airbyte-storage")
    secrets = {
        f"{name}/{key}": base64.b64decode(value).decode()
        for name in names
        for key, value in kubectl.get("secret", name)["data"].items()
        if not key.endswith(("username", "access-key-id", "client-id"))
    }
    assert secrets["airbyte-auth-secrets/instance-admin-client-secret"] == environment["AIRBYTE_CLIENT_SECRET"]
    assert {name.rpartition("/")[2] for name in secrets} == {
        "instance-admin-client-secret",
        "instance-admin-password",
        "jwt-signature-secret",
        "password",
        "secret-access-key",
    }
    stored = project.state_text()
    for name, secret in secrets.items():
        for text in (secret, base64.b64encode(secret.encode()).decode()):
            assert text not in stored, name
            assert text not in project.log, name


def test_whatever_is_changed_in_the_cluster_is_named_by_a_refresh_and_put_back_by_an_up(
    project: Project, kubectl: Kubectl
) -> None:
    """A policy and a quota of ours, and in the release: replicas, image, security, environment, a whole Deployment."""
    hole = [{"op": "add", "path": "/spec/egress/-", "value": {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}]}}]
    security = "/spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation"
    kubectl("patch", "networkpolicy", "airbyte-cron", "--type=json", "-p", json.dumps(hole))
    kubectl("patch", "networkpolicy", "airbyte-default-deny", "--type=merge", "-p", '{"spec": {"egress": [{}]}}')
    kubectl("patch", "resourcequota", "airbyte", "-p", '{"spec": {"hard": {"pods": "999"}}}')
    kubectl("scale", "deployment/airbyte-worker", "--replicas=3")
    kubectl("set", "image", "deployment/airbyte-cron", "*=example.com/another:1")
    kubectl("set", "env", "deployment/airbyte-workload-launcher", "LOG_LEVEL=TRACE", "UNWANTED=added")
    weaker = [{"op": "replace", "path": security, "value": True}]
    kubectl("patch", "deployment", "airbyte-manifest-server", "--type=json", "-p", json.dumps(weaker))
    kubectl("delete", "deployment", "airbyte-workload-api-server")

    refresh = project.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes", expect=DRIFT).text
    seen = dict(re.findall(r"\+ (\w+/[\w-]+) *: \{\n(.*?)\n *\}\n", refresh, re.DOTALL))
    expected = {
        "NetworkPolicy/airbyte-cron": ["spec.egress[", "198.51.100.0/24", "released as absent"],
        "NetworkPolicy/airbyte-default-deny": ['spec.egress: "[{}], added by kubectl-patch"'],
        "ResourceQuota/airbyte": ["spec.hard.pods", "999, released as"],
        "Deployment/airbyte-worker": ["spec.replicas", "3, released as 1"],
        "Deployment/airbyte-cron": [".image", "example.com/another:1, released as airbyte/cron:2.2.0"],
        "Deployment/airbyte-workload-launcher": ["env[LOG_LEVEL]", "TRACE", "env[UNWANTED]", "added by kubectl-set"],
        "Deployment/airbyte-manifest-server": ["allowPrivilegeEscalation", "true, released as false"],
        "Deployment/airbyte-workload-api-server": ["deleted"],
    }
    assert seen.keys() == expected.keys()
    for name, signs in expected.items():
        for sign in signs:
            assert sign in seen[name]

    project.pulumi("up", "--yes", "--skip-preview", "--refresh", expect=0)
    assert_clean(project)
    assert "198.51.100.0" not in json.dumps(kubectl.get("networkpolicy"))
    assert "egress" not in kubectl.get("networkpolicy", "airbyte-default-deny")["spec"]
    assert kubectl.get("resourcequota", "airbyte")["spec"]["hard"]["pods"] != "999"
    assert kubectl.get("deployment", "airbyte-worker")["spec"]["replicas"] == 1
    assert "example.com" not in json.dumps(kubectl.get("deployment", "airbyte-cron")["spec"])
    assert "UNWANTED" not in json.dumps(kubectl.get("deployment", "airbyte-workload-launcher")["spec"])
    (container,) = kubectl.get("deployment", "airbyte-manifest-server")["spec"]["template"]["spec"]["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    kubectl.wait("deployment/airbyte-workload-api-server", "condition=Available")


def test_one_up_rotates_what_opens_the_installation_and_starts_the_pods_that_hold_it(
    project: Project, kubectl: Kubectl, environment: dict[str, str], poll: Callable[..., Any]
) -> None:
    """The client that this project logs in with, the admin's password and the signature of all tokens."""
    before, started = kubectl.get("secret", "airbyte-auth-secrets")["data"], airbyte_pods(kubectl)
    old = client(environment)
    new = {"AIRBYTE_CLIENT_ID": str(uuid4()), "AIRBYTE_CLIENT_SECRET": token_hex(16)}
    project.env.update(new)
    project.edit(STACK, ("    keepDataOnDestroy", "    auth:\n      generation: 2\n    keepDataOnDestroy"))

    # A preview needs no server that knows the new client, and says what is to be started anew.
    preview = project.pulumi("preview", "--diff", expect=0).text
    assert preview.count("checksum/credentials") >= 7
    assert "Source" not in preview

    project.up()
    environment.update(new)
    after = kubectl.get("secret", "airbyte-auth-secrets")["data"]
    rotated = {key for key in after if after[key] != before.get(key)}
    assert rotated == {f"instance-admin-{what}" for what in ("client-id", "client-secret", "password")} | {
        "jwt-signature-secret"
    }
    assert len(started) >= 8
    poll(lambda: not airbyte_pods(kubectl) & started, 30)  # the last to go were waiting for others to be ready
    token = f"{environment['AIRBYTE_URL']}/api/v1/applications/token"
    assert httpx.post(token, json=old).is_error
    assert httpx.post(token, json=client(environment)).is_success
    assert_clean(project)


@pytest.mark.slow
def test_another_cluster_is_refused_before_anything_is_done_there(
    project: Project, environment: dict[str, str], cluster: Cluster, kubectl: Kubectl
) -> None:
    """Given a kubeconfig that leads to a second one, as when a context was chosen in passing."""
    other = Kubectl(kubectl.program, cluster.kubeconfig)
    uids = [each.get("namespace", "kube-system")["metadata"]["uid"] for each in (other, kubectl)]
    known = {each["urn"] for each in project.resources()}
    mine, project.env["KUBECONFIG"] = project.env["KUBECONFIG"], str(cluster.kubeconfig)
    try:
        refused = [project.pulumi(command, *options) for command, *options in COMMANDS]
        destroy = project.pulumi("destroy", "--yes", "--skip-preview")
    finally:
        project.env["KUBECONFIG"] = mine
    for done in refused:
        assert done.code != 0
        assert " and not ".join(uids) in " ".join(done.text.split())
        assert "Traceback" not in done.text
    assert destroy.code != 0
    assert 'services "airbyte-airbyte-server-svc" not found' in destroy.text  # it begins with what is in Airbyte
    assert other.run("get", "namespace", "airbyte").returncode == 1
    assert {each["urn"] for each in project.resources()} == known
    assert_clean(project)


@pytest.mark.slow
def test_a_new_kubeconfig_is_all_that_a_new_administrator_needs(
    project: Project, kubectl: Kubectl, tmp_path: Path
) -> None:
    """Given one with a token instead of a certificate, then nothing changes, and neither is in the state."""
    elsewhere = kubectl.within("default")
    elsewhere("create", "serviceaccount", "second-administrator")
    elsewhere(
        "create", "clusterrolebinding", "second", "--clusterrole=cluster-admin",
        "--serviceaccount=default:second-administrator",
    )  # fmt: skip
    token = elsewhere("create", "token", "second-administrator").strip()
    kubeconfig = yaml.safe_load(kubectl.kubeconfig.read_text())
    (user,) = kubeconfig["users"]
    certificate = str(user["user"])
    user["user"] = {"token": token}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig))

    first, project.env["KUBECONFIG"] = project.env["KUBECONFIG"], str(file)
    try:
        project.pulumi("preview", "--refresh", "--expect-no-changes", "--diff", expect=0)
    finally:
        project.env["KUBECONFIG"] = first
    assert token not in project.state_text() + project.log
    assert certificate not in project.state_text() + project.log


@pytest.mark.slow
def test_another_version_of_the_chart_is_a_few_lines_of_a_preview(
    project: Project, kubectl: Kubectl, environment: dict[str, str], tmp_path: Path
) -> None:
    versions = ("--version", "2.2.1", "--app-version", "2.2.1")
    helm = program(environment, "helm")
    subprocess.run([helm, "package", environment["AIRBYTE_CHART"], *versions, "-d", tmp_path], check=True, timeout=60)
    changes = (("${AIRBYTE_CHART}", str(tmp_path / "airbyte-2.2.1.tgz")), ("version: 2.2.0", "version: 2.2.1"))
    project.edit(STACK, *changes)

    text = project.pulumi("preview", "--diff", expect=0).text
    assert '~ version: "2.2.0" => "2.2.1"' in text
    assert '~ chart    : "airbyte-2.2.0" => "airbyte-2.2.1"' in text
    assert "~ 3 to update\n    69 unchanged" in text
    assert len(text.splitlines()) < 50
    assert "global" not in text  # the values, which are what they were

    project.up()
    assert "airbyte/server:2.2.1" in json.dumps(kubectl.get("deployment", "airbyte-server"))
    outputs = {each["type"].partition("/")[2]: each.get("outputs", {}) for each in project.resources()}
    assert outputs[RELEASE_GUARD]["chart"] == "airbyte-2.2.1"
    assert outputs[API]["revision"] == str(outputs[RELEASE_GUARD]["revision"])
    assert_clean(project)

    project.edit(STACK, *((new, old) for old, new in changes))
    project.up()


@pytest.mark.slow
def test_without_its_server_a_refresh_says_so_and_the_guard_alone_brings_it_back(
    project: Project, kubectl: Kubectl
) -> None:
    kubectl("scale", "deployment/airbyte-server", "--replicas=0")
    kubectl("wait", "pod", "--selector=airbyte=server", "--for=delete", "--timeout=60s")

    text = project.pulumi("refresh", "--preview-only").text
    assert f"{ADDRESS}: no pod of the Service is ready: there are none" in text
    assert "Traceback" not in text

    guards = ("--target", "**platform-objects", "--target", "**platform-release-objects")
    project.pulumi("up", "--yes", "--skip-preview", "--refresh", *guards, expect=0)
    kubectl.wait("deployment/airbyte-server", "condition=Available")
    assert_clean(project)


@pytest.mark.slow
def test_a_new_cluster_takes_the_lost_ones_place_when_it_is_told_to(
    project: Project, kubectl: Kubectl, instance: Sandbox, airbyte: Airbyte
) -> None:
    """Given a cluster that is lost with all that was in it, and another at its address."""
    sources = airbyte.every("sources")
    instance.down(print)
    shutil.rmtree(instance.root / "kubernetes")
    instance.up(print)
    uid = kubectl.within("default").get("namespace", "kube-system")["metadata"]["uid"]

    assert "leads to another cluster" in " ".join(project.pulumi("preview").text.split())
    project.edit(STACK, ("    keepDataOnDestroy", f"    clusterUid: {uid}\n    keepDataOnDestroy"))
    # As in docs/platform.md.
    project.pulumi("up", "--yes", "--skip-preview", "--target", "**platform-cluster-identity", expect=0)
    project.pulumi("refresh", "--yes", "--skip-preview", "--target", "**AirbytePlatform$kubernetes:**", expect=0)
    project.up()
    kubectl.wait("deployment/airbyte-server", "condition=Available")
    assert airbyte.every("sources") == sources  # its database is not the cluster's
    assert_clean(project)


@pytest.mark.slow
def test_a_destroy_that_keeps_data_leaves_volumes_and_what_opens_them(
    project: Project, airbyte: Airbyte, kubectl: Kubectl
) -> None:
    keep = ("keepDataOnDestroy: false", "keepDataOnDestroy: true")
    project.edit(STACK, keep)
    project.up()
    volumes = {name: each["spec"]["volumeName"] for name, each in named(kubectl, "pvc").items()}
    assert volumes.keys() == VOLUMES

    project.pulumi("destroy", "--yes", "--skip-preview", expect=0)
    assert airbyte.every("sources") == []
    assert {name: each["spec"]["volumeName"] for name, each in named(kubectl, "pvc").items()} == volumes
    assert {"airbyte-auth-secrets", "airbyte-database", "airbyte-storage"} <= named(kubectl, "secret").keys()
    assert named(kubectl, "deployment") == named(kubectl, "networkpolicy") == {}

    # Another up takes over what was kept.
    project.edit(STACK, (keep[1], keep[0]))
    project.up()
    assert {name: each["spec"]["volumeName"] for name, each in named(kubectl, "pvc").items()} == volumes


def test_a_destroy_that_keeps_nothing_takes_the_namespace_with_it(
    project: Project, airbyte: Airbyte, kubectl: Kubectl, poll: Callable[..., Any]
) -> None:
    assert named(kubectl, "pvc").keys() == VOLUMES
    project.pulumi("destroy", "--yes", "--skip-preview", expect=0)
    assert airbyte.every("sources") == airbyte.every("destinations") == airbyte.every("connections") == []
    assert kubectl.run("get", "namespace", "airbyte").returncode == 1
    assert kubectl.within("default").get("pv")["items"] == []
    assert project.resources() == []


def airbyte_pods(kubectl: Kubectl) -> set[str]:
    """The uids of the components' pods; the bundled database and object store hold credentials of their own."""
    pods = named(kubectl, "pod").items()
    return {pod["metadata"]["uid"] for name, pod in pods if not name.startswith(("airbyte-db-", "airbyte-minio-"))}


def client(environment: dict[str, str]) -> dict[str, str]:
    """What an application asks for a token with."""
    return {name: environment[f"AIRBYTE_{name.upper()}"] for name in ("client_id", "client_secret")}


def named(kubectl: Kubectl, kind: str) -> dict[str, Any]:
    """All of a kind in the namespace, by name."""
    return {each["metadata"]["name"]: each for each in kubectl.get(kind)["items"]}
