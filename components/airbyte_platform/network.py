"""NetworkPolicies: everything is closed both ways, and then exactly the flows of the table are opened.

The ports are pods' ports, not Services'. An address range is never opened without cutting the clouds' metadata
address out of it, which would hand out the node's own rights.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from components.airbyte_platform.flows import INTERNAL, Service, outside
from components.airbyte_platform.model import Manifest
from components.airbyte_platform.network_settings import METADATA_ADDRESSES, Peer, Pods
from components.airbyte_platform.objects import manifest
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.workloads import JOB_POD, WORKLOADS

_PORTS = {workload.label: workload.port for workload in WORKLOADS}
_DATABASE_PORT, _MINIO_PORT = 5432, 9000
_UNLABELLED = {
    "matchExpressions": [
        {"key": "airbyte", "operator": "DoesNotExist"},
        {"key": "app.kubernetes.io/name", "operator": "DoesNotExist"},
    ]
}
"""The hook that makes MinIO's bucket, which carries no label at all."""


@dataclass(frozen=True)
class Opening:
    """Address ranges that the job pods may reach, for the pipelines' sake."""

    cidrs: tuple[str, ...]
    ports: tuple[int, ...]
    pods: Pods | None = None


def distinct(openings: Iterable[Opening]) -> list[Opening]:
    """Each once, in an order of their own: the pipelines' order changes nothing."""
    ordered = sorted(openings, key=lambda each: (each.cidrs, each.ports, str(each.pods)))
    return [each for index, each in enumerate(ordered) if index == 0 or each != ordered[index - 1]]


def network_policies(
    settings: PlatformSettings, openings: Sequence[Opening], kube_api: Sequence[str]
) -> list[Manifest]:
    """All policies; `kube_api` are the API server's real addresses, as ``10.0.0.1:6443``."""
    made = [
        _policy(settings, "default-deny", {}, ingress=[], egress=[]),
        _policy(settings, "dns", {}, egress=[_to(settings.network.dns, settings.network.dns.ports or [53], dns=True)]),
    ]
    for label, callees in INTERNAL.items():
        egress = [_rule("to", [_labelled(callee)], [_port_of(callee)]) for callee in callees]
        for service in outside(label, settings):
            egress += _service(settings, service, kube_api)
        if label in _identified(settings) and settings.network.identity:
            egress.append(_to(settings.network.identity, settings.network.identity.ports or [443], identity=True))
        made.append(_policy(settings, label, _labelled(label), ingress=_callers(settings, label), egress=egress))
    made.append(
        _policy(
            settings,
            f"{JOB_POD}-pipelines",
            _labelled(JOB_POD),
            egress=[
                _rule("to", [_pods(each.pods)] if each.pods else _blocks(each.cidrs), each.ports)
                for each in distinct(openings)
            ],
        )
    )
    return made + _bundled(settings)


def _policy(
    settings: PlatformSettings,
    name: str,
    selector: Manifest,
    *,
    ingress: list[Manifest] | None = None,
    egress: list[Manifest] | None = None,
) -> Manifest:
    directions = {"ingress": ingress, "egress": egress}
    spec: Manifest = {
        "podSelector": selector,
        "policyTypes": [direction.capitalize() for direction, rules in directions.items() if rules is not None],
        **{direction: _distinct(rules) for direction, rules in directions.items() if rules},
    }
    return manifest("networking.k8s.io/v1", "NetworkPolicy", f"airbyte-{name}", settings.namespace, spec=spec)


def _distinct(rules: list[Manifest]) -> list[Manifest]:
    """Two services may be behind one address."""
    return [rule for index, rule in enumerate(rules) if rule not in rules[:index]]


def _callers(settings: PlatformSettings, label: str) -> list[Manifest]:
    """Who may connect to a component."""
    port = _PORTS.get(label)
    if port is None:
        return []
    callers = [{"podSelector": _labelled(caller)} for caller, callees in INTERNAL.items() if label in callees]
    rules = [_rule("from", callers, [port])] if callers else []
    if label == "server" and settings.ingress:
        rules.append(_rule("from", [_pods(settings.network.ingress_controller)], [port]))
    return rules


