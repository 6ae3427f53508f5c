"""The policies open the flows of the table, and nothing else: evaluated from the objects as a cluster would."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from components.airbyte_platform.network import Opening, network_policies
from components.airbyte_platform.settings import PlatformSettings

Written = dict[str, Any]
Load = Callable[[Written], PlatformSettings]
Policies = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Pod:
    """One end of a connection."""

    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = "airbyte"


def airbyte(component: str) -> Pod:
    return Pod({"airbyte": component, "app.kubernetes.io/name": component, "app.kubernetes.io/instance": "airbyte"})


SERVER, WORKER, CRON, TEMPORAL = airbyte("server"), airbyte("worker"), airbyte("cron"), airbyte("temporal")
LAUNCHER, WORKLOAD_API = airbyte("workload-launcher"), airbyte("workload-api-server")
MANIFEST, BOOTLOADER = airbyte("manifest-server"), airbyte("bootloader")
JOB = Pod({"airbyte": "job-pod", "job_type": "sync"})
INGRESS = Pod({"app.kubernetes.io/name": "ingress-nginx"}, "ingress-nginx")
DNS = Pod({"k8s-app": "kube-dns"}, "kube-system")
STRANGER = Pod({"app": "stranger"}, "other")
DATABASE, BUCKETS, VAULT, KUBE_API = "10.0.20.5", "10.0.30.5", "10.0.30.6", "10.0.0.10"
POSTGRES_SOURCE, SNOWFLAKE, GITHUB, METADATA = "10.0.40.7", "198.51.100.9", "140.82.112.3", "169.254.169.254"


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for each in selector.get("matchExpressions", ()):
        assert each["operator"] == "DoesNotExist"
        if each["key"] in labels:
            return False
    return True


def is_peer(peer: Mapping[str, Any], end: Pod | str) -> bool:
    if "ipBlock" in peer:
        if isinstance(end, Pod):
            return False
        address, block = ip_address(end), peer["ipBlock"]
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(inner) for inner in block.get("except", ())
        )
    if isinstance(end, str):
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": end.namespace}):
            return False
    elif end.namespace != "airbyte":
        return False
    return selects(peer.get("podSelector", {}), end.labels)


def opens(policies: Policies, direction: str, pod: Pod, other: Pod | str, port: int, protocol: str) -> bool:
    """Whether a pod's side of a connection is open: it is where no policy of the direction selects the pod."""
    side = {"Ingress": "from", "Egress": "to"}[direction]
    own = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], pod.labels)
    ]
    return not own or any(
        any(is_peer(peer, other) for peer in rule[side])
        and any(each["port"] == port and each["protocol"] == protocol for each in rule["ports"])
        for spec in own
        for rule in spec.get(direction.lower(), ())
    )


def allowed(policies: Policies, caller: Pod | str, callee: Pod | str, port: int, protocol: str = "TCP") -> bool:
    leaves = (
        opens(policies, "Egress", caller, callee, port, protocol)
        if isinstance(caller, Pod) and caller.namespace == "airbyte"
        else True
    )
    enters = (
        opens(policies, "Ingress", callee, caller, port, protocol)
        if isinstance(callee, Pod) and callee.namespace == "airbyte"
        else True
    )
    return leaves and enters


@pytest.fixture
def policies(load: Load, production: Written) -> Policies:
    """Of the example production stack, with its pipeline's two hosts."""
    settings = load(production)
    opened = [Opening(("10.0.40.0/24",), (5432,)), Opening(("198.51.100.0/24",), (443,))]
    return network_policies(settings, opened, settings.network.kube_api)


