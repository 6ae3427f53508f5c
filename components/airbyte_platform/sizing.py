"""How much it takes to run so many syncs at once: replicas, limits, the namespace's quota and nodes.

The knobs are those that act in the chart (2.2): a worker runs `maxSyncWorkers` syncs at once and `maxCheckWorkers` of
the short jobs, so the two times the replicas are what can run; a launcher starts `parallelism` pods at a time. The
ratios below are a start, to be corrected by what a cluster shows; the sums are exact.
"""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from components.airbyte_platform import quantity
from components.airbyte_platform.resources import BUNDLED_STORAGE, DEFAULT, Total, job_pods, pod
from components.airbyte_platform.settings import PlatformSettings, ResourceSettings, ScalingSettings
from components.airbyte_platform.workloads import WORKLOADS

_SYNCS_OF_A_WORKER = 50
_SYNCS_OF_A_SERVER = 100
_SYNCS_OF_A_WORKLOAD_API = 250
_LAUNCHES_OF_A_LAUNCHER = 50
_LAUNCH_SECONDS = 10
"""How long a pod that starts keeps one of the launcher's threads, its images being there."""
_LEAST_CHECKS = 10
_PODS_OF_A_NODE = 110
_FOR_THE_NODE = Decimal("0.9")
"""What is left of a node for pods, about: the kubelet, the system and DaemonSets take the rest."""


@dataclass(frozen=True)
class Scale:
    """The knobs, all set."""

    server_replicas: int
    workload_api_replicas: int
    worker_replicas: int
    launcher_replicas: int
    max_sync_workers: int
    max_check_workers: int
    launcher_parallelism: int

    @property
    def syncs(self) -> int:
        """How many syncs can run at once."""
        return self.worker_replicas * self.max_sync_workers

    @property
    def checks(self) -> int:
        """How many short jobs can run at once."""
        return self.worker_replicas * self.max_check_workers

    def replicas(self, key: str) -> int:
        """Of a component, by its key in the chart's values."""
        return {
            "server": self.server_replicas,
            "workloadApiServer": self.workload_api_replicas,
            "worker": self.worker_replicas,
            "workloadLauncher": self.launcher_replicas,
        }.get(key, 1)


def scale(given: ScalingSettings) -> Scale:
    """The knobs that were given, and for the others what `concurrentSyncs` needs.

    From a handful of syncs on, what can be is there twice, so that a node's loss stops nothing.
    """
    syncs = given.concurrent_syncs
    least = 1 if syncs <= 5 else 2
    workers = given.worker_replicas or max(least, ceil(syncs / _SYNCS_OF_A_WORKER))
    # All syncs may be due in the same minute of a cron schedule; then all of them are started within it.
    launches = max(10, ceil(syncs * _LAUNCH_SECONDS / 60))
    launchers = given.launcher_replicas or ceil(launches / _LAUNCHES_OF_A_LAUNCHER)
    return Scale(
        server_replicas=given.server_replicas or max(least, ceil(syncs / _SYNCS_OF_A_SERVER)),
        workload_api_replicas=given.workload_api_replicas or max(least, ceil(syncs / _SYNCS_OF_A_WORKLOAD_API)),
        worker_replicas=workers,
        launcher_replicas=launchers,
        max_sync_workers=given.max_sync_workers or ceil(syncs / workers),
        max_check_workers=given.max_check_workers or ceil(max(_LEAST_CHECKS, syncs / 5) / workers),
        launcher_parallelism=given.launcher_parallelism or ceil(launches / launchers),
    )


def platform_total(resources: ResourceSettings, knobs: Scale, bundled: bool) -> Total:
    """What the components take, with the pods that a rolling update has beside the old ones."""
    extra = [DEFAULT, BUNDLED_STORAGE, DEFAULT] if bundled else []  # the database, MinIO, the bucket's hook
    sums = sum((pod([each]) for each in extra), Total())
    for workload in WORKLOADS:
        replicas = knobs.replicas(workload.key)
        surge = 0 if workload.recreated else ceil(replicas / 4)
        sums += pod([getattr(resources.components, workload.field)]).times(replicas + surge)
    return sums


def jobs_total(resources: ResourceSettings, knobs: Scale) -> Total:
    """What the jobs take when everything runs that may."""
    kinds = job_pods(resources.jobs)
    short = Total.largest([kinds[kind] for kind in ("check", "discover", "spec")])
    return kinds["sync"].times(knobs.syncs) + short.times(knobs.checks)


def namespace_total(settings: PlatformSettings) -> Total:
    """What the whole namespace takes at most."""
    knobs = scale(settings.scaling)
    components = platform_total(settings.resources, knobs, bool(settings.bundled))
    return components + jobs_total(settings.resources, knobs)


def nodes(total: Total, node_cpu: str, node_memory: str) -> int:
    """How many nodes of a size hold the requests."""
    return max(
        ceil(total.cpu_request / (quantity.parse(node_cpu) * _FOR_THE_NODE)),
        ceil(total.memory_request / (quantity.parse(node_memory) * _FOR_THE_NODE)),
        ceil(total.pods / _PODS_OF_A_NODE),
    )


@dataclass(frozen=True)
class Row:
    """One line of the table: what to set for so many syncs, and what it takes."""

    concurrent_syncs: int
    knobs: Scale
    platform: Total
    jobs: Total
    job_nodes: int


def row(concurrent_syncs: int, resources: ResourceSettings, node_cpu: str, node_memory: str) -> Row:
    """Compute a line."""
    knobs = scale(ScalingSettings(concurrent_syncs=concurrent_syncs))
    jobs = jobs_total(resources, knobs)
    platform = platform_total(resources, knobs, bundled=False)
    return Row(concurrent_syncs, knobs, platform, jobs, nodes(jobs, node_cpu, node_memory))
