"""The namespace, which admits nothing but pods of the standard `restricted`.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from components.airbyte_platform.model import Manifest
from components.airbyte_platform.objects import manifest
from components.airbyte_platform.settings import PlatformSettings


def namespace(settings: PlatformSettings) -> Manifest:
    """Enforced, written to the audit log, and warned of to whoever applies."""
    labels = {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", "restricted"), ("-version", settings.pod_security_version))
    }
    return manifest("v1", "Namespace", settings.namespace, None, labels=labels)
