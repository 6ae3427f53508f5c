"""A stack stays with its cluster, and a real API server says which one it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dynamic_providers.kubernetes.cluster import ClusterError, connect
from dynamic_providers.kubernetes.cluster_identity import ClusterIdentityResource
from dynamic_providers.kubernetes.release_guard import ReleaseGuardResource
from dynamic_providers.values import UNKNOWN, is_unknown
from sandbox.cluster import Cluster
from tests.kubectl import Kubectl, kubeconfig

OTHER = "6c0f4ec8-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def ambient(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))


@pytest.fixture
def uid(kubectl: Kubectl) -> str:
    found: str = kubectl.get("namespace", "kube-system")["metadata"]["uid"]
    return found


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubeconfig of a cluster that is not there."""
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig("https://127.0.0.1:9"))
    monkeypatch.setenv("KUBECONFIG", str(file))


def test_the_cluster_of_the_first_up_is_the_one(uid: str) -> None:
    life = ClusterIdentityResource()
    checked = life.check({}, {"uid": None, "context": None})
    assert checked.failures == ()
    assert checked.inputs["uid"] == uid

    id_, outputs = life.create(checked.inputs)
    assert id_ == outputs["uid"] == uid
    again = life.check(outputs, {"uid": None, "context": None})
    assert life.diff(id_, outputs, again.inputs).changed == ()
    live = life.read(id_, outputs)
    assert live is not None
    assert live.inputs == live.outputs == outputs


@pytest.mark.parametrize("said", ["by the state", "by the program"])
def test_another_one_is_refused_by_everything_that_asks_it(said: str, uid: str) -> None:
    life = ClusterIdentityResource()
    olds = {"uid": OTHER, "context": None}
    news = {"uid": OTHER if said == "by the program" else None, "context": None}

    (failure,) = life.check({} if said == "by the program" else olds, news).failures
    assert uid in failure
    assert OTHER in failure
    assert "platform.clusterUid" in failure
    for act in (lambda: life.read(OTHER, olds), lambda: life.create(olds), lambda: life.update(OTHER, olds, olds)):
        with pytest.raises(ClusterError, match="leads to another cluster"):
            act()


def test_a_new_cluster_takes_the_old_ones_place_when_the_program_says_so(uid: str) -> None:
    life, olds = ClusterIdentityResource(), {"uid": OTHER, "context": None}
    checked = life.check(olds, {"uid": uid, "context": None})
    assert checked.failures == ()
    assert life.diff(OTHER, olds, checked.inputs).replaces == ("uid",)


@pytest.mark.usefixtures("nowhere")
def test_a_preview_does_without_a_cluster_that_is_not_there_and_an_up_does_not() -> None:
    life = ClusterIdentityResource()
    first = life.check({}, {"uid": None, "context": None})
    assert first.failures == ()
    assert is_unknown(first.inputs["uid"])
    assert life.check({"uid": OTHER}, {"uid": None, "context": None}).inputs["uid"] == OTHER
    with pytest.raises(ClusterError, match="does not say which one it is"):
        life.create({"uid": UNKNOWN, "context": None})


def test_a_destroy_stops_before_it_touches_a_release_in_another_cluster(uid: str) -> None:
    guard, props = ReleaseGuardResource(), {"namespace": "airbyte", "release": "airbyte", "context": None}
    with pytest.raises(ClusterError, match=f"is {uid} and not {OTHER}"):
        guard.delete("airbyte/airbyte", {**props, "cluster": OTHER})
    guard.delete("airbyte/airbyte", {**props, "cluster": uid})
    guard.delete("airbyte/airbyte", props)  # made before there was such a check


@pytest.mark.usefixtures("nowhere")
def test_a_destroy_goes_on_where_there_is_no_cluster_any_more() -> None:
    asked: list[Any] = []

    def connecting(context: str | None = None, **how: Any) -> Any:
        asked.append(context)
        return connect(context, **how)

    forget: Callable[..., None] = ReleaseGuardResource(connecting).delete
    forget("a/a", {"namespace": "a", "release": "a", "cluster": OTHER})
    assert asked == [None]
