"""Quota, limits and replicas hold what may run, by exact sums; what can't be held is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from components.airbyte_platform import quantity
from components.airbyte_platform.disruption import disruption_budgets
from components.airbyte_platform.quota import hard, quota
from components.airbyte_platform.resources import JobResources, job_pods
from components.airbyte_platform.settings import PlatformSettings, ResourceSettings, ScalingSettings
from components.airbyte_platform.sizing import jobs_total, row, scale

Written = dict[str, Any]
Load = Callable[[Written], PlatformSettings]
GIB = Decimal(1024) ** 3


def test_a_sync_counts_its_three_containers_and_a_check_its_two() -> None:
    pods = job_pods(JobResources())
    assert (pods["sync"].cpu_request, pods["sync"].memory_limit) == (Decimal("0.75"), 6 * GIB)
    assert (pods["check"].cpu_request, pods["check"].memory_limit) == (Decimal("0.15"), Decimal("1.5") * GIB)
    assert pods["sync"].pods == 1


@pytest.mark.parametrize("syncs", [1, 5, 6, 10, 99, 100, 1000, 1001])
def test_the_knobs_run_as_many_syncs_as_asked_for(syncs: int) -> None:
    knobs = scale(ScalingSettings(concurrent_syncs=syncs))
    assert syncs <= knobs.syncs < syncs + knobs.worker_replicas
    assert knobs.checks >= 10
    assert knobs.launcher_parallelism * knobs.launcher_replicas >= syncs / 6
    assert (knobs.server_replicas > 1) == (syncs > 5), "from a handful of syncs on, no node's loss stops it"


def test_given_knobs_are_kept() -> None:
    knobs = scale(ScalingSettings(concurrent_syncs=10, worker_replicas=3, launcher_parallelism=7))
    assert (knobs.worker_replicas, knobs.max_sync_workers, knobs.launcher_parallelism) == (3, 4, 7)


def test_the_quota_is_what_the_platform_and_all_its_jobs_request(load: Load, production: Written) -> None:
    production["scaling"] = {"concurrentSyncs": 10}
    numbers = hard(load(production))
    # jobs: 10 syncs of 750m and 10 checks of 150m; components: 500m server x2 (no surge), 250m worker x2+1,
    # launcher x1+1, workload API x2+1, cron x1+1, temporal x1+1, bootloader x1, and 100m manifest server x1+1
    assert quantity.parse(numbers["requests.cpu"]) == Decimal("9.0") + Decimal("1.0") + Decimal("0.25") * 13 + Decimal(
        "0.2"
    )
    assert numbers["pods"] == str(10 + 10 + 2 + 3 + 2 + 3 + 2 + 2 + 1 + 2)
    assert numbers["services.loadbalancers"] == numbers["services.nodeports"] == "0"


@pytest.mark.parametrize("syncs", [1, 10, 100, 1000])
def test_the_quota_holds_every_job_at_once_and_grows_with_them(syncs: int, load: Load, production: Written) -> None:
    production["scaling"] = {"concurrentSyncs": syncs}
    settings = load(production)
    numbers, jobs = hard(settings), jobs_total(settings.resources, scale(settings.scaling))
    assert quantity.parse(numbers["requests.memory"]) > jobs.memory_request
    assert quantity.parse(numbers["limits.cpu"]) > jobs.cpu_limit
    assert int(numbers["pods"]) > jobs.pods


def test_a_quota_never_comes_without_a_limit_range_that_holds_every_container(load: Load, production: Written) -> None:
    settings = load(production)
    kinds = {each["kind"]: each for each in quota(settings)}
    assert {*kinds} == {"ResourceQuota", "LimitRange"}
    (limit,) = kinds["LimitRange"]["spec"]["limits"]
    largest = max(
        quantity.parse(resources.limits.memory)
        for group in (settings.resources.components, settings.resources.jobs)
        for _, resources in group
    )
    assert quantity.parse(limit["max"]["memory"]) >= 2 * largest
    assert {*limit["default"]} == {*limit["defaultRequest"]} == {"cpu", "memory"}


def test_the_numbers_are_written_as_the_api_server_writes_them() -> None:
    assert quantity.cpu(Decimal("82.45")) == "82450m"
    assert quantity.cpu(Decimal("552.000")) == "552"
    assert quantity.memory(Decimal(1536) * 1024**2) == "1536Mi"
    assert quantity.memory(2048 * GIB) == "2Ti"
    assert quantity.canonical("0.5") == "500m"
    assert quantity.canonical("1.5Gi") == "1536Mi"


def test_budgets_are_for_what_is_there_twice(load: Load, production: Written, bundled: Written) -> None:
    many = [each["metadata"]["name"] for each in disruption_budgets(load(production))]
    assert many == ["airbyte-server", "airbyte-worker", "airbyte-workload-api-server"]
    assert disruption_budgets(load({**bundled, "scaling": {"concurrentSyncs": 5}})) == []


def test_the_table_follows_from_the_requests() -> None:
    """A node of 16 CPUs and 64Gi holds, less a tenth for itself, 14.4 CPUs' worth of requests."""
    lines = {syncs: row(syncs, ResourceSettings(), "16", "64Gi") for syncs in (10, 100, 1000)}
    assert [line.jobs.cpu_request for line in lines.values()] == [Decimal(9), Decimal(78), Decimal(780)]
    assert [line.job_nodes for line in lines.values()] == [1, 6, 55]
    small = row(100, ResourceSettings(), "4", "16Gi")
    assert small.job_nodes == 22
