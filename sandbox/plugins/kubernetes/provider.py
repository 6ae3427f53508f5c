"""The provider's configuration, with the variables of the official one."""

from __future__ import annotations

from sandbox.plugins.kubernetes.cluster import Cluster
from sandbox.plugins.kubernetes.kubeconfig import active_cluster
from sandbox.plugins.kubernetes.settings import Settings
from sandbox.plugins.provider import Provider
from sandbox.plugins.resource import Field
from sandbox.plugins.values import Properties, Value


class Kubernetes(Provider[Cluster]):
    """Stands in for pulumi-kubernetes of this version."""

    package = "kubernetes"
    version = "4.34.2"
    config = (
        Field(name="kubeconfig"),
        Field(name="context"),
        Field(name="namespace"),
        Field(name="enableServerSideApply", type="boolean", default=True),
        Field(name="enablePatchForce", type="boolean", default=False),
        Field(name="upsertExistingObjects", type="boolean", default=False),
        Field(name="enableSecretMutable", type="boolean", default=False),
        Field(name="enableConfigMapMutable", type="boolean", default=False),
        Field(name="deleteUnreachable", type="boolean", default=False),
        Field(name="skipUpdateUnreachable", type="boolean", default=False),
    )
    environment = {  # noqa: RUF012 - declared as a ClassVar in the base
        "kubeconfig": "KUBECONFIG",
        "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
        "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
        "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
        "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
        "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
        "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
        "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    }
    tolerated = frozenset(
        {"clusterIdentifier", "kubeClientSettings", "suppressDeprecationWarnings", "suppressHelmHookWarnings"}
    )
    resources = ()

    def check_config(self, declared: Properties) -> list[tuple[str, str]]:
        """As in the base; and without server-side apply there is nothing that this stand-in could do."""
        failures = super().check_config(declared)
        if _is_off(declared.get("enableServerSideApply")):
            failures.append(("enableServerSideApply", "can't be false: this stand-in knows server-side apply alone"))
        return failures

    def replacing(self, was: Properties, will_be: Properties) -> list[str]:
        """What leads to another cluster: everything has to be made there anew."""
        before = active_cluster(was.get("kubeconfig"), was.get("context"))
        after = active_cluster(will_be.get("kubeconfig"), will_be.get("context"))
        if before is None or after is None or before == after:
            return []
        return [name for name in ("context", "kubeconfig") if was.get(name) != will_be.get(name)]

    def open(self, configuration: Properties) -> Cluster:
        """Find the cluster; that it can't be reached is told by whoever needs it."""
        return Cluster(configuration["kubeconfig"], configuration["context"], configuration["namespace"])

    def close(self, session: Cluster) -> None:
        """Let go of the cluster."""
        session.close()

    def settings(self) -> Settings:
        """How objects are written."""
        return Settings.of(self._configuration)


def _is_off(value: Value) -> bool:
    return value is False or value == "false"
