"""A file whose shape is wrong: what pydantic objects to, in a user's words and with the place in the file."""

import difflib
import re
import typing
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from components.errors import Problem
from components.pipeline_file.document import Document, KeyPath
from components.pipeline_file.models import PipelineSpec

_BRANCH = re.compile(r"[\[(]|^(str|bool|constrained-str)$")
"""A union's branches appear in a location as "str", "bool" or "list[str]": no key of a file is called so."""


def problem(document: Document, details: ErrorDetails) -> Problem:
    """One of a validation's errors."""
    path = tuple(_places(details["loc"]))
    where, kind, context = document.where(path), details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _fields_at(path[:-1])
        close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        fix = f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(sorted(known))}."
        return Problem(where, f"`{path[-1]}` is not a key of a pipeline file.", fix)
    if kind == "missing":
        alone = path in {("source",), ("destination",), ("sync",)} and len(document.tree or ()) > 1
        hint = " A source or a destination without a sync goes into a file of its own." if alone else ""
        return Problem(where, "is missing.", f"Add it.{hint}")
    if kind == "union_tag_not_found":
        return Problem(document.where((*path, _tag(context))), "is missing.", "Add it.")
    if kind == "union_tag_invalid":
        place = document.where((*path, _tag(context)))
        return Problem(
            place, f"`{context['tag']}` is not one of the values allowed.", f"Use one of {context['expected_tags']}."
        )
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


def _places(location: KeyPath) -> typing.Iterator[str | int]:
    """A location without the names of unions' branches, which for mappers are their types."""
    inside_mapper = False
    previous: str | int = ""
    for part in location:
        branch = isinstance(part, str) and (bool(_BRANCH.search(part)) or (inside_mapper and _is_type(previous, part)))
        if not branch:
            yield part
        previous = part
        inside_mapper = inside_mapper or part == "mappers"


def _is_type(previous: str | int, part: str) -> bool:
    """Whether a part of a mapper's location names its type (or algorithm), and no key."""
    return isinstance(previous, int) or previous == "conditions" or part in ("AES", "RSA")


def _tag(context: dict[str, Any]) -> str:
    return str(context["discriminator"]).strip("'")


def _fields_at(path: KeyPath) -> list[str]:
    """The keys that the models know at a path; of all branches where there are several."""
    models: list[type[BaseModel]] = [PipelineSpec]
    for part in path:
        if not isinstance(part, int):
            fields = [model.model_fields[part] for model in models if part in model.model_fields]
            models = [found for field in fields for found in _models_in(field.annotation)]
    return sorted({name for model in models for name in model.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models inside ``Model``, ``list[Model]``, ``Model | None`` or a tagged union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]
