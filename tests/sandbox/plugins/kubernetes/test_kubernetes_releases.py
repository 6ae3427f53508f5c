"""Releases of Helm, through the real helm, on a real API server."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import empty_pb2  # type: ignore[import-untyped]

from sandbox.plugins.values import UNKNOWN

if TYPE_CHECKING:
    from sandbox.cluster import Cluster
    from tests.kubectl import Kubectl
    from tests.sandbox.plugins.kubernetes.conftest import Engine

Refusal = Callable[[Callable[[], object]], str]
Release = Callable[..., dict[str, Any]]

RELEASE = "kubernetes:helm.sh/v3:Release"


def test_a_release_lives_its_life(engine: Engine, kubectl: Kubectl, release: Release, chart: Path) -> None:
    # a preview tells what it can, the chart's very version among it
    planned = engine.plan(RELEASE, release())
    assert planned["version"] == "0.1.0"
    assert planned["status"] is UNKNOWN
    assert kubectl.get("configmaps", "--field-selector=metadata.name=tiny-words")["items"] == []

    # installed, and waited for
    wanted = release(values={"greeting": "hi", "words": {"a": 5}, "replicas": 1})
    held = engine.create(RELEASE, wanted)
    assert held.id == f"{kubectl.namespace}/tiny"
    assert kubectl.get("configmap/tiny-words")["data"] == {"greeting": "hi", "a": "5"}
    assert kubectl.get("deployment/tiny-server")["status"]["availableReplicas"] == 1
    assert held.outputs["status"] == {
        "appVersion": "1.0",
        "chart": "tiny",
        "name": "tiny",
        "namespace": kubectl.namespace,
        "revision": 1,
        "status": "deployed",
        "version": "0.1.0",
    }
    assert held.outputs["resourceNames"] == {
        "ConfigMap/v1": ["tiny-words"],
        "Deployment.apps/apps/v1": ["tiny-server"],
        "Secret/v1": ["tiny-secret"],
    }
    assert engine.changes(held, wanted) == {}
    seen = engine.refresh(held)
    assert seen is not None
    assert engine.changes(seen, wanted) == {}

    # a version bump reads as one
    (chart / "Chart.yaml").write_text((chart / "Chart.yaml").read_text().replace("0.1.0", "0.2.0"))
    bumped = release(values={"greeting": "bye", "replicas": 1, "password": "x"})
    assert engine.changes(held, bumped) == {
        "values.greeting": "UPDATE",
        "values.password": "ADD",
        "values.words": "DELETE",
        "version": "UPDATE",
    }
    held = engine.update(held, bumped)
    assert held.outputs["status"]["revision"] == 2
    assert kubectl.get("configmap/tiny-words")["data"] == {"greeting": "bye", "a": "1"}

    # uninstalled, and gone
    engine.delete(held)
    assert engine.refresh(held) is None
    assert kubectl.get("deployments")["items"] == []
    engine.delete(held)


def test_drift_of_the_release_is_seen_and_that_of_its_objects_is_not_as_in_the_official_plugin(
    engine: Engine, kubectl: Kubectl, release: Release, helm: Callable[..., str], chart: Path
) -> None:
    wanted = release(values={"greeting": "hi"})
    held = engine.create(RELEASE, wanted)

    kubectl("scale", "deployment/tiny-server", "--replicas=3")
    kubectl("delete", "configmap/tiny-words")
    seen = engine.refresh(held)
    assert seen is not None
    assert engine.changes(seen, wanted) == {}

    helm("upgrade", "tiny", str(chart), "--set", "greeting=drift")
    seen = engine.refresh(held)
    assert seen is not None
    assert seen.outputs["status"]["revision"] == 2
    assert engine.changes(seen, wanted) == {"values.greeting": "UPDATE"}
    engine.update(seen, wanted)
    assert kubectl.get("configmap/tiny-words")["data"]["greeting"] == "hi"


def test_another_name_or_namespace_is_another_release(engine: Engine, release: Release) -> None:
    held = engine.create(RELEASE, release(skipAwait=True))
    assert list(engine.diff(held, release(name="other", skipAwait=True)).replaces) == ["name"]
    assert not engine.diff(held, release(skipAwait=True, description="a word")).replaces


def test_secret_values_are_in_no_state_in_clear_and_on_no_command_line(
    engine: Engine,
    kubectl: Kubectl,
    release: Release,
    tmp_path: Path,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a helm that writes down its arguments
    log, folder = tmp_path / "arguments", tmp_path / "bin"
    folder.mkdir()
    (folder / "helm").write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {cluster.bin_dir}/helm "$@"\n')
    (folder / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    values = {"password": "hunter2-and-more", "greeting": "hi"}
    held = engine.create(RELEASE, release(values=values), secrets=(("values", "password"),))
    assert held.secrets == {("values", "password"), ("__inputs",)}
    assert held.outputs["values"]["greeting"] == "hi"
    assert "install tiny" in log.read_text()
    assert "hunter2" not in log.read_text()
    assert kubectl.get("secret/tiny-secret")["data"]


def test_a_failed_install_says_why_in_helms_words_and_is_upgraded_next(
    engine: Engine, kubectl: Kubectl, release: Release, refusal: Refusal
) -> None:
    stuck = release(values={"replicas": 1, "nodes": {"nowhere": "true"}}, timeout=2)
    said = refusal(lambda: engine.create(RELEASE, stuck))
    assert said.startswith(f"The Helm release {kubectl.namespace}/tiny could not be created: it could not be installed")
    assert "\n" not in said
    assert "not ready" in said or "timed out" in said or "deadline exceeded" in said
    assert "revision 1 is failed" in said

    # what state would keep of it is enough for the next update to bring it up
    found = engine.find(RELEASE, f"{kubectl.namespace}/tiny")
    assert found is not None
    mended = engine.update(found, release(values={"replicas": 1}))
    assert mended.outputs["status"]["status"] == "deployed"


def test_a_failed_atomic_install_leaves_nothing(
    engine: Engine, kubectl: Kubectl, release: Release, refusal: Refusal
) -> None:
    stuck = release(values={"replicas": 1, "nodes": {"nowhere": "true"}}, timeout=2, atomic=True)
    assert "Nothing was left behind" in refusal(lambda: engine.create(RELEASE, stuck))
    assert kubectl.get("deployments")["items"] == []


def test_a_cancelled_install_is_marked_as_failed_by_helm_itself(
    engine: Engine,
    kubectl: Kubectl,
    release: Release,
    poll: Callable[[Callable[[], Any], float], Any],
    refusal: Refusal,
) -> None:
    stuck = release(values={"replicas": 1, "nodes": {"nowhere": "true"}}, timeout=60)
    with futures.ThreadPoolExecutor() as pool:
        made = pool.submit(refusal, lambda: engine.create(RELEASE, stuck))
        poll(lambda: kubectl.get("deployments")["items"] or None, 20)
        engine.stub.Cancel(empty_pb2.Empty())
        assert "revision 1 is failed" in made.result(timeout=20)


def test_an_interrupted_release_is_told_with_what_mends_it(
    engine: Engine, kubectl: Kubectl, release: Release, refusal: Refusal
) -> None:
    # given a release whose helm was killed half-way
    held = engine.create(RELEASE, release())
    patch = {"metadata": {"labels": {"status": "pending-install"}}}
    record = "secret/sh.helm.release.v1.tiny.v1"
    kubectl("patch", record, "--type=merge", "--patch", json.dumps(patch))
    kubectl("patch", record, "--type=merge", "--patch", json.dumps({"data": {"release": pending(kubectl, record)}}))

    for attempt in (
        lambda: engine.update(held, release(values={"greeting": "x"})),
        lambda: engine.create(RELEASE, release()),
    ):
        said = refusal(attempt)
        assert "its revision 1 is pending-install" in said
        assert f"`helm uninstall tiny --namespace {kubectl.namespace}`" in said


def pending(kubectl: Kubectl, record: str) -> str:
    """Helm's own record of a release, saying that its install is under way."""
    import base64
    import gzip

    packed = base64.b64decode(base64.b64decode(kubectl.get(record)["data"]["release"]))
    told = json.loads(gzip.decompress(packed))
    told["info"]["status"] = "pending-install"
    return base64.b64encode(base64.b64encode(gzip.compress(json.dumps(told).encode()))).decode()


