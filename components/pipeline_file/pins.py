"""connectors.yaml: the pinned connector versions.

::

    source-postgres: 3.7.0                                            # one line a connector
    destination-snowflake: {version: 5.0.0, accept_breaking: [5.0.0]} # or with the breaking changes it may cross
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.errors import ConfigurationError, Problem
from components.pipeline_file.document import Document
from components.pipeline_file.loader import Actor
from dynamic_providers.airbyte import known_bad

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""A Docker tag (docs.docker.com/reference/cli/docker/image/tag)."""

_FLOATING = frozenset({"latest", "stable", "main", "master", "edge", "nightly", "dev"})


@dataclass(frozen=True)
class Pin:
    """A connector's version, and who says so."""

    version: str
    where: str
    """``connectors.yaml:3: source-postgres``, or the pipeline file's line."""
    accept_breaking: tuple[str, ...] = ()
    """Breaking versions that an upgrade may cross."""


@dataclass(frozen=True)
class Pins:
    """The pinned version of each connector."""

    document: Document
    versions: dict[str, str]
    accept_breaking: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def resolve(self, actors: Iterable[Actor]) -> dict[str, Pin]:
        """The workspace's version of every connector that sources and destinations are made of.

        It is the one of connectors.yaml; there a file's own `version` holds for its source or destination alone.
        A connector that only pipeline files pin must have one version in all of them. Raises ConfigurationError where
        one has no pin, or files disagree.
        """
        resolved: dict[str, Pin] = {}
        problems: list[Problem] = []
        for actor in actors:
            spec = actor.spec
            shared = self.versions.get(spec.connector)
            version = shared or spec.version
            if version is None:
                problems.append(self._unpinned(actor))
                continue
            own = actor.where("version")
            where = self.document.where((spec.connector,)) if shared else own
            if spec.version:
                problems += filter(None, [_floating(own, spec.version)])
                problems += _known_bad(own, spec.connector, spec.version)
            accepted = self.accept_breaking.get(spec.connector, ())
            if shared and spec.connector not in resolved:
                problems += _known_bad(where, spec.connector, shared)
            first = resolved.setdefault(spec.connector, Pin(version, where, accepted))
            if first.version != version:
                problems.append(
                    Problem(
                        where,
                        f"pins {spec.connector} at {version}, but {first.where} pins it at {first.version}, "
                        f"and {self.document.file} does not say which of them holds for the workspace.",
                        f"Use one version in both, or pin the workspace's in {self.document.file}.",
                    )
                )
        if problems:
            raise ConfigurationError(problems)
        return dict(sorted(resolved.items()))

    def _unpinned(self, actor: Actor) -> Problem:
        connector = actor.spec.connector
        close = difflib.get_close_matches(connector, self.versions, n=1, cutoff=0.8)
        meant = f" Did you mean `{close[0]}`?" if close else ""
        return Problem(
            actor.where("connector"),
            f"{connector} has no pinned version, and a version is never chosen for you.",
            f"Add `{connector}: <version>` to {self.document.file}, or `version:` below {actor.kind}.{meant}",
        )


def load_pins(file: Path) -> Pins:
    """Read the pins; raises ConfigurationError for what is not a plain, exact version."""
    document = Document.read(file)
    tree = document.plain() or {}
    if not isinstance(tree, dict):
        raise ConfigurationError(
            [Problem(str(file), "is not a list of `connector: version` lines.", "Write one a line.")]
        )
    problems: list[Problem] = []
    versions: dict[str, str] = {}
    accepted: dict[str, tuple[str, ...]] = {}
    for connector, entry in tree.items():
        where = document.where((connector,))
        if not re.fullmatch(r"([a-z0-9._:-]+/)*(source|destination)-[a-z0-9-]+", str(connector)):
            problems.append(Problem(where, "is not a connector's name.", "Expected source-… or destination-…."))
            continue
        fields = entry if isinstance(entry, dict) else {"version": entry}
        if found := _entry_problems(where, connector, fields):
            problems += found
        else:
            versions[connector] = fields["version"]
            accepted[connector] = tuple(fields.get("accept_breaking") or ())
    if problems:
        raise ConfigurationError(problems)
    return Pins(document, versions, accepted)


def _entry_problems(where: str, connector: str, fields: dict[str, Any]) -> list[Problem]:
    unknown = sorted(set(fields) - {"version", "accept_breaking"})
    if unknown:
        fix = f"Write `{connector}: {{version: …, accept_breaking: […]}}`."
        return [Problem(where, f"has the unknown keys {', '.join(unknown)}.", fix)]
    version, accepted = fields.get("version"), fields.get("accept_breaking") or []
    if version is None:
        return [Problem(where, "has no version.", f"Write `{connector}: <version>`.")]
    if not isinstance(version, str):
        fix = f'Write it in quotes: {connector}: "{version}".'
        return [Problem(where, f"`{version}` is read as a number, not as a version.", fix)]
    if not isinstance(accepted, list) or not all(isinstance(item, str) for item in accepted):
        fix = (
            f"Write `{connector}: {{version: {version}, accept_breaking: [{version}]}}`, versions in quotes if need be."
        )
        return [Problem(where, "accept_breaking is not a list of versions.", fix)]
    problem = _floating(where, version)
    return [problem] if problem else []


def _known_bad(where: str, connector: str, version: str) -> list[Problem]:
    """Asked where a version is used and not where the file is read: the CLI must be able to read it to leave it."""
    why = known_bad.reason(connector, version)
    if why is None:
        return []
    fix = f"Pin another version: `airbyte-cli connectors upgrade {connector}`."
    return [Problem(where, f"{connector} {version} is known to be bad: {why}", fix)]


def _floating(where: str, version: str) -> Problem | None:
    if not _TAG.fullmatch(version):
        return Problem(where, f"`{version}` is not an image tag.", "Write an exact version such as 3.7.0.")
    if version.lower() in _FLOATING:
        return Problem(where, f"`{version}` is a tag that moves by itself.", "Write an exact version such as 3.7.0.")
    return None
