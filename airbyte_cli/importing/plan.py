"""From a workspace to files: which objects get one, what it is called, and what is left out and why."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from airbyte_cli.importing import actors, connections, definitions, files, proof
from airbyte_cli.importing.actors import ActorFile, Variable
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
    alone: Mapping[Path, ActorFile]
    """Sources and destinations without a connection, likewise."""
    report: Report

    @property
    def actors(self) -> list[ActorFile]:
        """The sources and destinations that the files describe, each once."""
        ends = [end for file in self.pipelines.values() for end in (file.source, file.destination)]
        return _unique([*ends, *self.alone.values()])

    @property
    def variables(self) -> list[tuple[str, Sequence[Variable]]]:
        """What is to be set, by whose it is."""
        of_actors = [(f"{_one_line(each.actor.name)} ({each.connector.name})", each.variables) for each in self.actors]
        files = self.pipelines.values()
        return [*of_actors, *((f"{_one_line(each.connection.name)} (connection)", each.variables) for each in files)]

    def files(self) -> dict[Path, str]:
        """The files' texts, by relative path; none where there is nothing to write."""
        if not self.actors:
            return {}
        versions = {actor.connector.name: actor.connector.version for actor in self.actors}
        every: dict[Path, PipelineFile | ActorFile] = {**self.pipelines, **self.alone}
        texts = {path: pipeline_text(file) for path, file in every.items()}
        return {**texts, CONNECTORS: files.connectors_text(versions), VARIABLES: self._variables_text()}

    def _variables_text(self) -> str:
        blocks = [_VARIABLES_HEAD]
        for owner, variables in self.variables:
            lines = [f"# {owner}"]
            for variable in variables:
                shown = "; shown by Airbyte, since it is no secret to the connector" if variable.shown else ""
                kind = "" if variable.type == "string" else f"; the {variable.type} as JSON"
                lines.append(f"# {variable.path}; in stack configuration {config_key(variable.name)}{kind}{shown}")
                lines.append(f"{variable.name}=")
            blocks += ["\n".join(lines) + "\n"] if variables else []
        return "\n".join(blocks)


def plan(workspace: Workspace) -> Import:
    """Describe everything, prove what can be, and report the rest."""
    report = Report()
    described = {kind: _describe_actors(workspace, kind) for kind in (SOURCE, DESTINATION)}
    candidates: dict[Path, PipelineFile] = {}
    stems, variables = Names(), Names("_")
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
        file = connections.describe(connection, source, destination, variables=variables, adopt=adopt)
        if file.obstacles:
            report.left_out.append(_finding(file, file.obstacles))
        else:
            candidates[path] = file
    for path, clauses in _proven(candidates).items():
        report.left_out.append(_finding(candidates.pop(path), clauses))
    alone = _alone(_unused(described, candidates.values()), stems, report)
    report.left_out += _own_connectors(workspace)
    done = Import(candidates, alone, report)
    report.not_in_file += [
        Finding("connection", file.connection.name, file.connection.connection_id, clause)
        for file in candidates.values()
        for clause in file.unmanaged
    ]
    report.not_in_file += [
        _of_actor(actor.kind, actor.actor, clause) for actor in done.actors for clause in actor.unmanaged
    ]
    return done


def pipeline_text(file: PipelineFile | ActorFile) -> str:
    """The text of one file."""
    if isinstance(file, ActorFile):
        return files.pipeline_text(file.alone, f"Imported from Airbyte's {file.kind.name} {file.actor.actor_id}.")
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
        connector = workspace.connector(actor)
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


def _proven(candidates: Mapping[Path, PipelineFile] | Mapping[Path, ActorFile]) -> dict[Path, list[str]]:
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


def _unused(described: Mapping[Kind, Mapping[str, ActorFile]], written: Iterable[PipelineFile]) -> list[ActorFile]:
    """Sources and destinations that appear in no pipeline's file."""
    used = {end.actor.actor_id for file in written for end in (file.source, file.destination)}
    return [file for files in described.values() for actor_id, file in files.items() if actor_id not in used]


def _alone(unused: Iterable[ActorFile], stems: Names, report: Report) -> dict[Path, ActorFile]:
    """A file of its own for each that can have one."""
    candidates: dict[Path, ActorFile] = {}
    for file in unused:
        kind = file.kind.name
        if file.obstacles:
            report.left_out.append(_of_actor(file.kind, file.actor, "; ".join(file.obstacles)))
        else:
            stem = "-".join(filter(None, (kind, slug(file.actor.name))))
            candidates[PIPELINES / f"{stems.take(stem)}.yaml"] = file
    for path, clauses in _proven(candidates).items():
        file = candidates.pop(path)
        report.left_out.append(_of_actor(file.kind, file.actor, "; ".join(clauses)))
    return candidates


def _own_connectors(workspace: Workspace) -> list[Finding]:
    names = Names()
    return [
        Finding("connector", own.name, id_, definitions.advice(kind, own, names.take(slug(own.name) or "connector")))
        for id_, (kind, own) in workspace.custom.items()
    ]


def _of_actor(kind: Kind, actor: Actor, what: str) -> Finding:
    return Finding("source" if kind is SOURCE else "destination", actor.name, actor.actor_id, what)


def _finding(file: PipelineFile, clauses: Iterable[str]) -> Finding:
    return Finding("connection", file.connection.name, file.connection.connection_id, "; ".join(clauses))


def _unique(everything: Iterable[ActorFile]) -> list[ActorFile]:
    return list({file.actor.actor_id: file for file in everything}.values())


def _one_line(text: str) -> str:
    return " ".join(text.split())
