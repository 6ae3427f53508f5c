"""What a preview knows of an object, what is not covered, and a cluster that can't be reached."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pulumi.runtime.proto import provider_pb2 as proto

from sandbox.plugins.values import UNKNOWN
from tests.kubectl import kubeconfig
from tests.sandbox.plugins.kubernetes.samples import CONFIG, DEPLOYMENT, NAMESPACE, SAMPLES, deployment

if TYPE_CHECKING:
    from tests.kubectl import Kubectl
    from tests.sandbox.plugins.kubernetes.conftest import Engine

Refusal = Callable[[Callable[[], object]], str]


def test_a_preview_asks_the_api_server_without_changing_anything(
    engine: Engine, kubectl: Kubectl, refusal: Refusal
) -> None:
    planned = engine.plan(DEPLOYMENT, deployment())
    assert planned["spec"]["template"]["spec"]["restartPolicy"] == "Always"
    assert "status" not in planned
    assert kubectl.get("deployments")["items"] == []

    assert 'Unsupported value: "Nope"' in refusal(lambda: engine.plan(DEPLOYMENT, deployment(restartPolicy="Nope")))
    assert 'unknown field "spec.replica"' in refusal(
        lambda: engine.plan(DEPLOYMENT, {**deployment(), "spec": {**deployment()["spec"], "replica": 1}})
    )


def test_a_preview_says_nothing_of_what_does_not_exist_yet(engine: Engine) -> None:
    unknown = engine.plan(CONFIG, {"metadata": {"name": "words"}, "data": {"a": UNKNOWN}})
    assert unknown["data"] == {"a": UNKNOWN}
    later = engine.plan(CONFIG, {"metadata": {"name": "words", "namespace": "is-made-later"}})
    assert later["metadata"]["namespace"] == "is-made-later"
    custom = {"apiVersion": "example.com/v1", "kind": "Later", "metadata": {"name": "a"}, "spec": {"a": 1}}
    assert engine.plan("kubernetes:example.com/v1:Later", custom)["spec"] == {"a": 1}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("kubernetes:apps/v1beta1:Deployment", "the API server knows no kind Deployment in apps/v1beta1"),
        ("kubernetes:example.com/v1:Missing", "a CustomResourceDefinition"),
        ("kubernetes:core/v1:ConfigMapPatch", "Import the object"),
        ("kubernetes:core/v1:ConfigMapList", "Declare the objects one by one"),
        ("kubernetes:helm.sh/v4:Chart", "Install charts with kubernetes:helm.sh/v3:Release"),
        ("kubernetes:helm.sh/v3:Chart", "Install charts with kubernetes:helm.sh/v3:Release"),
        ("kubernetes:yaml/v2:ConfigFile", "Declare the objects with their own types"),
        ("kubernetes:kustomize/v2:Directory", "Declare the objects with their own types"),
    ],
)
def test_what_is_not_covered_is_refused_by_name_with_what_to_do(
    engine: Engine, refusal: Refusal, token: str, reason: str
) -> None:
    assert reason in refusal(lambda: engine.create(token, {"metadata": {"name": "a"}}))


def test_components_and_functions_are_refused_by_name_too(engine: Engine, refusal: Refusal) -> None:
    chart = proto.ConstructRequest(type="kubernetes:helm.sh/v4:Chart", name="chart")
    assert "helm.sh/v4:Chart is not covered by this stand-in" in refusal(lambda: engine.stub.Construct(chart))
    template = proto.InvokeRequest(tok="kubernetes:helm:template")
    assert "kubernetes:helm:template is not covered" in refusal(lambda: engine.stub.Invoke(template))


def test_an_unreachable_cluster_is_fatal_only_where_it_is_needed(
    plugin: Callable[..., Engine], refusal: Refusal, tmp_path: Path
) -> None:
    content = kubeconfig("https://127.0.0.1:1", token="hush-hush")
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    engine = plugin(kubeconfig=str(path))
    # a preview of what would be made needs none
    assert engine.plan(CONFIG, SAMPLES[CONFIG])["data"] == {"greeting": "hello"}
    assert "namespace" not in engine.plan(NAMESPACE, {"metadata": {"name": "a"}})["metadata"]
    # everything else does
    said = refusal(lambda: engine.create(CONFIG, SAMPLES[CONFIG]))
    assert "cluster at https://127.0.0.1:1 is unreachable" in said
    assert "Connection refused" in said
    assert "PULUMI_K8S_DELETE_UNREACHABLE" in refusal(lambda: engine.find(CONFIG, "a/b"))
    # contents do instead of a path, and a cluster that is gone for good can be forgotten
    forgetful = plugin(kubeconfig=content, deleteUnreachable="true")
    assert forgetful.find(CONFIG, "a/b") is None


@pytest.mark.parametrize("kubeconfig", ["/there/is/none", "token: hush-hush\nbroken: ["])
def test_an_unusable_kubeconfig_is_told_without_its_contents(
    plugin: Callable[..., Engine], refusal: Refusal, kubeconfig: str
) -> None:
    engine = plugin(kubeconfig=kubeconfig)
    said = refusal(lambda: engine.create(CONFIG, SAMPLES[CONFIG]))
    assert "the kubeconfig can't be used" in said
    assert "KUBECONFIG" in said
    assert "hush-hush" not in said
