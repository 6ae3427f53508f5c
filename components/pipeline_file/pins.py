"""connectors.yaml: the pinned connector versions."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from components.errors import ConfigurationError, Problem
from components.pipeline_file.document import Document
from components.pipeline_file.loader import Pipeline

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""A Docker tag (docs.docker.com/reference/cli/docker/image/tag)."""

_FLOATING = frozenset({"latest", "stable", "main", "master", "edge", "nightly", "dev"})


@dataclass(frozen=True)
class Pin:
    """A connector's version, and who says so."""

    version: str
    where: str
    """``connectors.yaml:3: source-postgres``, or the pipeline file's line."""


@dataclass(frozen=True)
class Pins:
    """The pinned version of each connector."""

    document: Document
    versions: dict[str, str]

    def resolve(self, pipelines: Iterable[Pipeline]) -> dict[str, Pin]:
        """The version of every connector that the pipelines use.

        Raises ConfigurationError where one has no pin, or two pipelines pin it differently: a pin holds for
        the whole workspace.
        """
        resolved: dict[str, Pin] = {}
        problems: list[Problem] = []
        for pipeline in pipelines:
            for kind in ("source", "destination"):
                spec = getattr(pipeline.spec, kind)
                version = spec.version or self.versions.get(spec.connector)
                if version is None:
                    problems.append(self._unpinned(pipeline, kind, spec.connector))
                    continue
                where = pipeline.where(kind, "version") if spec.version else self.document.where((spec.connector,))
                if spec.version and (problem := _floating(where, spec.version)):
                    problems.append(problem)
                first = resolved.setdefault(spec.connector, Pin(version, where))
                if first.version != version:
                    problems.append(
                        Problem(
                            where,
                            f"pins {spec.connector} at {version}, but {first.where} pins it at {first.version}, "
                            "and one version holds for a whole workspace.",
                            "Use one version in both.",
                        )
                    )
        if problems:
            raise ConfigurationError(problems)
        return dict(sorted(resolved.items()))

    def _unpinned(self, pipeline: Pipeline, kind: str, connector: str) -> Problem:
        close = difflib.get_close_matches(connector, self.versions, n=1, cutoff=0.8)
        meant = f" Did you mean `{close[0]}`?" if close else ""
        return Problem(
            pipeline.where(kind, "connector"),
            f"{connector} has no pinned version, and a version is never chosen for you.",
            f"Add `{connector}: <version>` to {self.document.file}, or `version:` below {kind}.{meant}",
        )


def load_pins(file: Path) -> Pins:
    """Read the pins; raises ConfigurationError for what is not a plain, exact version."""
    document = Document.read(file)
    tree = document.plain() or {}
    if not isinstance(tree, dict):
        raise ConfigurationError(
            [Problem(str(file), "is not a list of `connector: version` lines.", "Write one a line.")]
        )
    problems = []
    for connector, version in tree.items():
        where = document.where((connector,))
        if not isinstance(version, str):
            fix = f'Write it in quotes: {connector}: "{version}".'
            problems.append(Problem(where, f"`{version}` is read as a number, not as a version.", fix))
        elif not re.fullmatch(r"(source|destination)-[a-z0-9-]+", connector):
            problems.append(Problem(where, "is not a connector's name.", "Expected source-… or destination-…."))
        elif problem := _floating(where, version):
            problems.append(problem)
    if problems:
        raise ConfigurationError(problems)
    return Pins(document, tree)


def _floating(where: str, version: str) -> Problem | None:
    if not _TAG.fullmatch(version):
        return Problem(where, f"`{version}` is not an image tag.", "Write an exact version such as 3.7.0.")
    if version.lower() in _FLOATING:
        return Problem(where, f"`{version}` is a tag that moves by itself.", "Write an exact version such as 3.7.0.")
    return None
