"""What can be told of a pipeline without a server: schedules, cursors, normalization, plain-text secrets."""

from collections.abc import Mapping
from typing import Any

from components.errors import Problem
from components.pipeline_file.document import Document
from components.pipeline_file.models import (
    ConnectorSpec,
    LoneDestinationSpec,
    LoneSourceSpec,
    PipelineSpec,
    SyncSpec,
)
from components.pipeline_file.secrets import is_secret_name, leaves
from components.pipeline_file.variables import may_refer, references, whole_reference
from dynamic_providers.airbyte import schedule as schedules
from dynamic_providers.airbyte.errors import AirbyteError
from dynamic_providers.airbyte.mappers import KEY, AesEncryption

OBJECT_STORES = frozenset(
    {"destination-s3", "destination-gcs", "destination-azure-blob-storage", "destination-s3-data-lake"}
)
"""Destinations that write files: no tables, hence no dedup (connector documentation, "supported sync modes")."""

COORDINATE = "secret_coordinate::"
"""Prefix of a value that names a secret in Airbyte's secret manager instead of holding it."""


def check(spec: PipelineSpec | LoneSourceSpec | LoneDestinationSpec, document: Document) -> list[Problem]:
    """Every problem of a file whose shape is right."""
    return [
        *_misplaced_references(document),
        *(_sync(spec, document) if isinstance(spec, PipelineSpec) else ()),
        *(_plain_secrets(spec.source, "source", document) if not isinstance(spec, LoneDestinationSpec) else ()),
        *(_plain_secrets(spec.destination, "destination", document) if not isinstance(spec, LoneSourceSpec) else ()),
    ]


def _sync(spec: PipelineSpec, document: Document) -> list[Problem]:
    return [
        *_schedule(spec.sync, document),
        *_full_refresh(spec, document),
        *_object_store(spec, document),
        *_raw_tables(spec, document),
        *_plain_keys(spec, document),
    ]


def captures_changes(spec: PipelineSpec) -> bool:
    """Whether the source reads a replication log: then every stream can be incremental, and its cursor is given."""
    return reads_log(spec.source.config)


def reads_log(config: Mapping[str, Any]) -> bool:
    """Whether a source's config has it read a replication log."""
    method = config.get("replication_method")
    name = method.get("method") if isinstance(method, dict) else method
    return isinstance(name, str) and name.upper() == "CDC"


def _misplaced_references(document: Document) -> list[Problem]:
    """``${VAR}`` where nothing would resolve it."""
    return [
        Problem(
            document.where(path),
            f"`${{{name}}}` can't be resolved here: variables work below source.config and destination.config, "
            "and as the key of a mapper.",
            "Write the value itself.",
        )
        for path, text in document.strings()
        if not may_refer(path) and path[:2] != ("sync", "namespace")
        for name in references(text)
    ]


def _plain_keys(spec: PipelineSpec, document: Document) -> list[Problem]:
    return [
        Problem(
            document.where(("sync", "streams", index, "mappers", number, KEY)),
            "is a secret written into the file.",
            "Put it into a variable, such as ${MAPPER_KEY}, and its value into the stack's configuration "
            "(`pulumi config set --secret`) or the environment.",
        )
        for index, stream in enumerate(spec.sync.streams)
        for number, mapper in enumerate(stream.mappers)
        if isinstance(mapper, AesEncryption) and not whole_reference(mapper.key)
    ]


def _schedule(sync: SyncSpec, document: Document) -> list[Problem]:
    spec = sync.schedule
    try:
        schedules.canonical(spec.model_dump(exclude_none=True))
    except (AirbyteError, ValueError) as error:
        field = {"cron": "expression", "interval": "every"}.get(spec.type, "type")
        if spec.timezone is not None and "timezone" in str(error).lower():
            field = "timezone"
        where = document.where(("sync", "schedule", field))
        return [Problem(where, str(error).rstrip(".") + ".", "")]
    return []


def _full_refresh(spec: PipelineSpec, document: Document) -> list[Problem]:
    """A source that captures changes can do incremental on every stream with a key (Airbyte, CDC documentation)."""
    if not captures_changes(spec):
        return []
    return [
        Problem(
            document.where(("sync", "streams", index, "sync_mode")),
            f"stream `{stream.name}` does a full refresh, although {spec.source.connector} captures changes "
            "and could sync it incrementally.",
            'Use sync_mode: incremental, or say why not: `allow_full_refresh: "<reason>"`.',
        )
        for index, stream in enumerate(spec.sync.streams)
        if stream.sync_mode == "full_refresh" and stream.allow_full_refresh is None
    ]


def _object_store(spec: PipelineSpec, document: Document) -> list[Problem]:
    if spec.destination.connector not in OBJECT_STORES:
        return []
    return [
        Problem(
            document.where(("sync", "streams", index, "destination_sync_mode")),
            f"{spec.destination.connector} writes files and can't deduplicate stream `{stream.name}`.",
            "Use destination_sync_mode: append (or overwrite with a full refresh).",
        )
        for index, stream in enumerate(spec.sync.streams)
        if stream.destination_sync_mode in ("append_dedup", "overwrite_dedup")
    ]


def _raw_tables(spec: PipelineSpec, document: Document) -> list[Problem]:
    """`normalization` and the connector's own switch may not contradict each other."""
    raw = spec.destination.config.get("disable_type_dedupe")
    if raw is None or bool(raw) != spec.sync.normalization.enabled:
        return []
    return [
        Problem(
            document.where(("destination", "config", "disable_type_dedupe")),
            f"contradicts sync.normalization.enabled: {str(spec.sync.normalization.enabled).lower()}.",
            "Remove it: normalization decides.",
        )
    ]


def _plain_secrets(spec: ConnectorSpec, kind: str, document: Document) -> list[Problem]:
    def plain(value: Any) -> bool:
        return isinstance(value, str) and value != "" and not references(value) and not value.startswith(COORDINATE)

    return [
        Problem(
            document.where((kind, "config", *path)),
            "looks like a secret written into the file.",
            "Put it into a variable, such as ${" + str(path[-1]).upper() + "}, and its value into the stack's "
            "configuration (`pulumi config set --secret`) or the environment.",
        )
        for path, value in leaves(spec.config)
        if plain(value) and is_secret_name(path, spec.secrets)
    ]
