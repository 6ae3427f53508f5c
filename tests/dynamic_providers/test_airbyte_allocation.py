"""What the jobs of a source or destination may use of the cluster: seen, put back, no alarm where it is not told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from dynamic_providers.airbyte import allocation
from dynamic_providers.airbyte.errors import AlreadyExistsError
from tests.dynamic_providers.drift import seen

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties


def given(airbyte: Airbyte, source: Life, allocation: Properties | None) -> None:
    """What an administrator does."""
    live = airbyte.read("sources", source.id)
    body = {"sourceId": source.id, "name": live["name"], "connectionConfiguration": live["connectionConfiguration"]}
    airbyte.post("sources/update", {**body, "resourceAllocation": allocation})


RESOURCES = {
    "default": dict.fromkeys(allocation.QUANTITIES, "1"),
    **{job: {"memory_limit": f"{number}Gi"} for number, job in enumerate(allocation.JOBS, 1)},
}


def test_every_resource_of_every_job_is_seen_and_put_back_and_nothing_in_another_order(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    program = {**source_inputs, "resources": RESOURCES}
    a_source.up(program)
    assert a_source.refresh() == ()
    allocated = airbyte.read("sources", a_source.id)["resourceAllocation"]
    given(airbyte, a_source, {"jobSpecific": allocated["jobSpecific"][::-1], "default": allocated["default"]})
    assert a_source.refresh() == ()
    changes = [(job, name) for job, quantities in RESOURCES.items() for name in quantities]
    for job, name in changes:
        other = allocation.to_api({**RESOURCES, job: {**RESOURCES[job], name: "9"}})["resourceAllocation"]
        given(airbyte, a_source, other)
        assert seen(a_source) == {f"resources.{job}.{name}"}
    assert a_source.refresh() == ("resources",)
    with airbyte.counted() as calls:
        assert a_source.up(program) == ("resources",)
    assert not [call for call in calls if "check_connection" in call], "the configuration is the same"
    assert airbyte.read("sources", a_source.id)["resourceAllocation"] == allocated
    longer = {**program["config"], "jdbc_url_params": "loginTimeout=5"}
    assert a_source.up({**program, "config": longer}) != ()
    assert airbyte.read("sources", a_source.id)["resourceAllocation"] == allocated


def test_resources_that_nobody_declared_are_drift_too(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    given(airbyte, a_source, {"default": {"memory_limit": "4Gi"}})
    assert a_source.refresh() == ("resources",)
    assert a_source.up(source_inputs) == ("resources",)
    assert "resourceAllocation" not in airbyte.read("sources", a_source.id)
    given(airbyte, a_source, {"default": {}, "jobSpecific": []})
    assert a_source.refresh() == ()


def test_a_server_that_does_not_tell_the_resources_raises_no_alarm(
    start_airbyte: Callable[[str], AbstractContextManager[Airbyte]],
    a_source: Life,
    source_inputs: Properties,
) -> None:
    program = {**source_inputs, "resources": {"sync": {"cpu_limit": "2"}}}
    with start_airbyte("1.7.0") as old:
        a_source.airbyte = old
        a_source.up(program)
        assert "resourceAllocation" not in old.read("sources", a_source.id)
        assert a_source.refresh() == ()
        assert a_source.up(program) == ()


def test_resources_of_another_are_taken_over_only_where_they_are_declared_or_asked_for(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up({**source_inputs, "resources": {"sync": {"cpu_limit": "2"}}})
    a_source.id, a_source.inputs, a_source.outputs = "", {}, {}
    with pytest.raises(AlreadyExistsError, match="other values for resources"):
        a_source.up(source_inputs)
    with airbyte.counted() as calls:
        a_source.up({**source_inputs, "adopt": True, "resources": {"sync": {"cpu_limit": "2"}}})
    assert "/v1/sources/update" not in calls
    assert a_source.refresh() == ()


def test_a_resource_that_airbyte_does_not_know_is_refused_in_the_preview(
    a_source: Life, source_inputs: Properties
) -> None:
    wrong = {"sink": {"memory_limit": "1"}, "sync": {"memory": "1"}}
    failures = a_source.resource().check({}, {**source_inputs, "resources": wrong}).failures
    assert len(failures) == 2
    assert "resources.sink is unknown" in failures[0]
    assert "resources.sync.memory is unknown" in failures[1]