FLOWS: dict[str, tuple[Pod | str, Pod | str, int]] = {
    "ingress to server": (INGRESS, SERVER, 8001),
    "server to temporal": (SERVER, TEMPORAL, 7233),
    "server to manifest server": (SERVER, MANIFEST, 8080),
    "server to database": (SERVER, DATABASE, 5432),
    "server to object store": (SERVER, BUCKETS, 443),
    "server to secrets manager": (SERVER, VAULT, 443),
    "server to the registry": (SERVER, GITHUB, 443),
    "worker to server": (WORKER, SERVER, 8001),
    "worker to workload API": (WORKER, WORKLOAD_API, 8007),
    "worker to temporal": (WORKER, TEMPORAL, 7233),
    "worker to object store": (WORKER, BUCKETS, 443),
    "worker to webhooks": (WORKER, GITHUB, 443),
    "cron to server": (CRON, SERVER, 8001),
    "cron to workload API": (CRON, WORKLOAD_API, 8007),
    "cron to temporal": (CRON, TEMPORAL, 7233),
    "cron to database": (CRON, DATABASE, 5432),
    "cron to the registry": (CRON, GITHUB, 443),
    "launcher to server": (LAUNCHER, SERVER, 8001),
    "launcher to workload API": (LAUNCHER, WORKLOAD_API, 8007),
    "launcher to the Kubernetes API": (LAUNCHER, KUBE_API, 443),
    "workload API to server": (WORKLOAD_API, SERVER, 8001),
    "workload API to database": (WORKLOAD_API, DATABASE, 5432),
    "manifest server to the APIs people build for": (MANIFEST, GITHUB, 443),
    "temporal to database": (TEMPORAL, DATABASE, 5432),
    "bootloader to database": (BOOTLOADER, DATABASE, 5432),
    "bootloader to the Kubernetes API": (BOOTLOADER, KUBE_API, 443),
    "bootloader to the registry": (BOOTLOADER, GITHUB, 443),
    "job to server": (JOB, SERVER, 8001),
    "job to workload API": (JOB, WORKLOAD_API, 8007),
    "job to object store": (JOB, BUCKETS, 443),
    "job to its source": (JOB, POSTGRES_SOURCE, 5432),
    "job to its destination": (JOB, SNOWFLAKE, 443),
}

DENIED: dict[str, tuple[Pod | str, Pod | str, int]] = {
    "stranger to server": (STRANGER, SERVER, 8001),
    "stranger to temporal": (STRANGER, TEMPORAL, 7233),
    "the Internet to server": (GITHUB, SERVER, 8001),
    "ingress to workload API": (INGRESS, WORKLOAD_API, 8007),
    "ingress to temporal": (INGRESS, TEMPORAL, 7233),
    "ingress to the server's management": (INGRESS, SERVER, 8085),
    "the workload API's Service port": (JOB, WORKLOAD_API, 8001),
    "job to temporal": (JOB, TEMPORAL, 7233),
    "job to manifest server": (JOB, MANIFEST, 8080),
    "job to another job": (JOB, JOB, 9000),
    "job to worker": (JOB, WORKER, 9000),
    "job to Airbyte's database": (JOB, DATABASE, 5432),
    "job to the Kubernetes API": (JOB, KUBE_API, 443),
    "job to the metadata address": (JOB, METADATA, 80),
    "job to the Internet": (JOB, GITHUB, 443),
    "job to its source's SSH": (JOB, POSTGRES_SOURCE, 22),
    "job to the source's neighbour": (JOB, "10.0.41.7", 5432),
    "launcher to database": (LAUNCHER, DATABASE, 5432),
    "launcher to the Internet": (LAUNCHER, GITHUB, 443),
    "server to the Kubernetes API": (SERVER, KUBE_API, 443),
    "server to a source": (SERVER, POSTGRES_SOURCE, 5432),
    "worker to Airbyte's database": (WORKER, DATABASE, 5432),
    "temporal to the Internet": (TEMPORAL, GITHUB, 443),
    "manifest server to the metadata address": (MANIFEST, METADATA, 443),
    "manifest server to a private address": (MANIFEST, "10.0.99.1", 443),
    "server to the metadata address": (SERVER, METADATA, 80),
    "server to worker": (SERVER, WORKER, 9000),
    "anything to bootloader": (SERVER, BOOTLOADER, 8085),
}


@pytest.mark.parametrize("flow", FLOWS)
def test_every_flow_that_airbyte_needs_is_open(flow: str, policies: Policies) -> None:
    assert allowed(policies, *FLOWS[flow])


@pytest.mark.parametrize("flow", DENIED)
def test_other_flows_are_closed(flow: str, policies: Policies) -> None:
    assert not allowed(policies, *DENIED[flow])


def test_no_other_pair_of_components_is_connected(policies: Policies) -> None:
    components = [SERVER, WORKER, CRON, TEMPORAL, LAUNCHER, WORKLOAD_API, MANIFEST, BOOTLOADER, JOB]
    ports = (8001, 8007, 8080, 8085, 7233, 9000, 5432, 8016, 443)
    found = [
        (caller.labels["airbyte"], callee.labels["airbyte"], port)
        for caller in components
        for callee in components
        for port in ports
        if allowed(policies, caller, callee, port)
    ]
    expected = [
        (caller.labels["airbyte"], callee.labels["airbyte"], port)
        for caller, callee, port in FLOWS.values()
        if isinstance(callee, Pod) and isinstance(caller, Pod) and caller is not INGRESS
    ]
    assert len(expected) > 10
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("component", [SERVER, JOB, LAUNCHER, TEMPORAL])
@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_everybody_resolves_names(component: Pod, protocol: str, policies: Policies) -> None:
    assert allowed(policies, component, DNS, 53, protocol)
    assert not allowed(policies, component, Pod({"app": "other"}, "kube-system"), 53, protocol)


