"""Reading the files back, and comparing them with the workspace in the way that adoption will.

What a file can't express shows here even where nobody thought of it: the comparison is the provider's own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airbyte_cli.importing.actors import ActorFile
from airbyte_cli.importing.connections import PipelineFile
from components import normalization
from components.airbyte_workspace import actor_resources
from components.elt_pipeline import connection_args
from components.errors import ConfigurationError
from components.pipeline_file import Actor, Pipeline, PipelineFiles, load_file
from components.pipeline_file.loader import collisions
from components.pipeline_file.models import ConnectorSpec
from components.pipeline_file.secrets import is_secret_name
from dynamic_providers.airbyte import actor_config, allocation, schedule, secrets, spec, streams, takeover
from dynamic_providers.airbyte.errors import AirbyteError
from dynamic_providers.values import Properties

Failures = dict[Path, list[str]]
"""What is wrong with each file, a clause each."""


def failures(files: Mapping[Path, PipelineFile | ActorFile]) -> Failures:
    """What keeps written files from being adopted without a write; they exist at these paths."""
    found: Failures = {}
    loaded: dict[Path, Pipeline] = {}
    for path, file in files.items():
        try:
            read = load_file(path)
        except ConfigurationError as error:
            found[path] = [
                f"{problem.where.partition(': ')[2]} {problem.what.rstrip('.')}" for problem in error.problems
            ]
            continue
        unlike = _unlike(read, file)
        if unlike:
            found[path] = unlike
        elif isinstance(read, Pipeline):
            loaded[path] = read
    while problems := collisions(PipelineFiles(tuple(loaded.values()))):
        # The later one of two that collide goes; whether others collide with it then does not matter any more.
        path = next(p for p in loaded if problems[0].where.startswith(f"{p}:"))
        del loaded[path]
        found[path] = [problems[0].what.rstrip(".")]
    return found


def connection_inputs(pipeline: Pipeline) -> Properties:
    """What the program declares for a pipeline's connection, in canonical form; raises AirbyteError."""
    declared = connection_args(pipeline)
    return {
        **declared,
        "streams": streams.canonical(declared["streams"]),
        "schedule": schedule.canonical(declared["schedule"]),
        "tags": sorted(set(declared["tags"])),
        "operation_ids": sorted(set(declared["operation_ids"])),
    }


def _unlike(read: Pipeline | Actor, file: PipelineFile | ActorFile) -> list[str]:
    """What of a file, as it was read back, is not what it was made from."""
    if isinstance(read, Pipeline) and isinstance(file, PipelineFile):
        return _unlike_connection(read, file)
    if isinstance(read, Actor) and isinstance(file, ActorFile):
        return _unlike_actor(read.kind, file, read.spec, file.restored(read.spec.config))
    return ["its file is not read as what it is"]


def _unlike_connection(pipeline: Pipeline, file: PipelineFile) -> list[str]:
    try:
        differing = takeover.compare(file.connection, connection_inputs(pipeline)).differing
        destination = normalization.configure(
            file.destination.connector.name,
            file.destination.connector.version,
            file.destination.restored(pipeline.spec.destination.config),
            typed=pipeline.spec.sync.normalization.enabled,
            where="",
        )
    except AirbyteError as error:
        return [str(error).rstrip(".")]
    except ConfigurationError as error:
        return [problem.what.rstrip(".") for problem in error.problems]
    source = file.source.restored(pipeline.spec.source.config)
    return [
        *(f"a file can't give its {key} back as it is" for key in differing),
        *_unlike_actor("source", file.source, pipeline.spec.source, source),
        *_unlike_actor("destination", file.destination, pipeline.spec.destination, destination),
    ]


def _unlike_actor(kind: str, file: ActorFile, declared: ConnectorSpec, config: dict[str, Any]) -> list[str]:
    schema = file.connector.specification.connection_specification
    live = file.actor.connection_configuration or {}
    hidden = secrets.leaves(config, secrets.spec_paths(schema))
    unmarked = [path for path in hidden if not _is_marked(path, declared) and not _is_reference(config, path)]
    # A mask breaks the pattern of a key, which the key itself will not.
    broken = [problem for problem in spec.problems(config, schema) if not problem.startswith(tuple(hidden))]
    clauses = [
        *(f"a file can't give {field} back as it is" for field in actor_config.differences(live, config, schema)),
        *(f"its secret {path} is not held as one" for path in unmarked),
        *(f"its own connector objects: {problem.rstrip('.')}" for problem in broken),
    ]
    if allocation.canonical(actor_resources(declared)) != allocation.shown(file.actor):
        clauses.append("a file can't give its resources back as they are")
    if declared.name != file.actor.name:
        clauses.append("a file can't give its name back as it is")
    return [f"its {kind} {file.actor.name}: {clause}" for clause in clauses]


def _is_marked(path: str, declared: ConnectorSpec) -> bool:
    parts = tuple(int(part) if part.isdigit() else part for part in path.split("."))
    return is_secret_name(parts, declared.secrets)


def _is_reference(config: dict[str, Any], path: str) -> bool:
    return secrets.is_coordinate(secrets.get(config, path))
