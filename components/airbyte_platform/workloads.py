"""The chart's components: what they are called where, and who they are in the cluster.

Labels, ports and names are those that the chart renders (2.2); a NetworkPolicy counts in pods' ports, which for the
workload API is not its Service's.
"""

from dataclasses import dataclass

from pydantic.alias_generators import to_snake

JOB_POD = "job-pod"
"""The `airbyte` label of every job's pod."""

JOBS_ACCOUNT = "airbyte-jobs"
LAUNCHER_ACCOUNT = "airbyte-launcher"
BOOTLOADER_ACCOUNT = "airbyte-bootloader"
SERVER_ACCOUNT = "airbyte-server"
PLAIN_ACCOUNT = "airbyte-norbac"

AUTH_SECRET = "airbyte-auth-secrets"  # noqa: S105 - an object's name
DATABASE_SECRET = "airbyte-database"  # noqa: S105
STORAGE_SECRET = "airbyte-storage"  # noqa: S105
SECRETS_MANAGER_SECRET = "airbyte-secrets-manager"  # noqa: S105


@dataclass(frozen=True)
class Workload:
    """One component of the chart."""

    key: str
    """In the chart's values."""
    label: str
    """Its pods' `airbyte` label."""
    account: str
    """ServiceAccount its pods run as."""
    port: int | None = None
    """Where its pods listen; None where nobody connects to them."""
    scales: bool = False
    """Whether more than one replica can run; the others are one or break."""
    recreated: bool = False
    """Whether an update stops the old pods before it starts new ones."""

    @property
    def field(self) -> str:
        """Its name in the settings."""
        return to_snake(self.key)


WORKLOADS = (
    Workload("server", "server", SERVER_ACCOUNT, port=8001, scales=True, recreated=True),
    Workload("worker", "worker", PLAIN_ACCOUNT, scales=True),
    Workload("workloadLauncher", "workload-launcher", LAUNCHER_ACCOUNT, scales=True),
    Workload("workloadApiServer", "workload-api-server", PLAIN_ACCOUNT, port=8007, scales=True),
    Workload("cron", "cron", PLAIN_ACCOUNT),
    Workload("manifestServer", "manifest-server", PLAIN_ACCOUNT, port=8080),
    Workload("temporal", "temporal", PLAIN_ACCOUNT, port=7233),
    Workload("airbyteBootloader", "bootloader", BOOTLOADER_ACCOUNT, recreated=True),
)