def test_an_unknown_pod_of_the_namespace_reaches_nothing_but_names(policies: Policies) -> None:
    unknown = Pod({"app": "debug"})
    assert allowed(policies, unknown, DNS, 53, "UDP")
    for callee, port in ((SERVER, 8001), (DATABASE, 5432), (GITHUB, 443), (METADATA, 80), (KUBE_API, 443)):
        assert not allowed(policies, unknown, callee, port)
    assert not allowed(policies, SERVER, unknown, 8080)


def test_without_a_secrets_manager_jobs_need_the_database(load: Load, production: Written) -> None:
    """Connectors' credentials are then in it, and a job's init container fetches them."""
    del production["secretsManager"]
    settings = load(production)
    policies = network_policies(settings, (), settings.network.kube_api)
    for component in (JOB, WORKER, LAUNCHER):
        assert allowed(policies, component, DATABASE, 5432)


def test_an_installation_without_a_way_out_opens_none(load: Load, production: Written) -> None:
    production["network"]["internet"] = {"cidrs": []}
    production["localConnectorRegistry"] = True
    settings = load(production)
    policies = network_policies(settings, (), settings.network.kube_api)
    for component in (SERVER, WORKER, CRON, MANIFEST, BOOTLOADER):
        assert not allowed(policies, component, GITHUB, 443)


def test_a_database_in_the_same_cluster_is_named_by_its_pods(load: Load, production: Written) -> None:
    pods = {"namespace": "postgres", "podLabels": {"cnpg.io/cluster": "airbyte"}}
    production["network"]["database"] = {"pods": pods}
    settings = load(production)
    policies = network_policies(settings, (), settings.network.kube_api)
    assert allowed(policies, SERVER, Pod({"cnpg.io/cluster": "airbyte"}, "postgres"), 5432)
    assert not allowed(policies, SERVER, Pod({"cnpg.io/cluster": "other"}, "postgres"), 5432)
    assert not allowed(policies, SERVER, DATABASE, 5432)


def test_an_entry_that_covers_the_metadata_address_does_not_open_it(load: Load, production: Written) -> None:
    settings = load(production)
    policies = network_policies(settings, [Opening(("0.0.0.0/0",), (80,)), Opening(("::/0",), (80,))], ())
    assert allowed(policies, JOB, GITHUB, 80)
    assert not allowed(policies, JOB, METADATA, 80)
    assert not allowed(policies, JOB, "fd00:ec2::254", 80)


def test_workload_identity_opens_its_address_to_those_that_use_it(load: Load, production: Written) -> None:
    production["network"]["identity"] = {"cidrs": ["169.254.169.254/32"], "ports": [80, 988]}
    settings = load(production)
    policies = network_policies(settings, (), settings.network.kube_api)
    for component in (SERVER, WORKER, JOB, CRON):
        assert allowed(policies, component, METADATA, 80)
    for component in (TEMPORAL, LAUNCHER, MANIFEST, BOOTLOADER):
        assert not allowed(policies, component, METADATA, 80)


def test_the_charts_own_database_and_store_answer_those_that_need_them(load: Load, bundled: Written) -> None:
    policies = network_policies(load(bundled), (), ["10.0.0.10:6443"])
    database = Pod({"app.kubernetes.io/name": "airbyte-db", "app.kubernetes.io/instance": "airbyte"})
    minio, bucket_hook = Pod({"app.kubernetes.io/name": "airbyte-minio"}), Pod()
    for component in (SERVER, WORKER, CRON, WORKLOAD_API, TEMPORAL, BOOTLOADER, JOB, LAUNCHER):
        assert allowed(policies, component, database, 5432)
    for component in (SERVER, WORKER, JOB, bucket_hook):
        assert allowed(policies, component, minio, 9000)
    assert not allowed(policies, MANIFEST, database, 5432)
    assert not allowed(policies, TEMPORAL, minio, 9000)
    assert not allowed(policies, database, minio, 9000)
    assert not allowed(policies, STRANGER, database, 5432)
    assert not allowed(policies, bucket_hook, database, 5432)
    assert not allowed(policies, minio, GITHUB, 443)