def _service(settings: PlatformSettings, service: Service, kube_api: Sequence[str]) -> list[Manifest]:
    """Rules to something outside of the namespace."""
    network = settings.network
    if service == "kube_api":
        by_port: dict[int, list[str]] = {}
        for endpoint in kube_api:
            host, _, number = endpoint.rpartition(":")
            by_port.setdefault(int(number), []).append(str(ip_network(host.strip("[]"))))
        return [_rule("to", _blocks(sorted(hosts)), [each]) for each, hosts in sorted(by_port.items())]
    if service == "internet":
        internet = network.internet
        blocks = _blocks(internet.cidrs, internet.except_cidrs)
        return [_rule("to", blocks, internet.ports)] if blocks else []
    if service in settings.bundled or (service == "object_store" and "storage" in settings.bundled):
        name, port = ("db", _DATABASE_PORT) if service == "database" else ("minio", _MINIO_PORT)
        return [_rule("to", [_named(settings, name)], [port])]
    peer: Peer | None = getattr(network, service)
    port = service_port(settings, service)
    return [_to(peer or Peer(cidrs=["0.0.0.0/0"]), peer.ports if peer and peer.ports else [port])]


def service_port(settings: PlatformSettings, service: Service) -> int:
    """Where the service listens if its peer does not say so."""
    if service == "database":
        return getattr(settings.database, "port", _DATABASE_PORT)
    backend = settings.storage if service == "object_store" else settings.secrets_manager
    address = next((getattr(backend, key) for key in ("endpoint", "address", "vault_url") if hasattr(backend, key)), "")
    parts = urlsplit(address)
    return parts.port or (80 if parts.scheme == "http" else 443)


def _bundled(settings: PlatformSettings) -> list[Manifest]:
    """The chart's own database and MinIO, which only listen, and the hook that makes the bucket."""
    made = []
    for key, service, name, port in (
        ("database", "database", "db", _DATABASE_PORT),
        ("storage", "object_store", "minio", _MINIO_PORT),
    ):
        if key not in settings.bundled:
            continue
        users = [label for label in INTERNAL if service in outside(label, settings)]
        callers: list[Manifest] = [{"podSelector": _labelled(label)} for label in users]
        if name == "minio":
            callers.append({"podSelector": _UNLABELLED})
            to_minio = _rule("to", [_named(settings, name)], [port])
            made.append(_policy(settings, "create-bucket", _UNLABELLED, egress=[to_minio]))
        selector = _named(settings, name)["podSelector"]
        made.append(_policy(settings, name, selector, ingress=[_rule("from", callers, [port])]))
    return made


def _identified(settings: PlatformSettings) -> set[str]:
    """Who gets tokens of a workload identity: what uses the object store or the secrets manager."""
    return {label for label in INTERNAL if {"object_store", "secrets_manager"} & {*outside(label, settings)}}


def _to(peer: Peer, ports: Iterable[int], *, dns: bool = False, identity: bool = False) -> Manifest:
    peers = [_pods(peer.pods)] if peer.pods else _blocks(peer.cidrs, metadata=identity)
    return _rule("to", peers, ports, protocols=("UDP", "TCP") if dns else ("TCP",))


def _rule(side: str, peers: Sequence[Any], ports: Iterable[int], *, protocols: Sequence[str] = ("TCP",)) -> Manifest:
    selected = [{"podSelector": peer} if "matchLabels" in peer else peer for peer in peers]
    return {
        side: selected,
        "ports": [{"protocol": protocol, "port": port} for port in ports for protocol in protocols],
    }


def _blocks(cidrs: Iterable[str], excepted: Iterable[str] = (), *, metadata: bool = False) -> list[Manifest]:
    """Address ranges, each without what of the exceptions lies inside it."""
    blocks = []
    for cidr in cidrs:
        cut = [
            inner
            for inner in dict.fromkeys([*excepted, *(() if metadata else METADATA_ADDRESSES)])
            if _inside(inner, cidr)
        ]
        covered = [inner for inner in cut if any(inner != outer and _inside(inner, outer) for outer in cut)]
        kept = sorted(set(cut) - set(covered))
        blocks.append({"ipBlock": {"cidr": cidr, **({"except": kept} if kept else {})}})
    return blocks


def _inside(inner: str, outer: str) -> bool:
    first, second = ip_network(inner), ip_network(outer)
    return first.version == second.version and first.subnet_of(second)  # type: ignore[arg-type]


def _labelled(label: str) -> Manifest:
    return {"matchLabels": {"airbyte": label}}


def _named(settings: PlatformSettings, name: str) -> Manifest:
    """A server that the chart brings; it lacks the `airbyte` label."""
    return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": f"{settings.release}-{name}"}}}


def _pods(pods: Pods) -> Manifest:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": pods.namespace}},
        **({"podSelector": {"matchLabels": pods.pod_labels}} if pods.pod_labels else {}),
    }


def _port_of(label: str) -> int:
    port = _PORTS[label]
    assert port is not None, f"{label} listens nowhere"
    return port
