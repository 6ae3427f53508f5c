"""From settings to the chart's values: a pure function, whose every key the chart's table knows.

Hardening is by values alone, because Helm's own release is what installs the chart. Environment variables are added
under names that the chart does not render itself: a name given twice is refused by server-side apply.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.airbyte_platform.model import Fingerprint, Generated, Placeholder
from components.airbyte_platform.resources import Resources
from components.airbyte_platform.settings import IngressSettings, Nodes, PlatformSettings
from components.airbyte_platform.sizing import Scale, scale
from components.airbyte_platform.workloads import AUTH_SECRET, JOBS_ACCOUNT, WORKLOADS, Workload

Values = dict[str, Any]

_IDS = {"runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
_POD_SECURITY = {**_IDS, "fsGroup": 1000, "fsGroupChangePolicy": "OnRootMismatch"}
"""On the pod as well as on the container, so that sidecars which others inject inherit it."""
_CONTAINER_SECURITY = {
    **_IDS,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    # The images' entry point writes the CA bundle into the root file system before it starts the program.
    "readOnlyRootFilesystem": False,
}
_RESTARTED = {"podAnnotations": {"checksum/credentials": Fingerprint(Generated("fingerprint-key"))}}
"""Pods read Secrets when they start; with this in their template, a changed credential starts new ones.

https://helm.sh/docs/howto/charts_tips_and_tricks/#automatically-roll-deployments
"""
_OFF = ("webapp", "temporalUi", "keycloak", "keycloakSetup", "metrics")


def chart_values(settings: PlatformSettings, public_url: str) -> Values:
    """Values for the chart, without the user's own; Placeholder objects in them are for `fill`.

    `public_url` is where browsers find the server, or empty where only this project goes to it.
    """
    knobs = scale(settings.scaling)
    parts: list[Values] = [
        {"global": _global(settings, public_url)},
        settings.database.values(),
        settings.storage.values(),
        settings.secrets_manager.values() if settings.secrets_manager else {},
        {"serviceAccount": {"create": False, "name": JOBS_ACCOUNT}},
        {key: {"enabled": False} for key in _OFF},
        _ingress(settings.ingress, public_url),
        {workload.key: _component(workload, settings, knobs) for workload in WORKLOADS},
        _knobs(knobs),
        {"workloadLauncher": {"env_vars": _launcher_env(settings), **_connector_registry(settings)}},
    ]
    for key, values_key in (("database", "postgresql"), ("storage", "minio")):
        if key in settings.bundled:
            parts.append({values_key: _placement(settings.nodes.platform)})
    values: Values = {}
    for part in parts:
        values = merge(values, part)
    return values


def fill(node: Any, value_of: Callable[[Placeholder], Any]) -> Any:
    """The values, with what `value_of` says in the place of every placeholder."""
    if isinstance(node, Placeholder):
        return value_of(node)
    if isinstance(node, Mapping):
        return {key: fill(value, value_of) for key, value in node.items()}
    return [fill(value, value_of) for value in node] if isinstance(node, list) else node


def merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> Values:
    """Both, the second's leaves over the first's."""
    merged = dict(first)
    for key, value in second.items():
        mine = merged.get(key)
        merged[key] = merge(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return merged


def clashes(first: Mapping[str, Any], second: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Dotted paths at which both say something."""
    for key in first.keys() & second.keys():
        here = f"{path}.{key}" if path else key
        if isinstance(first[key], dict) and isinstance(second[key], dict):
            yield from clashes(first[key], second[key], here)
        else:
            yield here


def _global(settings: PlatformSettings, public_url: str) -> Values:
    pull_secret = settings.image.pull_secret
    return {
        "edition": "community",
        "serviceAccountName": JOBS_ACCOUNT,  # of the job pods; every component is given its own
        **({"airbyteUrl": public_url} if public_url else {}),
        **({"image": {"registry": settings.image.registry}} if settings.image.registry else {}),
        **({"imagePullSecrets": [{"name": pull_secret}]} if pull_secret else {}),
        "auth": {
            "enabled": True,
            # The bootloader reads from the Secret that it would write, and so leaves our four keys as they are.
            "secretName": AUTH_SECRET,
            "secretCreationEnabled": False,
            "instanceAdmin": {
                "passwordSecretKey": "instance-admin-password",
                "clientIdSecretKey": "instance-admin-client-id",
                "clientSecretSecretKey": "instance-admin-client-secret",
            },
            "security": {
                "cookieSecureSetting": True,
                "cookieSameSiteSetting": "Strict",
                # Both or neither: given only one, the bootloader writes a key that nobody reads.
                "jwtSignatureSecretKey": "jwt-signature-secret",
                "jwtSignatureSecretSecretKey": "jwt-signature-secret",
            },
        },
        "tracking": {"enabled": False, "strategy": "logging"},
        "metrics": {"enabled": False},
        "connectorRegistry": {"seedProvider": "local" if settings.local_connector_registry else "remote"},
        "jobs": {"kube": _job_pods(settings)},
        "workloads": {"resources": _job_resources(settings)},
    }


def _job_pods(settings: PlatformSettings) -> Values:
    nodes, pull_secret = settings.nodes.jobs, settings.image.pull_secret
    return {
        # Neither autoscaler may take away the node under a sync.
        "annotations": {
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            "karpenter.sh/do-not-disrupt": "true",
        },
        "nodeSelector": nodes.selector,
        "tolerations": _tolerations(nodes),
        # Only ordinary jobs inherit the selector; each of these kinds has one of its own.
        "scheduling": {
            kind: {"nodeSelectors": nodes.selector} for kind in ("check", "discover", "sourceDeclarativeManifest")
        },
        **({"mainContainerImagePullSecret": pull_secret} if pull_secret else {}),
    }


