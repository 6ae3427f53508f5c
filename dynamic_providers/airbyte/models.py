"""What we read of the Config API's answers. Unknown fields are ignored, and an absent one means null."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

ActorKind = Literal["source", "destination"]


class Model(BaseModel):
    """Read by the API's camelCase names, written by ours."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class InstanceConfiguration(Model):
    """`GET instance_configuration`: answered without a token."""

    version: str = ""
    edition: str = ""
    default_workspace_id: str = ""
    default_organization_id: str = ""
    default_user_id: str = ""


class Definition(Model):
    """A connector the server knows, at the version that its workspace resolves to."""

    definition_id: str
    name: str = ""
    docker_repository: str = ""
    docker_image_tag: str = ""
    support_level: str | None = None
    custom: bool = False
    resource_requirements: dict[str, Any] | None = None


class BreakingChange(Model):
    """A version whose maker says that it breaks something, with what is to be done and until when."""

    version: str
    message: str = ""
    migration_documentation_url: str | None = None
    upgrade_deadline: str | None = None
    """A date, as 2026-10-31."""


class BreakingChanges(Model):
    """The breaking changes above a version, up to the server's default one; it tells of none beyond that."""

    upcoming_breaking_changes: list[BreakingChange] = Field(default_factory=list)


class ActorVersion(Model):
    """`actor_definition_versions/get_for_*`: the version that an actor runs, pins considered."""

    docker_image_tag: str
    supports_refreshes: bool = False
    support_state: str | None = None


class Actor(Model):
    """A source or a destination. Its configuration has masks for secrets, and is absent once it is deleted."""

    actor_id: str
    definition_id: str
    workspace_id: str
    name: str
    created_at: int = 0
    """In epoch seconds."""
    connection_configuration: dict[str, Any] | None = None
    resource_allocation: dict[str, Any] | None = None
    support_state: str | None = None
    """Of the version it runs: supported, deprecated (a deadline is ahead) or unsupported (it is past)."""
    breaking_changes: BreakingChanges | None = None

    @property
    def upcoming(self) -> list[BreakingChange]:
        """The breaking changes above the version it runs that the server knows of."""
        return self.breaking_changes.upcoming_breaking_changes if self.breaking_changes else []


class Pin(Model):
    """A scoped configuration of key `connector_version`: the version a workspace or an actor is held at."""

    model_config = ConfigDict(alias_generator=None, extra="ignore", frozen=True)

    id: str
    value: str
    value_name: str | None = None
    resource_id: str | None = None
    scope_type: str
    scope_id: str
    origin_type: str


class DiscoveredStream(Model):
    """A stream as the source describes it, and the configuration the server would give it."""

    stream: dict[str, Any]
    config: dict[str, Any] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The stream's name."""
        return str(self.stream["name"])

    @property
    def namespace(self) -> str:
        """The source's schema, or empty."""
        return str(self.stream.get("namespace") or "")

    @property
    def sync_modes(self) -> list[str]:
        """What the source can do with it: full_refresh, incremental."""
        return list(self.stream.get("supportedSyncModes") or ["full_refresh"])

    @property
    def defines_cursor(self) -> bool:
        """Whether the source orders changes by itself, as one that captures changes does."""
        return bool(self.stream.get("sourceDefinedCursor"))

    @property
    def default_cursor(self) -> list[str]:
        """The cursor that the source suggests or, where it defines one, uses."""
        return list(self.stream.get("defaultCursorField") or [])

    @property
    def source_key(self) -> list[list[str]]:
        """The primary key that the source defines, or empty."""
        return [list(path) for path in self.stream.get("sourceDefinedPrimaryKey") or []]

    @property
    def is_file_based(self) -> bool:
        """Whether its records describe files, which can be loaded along with them."""
        return bool(self.stream.get("isFileBased"))

    @property
    def schema_(self) -> dict[str, Any]:
        """The JSON schema of a record."""
        return dict(self.stream.get("jsonSchema") or {})


class Connection(Model):
    """A connection. `syncCatalog` holds selected streams only; `status` deprecated means deleted."""

    connection_id: str
    name: str = ""
    source_id: str
    destination_id: str
    status: str
    sync_catalog: dict[str, Any] = Field(default_factory=dict)
    schedule_type: str | None = None
    schedule_data: dict[str, Any] | None = None
    namespace_definition: str | None = None
    namespace_format: str | None = None
    prefix: str | None = None
    non_breaking_changes_preference: str | None = None
    resource_requirements: dict[str, Any] | None = None
    tags: list[dict[str, Any]] = Field(default_factory=list)
    breaking_change: bool = False
    operation_ids: list[str] = Field(default_factory=list)
    backfill_preference: str | None = None
    notify_schema_changes: bool | None = None
    notify_schema_changes_by_email: bool | None = None
    created_at: int = Field(default=0, alias="created_at")
    """In epoch seconds; the one name of this model that the API does not write in camelCase."""

    @property
    def is_deleted(self) -> bool:
        """Whether it is gone: the server answers for it all the same."""
        return self.status == "deprecated"

    @property
    def streams(self) -> list[DiscoveredStream]:
        """The streams it syncs, each with its configuration."""
        selected = (DiscoveredStream.model_validate(entry) for entry in self.sync_catalog.get("streams", []))
        return [stream for stream in selected if stream.config.get("selected", True)]


class CheckResult(Model):
    """What a check ended with; `status` is absent when the job itself broke down."""

    status: str | None = None
    message: str | None = None
    job_info: dict[str, Any] = Field(default_factory=dict)

    @property
    def failure(self) -> str:
        """The reason a person can use, in the connector's or the platform's words."""
        reason = self.job_info.get("failureReason") or {}
        return str(self.message or reason.get("externalMessage") or reason.get("internalMessage") or "")


class Discovery(Model):
    """What a discovery ended with; `catalog` is absent when it failed."""

    catalog: dict[str, Any] | None = None
    catalog_id: str | None = None
    job_info: dict[str, Any] = Field(default_factory=dict)

    @property
    def streams(self) -> list[DiscoveredStream]:
        """All streams of the source."""
        return [DiscoveredStream.model_validate(entry) for entry in (self.catalog or {}).get("streams", [])]

    @property
    def failure(self) -> str:
        """Why there is no catalog, in the connector's or the platform's words."""
        reason = self.job_info.get("failureReason") or {}
        return str(reason.get("externalMessage") or reason.get("internalMessage") or "")


class Specification(Model):
    """What a connector's configuration may look like, and for a destination the sync modes it can do."""

    connection_specification: dict[str, Any] = Field(default_factory=dict)
    documentation_url: str | None = None
    supported_destination_sync_modes: list[str] = Field(default_factory=list)


class BuilderProject(Model):
    """A project of the Connector Builder; it has a definition once it is published."""

    builder_project_id: str
    name: str
    source_definition_id: str | None = None
    active_declarative_manifest_version: int | None = None
    has_draft: bool = False
