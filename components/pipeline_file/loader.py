"""From files to checked pipelines: every problem of every file in one error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from components.errors import ConfigurationError, Problem
from components.pipeline_file import mistakes, rules
from components.pipeline_file.document import Document
from components.pipeline_file.models import (
    DestinationSpec,
    LoneDestinationSpec,
    LoneSourceSpec,
    PipelineSpec,
    SourceSpec,
    shape,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

ActorKind = Literal["source", "destination"]


@dataclass(frozen=True)
class Actor:
    """A source or a destination, as one file declares it."""

    kind: ActorKind
    spec: SourceSpec | DestinationSpec
    document: Document

    def where(self, *path: str | int) -> str:
        """``file:line: field``, for messages; a path below the source or destination."""
        return self.document.where((self.kind, *path))


@dataclass(frozen=True)
class Pipeline:
    """A pipeline file that was read and found sound as far as that can be told without a server."""

    name: str
    """The file's name without its ending; resource names derive from it, so a rename replaces."""
    document: Document
    spec: PipelineSpec

    @property
    def source(self) -> Actor:
        """What it reads."""
        return Actor("source", self.spec.source, self.document)

    @property
    def destination(self) -> Actor:
        """What it loads."""
        return Actor("destination", self.spec.destination, self.document)

    @property
    def connection_name(self) -> str:
        """The connection's name in Airbyte."""
        return self.spec.sync.name or f"{self.spec.source.name} → {self.spec.destination.name}"

    @cached_property
    def captures_changes(self) -> bool:
        """Whether the source reads a replication log and so defines its own cursor."""
        return rules.captures_changes(self.spec)

    def where(self, *path: str | int) -> str:
        """``file:line: field``, for messages."""
        return self.document.where(path)


@dataclass(frozen=True)
class PipelineFiles:
    """All files of a folder."""

    pipelines: tuple[Pipeline, ...] = ()
    alone: tuple[Actor, ...] = ()
    """The sources and destinations that have a file of their own."""

    @property
    def actors(self) -> Iterator[Actor]:
        """Every source and destination as each file declares it, so shared ones several times."""
        for pipeline in self.pipelines:
            yield from (pipeline.source, pipeline.destination)
        yield from self.alone

    @property
    def documents(self) -> Iterator[Document]:
        """The files."""
        yield from (pipeline.document for pipeline in self.pipelines)
        yield from (actor.document for actor in self.alone)


def load_pipelines(folder: Path) -> PipelineFiles:
    """Read every ``*.yaml`` of the folder, in the order of their names.

    Raises ConfigurationError with the problems of all of them together.
    """
    paths = sorted(file for ending in ("*.yaml", "*.yml") for file in folder.glob(ending))
    if not paths:
        raise ConfigurationError(
            [Problem(str(folder), "holds no pipeline files.", "Add one pipeline a file, such as orders.yaml.")]
        )
    loaded: list[Pipeline | Actor] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            loaded.append(load_file(path))
        except ConfigurationError as error:
            problems += error.problems
    files = PipelineFiles(
        tuple(each for each in loaded if isinstance(each, Pipeline)),
        tuple(each for each in loaded if isinstance(each, Actor)),
    )
    problems += collisions(files)
    if problems:
        raise ConfigurationError(problems)
    return files


def load_file(file: Path) -> Pipeline | Actor:
    """Read one file: a pipeline, or a source or destination alone; raises ConfigurationError with all its problems."""
    document = Document.read(file)
    if not _NAME.fullmatch(file.stem):
        raise ConfigurationError(
            [Problem(str(file), "has a name that can't name resources.", "Use letters, digits, `-` and `_`.")]
        )
    tree = document.plain() or {}
    try:
        spec = shape(tree).model_validate(tree)
    except ValidationError as error:
        raise ConfigurationError(
            [mistakes.problem(document, details) for details in error.errors(include_url=False)]
        ) from None
    loaded: Pipeline | Actor
    match spec:
        case LoneSourceSpec():
            loaded = Actor("source", spec.source, document)
        case LoneDestinationSpec():
            loaded = Actor("destination", spec.destination, document)
        case PipelineSpec():
            loaded = Pipeline(file.stem, document, spec)
    problems = rules.check(spec, document)
    if problems:
        raise ConfigurationError(problems)
    return loaded


def collisions(files: PipelineFiles) -> list[Problem]:
    """Pipelines that would write the same table, and files that describe one object in two ways."""
    return [*_described_twice(files), *_tables_written_twice(files)]


def _described_twice(files: PipelineFiles) -> list[Problem]:
    problems: list[Problem] = []
    actors: dict[tuple[str, str], Actor] = {}
    for actor in files.actors:
        first = actors.setdefault((actor.kind, actor.spec.key), actor)
        if first.spec != actor.spec:
            problems.append(
                Problem(
                    actor.where("name"),
                    f"{actor.kind} `{actor.spec.name}` is described differently in {first.where()}.",
                    "Give one of them another name (or `resource`), or make the two the same to share it.",
                )
            )
    return problems


def _tables_written_twice(files: PipelineFiles) -> list[Problem]:
    problems: list[Problem] = []
    tables: dict[tuple[str, ...], Pipeline] = {}
    for pipeline in files.pipelines:
        sync = pipeline.spec.sync
        for index, stream in enumerate(sync.streams):
            if sync.namespace == "source" and stream.namespace is None:
                continue  # which schema the table lands in is known after discovery only
            landing = stream.namespace or "" if sync.namespace != "destination" else ""
            key = (
                pipeline.spec.destination.key,
                sync.namespace,
                landing,
                f"{sync.prefix}{stream.name}".upper(),
            )
            first = tables.setdefault(key, pipeline)
            if first is not pipeline:
                problems.append(
                    Problem(
                        pipeline.where("sync", "streams", index, "name"),
                        f"stream `{stream.name}` would land in a table that {first.document.file} writes too.",
                        "Set `sync.prefix` or `sync.namespace`, or sync it in one pipeline only.",
                    )
                )
    return problems