def test_a_release_that_exists_is_refused_and_can_be_imported(
    engine: Engine, kubectl: Kubectl, release: Release, helm: Callable[..., str], chart: Path, refusal: Refusal
) -> None:
    helm("install", "tiny", str(chart), "--set", "greeting=theirs")
    said = refusal(lambda: engine.create(RELEASE, release()))
    assert "there is a release of that name already: revision 1, deployed" in said
    assert f"pulumi import {RELEASE} NAME {kubectl.namespace}/tiny" in said

    found = engine.find(RELEASE, f"{kubectl.namespace}/tiny")
    assert found is not None
    assert found.declared["values"] == {"greeting": "theirs"}
    same = release(values={"greeting": "theirs"}, timeout=300)
    assert engine.changes(found, same) == {"chart": "UPDATE"}
    assert engine.find(RELEASE, f"{kubectl.namespace}/none") is None


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def repository(chart: Path, tmp_path: Path, helm: Callable[..., str]) -> Iterator[tuple[str, list[str]]]:
    """A chart repository over HTTP, and the credentials that it was shown."""
    folder = tmp_path / "repository"
    helm("package", str(chart), "--destination", str(folder))
    helm("repo", "index", str(folder))
    shown: list[str] = []

    class Handler(Quiet):
        def do_GET(self) -> None:
            shown.append(self.headers.get("Authorization", ""))
            super().do_GET()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", shown
        server.shutdown()


