"""The cluster of all tests with the platform's own objects in it, and the stand-in chart with its values."""

import json
import os
import ssl
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from kubernetes import client as kubernetes
from kubernetes import config
from ruamel.yaml import YAML

from components.airbyte_platform.accounts import accounts
from components.airbyte_platform.disruption import disruption_budgets
from components.airbyte_platform.loading import load_platform
from components.airbyte_platform.namespace import namespace
from components.airbyte_platform.network import Opening, network_policies
from components.airbyte_platform.quota import quota
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.values import chart_values, fill
from sandbox import cluster as clusters

Object = dict[str, Any]
MANAGER = "airbyte-as-code"
NAMESPACE = "admission"


@dataclass(frozen=True)
class Api:
    """The API server, as an administrator or as somebody else."""

    client: httpx.Client

    def apply(self, thing: Mapping[str, Any], manager: str = MANAGER) -> Object:
        """Server-side apply, as the stack does it; what came of it. Raises HTTPStatusError."""
        return self.call(
            "PATCH",
            f"{self._path(thing)}/{thing['metadata']['name']}",
            thing,
            {"fieldManager": manager, "force": "true"},
            "application/apply-patch+yaml",
        )

    def create(self, thing: Mapping[str, Any], *, dry_run: bool = True) -> Object:
        """Create it; by default admitted only and not kept. Raises HTTPStatusError."""
        return self.call("POST", self._path(thing), thing, {"dryRun": "All"} if dry_run else {})

    def get(self, thing: Mapping[str, Any]) -> Object:
        """What the server has."""
        return self.call("GET", f"{self._path(thing)}/{thing['metadata']['name']}")

    def merge(self, thing: Mapping[str, Any], change: Mapping[str, Any]) -> Object:
        """Change it as `kubectl edit` does."""
        path, query = f"{self._path(thing)}/{thing['metadata']['name']}", {"fieldManager": "kubectl-edit"}
        return self.call("PATCH", path, change, query, "application/merge-patch+json")

    def delete(self, thing: Mapping[str, Any]) -> None:
        """Delete it."""
        self.call("DELETE", f"{self._path(thing)}/{thing['metadata']['name']}")

    def may(
        self, account: str, verb: str, resource: str, name: str = "", *, group: str = "", space: str = NAMESPACE
    ) -> bool:
        """Whether a ServiceAccount of the platform may do something, by a SubjectAccessReview."""
        kind, _, subresource = resource.partition("/")
        attributes = {"namespace": space, "verb": verb, "group": group, "resource": kind, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": f"system:serviceaccount:{NAMESPACE}:{account}",
                "groups": ["system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"],
                "resourceAttributes": {**attributes, "subresource": subresource},
            },
        }
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return bool(self.call("POST", path, review)["status"]["allowed"])

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """One request. Raises HTTPStatusError."""
        answer = self.client.request(
            method,
            path,
            params=dict(query or {}),
            headers={"Content-Type": content_type},
            content=None if body is None else json.dumps(body),
        )
        answer.raise_for_status()
        result: Object = answer.json()
        return result

    def _path(self, thing: Mapping[str, Any]) -> str:
        version, kind = thing["apiVersion"], thing["kind"].lower()
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        space = thing["metadata"].get("namespace")
        plural = {"networkpolicy": "networkpolicies"}.get(kind, f"{kind}s")
        return f"{base}/namespaces/{space}/{plural}" if space else f"{base}/{plural}"


@pytest.fixture(scope="session")
def settings(project_root: Path) -> PlatformSettings:
    """The platform of the example production stack."""
    stack = YAML(typ="safe").load((project_root / "Pulumi.prod.yaml").read_text())
    written = {**stack["config"]["airbyte-as-code:platform"], "namespace": NAMESPACE}
    environ = {"AIRBYTE_DATABASE_USER": "airbyte", "AIRBYTE_DATABASE_PASSWORD": "password"}
    return load_platform(json.dumps(written), "Pulumi.prod.yaml", environ)


@pytest.fixture(scope="session")
def native(settings: PlatformSettings) -> list[Object]:
    """Every object of the stack's own but the Secrets, in the order in which they are made."""
    opened = [Opening(("10.0.40.0/24",), (5432,)), Opening(("0.0.0.0/0",), (443,))]
    return [
        namespace(settings),
        *accounts(settings),
        *quota(settings),
        *disruption_budgets(settings),
        *network_policies(settings, opened, settings.network.kube_api),
    ]


@pytest.fixture(scope="session")
def api(cluster: clusters.Cluster, native: list[Object]) -> Api:
    """The API server, with the platform's objects in it."""
    made = Api(_client(cluster))
    for each in native:
        made.apply(each)
    return made


@pytest.fixture(scope="session")
def connect(cluster: clusters.Cluster) -> Callable[[str | None], Any]:
    """How a guard reaches the cluster."""
    return lambda _: config.new_client_from_config(config_file=str(cluster.kubeconfig))


def _client(cluster: clusters.Cluster, token: str = "") -> httpx.Client:
    """As the kubeconfig's administrator, or whoever the token is of."""
    access = kubernetes.Configuration()
    config.load_kube_config(config_file=str(cluster.kubeconfig), client_configuration=access)
    tls = ssl.create_default_context(cafile=access.ssl_ca_cert)
    if not token:
        tls.load_cert_chain(access.cert_file, access.key_file)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=access.host, verify=tls, headers=headers, trust_env=False, timeout=30)


Render = Callable[[Mapping[str, Any]], list[Object]]


@pytest.fixture(scope="session")
def render(cluster: clusters.Cluster, project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render the stand-in chart."""

    def run(values: Mapping[str, Any]) -> list[Object]:
        file = tmp_path_factory.mktemp("values") / "values.json"
        file.write_text(json.dumps(fill(values, lambda _: "a-credential")))
        done = subprocess.run(
            [
                str(cluster.bin_dir / "helm"),
                "template",
                "airbyte",
                str(project_root / "sandbox" / "cluster" / "chart"),
                f"--namespace={NAMESPACE}",
                f"--values={file}",
            ],
            env={**os.environ, "KUBECONFIG": "/dev/null"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [each for each in YAML(typ="safe", pure=True).load_all(done.stdout) if each]

    return run


@pytest.fixture(scope="session")
def rendered(render: Render, settings: PlatformSettings) -> list[Object]:
    """The stand-in chart with the platform's values."""
    return render(chart_values(settings, "https://airbyte.example.com"))


@pytest.fixture(scope="session")
def as_account(cluster: clusters.Cluster, api: Api) -> Callable[[str], Api]:
    """The API server as a ServiceAccount of the platform, by a token of its own."""

    def log_in(account: str) -> Api:
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        token = api.call("POST", path, body)["status"]["token"]
        return Api(_client(cluster, token))

    return log_in
