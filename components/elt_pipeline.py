"""EltPipeline: one pipeline file, as a connection between a source and a destination."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pydantic import BaseModel, ConfigDict, Field

from components.pipeline_file import Pipeline, StreamSpec
from dynamic_providers.airbyte import Connection, Destination, Source, schedule
from dynamic_providers.airbyte.mappers import KEY, AesEncryption


class EltPipelineArgs(BaseModel):
    """Arguments of EltPipeline."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    pipeline: Pipeline
    source: Source
    destination: Destination
    mapper_keys: Mapping[str, pulumi.Output[str]] = Field(default_factory=dict, repr=False)
    """What stands in the file as the key of a mapper -> the key itself."""
    timezone: str = "UTC"
    adopt: bool = False


class EltPipeline(pulumi.ComponentResource):
    """A scheduled connection with its streams."""

    ids: pulumi.Output[dict[str, str]]
    """``name``, ``connectionId``, ``sourceId`` and ``destinationId``: what an orchestrator asks for."""

    def __init__(self, name: str, args: EltPipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airbyte-as-code:elt:EltPipeline", name, None, opts)
        pipeline, sync = args.pipeline, args.pipeline.spec.sync
        settings = {**connection_args(pipeline, args.mapper_keys), "schedule": self._schedule(args)}
        connection = Connection(
            f"{name}-connection",
            source_id=args.source.source_id,
            destination_id=args.destination.destination_id,
            allow_state_loss=sync.allow_state_loss,
            allow_unsupported=sync.allow_unsupported,
            after_change=sync.after_change,
            adopt=args.adopt if sync.adopt is None else sync.adopt,
            origin=pipeline.where("sync"),
            opts=self._child(),
            **settings,
        )
        self.ids = pulumi.Output.all(
            name=connection.name,
            connectionId=connection.connection_id,
            sourceId=args.source.source_id,
            destinationId=args.destination.destination_id,
        )
        self._say(args)
        self.register_outputs({"ids": self.ids})

    def _child(self) -> pulumi.ResourceOptions:
        aliases = [pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]
        return pulumi.ResourceOptions(parent=self, aliases=aliases)

    @staticmethod
    def _schedule(args: EltPipelineArgs) -> dict[str, Any]:
        spec = args.pipeline.spec.sync.schedule.model_dump(exclude_none=True)
        return {"timezone": args.timezone, **spec} if spec["type"] == "cron" else spec

    def _say(self, args: EltPipelineArgs) -> None:
        """What the file does not say, where a reader of the preview would want to know it."""
        pipeline = args.pipeline
        runs = schedule.next_runs(self._schedule(args), count=3)
        if runs:
            times = ", ".join(run.strftime("%a %d %b %H:%M %Z") for run in runs)
            pulumi.log.info(f"next runs: {times}", self)
        unused = [stream.name for stream in pipeline.spec.sync.streams if stream.cursor_field]
        if pipeline.captures_changes and unused:
            pulumi.log.info(
                f"cursor_field of {', '.join(unused)} is not sent: a CDC source orders changes by their "
                "position in the log",
                self,
            )


def connection_args(pipeline: Pipeline, keys: Mapping[str, pulumi.Input[str]] | None = None) -> dict[str, Any]:
    """A pipeline's connection in the provider's terms, without its ends and waivers; `keys` as in stream_args."""
    sync = pipeline.spec.sync
    return {
        "connection_name": pipeline.connection_name,
        "streams": {stream_key(stream): stream_args(stream, keys) for stream in sync.streams},
        "schedule": sync.schedule.model_dump(exclude_none=True),
        "prefix": sync.prefix,
        "schema_changes": sync.schema_changes,
        "status": sync.status,
        "resources": sync.resources.model_dump(exclude_none=True) if sync.resources else None,
        "tags": sync.tags,
        "notify_schema_changes": sync.notify_schema_changes,
        "notify_schema_changes_by_email": sync.notify_schema_changes_by_email,
        "backfill_new_columns": sync.backfill_new_columns,
        "operation_ids": sync.operation_ids,
        **namespace_args(sync.namespace),
    }


def stream_key(stream: StreamSpec) -> str:
    """How a stream is called in previews: with its namespace where the file names one."""
    return f"{stream.namespace}.{stream.name}" if stream.namespace else stream.name


def mapper_keys(stream: StreamSpec) -> list[str]:
    """What stands in the file as the secret keys of a stream's mappers: variables."""
    return [mapper.key for mapper in stream.mappers if isinstance(mapper, AesEncryption)]


def stream_args(stream: StreamSpec, keys: Mapping[str, pulumi.Input[str]] | None = None) -> dict[str, Any]:
    """A stream in the provider's terms; `keys` are the mappers' keys by what stands in the file for them."""
    mappers = [mapper.model_dump() for mapper in stream.mappers]
    for mapper in mappers:
        if mapper.get(KEY) in (keys or {}):
            mapper[KEY] = (keys or {})[mapper[KEY]]
    return {
        key: value
        for key, value in {
            "sync_mode": stream.sync_mode,
            "destination_sync_mode": stream.destination_sync_mode,
            "cursor_field": _path(stream.cursor_field) if stream.cursor_field else None,
            "primary_key": [_path(column) for column in stream.primary_key] or None,
            "fields": sorted(stream.fields) if stream.fields else None,
            "hash": sorted(stream.hash) or None,
            "mappers": mappers or None,
            "destination_object_name": stream.destination_object_name,
            "include_files": stream.include_files,
            "allow_full_refresh": stream.allow_full_refresh,
        }.items()
        if value is not None
    }


def namespace_args(namespace: str) -> dict[str, str]:
    """`sync.namespace` in the provider's terms."""
    if namespace in ("source", "destination"):
        return {"namespace_definition": namespace}
    return {"namespace_definition": "customformat", "namespace_format": namespace}


def _path(column: str | list[str]) -> list[str]:
    return column.split(".") if isinstance(column, str) else list(column)
