"""The plan of a stack: everything read, checked and resolved before the first resource is declared.

A program that fails half-way has already created what it declared before. So all that can be wrong with a
user's files is found here, together, and the declarations that follow can't fail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi

from components import normalization
from components.airbyte_platform.plan import AirbytePlatformArgs, Client, plan_platform
from components.elt_pipeline import mapper_keys
from components.errors import ConfigurationError, Problem
from components.pipeline_file import (
    Actor,
    DestinationSpec,
    Pin,
    Pipeline,
    PipelineFiles,
    SourceSpec,
    Variables,
    load_pins,
    load_pipelines,
)
from components.pipeline_file.variables import Resolved, config_key, references
from components.postgres_cdc import (
    PostgresCdcArgs,
    complete_source_config,
    plan_postgres,
    reads_stack_database,
)
from components.settings import Settings, config_secrets, stack_config, stack_file
from components.snowflake_warehouse import (
    SnowflakeWarehouseArgs,
    complete_destination_config,
    loads_stack_account,
    plan_snowflake,
    service_key,
)

T = TypeVar("T")


@dataclass(frozen=True)
class PlannedPipeline:
    """A pipeline with both connectors' configs complete."""

    file: Pipeline
    source: Resolved
    destination: Resolved
    mapper_keys: Mapping[str, pulumi.Output[str]]
    """What stands in the file as the key of a mapper -> the key itself."""


@dataclass(frozen=True)
class PlannedActor:
    """A source or destination without a pipeline, its config complete."""

    file: Actor
    config: Resolved


@dataclass(frozen=True)
class Plan:
    """What a stack will declare."""

    settings: Settings
    pipelines: tuple[PlannedPipeline, ...]
    alone: tuple[PlannedActor, ...]
    """Sources and destinations that have a file of their own."""
    pins: Mapping[str, Pin]
    """Connector -> its pinned version."""
    postgres: Mapping[str, PostgresCdcArgs]
    """Database -> what it needs."""
    snowflake: SnowflakeWarehouseArgs | None
    platform: AirbytePlatformArgs | None
    """The Airbyte that the stack installs; None where it is installed elsewhere."""

    @classmethod
    def load(cls) -> "Plan":
        """Read settings, pins and pipeline files; raises ConfigurationError with every problem found."""
        settings = Settings.load()
        problems: list[Problem] = []
        files = load_pipelines(settings.stack.pipelines_path)
        pins = _collect(lambda: load_pins(settings.stack.connectors_path).resolve(files.actors), problems)
        postgres = _collect(lambda: plan_postgres(settings.postgres, files.pipelines), problems)
        snowflake = _collect(lambda: plan_snowflake(settings.snowflake, files.actors), problems)
        _collect(lambda: settings.refuse_unknown(_referenced_keys(files)), problems)
        planned = _collect(lambda: _resolve(settings, files, pins or {}), problems)
        platform = _collect(lambda: _platform(settings, *planned), problems) if planned else None
        if problems or not pins or not planned:
            raise ConfigurationError(problems)
        return cls(settings, *planned, pins, postgres or {}, snowflake, platform)


def _collect(step: Callable[[], T], problems: list[Problem]) -> T | None:
    """Run a step; keep its problems and go on, so that a user sees all of them at once."""
    try:
        return step()
    except ConfigurationError as error:
        problems += error.problems
        return None


def _referenced_keys(files: PipelineFiles) -> set[str]:
    """Stack configuration keys that the files' variables refer to."""
    names = {name for document in files.documents for _, text in document.strings() for name in references(text)}
    return names | {config_key(name) for name in names}


