"""What can be wrong with settings that are well-formed: with each other, and with the environment they are for."""

from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from components.airbyte_platform import quantity
from components.airbyte_platform.chart import check_values, supported_minors
from components.airbyte_platform.chart.table import minor_of
from components.airbyte_platform.database import ExternalDatabase
from components.airbyte_platform.model import Environment
from components.airbyte_platform.network_settings import METADATA_ADDRESSES
from components.airbyte_platform.quota import computed_quota, hard
from components.airbyte_platform.resources import containers
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.sizing import namespace_total, scale
from components.airbyte_platform.values import Values, clashes, merge
from components.errors import Problem
from components.pipeline_file.secrets import is_secret_name, leaves

At = Callable[..., str]
"""Names a setting by its path, for messages."""


def check(settings: PlatformSettings, environment: Environment, url: str, values: Values, at: At) -> Iterator[Problem]:
    """Everything; `url` is where the server will be, `values` what the chart will get without the user's own."""
    yield from _address(settings, url, at)
    yield from _network(settings, environment, at)
    yield from _capacity(settings, at)
    yield from _extra_values(settings, values, at)
    yield from _chart_keys(settings, values, at)
    if environment == "production":
        yield from _production(settings, at)


def _production(settings: PlatformSettings, at: At) -> Iterator[Problem]:
    """What a development environment may do without."""
    for key in settings.bundled:
        what = "is the chart's own, with one pod, one volume and no backup: not for production."
        yield Problem(at(key, "type"), what, "Use one that somebody runs and backs up.")
    if isinstance(settings.database, ExternalDatabase) and settings.database.ssl_mode != "require":
        what = f"is `{settings.database.ssl_mode}`, which may send the password in plain text."
        yield Problem(at("database", "sslMode"), what, "Use require.")
    for key, address in (
        ("storage.endpoint", getattr(settings.storage, "endpoint", "")),
        ("secretsManager.address", getattr(settings.secrets_manager, "address", "")),
    ):
        if urlsplit(address).scheme == "http":
            yield Problem(at(*key.split(".")), "is not encrypted.", "Use https.")
    if settings.secrets_in_database and settings.allow_secrets_in_database is None:
        what = "is not set, so connectors' credentials would be in plain text in Airbyte's database."
        fix = 'Set it, or say why not: `allowSecretsInDatabase: "<reason>"`.'
        yield Problem(at("secretsManager"), what, fix)
    if settings.image.registry == "" and settings.local_connector_registry:
        what = "is not set, although nothing from the Internet is to be used."
        yield Problem(at("image", "registry"), what, "Name the mirror that holds the images.")


def _network(settings: PlatformSettings, environment: Environment, at: At) -> Iterator[Problem]:
    network = settings.network
    for path, given in network.named():
        for cidr in given.cidrs:
            if _is_metadata(cidr):
                what = f"opens {cidr}, where clouds hand the node's own rights to whoever asks."
                yield Problem(at("network", *path), what, "Remove it; for workload identity there is network.identity.")
        if environment == "production" and given.anywhere and given.reason is None:
            what = "opens every address."
            yield Problem(at("network", *path), what, 'Name the ranges, or say why not: `reason: "<reason>"`.')
    identity = settings.identity
    if network.identity and not (identity.annotations or identity.job_annotations):
        what = "opens where pods get an identity of the cloud, but `identity` gives them none."
        yield Problem(at("network", "identity"), what, "Remove it, or annotate the ServiceAccounts.")
    if environment != "production":
        return
    if not network.kube_api:
        fix = "List what `kubectl get endpointslices -n default kubernetes` shows, as [10.0.0.1:6443]."
        what = "is not set; the launcher and the bootloader need the API server's real addresses."
        yield Problem(at("network", "kubeApi"), what, fix)
    for key, peer, needed in (
        ("database", network.database, "database" not in settings.bundled),
        ("objectStore", network.object_store, "storage" not in settings.bundled),
        ("secretsManager", network.secrets_manager, settings.secrets_manager is not None),
        ("identity", network.identity, settings.uses_identity),
    ):
        if needed and peer is None:
            what = "is not set, so nothing may connect to it."
            fix = "Say where it is: `cidrs: [10.1.0.0/24]`, or `pods: {namespace: …}` in the same cluster."
            yield Problem(at("network", key), what, fix)


