"""Which changes make a new object, because the API server takes none of them, or as the official plugin has it.

Source: the official plugin's behaviour (https://github.com/pulumi/pulumi-kubernetes) and the API conventions. A change
that is not listed and not allowed either is refused by the API server in its own words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sandbox.plugins.kubernetes.shape import Difference
from sandbox.plugins.values import Path, Properties, Value

_IDENTITY: Final[tuple[Path, ...]] = (("metadata", "name"), ("metadata", "namespace"))
_SELECTOR: Final[Path] = ("spec", "selector")
_ANY: Final = "*"
"""Stands for every index of a list."""

_CONTAINER: Final = [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
]
_POD: Final = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
]
_VOLUME_SOURCES: Final = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
]


def _below(prefix: str, names: Iterable[str]) -> tuple[Path, ...]:
    return tuple((prefix, name) for name in names)


_KINDS: Final[dict[tuple[str, str], tuple[Path, ...]]] = {
    ("apps/v1", "DaemonSet"): (_SELECTOR,),
    ("apps/v1", "Deployment"): (_SELECTOR,),
    ("apps/v1", "StatefulSet"): _below(
        "spec", ["podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates"]
    ),
    ("batch/v1", "Job"): _below("spec", ["completions", "parallelism", "selector", "template"]),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): (("roleRef",),),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): (("roleRef",),),
    ("storage.k8s.io/v1", "StorageClass"): (("parameters",), ("provisioner",)),
    ("v1", "PersistentVolume"): _below("spec", _VOLUME_SOURCES),
    ("v1", "PersistentVolumeClaim"): _below("spec", ["accessModes", "selector", "storageClassName", "volumeName"]),
    ("v1", "Pod"): (
        *_below("spec", _POD),
        *(("spec", group, _ANY, name) for group in ("containers", "initContainers") for name in _CONTAINER),
    ),
    ("v1", "ResourceQuota"): (("spec", "scopes"),),
    ("v1", "Secret"): (("type",),),
    ("v1", "Service"): (("spec", "clusterIP"),),
}


def fixed_paths(declared: Properties, *, mutable_secrets: bool, mutable_config_maps: bool) -> tuple[Path, ...]:
    """What of the declared object can't change in place.

    The data of a Secret or ConfigMap is among it unless the provider was told that they are mutable, or where the
    object says ``immutable: true``.
    """
    version, kind = declared.get("apiVersion"), declared.get("kind")
    paths = _IDENTITY + _KINDS.get((str(version), str(kind)), ())
    frozen = declared.get("immutable") is True
    if (version, kind) == ("v1", "Secret") and (frozen or not mutable_secrets):
        paths += (("stringData",), ("data",))
    if (version, kind) == ("v1", "ConfigMap") and (frozen or not mutable_config_maps):
        paths += (("binaryData",), ("data",))
    return paths


def replaces(change: Difference, fixed: Iterable[Path]) -> bool:
    """Whether `change` touches one of the `fixed` paths."""
    return any(_touches(change, path) for path in fixed)


def _touches(change: Difference, fixed: Path) -> bool:
    shared = min(len(change.path), len(fixed))
    pairs = zip(change.path[:shared], fixed[:shared], strict=True)
    if any(wanted not in (_ANY, step) for step, wanted in pairs):
        return False
    value = change.was if change.kind == "DELETE" else change.will_be
    return _has(value, fixed[shared:])


def _has(value: Value, rest: Path) -> bool:
    if not rest:
        return True
    if rest[0] == _ANY:
        return isinstance(value, list) and any(_has(item, rest[1:]) for item in value)
    return isinstance(value, dict) and rest[0] in value and _has(value[rest[0]], rest[1:])
