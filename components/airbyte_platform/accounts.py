"""Who the pods are: a ServiceAccount for each component that needs rights of its own, and one without any for the rest.

The chart would give one account for all, job pods included, which reads every Secret of the namespace and opens a
shell in every pod. Here it is told to create none, and these take its place. The rights are what the calls of each
component's Kubernetes client need.
"""

from components.airbyte_platform.model import Manifest
from components.airbyte_platform.objects import manifest
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.workloads import (
    AUTH_SECRET,
    BOOTLOADER_ACCOUNT,
    JOBS_ACCOUNT,
    LAUNCHER_ACCOUNT,
    PLAIN_ACCOUNT,
    SERVER_ACCOUNT,
)

_RULES = {
    # Creates (by server-side apply, hence patch), awaits, relabels and sweeps the job pods.
    LAUNCHER_ACCOUNT: [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete", "get", "list", "patch", "watch"]}
    ],
    # Adds the data plane's credentials, which it makes, to the Secret that is there already.
    BOOTLOADER_ACCOUNT: [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [AUTH_SECRET], "verbs": ["get", "update"]}
    ],
}


def accounts(settings: PlatformSettings) -> list[Manifest]:
    """ServiceAccounts, and a Role with its RoleBinding for the two that need rights."""
    made = [_account(settings, name) for name in (JOBS_ACCOUNT, PLAIN_ACCOUNT, SERVER_ACCOUNT, *_RULES)]
    for name, rules in _RULES.items():
        made += [
            manifest("rbac.authorization.k8s.io/v1", "Role", name, settings.namespace, rules=rules),
            manifest(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                name,
                settings.namespace,
                roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                subjects=[{"kind": "ServiceAccount", "name": name, "namespace": settings.namespace}],
            ),
        ]
    return made


def _account(settings: PlatformSettings, name: str) -> Manifest:
    identity = settings.identity
    return manifest(
        "v1",
        "ServiceAccount",
        name,
        settings.namespace,
        annotations=identity.job_annotations if name == JOBS_ACCOUNT else identity.annotations,
        # A pod that wants the token says so itself, as the launcher's does.
        automountServiceAccountToken=name == BOOTLOADER_ACCOUNT,
        **({"imagePullSecrets": [{"name": settings.image.pull_secret}]} if settings.image.pull_secret else {}),
    )
