"""From a workspace to files: which objects get one, what it is called, and what is left out and why."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from airbyte_cli.importing import actors, connections, files, proof
from airbyte_cli.importing.actors import ActorFile
from airbyte_cli.importing.connections import PipelineFile
from airbyte_cli.importing.names import Names, slug
from airbyte_cli.importing.report import Finding, Report
from airbyte_cli.importing.snapshot import Workspace
from components.pipeline_file.variables import config_key
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE, Kind
from dynamic_providers.airbyte.models import Actor

PIPELINES = Path("pipelines")
CONNECTORS = Path("connectors.yaml")
VARIABLES = Path("import.env.example")

_VARIABLES_HEAD = """\
# What the imported pipeline files refer to and Airbyte does not give back. Copy this file, fill it in, keep it out of
# version control, and export it before `pulumi up`; or set each with `pulumi config set --secret KEY`.
"""


@dataclass(frozen=True)
class Import:
    """What an import would write, and what it can't."""

    pipelines: Mapping[Path, PipelineFile]
    """By file, relative to the folder of the import."""
    report: Report

    @property
    def actors(self) -> list[ActorFile]:
        """The sources and destinations that the files describe, each once."""
        return _unique(end for file in self.pipelines.values() for end in (file.source, file.destination))

    def files(self) -> dict[Path, str]:
        """The files' texts, by relative path; none where there is no pipeline to write."""
        if not self.pipelines:
            return {}
        versions = {actor.connector.name: actor.connector.version for actor in self.actors}
        texts = {path: pipeline_text(file) for path, file in self.pipelines.items()}
        return {**texts, CONNECTORS: files.connectors_text(versions), VARIABLES: self._variables_text()}

    def _variables_text(self) -> str:
        blocks = [_VARIABLES_HEAD]
        for actor in self.actors:
            if actor.variables:
                lines = [f"# {_one_line(actor.actor.name)} ({actor.connector.name})"]
                for variable in actor.variables:
                    shown = "; shown by Airbyte, since it is no secret to the connector" if variable.shown else ""
                    lines.append(f"# {variable.path}; in stack configuration {config_key(variable.name)}{shown}")
                    lines.append(f"{variable.name}=")
                blocks.append("\n".join(lines) + "\n")
        return "\n".join(blocks)


def plan(workspace: Workspace) -> Import:
    """Describe everything, prove what can be, and report the rest."""
    report = Report()
    described = {kind: _describe_actors(workspace, kind) for kind in (SOURCE, DESTINATION)}
    candidates: dict[Path, PipelineFile] = {}
    stems = Names()
    triples = Counter((c.source_id, c.destination_id, c.name) for c in workspace.connections.values())
    for connection in workspace.connections.values():
        source = described[SOURCE].get(connection.source_id)
        destination = described[DESTINATION].get(connection.destination_id)
        path = PIPELINES / f"{stems.take(slug(connection.name) or 'connection')}.yaml"
        if source is None or destination is None:
            what = "its source or destination is deleted, and nothing can sync it"
            report.left_out.append(Finding("connection", connection.name, connection.connection_id, what))
            continue
        several = triples[connection.source_id, connection.destination_id, connection.name] > 1
        adopt = connection.connection_id if several else None
        file = connections.describe(connection, source, destination, adopt=adopt)
        if file.obstacles:
            report.left_out.append(_finding(file, file.obstacles))
        else:
            candidates[path] = file
    for path, clauses in _proven(candidates).items():
        report.left_out.append(_finding(candidates.pop(path), clauses))
    report.left_out += _unused(workspace, candidates.values())
    done = Import(candidates, report)
    report.not_in_file += [
        Finding("connection", file.connection.name, file.connection.connection_id, clause)
        for file in candidates.values()
        for clause in file.unmanaged
    ]
    report.not_in_file += [
        _of_actor(actor.kind, actor.actor, clause) for actor in done.actors for clause in actor.unmanaged
    ]
    return done


def pipeline_text(file: PipelineFile) -> str:
    """The text of one pipeline file."""
    return files.pipeline_text(file.document, f"Imported from Airbyte's connection {file.connection.connection_id}.")


def _describe_actors(workspace: Workspace, kind: Kind) -> dict[str, ActorFile]:
    everyone = workspace.actors[kind].values()
    alike = Counter(actor.name.casefold() for actor in everyone)
    twins = Counter((actor.name, actor.definition_id) for actor in everyone)
    resources, variables = Names(" "), Names("_")
    for actor in everyone:
        if alike[actor.name.casefold()] == 1:
            resources.take(actor.name)
    described = {}
    for actor in everyone:
        connector = workspace.connectors[actor.definition_id]
        shared = alike[actor.name.casefold()] > 1
        described[actor.actor_id] = actors.describe(
            kind,
            actor,
            connector,
            variables=variables,
            version=workspace.held.get(actor.actor_id),
            resource=resources.take(f"{actor.name} ({connector.name})") if shared else None,
            adopt=actor.actor_id if twins[actor.name, actor.definition_id] > 1 else None,
        )
    return described


def _proven(candidates: Mapping[Path, PipelineFile]) -> dict[Path, list[str]]:
    """The files that can't be adopted without a write, with the reasons."""
    with tempfile.TemporaryDirectory(prefix="airbyte-import-") as folder:
        there = {Path(folder) / path.name: path for path in candidates}
        for place, path in there.items():
            place.write_text(pipeline_text(candidates[path]), encoding="utf-8")
        failures = proof.failures({place: candidates[path] for place, path in there.items()})
        return {
            there[place]: [clause.replace(f"{folder}/", "") for clause in clauses]
            for place, clauses in failures.items()
        }


def _unused(workspace: Workspace, written: Iterable[PipelineFile]) -> list[Finding]:
    """Sources and destinations that appear in no file."""
    files = list(written)
    used = {end for file in files for end in (file.connection.source_id, file.connection.destination_id)}
    connected = {end for c in workspace.connections.values() for end in (c.source_id, c.destination_id)}
    without = "none of its connections could be written"
    alone = "no connection uses it, and a pipeline file is one connection"
    return [
        _of_actor(kind, actor, without if actor.actor_id in connected else alone)
        for kind, everyone in workspace.actors.items()
        for actor in everyone.values()
        if actor.actor_id not in used
    ]


def _of_actor(kind: Kind, actor: Actor, what: str) -> Finding:
    return Finding("source" if kind is SOURCE else "destination", actor.name, actor.actor_id, what)


def _finding(file: PipelineFile, clauses: Iterable[str]) -> Finding:
    return Finding("connection", file.connection.name, file.connection.connection_id, "; ".join(clauses))


def _unique(everything: Iterable[ActorFile]) -> list[ActorFile]:
    return list({file.actor.actor_id: file for file in everything}.values())


def _one_line(text: str) -> str:
    return " ".join(text.split())
