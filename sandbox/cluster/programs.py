"""The programs of the cluster and how each is run. Everything listens on 127.0.0.1 and nowhere else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.cluster import kubeconfig, kwok
from sandbox.cluster.pki import LOOPBACK, Authority, token_key

SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.244.0.0/16"
ADVERTISED = "192.0.2.1"
"""Addresses that nothing answers on: no packet of a service or a pod ever leaves this machine."""

KUBELET_USER = "kube-apiserver-kubelet-client"
SIMULATOR_USER = "kwok"
ADMINISTRATORS = "system:masters"
"""The group that RBAC does not ask (https://kubernetes.io/docs/reference/access-authn-authz/rbac/)."""


@dataclass(frozen=True)
class Ports:
    """The ports of one start of the cluster, all on 127.0.0.1."""

    api: int
    etcd: int
    etcd_peers: int
    kubelet: int


@dataclass(frozen=True)
class Layout:
    """Where the cluster's programs, its data and its ports are."""

    data: Path
    bin_dir: Path
    ports: Ports

    @property
    def url(self) -> str:
        """The API server's URL."""
        return f"https://{LOOPBACK}:{self.ports.api}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.data / "kubeconfig"

    def log(self, program: str) -> Path:
        """The file with a program's output."""
        return self.data / "log" / f"{program}.log"

    def pki(self, file: str) -> str:
        """A file of keys or certificates, as an argument."""
        return str(self.data / "pki" / file)

    def program(self, name: str) -> str:
        """A program, as an argument."""
        return str(self.bin_dir / name)


def prepare(layout: Layout, forwards: Mapping[int, tuple[str, int]], components: Collection[str]) -> None:
    """Write what the programs read: keys, certificates, kubeconfigs, and what kwok simulates."""
    for folder in (layout.data / "pki", layout.data / "log", layout.data / "etcd"):
        folder.mkdir(mode=0o700, exist_ok=True)
    pki = layout.data / "pki"
    token_key(pki)
    storage = Authority.of(pki, "etcd-ca")
    storage.issue("etcd").write(pki, "etcd")
    storage.issue("kube-apiserver-etcd-client").write(pki, "apiserver-etcd-client")
    cluster = Authority.of(pki, "ca")
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    cluster.issue("kube-apiserver", names=service).write(pki, "apiserver")
    cluster.issue(KUBELET_USER, [ADMINISTRATORS]).write(pki, "apiserver-kubelet-client")
    cluster.issue(f"system:node:{kwok.NODE}", ["system:nodes"]).write(pki, "kubelet")
    administrator = cluster.issue("admin", [ADMINISTRATORS])
    administrator.write(pki, "admin")
    kubeconfig.write(layout.kubeconfig, layout.url, cluster.pem, administrator)
    for file, user, groups in (
        ("kube-controller-manager.kubeconfig", "system:kube-controller-manager", []),
        ("kube-scheduler.kubeconfig", "system:kube-scheduler", []),
        ("kwok.kubeconfig", SIMULATOR_USER, [ADMINISTRATORS]),
    ):
        kubeconfig.write(layout.data / file, layout.url, cluster.pem, cluster.issue(user, groups))
    kwok.write_configuration(layout.data, forwards, components)


def etcd(layout: Layout) -> list[str]:
    """The store. Without fsync: of all that the sandbox promises, surviving a power cut is not a part."""
    clients = f"https://{LOOPBACK}:{layout.ports.etcd}"
    peers = f"https://{LOOPBACK}:{layout.ports.etcd_peers}"
    return [
        layout.program("etcd"),
        "--name=sandbox",
        f"--data-dir={layout.data / 'etcd'}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=sandbox={peers}",
        *_mutual_tls(layout, ""),
        *_mutual_tls(layout, "peer-"),
        "--log-level=warn",
    ]


def _mutual_tls(layout: Layout, prefix: str) -> list[str]:
    return [
        f"--{prefix}client-cert-auth",
        f"--{prefix}trusted-ca-file={layout.pki('etcd-ca.crt')}",
        f"--{prefix}cert-file={layout.pki('etcd.crt')}",
        f"--{prefix}key-file={layout.pki('etcd.key')}",
    ]


def apiserver(layout: Layout) -> list[str]:
    """The API server, with RBAC and the usual admission, Pod Security and service accounts among it.

    Privileged pods are allowed to exist: what refuses them is Pod Security, by namespace, as in a real cluster. Nobody
    is told the server's address as endpoints of the service `kubernetes`: a loopback address is not allowed there.
    """
    return [
        layout.program("kube-apiserver"),
        f"--bind-address={LOOPBACK}",
        f"--secure-port={layout.ports.api}",
        # What the Service `kubernetes` leads to. No endpoint may be a loopback address, and nothing here uses it.
        f"--advertise-address={ADVERTISED}",
        f"--etcd-servers=https://{LOOPBACK}:{layout.ports.etcd}",
        f"--etcd-cafile={layout.pki('etcd-ca.crt')}",
        f"--etcd-certfile={layout.pki('apiserver-etcd-client.crt')}",
        f"--etcd-keyfile={layout.pki('apiserver-etcd-client.key')}",
        f"--tls-cert-file={layout.pki('apiserver.crt')}",
        f"--tls-private-key-file={layout.pki('apiserver.key')}",
        f"--client-ca-file={layout.pki('ca.crt')}",
        "--anonymous-auth=false",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={layout.pki('sa.pub')}",
        f"--service-account-signing-key-file={layout.pki('sa.key')}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={layout.pki('ca.crt')}",
        f"--kubelet-client-certificate={layout.pki('apiserver-kubelet-client.crt')}",
        f"--kubelet-client-key={layout.pki('apiserver-kubelet-client.key')}",
        "--profiling=false",
    ]


def controller_manager(layout: Layout) -> list[str]:
    """The controllers: Deployments get their pods, Jobs end, namespaces their service account."""
    own = layout.data / "kube-controller-manager.kubeconfig"
    return [
        layout.program("kube-controller-manager"),
        *_client(own),
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={layout.pki('sa.key')}",
        f"--root-ca-file={layout.pki('ca.crt')}",
        # The simulated node sends no heartbeats, so none may be missed.
        "--node-monitor-grace-period=87600h",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]


def scheduler(layout: Layout) -> list[str]:
    """The scheduler: pods get a node, where there is room for what they request."""
    return [layout.program("kube-scheduler"), *_client(layout.data / "kube-scheduler.kubeconfig")]


def _client(own: Path) -> list[str]:
    return [f"--kubeconfig={own}", "--leader-elect=false", "--secure-port=0", "--profiling=false"]


def simulator(layout: Layout) -> list[str]:
    """What stands for the kubelets: it plays what kwok.py wrote down, and serves a kubelet's API."""
    return [
        layout.program("kwok"),
        f"--kubeconfig={layout.data / 'kwok.kubeconfig'}",
        f"--config={layout.data / kwok.CONFIGURATION}",
        f"--manage-single-node={kwok.NODE}",
        f"--node-name={kwok.NODE}",
        f"--node-ip={LOOPBACK}",
        f"--node-port={layout.ports.kubelet}",
        "--node-lease-duration-seconds=0",
        f"--cidr={POD_RANGE}",
        f"--server-address={LOOPBACK}:{layout.ports.kubelet}",
        f"--tls-cert-file={layout.pki('kubelet.crt')}",
        f"--tls-private-key-file={layout.pki('kubelet.key')}",
    ]
