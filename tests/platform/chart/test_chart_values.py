"""Values for the chart that it would ignore."""

from typing import Any

import pytest

from components.airbyte_platform.chart import check_values
from components.errors import Problem


def only(values: dict[str, Any], version: str = "2.2.0") -> Problem:
    problems = check_values(values, version)
    assert len(problems) == 1, problems
    return problems[0]


def test_what_the_project_gives_the_chart_passes(production: dict[str, Any]) -> None:
    assert check_values(production, "2.2.0") == []


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({"glbal": {}}, "global"),
        ({"global": {"databse": {"host": "db"}}}, "global.database"),
        ({"server": {"replicas": 2}}, "server.replicaCount"),
        ({"global": {"nodeSelector": {}}}, "global.jobs.kube.nodeSelector"),
        (
            {"workloadLauncher": {"containerOrchestrator": {"images": "x"}}},
            "workloadLauncher.containerOrchestrator.image",
        ),
    ],
)
def test_an_unknown_key_names_the_nearest(values: dict[str, Any], meant: str) -> None:
    problem = only(values)
    assert "would ignore it" in problem.what
    assert f"`{meant}`" in problem.fix


def test_an_inert_key_says_so_and_what_to_use() -> None:
    """Helm would accept it in silence: the chart's own values.yaml has it."""
    problem = only({"global": {"workloads": {"namespace": "jobs"}}})
    assert problem.where == "global.workloads.namespace"
    assert "declared by the chart and read by none of its templates" in problem.what
    assert problem.fix == "Job pods run in the release's own namespace."


def test_an_inert_group_is_told_once() -> None:
    assert only({"cron": {"livenessProbe": {"enabled": False, "periodSeconds": 5}}}).where == "cron.livenessProbe"


def test_a_key_without_effect_says_why() -> None:
    """The chart hands it on, and the program that gets it does not look at it."""
    problem = only({"global": {"jobs": {"kube": {"scheduling": {"check": {"runtimeClassName": "gvisor"}}}}}})
    assert problem.what == "has no effect."
    assert "admission policy" in problem.fix


def test_anything_may_stand_below_a_map() -> None:
    values = {
        "server": {"env_vars": {"ANY_NAME": "x"}, "nodeSelector": {"disk": "ssd"}, "podAnnotations": {"a/b": "c"}},
        "ingress": {"annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "16m"}},
        "workloadLauncher": {"resources": {"limits": {"nvidia.com/gpu": 1}}},
    }
    assert check_values(values, "2.2.0") == []


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"global": {"edition": {"name": "community"}}}, "takes a value, and not a map."),
        ({"server": {"tolerations": {"key": "x"}}}, "takes a list, and not a map."),
        ({"global": {"jobs": 3}}, "is not a value but a group of keys."),
    ],
)
def test_a_key_of_another_shape_is_refused(values: dict[str, Any], what: str) -> None:
    assert only(values).what == what


def test_null_takes_a_default_away() -> None:
    assert check_values({"server": {"podSecurityContext": None}, "global": {"jobs": None}}, "2.2.0") == []


def test_parts_that_are_off_as_shipped_are_passed_on() -> None:
    assert check_values({"keycloak": {"enabled": True, "anything": {"goes": 1}}}, "2.2.0") == []


def test_a_key_may_be_one_in_one_version_and_none_in_another() -> None:
    values = {"server": {"service": {"nodePort": 30080}}}
    assert check_values(values, "2.2.0") == []
    assert only(values, "2.1.1").where == "server.service.nodePort"


def test_the_caller_names_the_places() -> None:
    problems = check_values({"glbal": {}}, "2.2.0", lambda key: f"Pulumi.prod.yaml: extraValues.{'.'.join(key)}")
    assert str(problems[0]).startswith("Pulumi.prod.yaml: extraValues.glbal: ")


def test_no_message_holds_a_value() -> None:
    problems = check_values({"global": {"databse": {"password": "hunter2"}, "edition": {"x": "hunter2"}}}, "2.2.0")
    assert len(problems) == 2
    assert "hunter2" not in "".join(map(str, problems))


def test_an_unsupported_version_is_a_problem() -> None:
    assert "2.1.x, 2.2.x" in only({}, "1.9.0").fix
