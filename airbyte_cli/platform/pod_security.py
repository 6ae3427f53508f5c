"""The Pod Security Standards' profile ``restricted``, on a pod's spec.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, for pods that run Linux. The API
server is what decides; this tells beforehand, and without one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_PROFILES = frozenset({"RuntimeDefault", "Localhost"})


def violations(spec: Mapping[str, Any], annotations: Mapping[str, str] | None = None) -> list[str]:
    """What ``restricted`` refuses in a pod, a sentence each, beginning with the container or the pod."""
    return [
        *_pod(spec, annotations or {}),
        *(each for container in _containers(spec) for each in _one(container, spec)),
    ]


def _containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(kind) or []


def _pod(spec: Mapping[str, Any], annotations: Mapping[str, str]) -> Iterator[str]:
    context = spec.get("securityContext") or {}
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield f"pod: {field} is set"
    for volume in spec.get("volumes") or []:
        for kind in sorted(set(volume) - {"name"} - _VOLUMES):
            yield f"pod: volume {volume['name']} is of the type {kind}"
    for sysctl in context.get("sysctls") or []:
        if sysctl["name"] not in _SYSCTLS:
            yield f"pod: sysctl {sysctl['name']} is set"
    yield from _shared("pod", context)
    for name, profile in annotations.items():
        if name.startswith("container.apparmor.security.beta.kubernetes.io/") and not (
            profile in ("", "runtime/default") or profile.startswith("localhost/")
        ):
            yield f"pod: its annotation sets the AppArmor profile {profile}"


def _one(container: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[str]:
    name = container["name"]
    own = container.get("securityContext") or {}
    pod = spec.get("securityContext") or {}
    if own.get("privileged"):
        yield f"{name}: is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation is not false"
    capabilities = own.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield f"{name}: capabilities.drop has no ALL"
    for added in sorted(set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}):
        yield f"{name}: capabilities.add has {added}"
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield f"{name}: runAsNonRoot is not true"
    if own.get("procMount", "Default") != "Default":
        yield f"{name}: procMount is {own['procMount']}"
    if ((own.get("seccompProfile") or pod.get("seccompProfile")) or {}).get("type") not in _PROFILES:
        yield f"{name}: seccompProfile is neither RuntimeDefault nor Localhost"
    yield from _shared(name, own)
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"{name}: hostPort {port['hostPort']} is taken"
    for hook in ("postStart", "preStop"):
        yield from _host(name, hook, (container.get("lifecycle") or {}).get(hook))
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield from _host(name, probe, container.get(probe))


def _shared(name: str, context: Mapping[str, Any]) -> Iterator[str]:
    """What holds for the pod's context and for a container's own."""
    if context.get("runAsUser") == 0:
        yield f"{name}: runAsUser is 0"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{name}: windowsOptions.hostProcess is set"
    if (context.get("appArmorProfile") or {}).get("type", "RuntimeDefault") not in _PROFILES:
        yield f"{name}: appArmorProfile is neither RuntimeDefault nor Localhost"
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type", "") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield f"{name}: seLinuxOptions are not the containers'"


def _host(name: str, handler: str, settings: Mapping[str, Any] | None) -> Iterator[str]:
    """Since Kubernetes 1.34: probes and lifecycle hooks may not name a host."""
    for kind in ("httpGet", "tcpSocket"):
        if ((settings or {}).get(kind) or {}).get("host"):
            yield f"{name}: {handler}.{kind}.host is set"
