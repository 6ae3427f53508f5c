"""The shape of a pipeline file. The JSON Schema that editors use is generated from these models."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    field_validator,
    model_validator,
)

from dynamic_providers.airbyte.mappers import Mapper

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8)]
"""A waiver's reason: a sentence someone will read a year from now, so at least a few words."""

SecretType = Literal["string", "integer", "number", "boolean", "object", "array"]

FieldPath = str | list[str]
"""A column: ``id``, ``address.city`` for a nested one, or its path as a list."""


class Model(BaseModel):
    """Unknown keys are errors: a misspelt key that is silently ignored is how schedules get lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResourcesSpec(Model):
    """Requests and limits of the connection's job pods, in Kubernetes' notation."""

    cpu_request: str | None = None
    cpu_limit: str | None = None
    memory_request: str | None = None
    memory_limit: str | None = None


class JobResourcesSpec(ResourcesSpec):
    """Requests and limits of one type of job of a source or destination."""

    ephemeral_storage_request: str | None = None
    ephemeral_storage_limit: str | None = None


JobType = Literal[
    "default",
    "get_spec",
    "check_connection",
    "discover_schema",
    "sync",
    "reset_connection",
    "connection_updater",
    "replicate",
]


class ConnectorSpec(Model):
    """What a source and a destination have in common."""

    name: Name = Field(description="Name of the object in Airbyte.")
    version: str | None = Field(
        default=None, description="Pinned connector version; without it, connectors.yaml gives it."
    )
    config: dict[str, Any] = Field(
        default_factory=dict, description="The connector's own configuration; ${VAR} is resolved here."
    )
    secrets: list[str] | dict[str, SecretType] = Field(
        default_factory=list,
        description="Dotted paths below config that are secret, where their names don't say so; "
        "with their types (`pin: integer`) where one is no text.",
    )
    resources: dict[JobType, JobResourcesSpec] = Field(
        default_factory=dict,
        description="What its jobs may use of the cluster, by type of job; `default` for all others.",
    )
    skip_check: Reason | None = Field(
        default=None, description="Reason for deploying without a passed connection check; kept in state."
    )
    adopt: bool | Name | None = Field(
        default=None,
        description="Take over an existing object of this name, or the one of this id; default: the stack's setting.",
    )
    resource: Name | None = Field(
        default=None,
        description="What Pulumi calls it; default: its name. Needed only where two objects have one name.",
    )
    renamed_from: Name | None = Field(
        default=None, description="The former name, so that a rename is an update and not a replacement."
    )

    connector: str

    @property
    def key(self) -> str:
        """What tells it from the other sources or destinations of a project: Pulumi's name of it."""
        return self.resource or self.name


class SourceSpec(ConnectorSpec):
    """Where the data comes from."""

    connector: Annotated[str, StringConstraints(pattern=r"^([a-z0-9._:-]+/)*source-[a-z0-9-]+$")] = Field(
        description="Connector, as its image is named: source-postgres, or acme/source-orders for one of your own."
    )


class DestinationSpec(ConnectorSpec):
    """Where the data goes."""

    connector: Annotated[str, StringConstraints(pattern=r"^([a-z0-9._:-]+/)*destination-[a-z0-9-]+$")] = Field(
        description="Connector, as its image is named: destination-snowflake, or acme/destination-lake for your own."
    )


class StreamSpec(Model):
    """One table, and how it is synced."""

    name: Name
    namespace: str | None = Field(
        default=None, description="Source schema of the table; needed only where the name is in several."
    )
    sync_mode: Literal["incremental", "full_refresh"] = "incremental"
    destination_sync_mode: Literal["append_dedup", "append", "overwrite", "overwrite_dedup"] = Field(
        default="append_dedup"
    )
    cursor_field: FieldPath | None = None
    primary_key: list[FieldPath] = Field(
        default_factory=list, description="Key columns; a nested one as a dotted path or a list."
    )
    fields: list[str] | None = Field(
        default=None, min_length=1, description="Columns to sync; all of them where it is left out."
    )
    hash: list[str] = Field(default_factory=list, description="Columns to hash before they are loaded.")
    mappers: list[Mapper] = Field(
        default_factory=list, description="What else is done to the records before they are loaded, in order."
    )
    destination_object_name: Name | None = Field(
        default=None, description="Object of the destination that is loaded, where the destination has its own."
    )
    include_files: bool | None = Field(
        default=None, description="Whether a stream of files loads the files too; default: the server's choice."
    )
    allow_full_refresh: Reason | None = Field(
        default=None, description="Reason for a full refresh although the source can do incremental."
    )

    @model_validator(mode="after")
    def _modes_go_together(self) -> "StreamSpec":
        if self.sync_mode == "incremental" and self.destination_sync_mode in ("overwrite", "overwrite_dedup"):
            raise ValueError(
                f"sync_mode incremental can't be combined with {self.destination_sync_mode}, which "
                "replaces the table with each run's few changed rows. Use append_dedup or append."
            )
        if self.sync_mode == "full_refresh" and self.destination_sync_mode == "append_dedup":
            raise ValueError(
                "sync_mode full_refresh can't be combined with append_dedup. Use overwrite or overwrite_dedup."
            )
        return self


