"""AirbytePlatform: the official chart as a Helm release, and around it what makes it fit for a shared cluster."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pydantic import SecretStr
from pydantic.alias_generators import to_snake

from components.airbyte_platform.accounts import accounts
from components.airbyte_platform.disruption import disruption_budgets
from components.airbyte_platform.model import Credential, Fingerprint, Generated, Manifest, Placeholder
from components.airbyte_platform.namespace import namespace
from components.airbyte_platform.network import network_policies
from components.airbyte_platform.objects import manifest
from components.airbyte_platform.plan import AirbytePlatformArgs
from components.airbyte_platform.quota import quota
from components.airbyte_platform.secrets import SecretObject, secret_objects
from components.airbyte_platform.settings import OFFICIAL_REPOSITORY, ChartSettings
from components.airbyte_platform.values import fill
from components.lazy import lazy_import
from dynamic_providers.airbyte import AirbyteApi
from dynamic_providers.fingerprint import fingerprint
from dynamic_providers.generated_secret import GeneratedSecret
from dynamic_providers.kubernetes import ClusterIdentity, ObjectGuard, ReleaseGuard

kubernetes: Any = lazy_import("pulumi_kubernetes")

_CLASSES = {
    "Namespace": "core.v1",
    "Secret": "core.v1",
    "ServiceAccount": "core.v1",
    "ResourceQuota": "core.v1",
    "LimitRange": "core.v1",
    "Role": "rbac.v1",
    "RoleBinding": "rbac.v1",
    "NetworkPolicy": "networking.v1",
    "PodDisruptionBudget": "policy.v1",
}
"""Kind -> the module of pulumi_kubernetes that declares it."""


class AirbytePlatform(pulumi.ComponentResource):
    """Airbyte in a namespace of its own.

    First the question which cluster this is, and its namespace; then accounts, network policies, quota, budgets and
    Secrets; when all of these are there, the release; and then the wait until its API works. A destroy goes the other
    way, so nothing ever runs without them.
    """

    names: pulumi.Output[dict[str, Any]]
    """``namespace``, ``release`` and ``chart`` as installed."""
    ready: list[pulumi.Resource]
    """What must exist before the server can answer."""

    def __init__(self, name: str, args: AirbytePlatformArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("airbyte-as-code:kubernetes:AirbytePlatform", name, None, opts)
        self._name, self._args = name, args
        self._generated: dict[Generated, pulumi.Output[str]] = {}
        settings = args.settings
        context = settings.context or None
        identity = ClusterIdentity(
            f"{name}-cluster-identity",
            uid=settings.cluster_uid or None,
            context=context,
            opts=ResourceOptions(parent=self),
        )
        cluster = kubernetes.Provider(
            f"{name}-cluster",
            # Read from the environment by whoever connects. The SDK would write the path into the state, and with it
            # each machine's own would be a change, or on a machine without that file an error.
            kubeconfig="",
            enable_server_side_apply=True,
            # What somebody else changed by hand is changed back, instead of ending in a conflict over who owns it.
            enable_patch_force=True,
            # What an interrupted run made, or a destroy left behind, is taken over: the namespace is ours alone.
            upsert_existing_objects=True,
            # Else a changed Secret is replaced, and the keys that the bootloader has added to it are lost.
            enable_secret_mutable=True,
            **({"context": context} if context else {}),
            opts=ResourceOptions(parent=self, depends_on=[identity]),
        )
        self._child = ResourceOptions(parent=self, provider=cluster)
        self._kept = ResourceOptions(retain_on_delete=settings.keep_data_on_destroy)

        home = self._declare(namespace(settings), self._kept)
        inside = ResourceOptions(depends_on=[home])
        objects = [
            *accounts(settings),
            *quota(settings),
            *disruption_budgets(settings),
            *self._network_policies(),
        ]
        around = [self._declare(each, inside) for each in objects]
        guard = ObjectGuard(
            f"{name}-objects",
            namespace=settings.namespace,
            objects=[namespace(settings), *objects],
            context=context,
            opts=ResourceOptions(parent=self, depends_on=[home, *around]),
        )
        self._secrets = secret_objects(settings, args.client.id, args.client.secret)
        around += [self._secret(each, inside) for each in self._secrets]
        release = self._release(ResourceOptions(depends_on=[guard, *around]))
        release_guard = ReleaseGuard(
            f"{name}-release-objects",
            namespace=settings.namespace,
            release=settings.release,
            revision=release.status.revision,
            context=context,
            cluster=identity.uid,
            opts=ResourceOptions(parent=self, depends_on=[release]),
        )
        api = AirbyteApi(
            f"{name}-api",
            revision=release.status.revision.apply(str),
            deadline_seconds=settings.ready_timeout_seconds,
            opts=ResourceOptions(parent=self, depends_on=[release_guard]),
        )
        self.ready = [api]
        self.names = pulumi.Output.from_input(
            {
                "namespace": settings.namespace,
                "release": settings.release,
                "chart": f"{settings.chart.name}-{settings.chart.version}",
            }
        )
        self.register_outputs({"names": self.names})

    def _declare(self, made: Mapping[str, Any], opts: ResourceOptions) -> pulumi.Resource:
        kind, metadata = made["kind"], made["metadata"]
        package = kubernetes
        for part in _CLASSES[kind].split("."):
            package = getattr(package, part)
        body = {to_snake(key): value for key, value in made.items() if key not in ("apiVersion", "kind")}
        declared: pulumi.Resource = getattr(package, kind)(
            f"{self._name}-{metadata['name']}", **body, opts=ResourceOptions.merge(self._child, opts)
        )
        return declared

    def _network_policies(self) -> Sequence[Mapping[str, Any]]:
        """All policies; those that name the API server wait for its addresses where the settings don't say them."""
        settings, opened = self._args.settings, self._args.openings
        if settings.network.kube_api:
            return network_policies(settings, opened, settings.network.kube_api)
        addresses = self._kube_api()

        def with_addresses(index: int) -> pulumi.Output[Manifest]:
            return addresses.apply(lambda found: network_policies(settings, opened, found)[index]["spec"])

        # A documentation address stands for the unknown ones, to see which policies they change.
        without, with_one = (network_policies(settings, opened, some) for some in ((), ("192.0.2.1:443",)))
        return [
            policy if policy == other else {**policy, "spec": with_addresses(index)}
            for index, (policy, other) in enumerate(zip(without, with_one, strict=True))
        ]

    def _kube_api(self) -> pulumi.Output[list[str]]:
        """The API server's real addresses, from the slice that it keeps of itself."""
        found = kubernetes.discovery.v1.EndpointSlice.get(
            f"{self._name}-kube-api", "default/kubernetes", opts=self._child
        )

        def addresses(parts: Mapping[str, Any]) -> list[str]:
            hosts = [address for each in parts["endpoints"] or () for address in each["addresses"]]
            return [f"{host}:{port['port']}" for host in sorted(hosts) for port in parts["ports"] or ()]

        return pulumi.Output.all(endpoints=found.endpoints, ports=found.ports).apply(addresses)

    def _secret(self, made: SecretObject, opts: ResourceOptions) -> pulumi.Resource:
        encoded = {key: self._credential(value).apply(_base64) for key, value in made.data.items()}
        body = manifest("v1", "Secret", made.name, self._args.settings.namespace, type=made.type, data=encoded)
        return self._declare(body, ResourceOptions.merge(opts, self._kept) if made.holds_data else opts)

    def _release(self, opts: ResourceOptions) -> Any:
        settings = self._args.settings
        chart, repository = _chart(settings.chart)
        return kubernetes.helm.v3.Release(
            f"{self._name}-release",
            chart=chart,
            version=settings.chart.version,
            **({"repository_opts": {"repo": repository}} if repository else {}),
            name=settings.release,
            namespace=settings.namespace,
            create_namespace=False,
            values=fill(self._args.values, self._value),
            atomic=True,  # a failed upgrade goes back to what ran before
            cleanup_on_fail=True,
            skip_crds=True,
            timeout=settings.install_timeout_seconds,
            max_history=10,
            opts=ResourceOptions.merge(self._child, opts),
        )

    def _value(self, placeholder: Placeholder) -> pulumi.Output[str]:
        if isinstance(placeholder, Fingerprint):
            return self._fingerprint(placeholder)
        return self._credential(placeholder)

    def _credential(self, credential: Credential) -> pulumi.Output[str]:
        """A given credential, or one that is made once and kept in the stack's state."""
        if isinstance(credential, SecretStr):
            return pulumi.Output.secret(credential.get_secret_value())
        if credential not in self._generated:
            made = GeneratedSecret(
                f"{self._name}-{credential.name}",
                generation=credential.generation,
                opts=ResourceOptions(parent=self),
            )
            self._generated[credential] = made.value
        return self._generated[credential]

    def _fingerprint(self, of: Fingerprint) -> pulumi.Output[str]:
        """Of every credential that running pods hold; in plain text, so that a preview shows what starts them anew."""
        held = {
            f"{made.name}/{key}": self._credential(value)
            for made in self._secrets
            if made.holds_data
            for key, value in made.data.items()
        }
        known = pulumi.Output.all(self._credential(of.key), pulumi.Output.all(**held))
        return pulumi.Output.unsecret(known.apply(lambda both: fingerprint(*both)))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _chart(settings: ChartSettings) -> tuple[str, str]:
    """What Helm is to install, and the repository to look for it in."""
    if settings.path or settings.oci:
        return settings.path or settings.oci, ""
    return settings.name, settings.repository or OFFICIAL_REPOSITORY


__all__ = ["AirbytePlatform", "AirbytePlatformArgs"]
