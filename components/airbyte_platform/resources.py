"""How much each component and each kind of job may use, and the pods that jobs run in.

A JVM takes 75 % of its container's limit as heap (the images set MaxRAMPercentage=75), and needs some 256 MiB for
everything else; so a component's limit below 1 GiB ends in OOM kills, and a request far below the limit in evictions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, model_validator

from components.airbyte_platform import quantity
from components.airbyte_platform.model import Group, Quantity

_JVM_FLOOR = "1Gi"


class Amounts(Group):
    """CPU and memory."""

    cpu: Quantity
    memory: Quantity


class Resources(Group):
    """What a container is promised, and what it may use at most; in the form of a pod's `resources`."""

    requests: Amounts
    limits: Amounts

    @model_validator(mode="after")
    def _limits_hold_the_requests(self) -> "Resources":
        for resource in ("cpu", "memory"):
            asked, most = getattr(self.requests, resource), getattr(self.limits, resource)
            if quantity.parse(asked) > quantity.parse(most):
                raise ValueError(f"requests {asked} {resource} and limits it to {most}, which is less.")
        return self


def _holds_a_jvm(resources: Resources) -> Resources:
    if quantity.parse(resources.limits.memory) < quantity.parse(_JVM_FLOOR):
        raise ValueError(
            f"limits memory to {resources.limits.memory}. A JVM takes 75 % of that as heap and needs 256Mi beside it: "
            f"give it {_JVM_FLOOR} or more."
        )
    return resources


JvmResources = Annotated[Resources, AfterValidator(_holds_a_jvm)]


def _resources(cpu: str, cpu_limit: str, memory: str, memory_limit: str) -> Resources:
    return Resources(requests=Amounts(cpu=cpu, memory=memory), limits=Amounts(cpu=cpu_limit, memory=memory_limit))


class ComponentResources(Group):
    """Resources of the components, by their key in the chart's values."""

    server: JvmResources = _resources("500m", "2", "2Gi", "4Gi")
    worker: JvmResources = _resources("250m", "2", "1Gi", "2Gi")
    workload_launcher: JvmResources = _resources("250m", "1", "1Gi", "2Gi")
    workload_api_server: JvmResources = _resources("250m", "1", "1Gi", "2Gi")
    cron: JvmResources = _resources("250m", "1", "1Gi", "2Gi")
    manifest_server: Resources = _resources("100m", "1", "512Mi", "2Gi")
    temporal: Resources = _resources("250m", "1", "512Mi", "1Gi")
    airbyte_bootloader: JvmResources = _resources("250m", "1", "512Mi", "1Gi")


class JobResources(Group):
    """Resources of the containers that job pods are made of."""

    connector: Resources = _resources("250m", "2", "512Mi", "2Gi")
    """Source and destination of a sync."""
    orchestrator: JvmResources = _resources("250m", "1", "512Mi", "2Gi")
    check: Resources = _resources("100m", "1", "256Mi", "1Gi")
    discover: Resources = _resources("100m", "1", "256Mi", "1Gi")
    spec: Resources = _resources("100m", "1", "256Mi", "1Gi")
    sidecar: Resources = _resources("50m", "500m", "256Mi", "512Mi")


DEFAULT = _resources("50m", "500m", "256Mi", "512Mi")
"""Of a container that names none: the chart's database, the hook that makes its bucket, what others inject."""

BUNDLED_STORAGE = _resources("250m", "300m", "1Gi", "2Gi")
"""Of the chart's MinIO, by its own defaults."""


@dataclass(frozen=True)
class Total:
    """Sums over containers or pods, in CPUs and bytes."""

    cpu_request: Decimal = Decimal(0)
    cpu_limit: Decimal = Decimal(0)
    memory_request: Decimal = Decimal(0)
    memory_limit: Decimal = Decimal(0)
    pods: Decimal = Decimal(0)

    def __add__(self, other: "Total") -> "Total":
        return Total(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    def times(self, count: int) -> "Total":
        """As many of it."""
        return Total(*(count * each for each in astuple(self)))

    @classmethod
    def largest(cls, totals: Iterable["Total"]) -> "Total":
        """The largest of each."""
        return cls(*(max(column) for column in zip(*(astuple(each) for each in totals), strict=True)))

    @classmethod
    def of(cls, resources: Resources) -> "Total":
        """Of one container."""
        return cls(
            quantity.parse(resources.requests.cpu),
            quantity.parse(resources.limits.cpu),
            quantity.parse(resources.requests.memory),
            quantity.parse(resources.limits.memory),
        )


def pod(containers: Iterable[Resources], init: Iterable[Resources] = ()) -> Total:
    """What one pod counts for: the sum of its containers, or its largest init container where that is more.

    https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    together = sum((Total.of(each) for each in containers), Total())
    return replace(Total.largest([together, *map(Total.of, init)]), pods=Decimal(1))


def job_pods(jobs: JobResources) -> Mapping[str, Total]:
    """The kinds of job pods: a sync's holds orchestrator, source and destination, the others connector and sidecar.

    Their init container is given what the main ones have together, except a sync's, which has the orchestrator's.
    """

    def single(main: Resources) -> Total:
        return pod([main, jobs.sidecar])

    return {
        "sync": pod([jobs.orchestrator, jobs.connector, jobs.connector], init=[jobs.orchestrator]),
        "check": single(jobs.check),
        "discover": single(jobs.discover),
        "spec": single(jobs.spec),
    }


def containers(components: ComponentResources, jobs: JobResources) -> list[tuple[str, Resources]]:
    """Every kind of container there is, by its setting."""
    return [*components, *jobs]
