"""The pods that Airbyte's workload launcher starts, as far as Kubernetes can tell them apart.

No chart renders these: the launcher makes them at run time from its own environment. A cluster without Airbyte in it
needs them nonetheless, to show whether admission, quotas and network policies would let a job run.

::

    environment = launcher_environment(objects)       # of a rendered chart, or of a cluster
    pod = job_pod("replication", environment, "airbyte")

What they look like (names, labels, containers, mounts, contexts) follows platform 2.2's launcher.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, get_args

Job = Literal["replication", "check", "discover", "spec"]
Object = dict[str, Any]
"""A Kubernetes object, as in a manifest."""

JOBS: tuple[Job, ...] = get_args(Job)
LAUNCHER = "workload-launcher"
"""What the label ``airbyte`` says of the launcher's Deployment."""

_UID = 1000
_CONFIG = "/config"
_SOURCE, _DESTINATION = "airbyte/source-postgres:3.7.0", "airbyte/destination-snowflake:4.0.33"
_WHEN_ASKED = "IfNotPresent"


def launcher_environment(objects: Iterable[Object]) -> dict[str, str]:
    """The launcher's environment by name, from its Deployment and the ConfigMaps that it refers to.

    Where a name stands twice the last one holds, as in the container runtime. Values out of Secrets and of the pod
    itself are left out. Raises LookupError where there is no launcher among the objects, or a ConfigMap or one of its
    keys is missing.
    """
    listed = list(objects)
    maps = {each["metadata"]["name"]: each.get("data") or {} for each in listed if each["kind"] == "ConfigMap"}
    launcher = next(
        (
            each
            for each in listed
            if each["kind"] == "Deployment" and (each["metadata"].get("labels") or {}).get("airbyte") == LAUNCHER
        ),
        None,
    )
    if launcher is None:
        raise LookupError(f"there is no Deployment with the label airbyte={LAUNCHER}")
    environment: dict[str, str] = {}
    for variable in launcher["spec"]["template"]["spec"]["containers"][0].get("env") or []:
        if "valueFrom" not in variable:
            environment[variable["name"]] = variable.get("value") or ""
        elif reference := variable["valueFrom"].get("configMapKeyRef"):
            environment[variable["name"]] = maps[reference["name"]][reference["key"]]
    return environment


def job_pod(job: Job, environment: Mapping[str, str], namespace: str, number: int = 1) -> Object:
    """The pod of one job; `number` tells the jobs of a kind apart.

    With ROOTLESS_WORKLOAD every container runs as uid 1000 with nothing to escalate; without it there is no security
    context at all, and the images decide.
    """
    rootless = environment.get("ROOTLESS_WORKLOAD", "false").lower() == "true"
    connector = "source-postgres"
    name = f"replication-job-{number}-attempt-0" if job == "replication" else f"{connector}-{job}-{number}-0-abcde"
    containers = _replication(environment) if job == "replication" else _connector(job, environment)
    spec = {
        "serviceAccountName": environment["JOB_KUBE_SERVICEACCOUNT"],
        # A sync's pod gets no token; those of the other jobs do, and run a connector's code beside it.
        "automountServiceAccountToken": job != "replication",
        "restartPolicy": "Never",
        "initContainers": containers[:1],
        "containers": containers[1:],
        "volumes": _volumes(containers),
        "nodeSelector": _pairs(_selector(job, environment)),
        "tolerations": [_pairs(each) for each in _split(environment.get("JOB_KUBE_TOLERATIONS", ""), ";")],
        "imagePullSecrets": [
            {"name": each} for each in _split(environment.get("JOB_KUBE_MAIN_CONTAINER_IMAGE_PULL_SECRET", ""), ",")
        ],
    }
    if rootless:
        spec["securityContext"] = {"fsGroup": _UID}
        for container in containers:
            container["securityContext"] = _rootless()
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": _labels(job, number),
            "annotations": _pairs(_annotations(job, environment)),
        },
        "spec": {key: value for key, value in spec.items() if value not in ([], {})},
    }


def _labels(job: Job, number: int) -> dict[str, str]:
    """What network policies find job pods by is ``airbyte: job-pod``; the release's own labels are not on them."""
    labels = {
        "airbyte": "job-pod",
        "job_type": "sync" if job == "replication" else job,
        "job_id": str(number),
        "attempt_id": "0",
        "workload_id": f"{job}_{number}_0",
    }
    return labels | ({"sync_step": "replication"} if job == "replication" else {})


