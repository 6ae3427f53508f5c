"""Who talks to whom: the components' own configuration, read as a table.

What is not listed does not happen: nobody connects to workers, cron, launcher, bootloader or job pods, and job pods
never talk to the Kubernetes API.
"""

from typing import Literal

from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.workloads import JOB_POD

Service = Literal["database", "object_store", "secrets_manager", "kube_api", "internet"]

INTERNAL = {
    "server": ("temporal", "manifest-server"),
    "worker": ("server", "workload-api-server", "temporal"),
    "cron": ("server", "workload-api-server", "temporal"),
    "workload-launcher": ("server", "workload-api-server"),
    "workload-api-server": ("server",),
    "manifest-server": (),
    "temporal": (),
    "bootloader": (),
    JOB_POD: ("server", "workload-api-server"),
}
"""A pod's `airbyte` label -> the labels of those that it connects to."""


def outside(label: str, settings: PlatformSettings) -> tuple[Service, ...]:
    """What a component needs outside of the namespace (or from the servers that the chart brings)."""
    users: dict[Service, set[str]] = {
        "database": {"server", "cron", "workload-api-server", "temporal", "bootloader"},
        "object_store": {"server", "worker", JOB_POD},
        "secrets_manager": {"server", "worker", "cron", JOB_POD},
        "kube_api": {"workload-launcher", "bootloader"},
        # Registry, OAuth, webhooks; and the manifest server calls the APIs that people build connectors for.
        "internet": {"server", "worker", "manifest-server"},
    }
    if not settings.local_connector_registry:
        users["internet"] |= {"cron", "bootloader"}
    if settings.secrets_in_database:
        users["database"] |= {"worker", "workload-launcher", JOB_POD}
        users["secrets_manager"] = set()
    return tuple(service for service, labels in users.items() if label in labels)
