"""The resources a Pulumi program declares.

::

    pin = ConnectorVersion("postgres", connector="source-postgres", version="3.7.0")
    source = Source("orders", source_name="orders", connector="source-postgres", definition_id=pin.definition_id,
                    connector_version=pin.version, config={"host": "db", "password": password},
                    secret_paths=["password"], fingerprint_key=FingerprintKey("fingerprints").key)

An ``origin`` is where the user declared the resource, as ``pipelines/production.yaml:12``; errors begin with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, Unpack

import pulumi
from pulumi.dynamic import Resource

from dynamic_providers.airbyte.provider import (
    AirbyteApiProvider,
    ConnectionProvider,
    ConnectorVersionProvider,
    DestinationProvider,
    FingerprintKeyProvider,
    SourceProvider,
)

_MODULE = "airbyte"


class AirbyteApi(Resource, module=_MODULE, name="AirbyteApi"):
    """The server's API, once it works: what depends on it is created when its health check and our credentials do.

    `revision` says what was installed, so that an upgrade waits anew; give up after `deadline_seconds`.
    """

    version: pulumi.Output[str]
    """The server's own, as 2.2.0."""

    def __init__(
        self,
        name: str,
        *,
        revision: pulumi.Input[str],
        deadline_seconds: int = 900,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"revision": revision, "deadline_seconds": deadline_seconds, "version": None}
        super().__init__(AirbyteApiProvider(), name, props, opts)


class FingerprintKey(Resource, module=_MODULE, name="FingerprintKey"):
    """A random key, made once and kept secret in state: the fingerprints shown instead of secrets depend on it."""

    key: pulumi.Output[str]
    """64 hex digits, secret."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key"])
        super().__init__(FingerprintKeyProvider(), name, {"key": None}, pulumi.ResourceOptions.merge(opts, secret))


class ConnectorVersion(Resource, module=_MODULE, name="ConnectorVersion"):
    """A connector held at one version in a workspace, whatever the registry or an upgrade suggests.

    Outputs are known in previews as far as a moved version allows: its definition stays.
    """

    docker_repository: pulumi.Output[str]
    version: pulumi.Output[str]
    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        connector: str,
        version: pulumi.Input[str],
        workspace_id: pulumi.Input[str] | None = None,
        accept_breaking: Sequence[str] = (),
        adopt: bool = False,
        origin: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`accept_breaking` names the breaking versions that an upgrade may cross.

        With `adopt` a workspace that runs the version already is left as it is, without a pin of its own, until the
        version moves or `adopt` is taken away.
        """
        props = {
            "connector": connector,
            "version": version,
            "workspace_id": workspace_id,
            "accept_breaking": list(accept_breaking),
            "adopt": adopt,
            "origin": origin,
            "docker_repository": None,
        }
        super().__init__(ConnectorVersionProvider(), name, props, opts)

    @property
    def definition_id(self) -> pulumi.Output[str]:
        """The connector's definition, which is this resource's id and so known while its version moves."""
        return self.id


class ActorArgs(TypedDict):
    """What a source and a destination are made of, beside their names.

    `config` holds secrets as secret outputs at their leaves, and `secret_paths` says which leaves those are. With
    `adopt` an existing object of this name and connector is taken over; an id as `adopt` says which. `skip_check` is a
    reason for deploying without the connection check. A `connector_version` other than the workspace's is held by a pin
    of this object's own, and `accept_breaking` names the breaking versions that it may cross. `resources` are what its
    jobs may use of the cluster, as the module allocation describes; the platform's defaults where it is left out.
    """

    connector: str
    definition_id: pulumi.Input[str]
    connector_version: pulumi.Input[str]
    config: Mapping[str, Any]
    secret_paths: Sequence[str]
    fingerprint_key: pulumi.Input[str]
    workspace_id: NotRequired[pulumi.Input[str] | None]
    adopt: NotRequired[bool | str]
    skip_check: NotRequired[str | None]
    resources: NotRequired[Mapping[str, Mapping[str, str]] | None]
    accept_breaking: NotRequired[Sequence[str]]
    origin: NotRequired[str | None]


def _props(args: ActorArgs) -> dict[str, Any]:
    resources = args.get("resources") or {}
    return {
        "connector": args["connector"],
        "definition_id": args["definition_id"],
        "connector_version": args["connector_version"],
        "config": dict(args["config"]),
        "secret_paths": list(args["secret_paths"]),
        "fingerprint_key": args["fingerprint_key"],
        "workspace_id": args.get("workspace_id"),
        "adopt": args.get("adopt", False),
        "skip_check": args.get("skip_check"),
        "resources": {job: dict(quantities) for job, quantities in resources.items()} or None,
        "accept_breaking": list(args.get("accept_breaking", ())),
        "origin": args.get("origin"),
    }


