"""The values that this project gives the chart, for a platform like any in production."""

from collections.abc import Mapping
from typing import Any

from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.values import chart_values, fill


def production_values() -> Mapping[str, Any]:
    """With an ingress, and everything outside of the cluster that there can be; the Secrets are somebody else's."""
    settings = PlatformSettings.model_validate(
        {
            "chart": {"version": "2.2.0"},
            "ingress": {"className": "nginx", "tlsSecret": "airbyte-tls"},
            "database": {"type": "external", "host": "postgres.example.com", "existingSecret": "airbyte-database"},
            "storage": {
                "type": "s3",
                "authentication": "keys",
                "region": "eu-central-1",
                "buckets": {"default": "airbyte"},
                "existingSecret": "airbyte-storage",
            },
            "secretsManager": {
                "type": "vault",
                "address": "https://vault.example.com:8200",
                "existingSecret": "airbyte-secrets-manager",
            },
        }
    )
    return dict(fill(chart_values(settings, "https://airbyte.example.com"), lambda _: "not-given"))
