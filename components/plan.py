"""The plan of a stack: everything read, checked and resolved before the first resource is declared.

A program that fails half-way has already created what it declared before. So all that can be wrong with a
user's files is found here, together, and the declarations that follow can't fail.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import pulumi

from components import normalization
from components.errors import ConfigurationError, Problem
from components.pipeline_file import Pin, Pipeline, Variables, load_pins, load_pipelines
from components.pipeline_file.variables import Resolved, config_key, references
from components.postgres_cdc import (
    PostgresCdcArgs,
    complete_source_config,
    plan_postgres,
    reads_stack_database,
)
from components.settings import Settings, config_secrets, stack_config
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


@dataclass(frozen=True)
class Plan:
    """What a stack will declare."""

    settings: Settings
    pipelines: tuple[PlannedPipeline, ...]
    pins: Mapping[str, Pin]
    """Connector -> its pinned version."""
    postgres: Mapping[str, PostgresCdcArgs]
    """Database -> what it needs."""
    snowflake: SnowflakeWarehouseArgs | None

    @classmethod
    def load(cls) -> "Plan":
        """Read settings, pins and pipeline files; raises ConfigurationError with every problem found."""
        settings = Settings.load()
        problems: list[Problem] = []
        pipelines = load_pipelines(settings.stack.pipelines_path)
        pins = _collect(lambda: load_pins(settings.stack.connectors_path).resolve(pipelines), problems)
        postgres = _collect(lambda: plan_postgres(settings.postgres, pipelines), problems)
        snowflake = _collect(lambda: plan_snowflake(settings.snowflake, pipelines), problems)
        _collect(lambda: settings.refuse_unknown(_referenced_keys(pipelines)), problems)
        planned = _collect(lambda: _resolve(settings, pipelines, pins or {}), problems)
        if problems or not pins or not planned:
            raise ConfigurationError(problems)
        return cls(settings, planned, pins, postgres or {}, snowflake)


def _collect(step: Callable[[], T], problems: list[Problem]) -> T | None:
    """Run a step; keep its problems and go on, so that a user sees all of them at once."""
    try:
        return step()
    except ConfigurationError as error:
        problems += error.problems
        return None


def _referenced_keys(pipelines: Iterable[Pipeline]) -> set[str]:
    """Stack configuration keys that the pipeline files' variables refer to."""
    names = {name for pipeline in pipelines for _, text in pipeline.document.strings() for name in references(text)}
    return names | {config_key(name) for name in names}


def _resolve(settings: Settings, pipelines: list[Pipeline], pins: Mapping[str, Pin]) -> tuple[PlannedPipeline, ...]:
    variables = Variables(_provisioned(settings, pipelines), stack_config(), config_secrets())
    problems = [problem for pipeline in pipelines for problem in variables.missing(pipeline.document)]
    planned: list[PlannedPipeline] = []
    for pipeline in pipelines:
        destination = _collect(lambda: _destination_config(pipeline, settings, pins), problems)  # noqa: B023
        if problems or destination is None:
            continue
        source = pipeline.spec.source.config
        if reads_stack_database(pipeline, settings.postgres):
            source = complete_source_config(source, settings.postgres)
        planned.append(
            PlannedPipeline(
                pipeline,
                variables.resolve(source, pipeline.spec.source.secrets),
                variables.resolve(destination, pipeline.spec.destination.secrets),
            )
        )
    if problems:
        raise ConfigurationError(problems)
    return tuple(planned)


def _destination_config(pipeline: Pipeline, settings: Settings, pins: Mapping[str, Pin]) -> dict[str, object]:
    spec = pipeline.spec.destination
    config = spec.config
    if loads_stack_account(pipeline, settings.snowflake):
        config = complete_destination_config(config, settings.snowflake)
    return normalization.configure(
        spec.connector,
        spec.version or (pins[spec.connector].version if spec.connector in pins else ""),
        config,
        typed=pipeline.spec.sync.normalization.enabled,
        where=pipeline.where("destination", "connector"),
    )


def _provisioned(settings: Settings, pipelines: Iterable[Pipeline]) -> dict[str, pulumi.Input[str]]:
    """Variables that the stack itself gives, so that a pipeline file need not repeat its settings."""
    pipelines = list(pipelines)
    values: dict[str, pulumi.Input[str]] = {}
    postgres, snowflake = settings.postgres, settings.snowflake
    if any(reads_stack_database(pipeline, postgres) for pipeline in pipelines):
        values |= {
            "POSTGRES_HOST": postgres.host,
            "POSTGRES_PORT": str(postgres.port),
            "POSTGRES_USER": postgres.user,
            "POSTGRES_PASSWORD": pulumi.Output.secret(postgres.password) if postgres.password else "",
        }
    if any(loads_stack_account(pipeline, snowflake) for pipeline in pipelines):
        values |= {
            "SNOWFLAKE_HOST": snowflake.account_host if snowflake.host or snowflake.account else "",
            "SNOWFLAKE_USER": snowflake.user,
            "SNOWFLAKE_ROLE": snowflake.role,
        }
        if snowflake.private_key or snowflake.private_key_file:
            values["SNOWFLAKE_PRIVATE_KEY"] = pulumi.Output.secret(service_key(snowflake).private_pem)
    return {name: value for name, value in values.items() if not isinstance(value, str) or value}