def _replication(environment: Mapping[str, str]) -> list[Object]:
    """Init, orchestrator, source and destination; the first two are as big as the orchestrator."""
    orchestrator = _size(environment, "REPLICATION_ORCHESTRATOR")
    connector = _size(environment, "JOB_MAIN_CONTAINER")
    config, files = {"config": _CONFIG}, {"source": "/source", "destination": "/dest"}
    return [
        _container("init", environment["WORKLOAD_INIT_IMAGE"], orchestrator, config | files),
        _container("orchestrator", environment["CONTAINER_ORCHESTRATOR_IMAGE"], orchestrator, config | files),
        _container("source", _image(_SOURCE, environment), connector, {"source": "/source", "shared-tmp": "/tmp"}),  # noqa: S108
        _container(
            "destination",
            _image(_DESTINATION, environment),
            connector,
            {"destination": "/dest", "shared-tmp": "/tmp"},  # noqa: S108
        ),
    ]


def _connector(job: Job, environment: Mapping[str, str]) -> list[Object]:
    """Init, sidecar and the connector itself; the init container is as big as both of the others (spec: as one)."""
    main = _size(environment, f"{job.upper()}_JOB_MAIN_CONTAINER")
    sidecar = _size(environment, "SIDECAR_MAIN_CONTAINER")
    config = {"config": _CONFIG}
    return [
        _container(
            "init", environment["WORKLOAD_INIT_IMAGE"], main if job == "spec" else _sum(main, sidecar), dict(config)
        ),
        _container("connector-sidecar", environment["CONNECTOR_SIDECAR_IMAGE"], sidecar, dict(config)),
        _container("main", _image(_SOURCE, environment), main, config | {"shared-tmp": "/tmp"}),  # noqa: S108
    ]


def _container(name: str, image: str, resources: Object, mounts: dict[str, str]) -> Object:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": _WHEN_ASKED,
        "resources": resources,
        "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in mounts.items()],
    }


def _volumes(containers: list[Object]) -> list[Object]:
    """Empty folders; the one with the connector's configuration is in memory, and counts as such."""
    names = dict.fromkeys(mount["name"] for container in containers for mount in container["volumeMounts"])
    return [{"name": name, "emptyDir": {"medium": "Memory"} if name == "config" else {}} for name in names]


def _rootless() -> Object:
    return {
        "runAsUser": _UID,
        "runAsGroup": _UID,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _image(name: str, environment: Mapping[str, str]) -> str:
    registry = environment.get("JOB_KUBE_CONNECTOR_IMAGE_REGISTRY", "")
    return f"{registry.rstrip('/')}/{name}" if registry else name


def _selector(job: Job, environment: Mapping[str, str]) -> str:
    """Checks and discovers of default priority fall back to the syncs' nodes; specs have only their own setting."""
    if job == "replication":
        return environment.get("JOB_KUBE_NODE_SELECTORS", "")
    own = environment.get(f"{job.upper()}_JOB_KUBE_NODE_SELECTORS", "")
    return own if own or job == "spec" else environment.get("JOB_KUBE_NODE_SELECTORS", "")


def _annotations(job: Job, environment: Mapping[str, str]) -> str:
    common = environment.get("JOB_KUBE_ANNOTATIONS", "")
    return common if job == "replication" else environment.get(f"{job.upper()}_JOB_KUBE_ANNOTATIONS", "") or common


def _size(environment: Mapping[str, str], prefix: str) -> Object:
    """Requests and limits from `<prefix>_CPU_REQUEST` and its like; what is not set is not there."""
    found: Object = {}
    for kind in ("requests", "limits"):
        setting = {
            resource: environment[name]
            for resource in ("cpu", "memory")
            if environment.get(name := f"{prefix}_{resource.upper()}_{kind[:-1].upper()}")
        }
        if setting:
            found[kind] = setting
    return found


def _sum(one: Object, other: Object) -> Object:
    """Requests and limits of two containers together, where both have one."""
    kinds = {kind: {**one.get(kind, {}), **other.get(kind, {})} for kind in ("requests", "limits")}
    return {
        kind: {
            resource: _added(one.get(kind, {}).get(resource), other.get(kind, {}).get(resource)) for resource in names
        }
        for kind, names in kinds.items()
        if names
    }


_UNITS = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("", "k", "M", "G"))},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("", "Ki", "Mi", "Gi"))},
}


def _added(one: str | None, other: str | None) -> str:
    if one is None or other is None:
        return one or other or ""
    return format((_number(one) + _number(other)).normalize(), "f")


def _number(quantity: str) -> Decimal:
    """https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity"""
    unit = max((unit for unit in _UNITS if quantity.endswith(unit)), key=len)
    return Decimal(quantity.removesuffix(unit)) * _UNITS[unit]


def _pairs(text: str) -> dict[str, str]:
    """``key=value,key=value`` as a map."""
    return dict(each.partition("=")[::2] for each in _split(text, ","))


def _split(text: str, separator: str) -> list[str]:
    return [each.strip() for each in text.split(separator) if each.strip()]
