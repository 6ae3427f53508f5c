"""AirbyteWorkspace: the pinned connectors of a workspace, and the sources and destinations made of them.

They hang here and not below a pipeline because pipelines share them: forty pipelines load one warehouse
through one destination, and none of them may own it.
"""

from collections.abc import Mapping, Sequence

import pulumi
from pydantic import BaseModel, ConfigDict, Field

from components.pipeline_file import Actor, DestinationSpec, Pin, SourceSpec
from components.pipeline_file.models import ConnectorSpec
from components.pipeline_file.variables import Resolved
from dynamic_providers.airbyte import (
    ActorArgs,
    ConnectorVersion,
    Destination,
    FingerprintKey,
    Source,
    WorkspaceNotifications,
)


class AirbyteWorkspaceArgs(BaseModel):
    """Arguments of AirbyteWorkspace."""

    model_config = ConfigDict(frozen=True)

    pins: Mapping[str, Pin] = Field(min_length=1)
    """Connector -> its pinned version."""
    workspace_id: str | None = None
    """None for the instance's default workspace."""
    adopt: bool = False
    notifications_webhook: str = Field(default="", repr=False)
    """Where the workspace tells what somebody has to act on; empty to leave its notifications alone."""


class AirbyteWorkspace(pulumi.ComponentResource):
    """One workspace: version pins, sources and destinations."""

    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: AirbyteWorkspaceArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        needs: Sequence[pulumi.Resource] = (),
    ) -> None:
        """`needs` must exist before the server can be asked for anything."""
        super().__init__("airbyte-as-code:airbyte:AirbyteWorkspace", name, None, opts)
        self._args, self._needs = args, needs
        self._sources: dict[str, Source] = {}
        self._destinations: dict[str, Destination] = {}
        self._fingerprint_key = FingerprintKey(f"{name}-fingerprints", opts=self._child())
        self._pins = {
            connector: ConnectorVersion(
                connector,
                connector=connector,
                version=pin.version,
                workspace_id=args.workspace_id,
                accept_breaking=pin.accept_breaking,
                adopt=args.adopt,
                origin=pin.where,
                opts=self._child(),
            )
            for connector, pin in args.pins.items()
        }
        self.workspace_id = next(iter(self._pins.values())).workspace_id
        self.versions = pulumi.Output.all(**{name: pin.version for name, pin in self._pins.items()})
        if args.notifications_webhook:
            WorkspaceNotifications(
                f"{name}-notifications",
                webhook=args.notifications_webhook,
                fingerprint_key=self._fingerprint_key.key,
                workspace_id=self.workspace_id,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"workspaceId": self.workspace_id, "versions": self.versions})

    def source(self, declared: Actor, config: Resolved, needs: Sequence[pulumi.Resource]) -> Source:
        """A source, made on its first use; `needs` must exist before it is checked."""
        spec = declared.spec
        if spec.key not in self._sources:
            arguments, opts = self._arguments(declared, config), self._child(spec, needs)
            self._sources[spec.key] = Source(spec.key, source_name=spec.name, opts=opts, **arguments)
        return self._sources[spec.key]

    def destination(self, declared: Actor, config: Resolved, needs: Sequence[pulumi.Resource]) -> Destination:
        """A destination, made on its first use; `needs` must exist before it is checked."""
        spec = declared.spec
        if spec.key not in self._destinations:
            arguments, opts = self._arguments(declared, config), self._child(spec, needs)
            self._destinations[spec.key] = Destination(spec.key, destination_name=spec.name, opts=opts, **arguments)
        return self._destinations[spec.key]

    def alone(self, declared: Actor, config: Resolved, needs: Sequence[pulumi.Resource]) -> Source | Destination:
        """A source or destination that has a file of its own; pipelines that share it are declared before it."""
        make = self.source if declared.kind == "source" else self.destination
        return make(declared, config, needs)

    @property
    def ids(self) -> dict[str, dict[str, pulumi.Output[str]]]:
        """Airbyte's ids of all sources and destinations, by kind and name."""
        return {
            "sources": {name: source.source_id for name, source in self._sources.items()},
            "destinations": {name: made.destination_id for name, made in self._destinations.items()},
        }

    def _arguments(self, declared: Actor, config: Resolved) -> ActorArgs:
        """What a source and a destination are both given."""
        spec = declared.spec
        pin = self._pins[spec.connector]
        return {
            "connector": spec.connector,
            "definition_id": pin.definition_id,
            "connector_version": spec.version or pin.version,  # a file's own choice, else the workspace's
            "accept_breaking": self._args.pins[spec.connector].accept_breaking,
            "config": config.config,
            "secret_paths": config.secret_paths,
            "fingerprint_key": self._fingerprint_key.key,
            "workspace_id": pin.workspace_id,
            "adopt": self._args.adopt if spec.adopt is None else spec.adopt,
            "skip_check": spec.skip_check,
            "resources": actor_resources(spec),
            "origin": declared.where(),
        }

    def _child(
        self, spec: SourceSpec | DestinationSpec | None = None, needs: Sequence[pulumi.Resource] = ()
    ) -> pulumi.ResourceOptions:
        former = [pulumi.Alias(name=spec.renamed_from)] if spec and spec.renamed_from else []
        flat = pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)
        return pulumi.ResourceOptions(parent=self, aliases=[flat, *former], depends_on=[*self._needs, *needs])


def actor_resources(spec: ConnectorSpec) -> dict[str, dict[str, str]]:
    """What a source's or destination's jobs may use, in the provider's terms."""
    return {job: quantities.model_dump(exclude_none=True) for job, quantities in spec.resources.items()}