def _address(settings: PlatformSettings, url: str, at: At) -> Iterator[Problem]:
    if settings.ingress and urlsplit(url).scheme != "https":
        what = f"needs a host and TLS, and airbyteUrl is {url or 'not set'}."
        fix = "Set airbyteUrl to https://HOST, or remove `ingress` and reach the server by port-forward://."
        yield Problem(at("ingress"), what, fix)


def _capacity(settings: PlatformSettings, at: At) -> Iterator[Problem]:
    knobs, wanted = scale(settings.scaling), settings.scaling.concurrent_syncs
    if knobs.syncs < wanted:
        what = (
            f"asks for {wanted} syncs at once, but {knobs.worker_replicas} worker(s) of "
            f"{knobs.max_sync_workers} run {knobs.syncs}."
        )
        yield Problem(at("scaling", "concurrentSyncs"), what, "Raise workerReplicas or maxSyncWorkers.")
    most = settings.quota.container_max
    for name, resources in containers(settings.resources.components, settings.resources.jobs):
        for resource in ("cpu", "memory"):
            limit, ceiling = getattr(resources.limits, resource), getattr(most, resource)
            if quantity.parse(limit) > quantity.parse(ceiling):
                what = f"is {ceiling} {resource}, and `{name}` is given {limit}: its pods would be refused."
                yield Problem(at("quota", "containerMax"), what, f"Raise it to {limit} or more.")
    allowed, needed = hard(settings), computed_quota(namespace_total(settings))
    for key, least in needed.items():
        if quantity.parse(allowed[key]) < quantity.parse(least):
            what = f"allows {allowed[key]} {key}, and {wanted} syncs beside the platform take {least}."
            yield Problem(at("quota"), what, "Raise it, lower scaling.concurrentSyncs, or leave it to be computed.")


def _chart_keys(settings: PlatformSettings, values: Values, at: At) -> Iterator[Problem]:
    """Values that this version of the chart would ignore in silence."""

    if minor_of(settings.chart.version) not in supported_minors():
        what = f"is {settings.chart.version}, and what a minor version does with its values is known of few."
        yield Problem(
            at("chart", "version"), what, f"Use one of {', '.join(f'{each}.x' for each in supported_minors())}."
        )
        return

    def where(path: tuple[str, ...]) -> str:
        node: object = settings.extra_values
        for part in path:
            node = node.get(part) if isinstance(node, dict) else None
        return at("extraValues", *path) if node is not None else f"{at('chart', 'version')}: {'.'.join(path)}"

    yield from check_values(merge(values, settings.extra_values), settings.chart.version, where)


def _extra_values(settings: PlatformSettings, values: Values, at: At) -> Iterator[Problem]:
    for path in sorted(clashes(values, settings.extra_values)):
        what = f"sets {path}, which is set by the platform."
        yield Problem(at("extraValues"), what, "Remove it, and use the platform's own setting for it.")
    for place, value in leaves(settings.extra_values):
        if isinstance(value, str) and value and is_secret_name(place, ()):
            what = f"has a secret at {'.'.join(map(str, place))}, which would be readable in the release."
            yield Problem(at("extraValues"), what, "Put it into a Secret, and name that.")


def _is_metadata(cidr: str) -> bool:
    network = ip_network(cidr)
    return any(
        network.version == ip_network(address).version
        and (network.is_link_local or ip_address(address.split("/")[0]) == network.network_address)
        for address in METADATA_ADDRESSES
    )
