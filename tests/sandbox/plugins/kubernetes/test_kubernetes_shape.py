"""What of a live object is compared with what is declared, and how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.plugins.kubernetes.handler import Naming
from sandbox.plugins.kubernetes.immutable import fixed_paths, replaces
from sandbox.plugins.kubernetes.manifest import fill_in, normal
from sandbox.plugins.kubernetes.paths import outermost, parsed, written
from sandbox.plugins.kubernetes.provider import Kubernetes
from sandbox.plugins.kubernetes.shape import Difference, differences, pruned, quantity
from sandbox.plugins.values import UNKNOWN
from tests.kubectl import kubeconfig

SCALARS = st.one_of(st.booleans(), st.integers(-9, 9), st.text("ab", max_size=2))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


def seen(live: Any, declared: Any) -> dict[str, str]:
    """What an update would change of a live object."""
    return {written(change.path): change.kind for change in differences(pruned(live, declared), declared)}


@pytest.mark.parametrize(
    ("live", "declared"),
    [
        ({"spec": {"hard": {"cpu": "500m", "pods": "9"}}}, {"spec": {"hard": {"cpu": 0.5, "pods": 9}}}),
        ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1024Mi"}}),
        ({"emptyDir": {"sizeLimit": "1G"}}, {"emptyDir": {"sizeLimit": "1000M"}}),
        ({"spec": {}}, {"spec": {"ingress": [], "nodeSelector": {}, "hostNetwork": False, "note": None, "name": ""}}),
        ({"metadata": {"uid": "x", "name": "a"}}, {"metadata": {"name": "a"}}),
    ],
)
def test_what_means_the_same_is_no_difference(live: Any, declared: Any) -> None:
    assert seen(live, declared) == {}


@pytest.mark.parametrize(
    ("live", "declared", "change"),
    [
        ({"name": "500m"}, {"name": "0.5"}, {"name": "UPDATE"}),
        ({"a": 1}, {"a": True}, {"a": "UPDATE"}),
        ({"a": {}}, {"a": {"runAsNonRoot": False}}, {"a.runAsNonRoot": "ADD"}),
        ({"from": [{}]}, {"from": [{"podSelector": {}}]}, {"from[0].podSelector": "ADD"}),
        ({"a": [1, 2]}, {"a": [1]}, {}),
        ({"a": [0, 1]}, {"a": [1, 2]}, {"a[0]": "UPDATE", "a[1]": "UPDATE"}),
        ({"a": "x"}, {"a": UNKNOWN}, {"a": "UPDATE"}),
        ({"annotations": {"a.b/c": "1"}}, {"annotations": {"a.b/c": "2"}}, {'annotations["a.b/c"]': "UPDATE"}),
    ],
)
def test_what_differs_is_told_by_its_place(live: Any, declared: Any, change: dict[str, str]) -> None:
    assert seen(live, declared) == change


@given(OBJECTS)
def test_an_object_does_not_differ_from_itself(values: dict[str, Any]) -> None:
    assert seen(values, values) == {}
    assert list(differences(values, json.loads(json.dumps(values)), literally=True)) == []


@given(OBJECTS, OBJECTS)
def test_what_others_add_to_a_map_is_never_a_difference(values: dict[str, Any], more: dict[str, Any]) -> None:
    added = {**{f"other-{key}": value for key, value in more.items()}, **values}
    assert seen(added, values) == {}


@given(OBJECTS, OBJECTS)
def test_literally_every_difference_is_found(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert same == (not list(differences(one, other, literally=True)))


@pytest.mark.parametrize("text", ["spec", "spec.ports[0].name", 'metadata.annotations["a.b/c"].d', "[0]"])
def test_a_path_is_written_as_it_was_read(text: str) -> None:
    assert written(parsed(text)) == text


def test_only_the_outermost_paths_are_marked() -> None:
    assert outermost({("a", "b"), ("a",), ("c", 0), ("ab",)}) == {("a",), ("c", 0), ("ab",)}


@pytest.mark.parametrize(
    ("text", "number"), [("1Ki", 1024), ("2k", 2000), ("100m", 0.1), (3, 3), ("x", None), (True, None)]
)
def test_a_quantity_is_a_number(text: Any, number: float | None) -> None:
    told = quantity(text)
    assert (None if told is None else float(told)) == number


@pytest.mark.parametrize(
    ("declared", "change", "replaced"),
    [
        ({"apiVersion": "v1", "kind": "Pod"}, ("spec", "containers", 1, "image"), True),
        ({"apiVersion": "v1", "kind": "Pod"}, ("spec", "tolerations"), False),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, ("spec", "selector", "matchLabels", "a"), True),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, ("spec", "replicas"), False),
        ({"apiVersion": "v1", "kind": "PersistentVolumeClaim"}, ("spec", "storageClassName"), True),
        ({"apiVersion": "v1", "kind": "PersistentVolumeClaim"}, ("spec", "resources", "requests", "storage"), False),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, ("data", "a"), True),
        ({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}, ("spec", "egress", 0), False),
        ({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}, ("metadata", "namespace"), True),
    ],
)
def test_what_the_api_server_keeps_fixed_makes_a_new_object(
    declared: dict[str, Any], change: tuple[Any, ...], replaced: bool
) -> None:
    fixed = fixed_paths(declared, mutable_secrets=False, mutable_config_maps=False)
    assert replaces(Difference(change, "UPDATE", "a", "b"), fixed) is replaced


def test_a_whole_part_replaces_when_something_fixed_is_in_it() -> None:
    fixed = fixed_paths(
        {"apiVersion": "apps/v1", "kind": "Deployment"}, mutable_secrets=False, mutable_config_maps=False
    )
    assert replaces(Difference(("spec",), "ADD", None, {"selector": {}}), fixed)
    assert not replaces(Difference(("spec",), "ADD", None, {"replicas": 1}), fixed)


def test_an_immutable_secret_is_replaced_although_secrets_are_mutable() -> None:
    change = Difference(("data", "a"), "UPDATE", "a", "b")
    for frozen in (False, True):
        declared = {"apiVersion": "v1", "kind": "Secret", "immutable": frozen}
        assert replaces(change, fixed_paths(declared, mutable_secrets=True, mutable_config_maps=False)) is frozen


def test_string_data_wins_over_data_as_in_the_api_server() -> None:
    declared = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "Yg==", "c": "ZA=="}, "stringData": {"a": "x"}}
    assert normal(declared)["data"] == {"a": "eA==", "c": "ZA=="}


def test_schema_extensions_are_spelled_as_the_api_server_does() -> None:
    declared = {"schema": [{"x_kubernetes_preserve_unknown_fields": True, "other_key": 1, "none": None}]}
    assert normal(declared) == {"schema": [{"x-kubernetes-preserve-unknown-fields": True, "other_key": 1}]}


def test_metadata_that_is_not_known_yet_is_left_alone() -> None:
    values = {"metadata": UNKNOWN}
    assert fill_in(values, {}, Naming("thing", "thing-1"), "default") is None
    assert values == {"metadata": UNKNOWN}


def test_a_generated_name_is_refused() -> None:
    wrong = fill_in({"metadata": {"generateName": "a-"}}, {}, Naming("thing", "thing-1"), "default")
    assert wrong is not None
    assert "generateName is not supported" in wrong


def test_only_another_cluster_makes_everything_anew(tmp_path: Path) -> None:
    one, other = kubeconfig("https://one"), kubeconfig("https://other")
    (tmp_path / "one").write_text(one)
    path = str(tmp_path / "one")
    replacing = Kubernetes().replacing
    assert replacing({"kubeconfig": one}, {"kubeconfig": other}) == ["kubeconfig"]
    assert replacing({"kubeconfig": one}, {"kubeconfig": kubeconfig("https://one", token="b")}) == []
    assert replacing({"kubeconfig": one}, {"kubeconfig": path, "context": "x"}) == []
    assert replacing({"kubeconfig": one}, {"kubeconfig": "not: one\n"}) == []
    assert replacing({}, {"kubeconfig": other}) == []


def test_without_server_side_apply_there_is_nothing_to_do() -> None:
    assert Kubernetes().check_config({"enableServerSideApply": "true", "kubeClientSettings": "{}"}) == []
    failures = dict(Kubernetes().check_config({"enableServerSideApply": "false", "renderYamlToDirectory": "out"}))
    assert sorted(failures) == ["enableServerSideApply", "renderYamlToDirectory"]