def test_a_chart_comes_from_a_repository_by_a_range_of_versions(
    engine: Engine, release: Release, repository: tuple[str, list[str]], refusal: Refusal
) -> None:
    url, shown = repository
    declared = release(chart="tiny", version="~0.1", repositoryOpts={"repo": url}, skipAwait=True)
    held = engine.create(RELEASE, declared)
    assert held.declared["version"] == "0.1.0"
    assert engine.changes(held, declared) == {}

    known = release(
        name="other",
        chart="tiny",
        repositoryOpts={"repo": url, "username": "me", "password": "hunter2"},
        skipAwait=True,
    )
    engine.create(RELEASE, known, secrets=(("repositoryOpts", "password"),))
    assert any(header.startswith("Basic ") for header in shown)

    failure = engine.check(RELEASE, {**declared, "version": "9.9.9"}).failures[0]
    assert failure.property == "chart"
    assert "9.9.9" in failure.reason


def test_what_is_not_covered_is_refused_by_name(engine: Engine, release: Release) -> None:
    checked = engine.check(RELEASE, release(lint=True, postrender="sed", repositoryOpts={"token": "x"}, chart=""))
    reasons = {failure.property: failure.reason for failure in checked.failures}
    assert sorted(reasons) == ["chart", "lint", "postrender", "repositoryOpts.token"]
    assert "run `helm lint` in CI" in reasons["lint"]


def test_an_unnamed_release_is_named_and_keeps_its_name(engine: Engine, release: Release) -> None:
    unnamed = release(skipAwait=True)
    del unnamed["name"]
    held = engine.create(RELEASE, unnamed)
    assert held.declared["name"].startswith("thing-")
    assert engine.changes(held, unnamed) == {}


def test_without_helm_it_is_told(
    engine: Engine, release: Release, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no `helm` on PATH" in engine.check(RELEASE, release()).failures[0].reason
