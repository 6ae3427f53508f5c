"""From files to checked pipelines: every problem of every file in one error."""

import difflib
import re
import typing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.errors import ConfigurationError, Problem
from components.pipeline_file import rules
from components.pipeline_file.document import Document, KeyPath
from components.pipeline_file.models import PipelineSpec
from components.pipeline_file.variables import references

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Pipeline:
    """A pipeline file that was read and found sound as far as that can be told without a server."""

    name: str
    """The file's name without its ending; resource names derive from it, so a rename replaces."""
    document: Document
    spec: PipelineSpec

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


def load_pipelines(folder: Path) -> list[Pipeline]:
    """Read every ``*.yaml`` of the folder, in the order of their names.

    Raises ConfigurationError with the problems of all of them together.
    """
    files = sorted(file for ending in ("*.yaml", "*.yml") for file in folder.glob(ending))
    if not files:
        raise ConfigurationError(
            [Problem(str(folder), "holds no pipeline files.", "Add one pipeline a file, such as orders.yaml.")]
        )
    pipelines: list[Pipeline] = []
    problems: list[Problem] = []
    for file in files:
        try:
            pipelines.append(load_pipeline(file))
        except ConfigurationError as error:
            problems += error.problems
    problems += collisions(pipelines)
    if problems:
        raise ConfigurationError(problems)
    return pipelines


def load_pipeline(file: Path) -> Pipeline:
    """Read one pipeline file; raises ConfigurationError with all its problems."""
    document = Document.read(file)
    if not _NAME.fullmatch(file.stem):
        raise ConfigurationError(
            [Problem(str(file), "has a name that can't name resources.", "Use letters, digits, `-` and `_`.")]
        )
    try:
        spec = PipelineSpec.model_validate(document.plain() or {})
    except ValidationError as error:
        raise ConfigurationError([_problem(document, details) for details in error.errors(include_url=False)]) from None
    pipeline = Pipeline(file.stem, document, spec)
    problems = _misplaced_references(document) + rules.check(spec, document)
    if problems:
        raise ConfigurationError(problems)
    return pipeline


def _problem(document: Document, details: ErrorDetails) -> Problem:
    # A union's branches appear in a location as "str", "bool" or "list[str]": no key of the file is called so.
    path = tuple(
        part
        for part in details["loc"]
        if not (isinstance(part, str) and re.search(r"[\[(]|^(str|bool|constrained-str)$", part))
    )
    where, kind, context = document.where(path), details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _fields_at(path[:-1])
        close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        fix = f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(sorted(known))}."
        return Problem(where, f"`{path[-1]}` is not a key of a pipeline file.", fix)
    if kind == "missing":
        return Problem(where, "is missing.", "Add it.")
    if kind == "value_error":
        message, _, fix = str(context["error"]).partition(". ")
        return Problem(where, message.rstrip(".") + ".", fix)
    if kind == "literal_error":
        given = details["input"]
        return Problem(where, f"`{given}` is not one of the values allowed.", f"Use {context['expected']}.")
    if kind == "string_pattern_mismatch":
        return Problem(
            where,
            f"`{details['input']}` is not a connector's name.",
            f"Expected the form {context['pattern']}.",
        )
    return Problem(where, f"{details['msg']}.", "Correct the value.")


def _fields_at(path: KeyPath) -> list[str]:
    """The keys that the models know at a path."""
    model: Any = PipelineSpec
    for part in path:
        if isinstance(part, int) or not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        field = model.model_fields.get(part)
        model = _model_in(field.annotation) if field else None
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    """The model inside ``Model``, ``list[Model]`` or ``Model | None``."""
    candidates = [annotation, *typing.get_args(annotation)]
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def _misplaced_references(document: Document) -> list[Problem]:
    """``${VAR}`` outside of a config block, where nothing would resolve it."""
    allowed = {("source", "config"), ("destination", "config")}
    return [
        Problem(
            document.where(path),
            f"`${{{name}}}` can't be resolved here: variables work below source.config and destination.config.",
            "Write the value itself.",
        )
        for path, text in document.strings()
        if path[:2] not in allowed and path[:2] != ("sync", "namespace")
        for name in references(text)
    ]


def collisions(pipelines: list[Pipeline]) -> list[Problem]:
    """Pipelines that would write the same table, or describe one object in two ways."""
    problems: list[Problem] = []
    tables: dict[tuple[str, ...], Pipeline] = {}
    actors: dict[tuple[str, str], tuple[Pipeline, Any]] = {}
    for pipeline in pipelines:
        for kind in ("source", "destination"):
            actor = getattr(pipeline.spec, kind)
            other = actors.setdefault((kind, actor.key), (pipeline, actor))
            if other[1] != actor:
                problems.append(
                    Problem(
                        pipeline.where(kind, "name"),
                        f"{kind} `{actor.name}` is described differently in {other[0].where(kind)}.",
                        "Give one of them another name (or `resource`), or make the two the same to share it.",
                    )
                )
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


__all__ = ["Pipeline", "collisions", "load_pipeline", "load_pipelines"]
