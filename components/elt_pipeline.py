"""EltPipeline: one pipeline file, as a connection between a source and a destination."""

from typing import Any

import pulumi
from pydantic import BaseModel, ConfigDict

from components.pipeline_file import Pipeline, StreamSpec
from dynamic_providers.airbyte import Connection, Destination, Source, schedule


class EltPipelineArgs(BaseModel):
    """Arguments of EltPipeline."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    pipeline: Pipeline
    source: Source
    destination: Destination
    timezone: str = "UTC"
    adopt: bool = False


class EltPipeline(pulumi.ComponentResource):
    """A scheduled connection with its streams."""

    ids: pulumi.Output[dict[str, str]]
    """``name``, ``connectionId``, ``sourceId`` and ``destinationId``: what an orchestrator asks for."""

    def __init__(self, name: str, args: EltPipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airbyte-as-code:elt:EltPipeline", name, None, opts)
        pipeline, sync = args.pipeline, args.pipeline.spec.sync
        connection = Connection(
            f"{name}-connection",
            connection_name=pipeline.connection_name,
            source_id=args.source.source_id,
            destination_id=args.destination.destination_id,
            streams={stream_key(stream): stream_args(stream) for stream in sync.streams},
            schedule=self._schedule(args),
            prefix=sync.prefix,
            schema_changes=sync.schema_changes,
            status=sync.status,
            resources=sync.resources.model_dump(exclude_none=True) if sync.resources else None,
            tags=sync.tags,
            allow_state_loss=sync.allow_state_loss,
            allow_unsupported=sync.allow_unsupported,
            after_change=sync.after_change,
            adopt=args.adopt if sync.adopt is None else sync.adopt,
            origin=pipeline.where("sync"),
            opts=self._child(),
            **namespace_args(sync.namespace),
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


def stream_key(stream: StreamSpec) -> str:
    """How a stream is called in previews: with its namespace where the file names one."""
    return f"{stream.namespace}.{stream.name}" if stream.namespace else stream.name


def stream_args(stream: StreamSpec) -> dict[str, Any]:
    """A stream in the provider's terms."""
    return {
        key: value
        for key, value in {
            "sync_mode": stream.sync_mode,
            "destination_sync_mode": stream.destination_sync_mode,
            "cursor_field": _path(stream.cursor_field) if stream.cursor_field else None,
            "primary_key": [_path(column) for column in stream.primary_key] or None,
            "fields": sorted(stream.fields) if stream.fields else None,
            "hash": sorted(stream.hash) or None,
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