class ScheduleSpec(Model):
    """When the pipeline runs."""

    type: Literal["manual", "interval", "cron"]
    expression: str | None = Field(
        default=None, description="cron: five-field unix or six/seven-field Quartz expression."
    )
    every: str | None = Field(default=None, description="interval: e.g. 30m, 6h, 1d.")
    timezone: str | None = Field(default=None, description="cron: IANA zone; default: the stack's timezone.")

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> "ScheduleSpec":
        needs = {"cron": "expression", "interval": "every"}.get(self.type)
        for key in ("expression", "every"):
            given = getattr(self, key) is not None
            if key == needs and not given:
                raise ValueError(f"a schedule of type {self.type} needs `{key}`.")
            if key != needs and given:
                raise ValueError(f"`{key}` has no meaning for a schedule of type {self.type}. Remove it.")
        if self.timezone is not None and self.type != "cron":
            raise ValueError("`timezone` has a meaning for a schedule of type cron only. Remove it.")
        return self


class NormalizationSpec(Model):
    """Typed, deduplicated tables instead of raw JSON."""

    enabled: bool = True
    allow_raw: Reason | None = Field(default=None, description="Reason for landing raw JSON tables.")

    @model_validator(mode="after")
    def _raw_needs_a_reason(self) -> "NormalizationSpec":
        if not self.enabled and self.allow_raw is None:
            raise ValueError(
                'turning normalization off lands raw JSON tables. Turn it on, or say why not: `allow_raw: "<reason>"`.'
            )
        return self


class SyncSpec(Model):
    """The connection: what is synced, how and when."""

    name: Name | None = Field(default=None, description="Connection name; default: `source → destination`.")
    streams: list[StreamSpec] = Field(min_length=1)
    schedule: ScheduleSpec
    normalization: NormalizationSpec = Field(default_factory=NormalizationSpec)
    prefix: str = Field(default="", description="Put before every table name.")
    namespace: str = Field(
        default="destination",
        description="`destination` (the destination's schema), `source` (the source's schema name), "
        "or a format such as `raw_${SOURCE_NAMESPACE}`.",
    )
    schema_changes: Literal["ignore", "disable", "propagate_columns", "propagate_fully"] = "propagate_columns"
    status: Literal["active", "inactive"] = "active"
    resources: ResourcesSpec | None = None
    tags: list[str] = Field(default_factory=list)
    notify_schema_changes: bool = Field(
        default=False, description="Whether the workspace's webhook is told of changes of the source's schema."
    )
    notify_schema_changes_by_email: bool = Field(default=False, description="Likewise, by e-mail.")
    backfill_new_columns: bool = Field(
        default=False, description="Whether a stream that got a column is loaded again, so that old rows have it too."
    )
    operation_ids: list[str] = Field(
        default_factory=list, description="Ids of operations of the workspace that run after a sync."
    )
    adopt: bool | Name | None = Field(
        default=None,
        description="Take over an existing connection of this name, or the one of this id; "
        "default: the stack's setting.",
    )
    allow_state_loss: Reason | None = Field(
        default=None, description="Reason for a change that makes Airbyte forget how far it has synced."
    )
    allow_unsupported: Reason | None = Field(
        default=None, description="Reason for syncing with a connector version whose maker no longer supports it."
    )
    after_change: Literal["refresh", "clear", "none"] = Field(
        default="none",
        description="What happens to rows loaded before a changed key, cursor, mode or table name: load the streams "
        "again, empty their tables, or leave them and say so.",
    )

    @field_validator("streams")
    @classmethod
    def _streams_are_unique(cls, streams: list[StreamSpec]) -> list[StreamSpec]:
        seen: set[tuple[str | None, str]] = set()
        for stream in streams:
            key = (stream.namespace, stream.name)
            if key in seen:
                raise ValueError(f"stream `{stream.name}` is listed twice. Remove one.")
            seen.add(key)
        return streams


class PipelineSpec(Model):
    """One pipeline: a source, a destination, and the sync between them."""

    source: SourceSpec
    destination: DestinationSpec
    sync: SyncSpec


class LoneSourceSpec(Model):
    """A source that no pipeline reads yet."""

    source: SourceSpec


class LoneDestinationSpec(Model):
    """A destination that no pipeline loads yet."""

    destination: DestinationSpec


FileSpec = PipelineSpec | LoneSourceSpec | LoneDestinationSpec
"""What a file may hold."""


def shape(tree: Any) -> type[PipelineSpec] | type[LoneSourceSpec] | type[LoneDestinationSpec]:
    """Which of the three a file is meant to be: a source or a destination by itself is one, all else a pipeline."""
    keys = set(tree) if isinstance(tree, dict) else set()
    return LoneSourceSpec if keys == {"source"} else LoneDestinationSpec if keys == {"destination"} else PipelineSpec


def json_schema() -> dict[str, Any]:
    """The JSON Schema that editors complete and check files with."""
    adapter: TypeAdapter[Any] = TypeAdapter(FileSpec)
    return adapter.json_schema()