def _resolve(
    settings: Settings, files: PipelineFiles, pins: Mapping[str, Pin]
) -> tuple[tuple[PlannedPipeline, ...], tuple[PlannedActor, ...]]:
    variables = Variables(_provisioned(settings, files), stack_config(), config_secrets())
    problems = [problem for document in files.documents for problem in variables.missing(document)]
    if problems:
        raise ConfigurationError(problems)

    def resolved(actor: Actor, config: Mapping[str, Any]) -> Resolved:
        return variables.resolve(config, actor.spec.secrets)

    def planned(pipeline: Pipeline) -> PlannedPipeline:
        destination = _typed(pipeline, pins, _completed(pipeline.destination, settings))
        return PlannedPipeline(
            pipeline,
            resolved(pipeline.source, _completed(pipeline.source, settings)),
            resolved(pipeline.destination, destination),
            {key: variables.secret(key) for stream in pipeline.spec.sync.streams for key in mapper_keys(stream)},
        )

    pipelines = [_collect(lambda: planned(pipeline), problems) for pipeline in files.pipelines]  # noqa: B023
    alone = [
        _collect(lambda: PlannedActor(actor, resolved(actor, _completed(actor, settings))), problems)  # noqa: B023
        for actor in files.alone
    ]
    if problems:
        raise ConfigurationError(problems)
    return tuple(filter(None, pipelines)), tuple(filter(None, alone))


def _platform(
    settings: Settings, pipelines: tuple[PlannedPipeline, ...], alone: tuple[PlannedActor, ...]
) -> AirbytePlatformArgs | None:
    if settings.platform is None:
        return None
    airbyte = settings.airbyte
    actors = [
        *((planned.file.source, planned.source.config) for planned in pipelines),
        *((planned.file.destination, planned.destination.config) for planned in pipelines),
        *((planned.file, planned.config.config) for planned in alone),
    ]
    return plan_platform(
        settings.platform,
        settings.stack.environment,
        Client(airbyte.url, airbyte.client_id, airbyte.client_secret),
        actors,
        [planned.file for planned in pipelines],
        stack_file(),
    )


def _completed(actor: Actor, settings: Settings) -> Mapping[str, Any]:
    """A config with what the stack knows of it."""
    spec = actor.spec
    if isinstance(spec, SourceSpec) and reads_stack_database(spec, settings.postgres):
        return complete_source_config(spec.config, settings.postgres)
    if isinstance(spec, DestinationSpec) and loads_stack_account(spec, settings.snowflake):
        return complete_destination_config(spec.config, settings.snowflake)
    return spec.config


def _typed(pipeline: Pipeline, pins: Mapping[str, Pin], config: Mapping[str, Any]) -> dict[str, Any]:
    """The destination's config with what `normalization` stands for."""
    spec = pipeline.spec.destination
    return normalization.configure(
        spec.connector,
        spec.version or (pins[spec.connector].version if spec.connector in pins else ""),
        config,
        typed=pipeline.spec.sync.normalization.enabled,
        where=pipeline.where("destination", "connector"),
    )


def _provisioned(settings: Settings, files: PipelineFiles) -> dict[str, pulumi.Input[str]]:
    """Variables that the stack itself gives, so that a pipeline file need not repeat its settings."""
    values: dict[str, pulumi.Input[str]] = {}
    postgres, snowflake = settings.postgres, settings.snowflake
    specs = [actor.spec for actor in files.actors]
    if any(isinstance(spec, SourceSpec) and reads_stack_database(spec, postgres) for spec in specs):
        values |= {
            "POSTGRES_HOST": postgres.host,
            "POSTGRES_PORT": str(postgres.port),
            "POSTGRES_USER": postgres.user,
            "POSTGRES_PASSWORD": pulumi.Output.secret(postgres.password) if postgres.password else "",
        }
    if any(isinstance(spec, DestinationSpec) and loads_stack_account(spec, snowflake) for spec in specs):
        values |= {
            "SNOWFLAKE_HOST": snowflake.account_host if snowflake.host or snowflake.account else "",
            "SNOWFLAKE_USER": snowflake.user,
            "SNOWFLAKE_ROLE": snowflake.role,
        }
        if snowflake.private_key or snowflake.private_key_file:
            values["SNOWFLAKE_PRIVATE_KEY"] = pulumi.Output.secret(service_key(snowflake).private_pem)
    return {name: value for name, value in values.items() if not isinstance(value, str) or value}
