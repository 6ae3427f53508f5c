"""The cluster's resources as the engine knows them."""

from dynamic_providers import shell
from dynamic_providers.crud import Resource


class ClusterIdentityProvider(shell.Provider):
    """Serves ClusterIdentity."""

    def resource(self) -> Resource:
        """Connects for itself."""
        # Only here: a program that declares resources has no use for the cluster's client, which is slow to import.
        from dynamic_providers.kubernetes.cluster_identity import ClusterIdentityResource

        return ClusterIdentityResource()


class ReleaseGuardProvider(shell.Provider):
    """Serves ReleaseGuard."""

    def resource(self) -> Resource:
        """Connects for itself."""
        from dynamic_providers.kubernetes.release_guard import ReleaseGuardResource

        return ReleaseGuardResource()


class ObjectGuardProvider(shell.Provider):
    """Serves ObjectGuard."""

    def resource(self) -> Resource:
        """Connects for itself."""
        from dynamic_providers.kubernetes.object_guard import ObjectGuardResource

        return ObjectGuardResource()