def _job_resources(settings: PlatformSettings) -> Values:
    jobs = settings.resources.jobs
    return {
        "useConnectorResourceDefaults": True,
        "mainContainer": _by_resource(jobs.connector),
        "replication": _by_resource(jobs.orchestrator),
        "check": _by_resource(jobs.check),
        "discover": _by_resource(jobs.discover),
        "sidecar": _by_resource(jobs.sidecar),
    }


def _by_resource(resources: Resources) -> Values:
    """The chart turns requests and limits of job containers inside out."""
    return {
        resource: {"request": getattr(resources.requests, resource), "limit": getattr(resources.limits, resource)}
        for resource in ("cpu", "memory")
    }


def _launcher_env(settings: PlatformSettings) -> dict[str, str]:
    """What the launcher reads and the chart has no value for."""
    spec, ttl = settings.resources.jobs.spec, settings.job_ttl_minutes
    selector = ",".join(f"{key}={value}" for key, value in sorted(settings.nodes.jobs.selector.items()))
    return {
        "ROOTLESS_WORKLOAD": "true",  # without it every job pod is refused by the standard `restricted`
        "SPEC_JOB_MAIN_CONTAINER_CPU_REQUEST": spec.requests.cpu,
        "SPEC_JOB_MAIN_CONTAINER_CPU_LIMIT": spec.limits.cpu,
        "SPEC_JOB_MAIN_CONTAINER_MEMORY_REQUEST": spec.requests.memory,
        "SPEC_JOB_MAIN_CONTAINER_MEMORY_LIMIT": spec.limits.memory,
        "RUNNING_TTL_MINUTES": str(ttl.running),
        "SUCCEEDED_TTL_MINUTES": str(ttl.succeeded),
        "UNSUCCESSFUL_TTL_MINUTES": str(ttl.unsuccessful),
        **({"SPEC_JOB_KUBE_NODE_SELECTORS": selector} if selector else {}),
        **(settings.secrets_manager.launcher_env() if settings.secrets_manager else {}),
    }


def _connector_registry(settings: PlatformSettings) -> Values:
    registry = settings.image.registry
    return {"connector": {"image": {"registry": registry}}} if registry else {}


def _component(workload: Workload, settings: PlatformSettings, knobs: Scale) -> Values:
    resources: Resources = getattr(settings.resources.components, workload.field)
    return {
        "serviceAccountName": workload.account,
        "podSecurityContext": _POD_SECURITY,
        "containerSecurityContext": _CONTAINER_SECURITY,
        "resources": resources.model_dump(),
        **_RESTARTED,
        **({"replicaCount": knobs.replicas(workload.key)} if workload.key != "airbyteBootloader" else {}),
        **_placement(settings.nodes.platform),
    }


def _knobs(knobs: Scale) -> Values:
    return {
        # Two versions must never share the database that one of them has migrated.
        "server": {"deploymentStrategyType": "Recreate"},
        "worker": {"maxSyncWorkers": knobs.max_sync_workers, "maxCheckWorkers": knobs.max_check_workers},
        "workloadLauncher": {"parallelism": knobs.launcher_parallelism},
    }


def _placement(nodes: Nodes) -> Values:
    return {
        **({"nodeSelector": nodes.selector} if nodes.selector else {}),
        **({"tolerations": _tolerations(nodes)} if nodes.tolerations else {}),
    }


def _tolerations(nodes: Nodes) -> list[dict[str, str]]:
    return [{key: value for key, value in toleration.model_dump().items() if value} for toleration in nodes.tolerations]


def _ingress(ingress: IngressSettings | None, public_url: str) -> Values:
    if ingress is None:
        return {"ingress": {"enabled": False}}
    host = public_url.removeprefix("https://").split("/")[0]
    return {
        "ingress": {
            "enabled": True,
            "className": ingress.class_name,
            "annotations": {**_ingress_annotations(ingress), **ingress.annotations},
            "hosts": [{"host": host, "paths": [{"path": "/", "pathType": "Prefix", "backend": "server"}]}],
            "tls": [{"secretName": ingress.tls_secret, "hosts": [host]}],
        }
    }


def _ingress_annotations(ingress: IngressSettings) -> dict[str, str]:
    """TLS and time-outs, as far as a controller has annotations for them."""
    seconds = str(ingress.timeout_seconds)
    by_class = {
        "nginx": {
            "nginx.ingress.kubernetes.io/force-ssl-redirect": "true",
            "nginx.ingress.kubernetes.io/proxy-body-size": "16m",
            "nginx.ingress.kubernetes.io/proxy-read-timeout": seconds,
            "nginx.ingress.kubernetes.io/proxy-send-timeout": seconds,
        },
        "haproxy": {"haproxy.org/ssl-redirect": "true", "haproxy.org/timeout-server": f"{seconds}s"},
        "alb": {
            "alb.ingress.kubernetes.io/ssl-redirect": "443",
            "alb.ingress.kubernetes.io/load-balancer-attributes": f"idle_timeout.timeout_seconds={seconds}",
        },
    }
    issuer = {"cert-manager.io/cluster-issuer": ingress.issuer} if ingress.issuer else {}
    return {**issuer, **by_class.get(ingress.class_name, {})}
