"""What the provider was told, beyond where its cluster is."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.plugins.values import Properties


@dataclass(frozen=True)
class Settings:
    """How objects are written.

    :param force: apply over the fields that others manage.
    :param adopt: creating what exists already updates it, instead of being refused.
    :param mutable_secrets: a Secret's data changes in place, instead of making a new Secret.
    :param mutable_config_maps: likewise of ConfigMaps.
    :param forget_unreachable: what is on a cluster that can't be reached counts as gone.
    :param keep_unreachable: what is on a cluster that can't be reached counts as unchanged.
    """

    force: bool = False
    adopt: bool = False
    mutable_secrets: bool = False
    mutable_config_maps: bool = False
    forget_unreachable: bool = False
    keep_unreachable: bool = False

    @classmethod
    def of(cls, configuration: Properties) -> Settings:
        """The settings in a provider's configuration."""
        return cls(
            force=bool(configuration.get("enablePatchForce")),
            adopt=bool(configuration.get("upsertExistingObjects")),
            mutable_secrets=bool(configuration.get("enableSecretMutable")),
            mutable_config_maps=bool(configuration.get("enableConfigMapMutable")),
            forget_unreachable=bool(configuration.get("deleteUnreachable")),
            keep_unreachable=bool(configuration.get("skipUpdateUnreachable")),
        )
