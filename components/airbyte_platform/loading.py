"""From the stack's configuration to settings, with every mistake named by its path."""

import difflib
import json
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.airbyte_platform.model import Group
from components.airbyte_platform.settings import PlatformSettings
from components.errors import ConfigurationError, Problem
from dynamic_providers.airbyte.errors import AirbyteError
from dynamic_providers.airbyte.settings import resolve_reference

KEY = "platform"
KeyPath = tuple[str | int, ...]


def load_platform(text: str, file: str, environ: Mapping[str, str]) -> PlatformSettings:
    """Read the settings from the JSON text that Pulumi gives; `file` is where the user wrote them.

    A value ``${NAME}`` is taken from the environment. Raises ConfigurationError with everything that is wrong.
    """
    problems: list[Problem] = []
    try:
        written = json.loads(text)
    except ValueError:  # the decoder's message quotes the text, which may hold secrets
        written = None
    if not isinstance(written, dict):
        fix = "Write its settings below it, as docs/platform.md shows."
        raise ConfigurationError([Problem(where(file, ()), "is not an object.", fix)])
    expanded = _expand(written, (), file, environ, problems)
    try:
        settings = PlatformSettings.model_validate(expanded)
    except ValidationError as error:
        found = [_problem(file, details) for details in error.errors(include_url=False, include_input=False)]
        told = {problem.where for problem in problems}
        problems += [problem for problem in found if problem.where not in told]
    if problems:
        raise ConfigurationError(problems)
    return settings


def where(file: str, path: KeyPath) -> str:
    """Name a setting: ``Pulumi.prod.yaml: platform.network.egress[0].cidrs``."""
    return f"{file}: {KEY}" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def _expand(node: Any, path: KeyPath, file: str, environ: Mapping[str, str], problems: list[Problem]) -> Any:
    if isinstance(node, dict):
        return {key: _expand(value, (*path, key), file, environ, problems) for key, value in node.items()}
    if isinstance(node, list):
        return [_expand(value, (*path, index), file, environ, problems) for index, value in enumerate(node)]
    if not isinstance(node, str):
        return node
    try:
        return resolve_reference(node, environ)
    except AirbyteError as error:
        problems.append(Problem(where(file, path), str(error), ""))
        return ""


def _problem(file: str, details: ErrorDetails) -> Problem:
    path, group = _walk(details["loc"])
    place, kind = where(file, path), details["type"]
    if kind == "extra_forbidden":
        known = [field.alias or name for name, field in group.model_fields.items()]
        close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        fix = f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(sorted(known))}."
        return Problem(place, "is not a setting.", fix)
    if kind == "missing":
        return Problem(place, "is not set.", "Add it.")
    if kind.startswith("union_tag"):
        tags = str(details.get("ctx", {}).get("expected_tags", ""))
        return Problem(f"{place}.type", "is not set to one of its values.", f"Use {tags.replace(chr(39), '`')}.")
    if kind == "value_error":
        return Problem(place, str(details.get("ctx", {}).get("error", details["msg"])), "")
    return Problem(place, f"is not right: {_lower(details['msg'])}.", "Correct it.")


def _walk(location: KeyPath) -> tuple[KeyPath, type[Group]]:
    """The path as the user wrote it, without the tags that pydantic puts after a union; and the last group on it."""
    path: list[str | int] = []
    group: type[Group] = PlatformSettings
    choices: list[type[Group]] = []
    for part in location:
        tagged = [choice for choice in choices if part in _tags(choice)]
        if tagged:
            group, choices = tagged[0], []
            continue
        path.append(part)
        if isinstance(part, int):
            continue
        field = next((field for name, field in group.model_fields.items() if part in (name, field.alias)), None)
        found = list(_groups(field.annotation)) if field else []
        if len(found) == 1:
            group, choices = found[0], []
        elif found:
            choices = found
    return tuple(path), group


def _groups(annotation: Any) -> Iterator[type[Group]]:
    """The settings groups inside ``Group``, ``list[Group]``, ``A | B`` and ``Annotated[...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield typing.cast(type[Group], annotation)
    for inner in typing.get_args(annotation):
        yield from _groups(inner)


def _tags(group: type[Group]) -> tuple[Any, ...]:
    field = group.model_fields.get("type")
    return typing.get_args(field.annotation) if field else ()


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
