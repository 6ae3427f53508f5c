"""How much of the platform a drained node may take away at once.

Only of what is there twice: for a single pod a budget either changes nothing or stops the drain. Job pods have no
controller to replace them; their annotations keep autoscalers away from their nodes.
"""

from components.airbyte_platform.model import Manifest
from components.airbyte_platform.objects import manifest
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.sizing import scale
from components.airbyte_platform.workloads import WORKLOADS


def disruption_budgets(settings: PlatformSettings) -> list[Manifest]:
    """One for each component with replicas."""
    knobs = scale(settings.scaling)
    return [
        manifest(
            "policy/v1",
            "PodDisruptionBudget",
            f"airbyte-{workload.label}",
            settings.namespace,
            spec={"maxUnavailable": 1, "selector": {"matchLabels": {"airbyte": workload.label}}},
        )
        for workload in WORKLOADS
        if knobs.replicas(workload.key) > 1
    ]
