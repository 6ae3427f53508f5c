"""Who the platform may talk to: the settings below `platform.network`."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from components.airbyte_platform.model import Cidr, Group, ObjectName, Port, Reason

METADATA_ADDRESSES = ("169.254.169.254/32", "fd00:ec2::254/128")
"""Where clouds hand the node's own credentials to whoever asks (AWS, Azure, Google; AWS on IPv6)."""

PRIVATE_RANGES = ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
"""What is not the Internet (RFC 1918, 6598, 1122, 3927)."""


def _endpoint(text: str) -> str:
    host, _, port = text.rpartition(":")
    try:
        ip_address(host.strip("[]"))
        if not 1 <= int(port) <= 65535:
            raise ValueError(port)
    except ValueError:
        raise ValueError(f"`{text}` is not an address and a port, such as 10.0.0.1:6443.") from None
    return text


ApiEndpoint = Annotated[str, AfterValidator(_endpoint)]
Host = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]


class Pods(Group):
    """Pods of another namespace."""

    namespace: ObjectName
    pod_labels: dict[str, str] = Field(default={})
    """Empty for all of them."""


class Peer(Group):
    """Where a service is: in address ranges, or in a namespace of the same cluster."""

    cidrs: list[Cidr] = Field(default=[])
    pods: Pods | None = None
    ports: list[Port] = Field(default=[])
    """Empty for the service's own port."""
    reason: Reason | None = None
    """Why it may be anywhere; needed in production for 0.0.0.0/0."""

    @model_validator(mode="after")
    def _is_somewhere(self) -> "Peer":
        if bool(self.cidrs) == bool(self.pods):
            raise ValueError("needs `cidrs` or `pods`, and not both.")
        return self

    @property
    def anywhere(self) -> bool:
        """Whether it leaves everything open."""
        return any(ip_network(cidr).prefixlen == 0 for cidr in self.cidrs)


class Internet(Group):
    """The public addresses that the platform itself calls: the connector registry, webhooks, connector builder."""

    cidrs: list[Cidr] = Field(default=["0.0.0.0/0"])
    """Empty for an installation without a way out."""
    except_cidrs: list[Cidr] = Field(default=list(PRIVATE_RANGES))
    ports: list[Port] = Field(default=[443])


class EgressEntry(Peer):
    """Where a pipeline's host is, which a NetworkPolicy can't look up by its name."""

    host: Host | None = None
    """As the pipeline writes it, or `*.example.com` for every name below."""
    connector: str | None = None
    """For connectors whose configuration names no host, such as source-github."""

    @model_validator(mode="after")
    def _says_whose(self) -> "EgressEntry":
        if bool(self.host) == bool(self.connector):
            raise ValueError("needs `host` or `connector`, and not both.")
        return self

    def covers(self, host: str | None, connector: str) -> bool:
        """Whether it is about this host of this connector."""
        if self.host is None:
            return self.connector == connector
        if host is None:
            return False
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host


class NetworkSettings(Group):
    """Addresses of everything outside the namespace. What is not here can't be reached."""

    kube_api: list[ApiEndpoint] = Field(default=[])
    """Real addresses of the API server; `kubectl get endpointslices -n default kubernetes` shows them."""
    ingress_controller: Pods = Pods(namespace="ingress-nginx")
    dns: Peer = Peer(pods=Pods(namespace="kube-system", pod_labels={"k8s-app": "kube-dns"}))
    database: Peer | None = None
    object_store: Peer | None = None
    secrets_manager: Peer | None = None
    internet: Internet = Internet()
    identity: Peer | None = None
    """Where pods get the tokens of their workload identity: AWS STS by HTTPS, or the node-local address of GKE
    (169.254.169.254, ports 80 and 988) or EKS Pod Identity (169.254.170.23, port 80)."""
    egress: list[EgressEntry] = Field(default=[])

    def named(self) -> Iterator[tuple[tuple[str | int, ...], Peer]]:
        """Every peer that was given, with its path."""
        for key, peer in (
            ("dns", self.dns),
            ("database", self.database),
            ("objectStore", self.object_store),
            ("secretsManager", self.secrets_manager),
        ):
            if peer is not None:
                yield (key,), peer
        for index, entry in enumerate(self.egress):
            yield ("egress", index), entry
