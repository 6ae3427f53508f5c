"""How much the namespace may use, and how much one container.

Always both: under a quota a pod whose container names no resources is refused, and what names none is what others
inject or the chart leaves out. The LimitRange gives such containers its defaults.
"""

from components.airbyte_platform import quantity
from components.airbyte_platform.model import Manifest
from components.airbyte_platform.objects import manifest
from components.airbyte_platform.resources import DEFAULT, Total
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.sizing import namespace_total


def quota(settings: PlatformSettings) -> list[Manifest]:
    """A ResourceQuota with room for everything that may run, and its LimitRange."""
    most = settings.quota.container_max
    return [
        manifest("v1", "ResourceQuota", "airbyte", settings.namespace, spec={"hard": hard(settings)}),
        manifest(
            "v1",
            "LimitRange",
            "airbyte",
            settings.namespace,
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default": DEFAULT.limits.model_dump(),
                        "defaultRequest": DEFAULT.requests.model_dump(),
                        "max": {"cpu": most.cpu, "memory": most.memory},
                    }
                ]
            },
        ),
    ]


def hard(settings: PlatformSettings) -> dict[str, str]:
    """The quota's numbers; nothing of Airbyte needs an address outside of the cluster."""
    given, computed = settings.quota, computed_quota(namespace_total(settings))
    if given.requests:
        computed |= {"requests.cpu": given.requests.cpu, "requests.memory": given.requests.memory}
    if given.limits:
        computed |= {"limits.cpu": given.limits.cpu, "limits.memory": given.limits.memory}
    if given.pods:
        computed["pods"] = str(given.pods)
    return {**computed, "services.loadbalancers": "0", "services.nodeports": "0"}


def computed_quota(total: Total) -> dict[str, str]:
    """The quota that holds a total."""
    return {
        "requests.cpu": quantity.cpu(total.cpu_request),
        "requests.memory": quantity.memory(total.memory_request),
        "limits.cpu": quantity.cpu(total.cpu_limit),
        "limits.memory": quantity.memory(total.memory_limit),
        "pods": str(total.pods),
    }