class Source(Resource, module=_MODULE, name="Source"):
    """A source, checked before it is made or changed. Its arguments are those of ActorArgs."""

    source_name: pulumi.Output[str]
    connector_version: pulumi.Output[str]
    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        source_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[ActorArgs],
    ) -> None:
        super().__init__(SourceProvider(), name, {"source_name": source_name, **_props(args)}, opts)

    @property
    def source_id(self) -> pulumi.Output[str]:
        """The server's id, known in previews unless the source is new."""
        return self.id

    @property
    def name(self) -> pulumi.Output[str]:
        """The source's name in Airbyte."""
        return self.source_name


class Destination(Resource, module=_MODULE, name="Destination"):
    """A destination, checked before it is made or changed. Its arguments are those of ActorArgs."""

    destination_name: pulumi.Output[str]
    connector_version: pulumi.Output[str]
    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        destination_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[ActorArgs],
    ) -> None:
        super().__init__(DestinationProvider(), name, {"destination_name": destination_name, **_props(args)}, opts)

    @property
    def destination_id(self) -> pulumi.Output[str]:
        """The server's id, known in previews unless the destination is new."""
        return self.id

    @property
    def name(self) -> pulumi.Output[str]:
        """The destination's name in Airbyte."""
        return self.destination_name


class Connection(Resource, module=_MODULE, name="Connection"):
    """Streams from a source to a destination, on a schedule.

    `streams` and `schedule` have the shapes that the modules of these names describe. `namespace_definition` is
    destination, source or customformat (with a `namespace_format`); `schema_changes` is ignore, disable,
    propagate_columns or propagate_fully; `status` is active or inactive. `resources` are Kubernetes quantities for the
    job pods (cpu_request, cpu_limit, memory_request, memory_limit). `allow_state_loss` is a reason for a change that
    makes Airbyte forget how far it has synced, `allow_unsupported` one for connecting a connector version past its
    deadline. `after_change` (refresh, clear or none) is what happens to loaded rows that a changed key, cursor, mode or
    table name no longer fits. `notify_schema_changes` (and `_by_email`) tell the workspace's webhook of changes of the
    source's schema, `backfill_new_columns` loads a stream again that got a column, and `operation_ids` are operations
    of the workspace that run after a sync; what is left out of all these is as in a new connection.
    """

    connection_name: pulumi.Output[str]
    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        connection_name: pulumi.Input[str],
        source_id: pulumi.Input[str],
        destination_id: pulumi.Input[str],
        streams: Mapping[str, Mapping[str, Any]],
        schedule: Mapping[str, Any],
        namespace_definition: str = "destination",
        namespace_format: str | None = None,
        prefix: str = "",
        schema_changes: str = "propagate_columns",
        status: str = "active",
        resources: Mapping[str, str] | None = None,
        tags: Sequence[str] = (),
        operation_ids: Sequence[str] = (),
        notify_schema_changes: bool = False,
        notify_schema_changes_by_email: bool = False,
        backfill_new_columns: bool = False,
        allow_state_loss: str | None = None,
        allow_unsupported: str | None = None,
        after_change: str | None = None,
        adopt: bool | str = False,
        origin: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "connection_name": connection_name,
            "source_id": source_id,
            "destination_id": destination_id,
            "streams": {key: dict(stream) for key, stream in streams.items()},
            "schedule": dict(schedule),
            "namespace_definition": namespace_definition,
            "namespace_format": namespace_format,
            "prefix": prefix,
            "schema_changes": schema_changes,
            "status": status,
            "resources": dict(resources) if resources else None,
            "tags": list(tags),
            "operation_ids": list(operation_ids),
            "notify_schema_changes": notify_schema_changes,
            "notify_schema_changes_by_email": notify_schema_changes_by_email,
            "backfill_new_columns": backfill_new_columns,
            "allow_state_loss": allow_state_loss,
            "allow_unsupported": allow_unsupported,
            "after_change": after_change,
            "adopt": adopt,
            "origin": origin,
            "workspace_id": None,
        }
        super().__init__(ConnectionProvider(), name, props, opts)

    @property
    def connection_id(self) -> pulumi.Output[str]:
        """The server's id, known in previews unless the connection is new."""
        return self.id

    @property
    def name(self) -> pulumi.Output[str]:
        """The connection's name in Airbyte."""
        return self.connection_name
