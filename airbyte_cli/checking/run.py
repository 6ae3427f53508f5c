"""Leading a program's declarations through the rehearsal, in the order in which they would be deployed."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Final

from airbyte_cli.checking.program import Declaration, Program
from airbyte_cli.checking.report import Kind, Pipeline, Report, Result, shown, worst
from airbyte_cli.checking.stack import Key, Stack
from components.pipeline_file import Actor
from components.pipeline_file import Pipeline as File
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.rehearsal import Outcome, Rehearsal, Rehearsed
from dynamic_providers.values import Properties, known

_TYPE: Final = "pulumi-python:dynamic/airbyte:"
_KINDS: Final[Mapping[str, Kind]] = {
    f"{_TYPE}ConnectorVersion": "connector",
    f"{_TYPE}Source": "source",
    f"{_TYPE}Destination": "destination",
    f"{_TYPE}Connection": "connection",
}
_STAGES: Final[tuple[tuple[Kind, ...], ...]] = (("connector",), ("source", "destination"), ("connection",))
_AT_ONCE: Final = 4
"""As many as the engine's provider process works on."""
PATIENCE = 15.0
"""Seconds without news after which it is said what is still waited for."""
_WAIVERS: Final = ("skip_check", "allow_state_loss", "allow_unsupported")

Say = Callable[[str], None]


def check(program: Program, stack: Stack, rehearsal: Rehearsal, say: Say) -> Report:
    """Rehearse everything, whatever fails; `say` is told as it goes."""
    results = _Results(program, stack, rehearsal)
    for stage in _STAGES:
        declarations = [each for each in program.declarations if _KINDS.get(each.type) in stage]
        results.enter(_all(declarations, results.rehearse, say))
    return results.report(rehearsal.session.client.url)


def _all(
    declarations: Iterable[Declaration], rehearse: Callable[[Declaration], Rehearsed], say: Say
) -> dict[Key, Rehearsed]:
    found: dict[Key, Rehearsed] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        pending: dict[Future[Rehearsed], Declaration] = {pool.submit(rehearse, each): each for each in declarations}
        started = time.monotonic()
        try:
            while pending:
                done, _ = wait(pending, PATIENCE, FIRST_COMPLETED)
                for future in done:
                    declaration = pending.pop(future)
                    found[declaration.key] = future.result()
                    say(f"{_label(declaration)}: {shown(found[declaration.key].outcome)}")
                if not done:
                    named = ", ".join(map(_label, list(pending.values())[:_AT_ONCE]))
                    more = f" and {len(pending) - _AT_ONCE} more" if len(pending) > _AT_ONCE else ""
                    say(f"still checking {named}{more} ({time.monotonic() - started:.0f} s)")
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return found


class _Results:
    """What was found so far, and what later steps need of it."""

    def __init__(self, program: Program, stack: Stack, rehearsal: Rehearsal) -> None:
        self._program, self._stack, self._rehearsal = program, stack, rehearsal
        self._found: dict[Key, Rehearsed] = {}
        self._by_id = {each.id: each for each in program.declarations}

    def enter(self, found: Mapping[Key, Rehearsed]) -> None:
        self._found.update(found)

    def rehearse(self, declaration: Declaration) -> Rehearsed:
        kind, inputs = _KINDS[declaration.type], declaration.inputs
        if kind == "connector":
            return self._rehearsal.pin(inputs, declaration.state)
        if kind == "connection":
            return self._connection(declaration)
        of = SOURCE if kind == "source" else DESTINATION
        return self._honest(declaration, self._rehearsal.actor(of, inputs, declaration.state))

    def _connection(self, declaration: Declaration) -> Rehearsed:
        """Rehearse a connection, unless its ends are in no state to be asked."""
        inputs: Properties = dict(declaration.inputs)
        for field in ("source_id", "destination_id"):
            end = self._by_id.get(str(known(inputs.get(field), "")))
            if end is None or end.key not in self._found:
                continue
            found = self._found[end.key]
            if field == "source_id" and found.outcome in (Outcome.FAILED, Outcome.REFUSED, Outcome.NOT_CHECKED):
                why = f"Its source, {end.name}, {_ENDED[found.outcome]}, so its streams can't be told."
                return Rehearsed(Outcome.NOT_CHECKED, why)
            inputs[field] = found.id or end.id
        return self._rehearsal.connection(inputs, declaration.state)

    def _honest(self, declaration: Declaration, found: Rehearsed) -> Rehearsed:
        """A no is none yet where the deployment first makes what the connector misses."""
        if found.outcome is not Outcome.FAILED or self._stack.state is None:
            return found
        missing = sorted(
            f"{type_.rpartition(':')[2]} {name}"
            for type_, name in declaration.needs
            if not type_.startswith(_TYPE) and self._stack.find((type_, name)) is None
        )
        if not missing:
            return found
        why = f"`pulumi up` first makes what it needs: {', '.join(missing)}. As things are: {found.message}"
        return replace(found, outcome=Outcome.NOT_CHECKED, message=why)

    def report(self, server: str) -> Report:
        results = [
            Result(
                kind=_KINDS[each.type],
                name=_name(each),
                resource=each.name,
                where=str(each.inputs.get("origin", "")),
                outcome=self._found[each.key].outcome,
                message=self._found[each.key].message,
                notes=list(self._found[each.key].notes),
                waivers=self._waivers(each),
            )
            for stage in _STAGES
            for each in self._program.declarations
            if _KINDS.get(each.type) in stage
        ]
        plan = self._program.plan
        pipelines = [self._pipeline(each.file) for each in plan.pipelines] + [self._alone(a.file) for a in plan.alone]
        report = Report(
            stack=None if self._stack.name.startswith("<") else self._stack.name,
            server=server,
            state_known=self._stack.state is not None,
            passed=False,
            pipelines=pipelines,
            results=sorted(results, key=lambda result: (result.kind, result.name)),
        )
        return report.model_copy(update={"passed": report.exit_code == 0})

    def _pipeline(self, file: File) -> Pipeline:
        source, destination = file.spec.source, file.spec.destination
        connectors = worst(self._outcome("ConnectorVersion", each.connector) for each in (source, destination))
        parts = {
            "connectors": connectors,
            "source": self._outcome("Source", source.key),
            "destination": self._outcome("Destination", destination.key),
            "connection": self._outcome("Connection", _connection_of(file)),
        }
        return Pipeline(name=file.name, file=str(file.document.file), outcome=worst(parts.values()), **parts)

    def _alone(self, actor: Actor) -> Pipeline:
        """A file of a source or destination that no pipeline uses."""
        connectors = self._outcome("ConnectorVersion", actor.spec.connector)
        own = self._outcome(actor.kind.capitalize(), actor.spec.key)
        file = actor.document.file
        outcome = worst((connectors, own))
        parts = {"source": None, "destination": None, "connection": None, actor.kind: own}
        return Pipeline(name=file.stem, file=str(file), outcome=outcome, connectors=connectors, **parts)

    def _outcome(self, type_: str, name: str) -> Outcome:
        return self._found[f"{_TYPE}{type_}", name].outcome

    def _waivers(self, declaration: Declaration) -> dict[str, str]:
        """What a reader should know that was not asked, and why."""
        inputs = declaration.inputs
        waivers = {key: str(inputs[key]) for key in _WAIVERS if inputs.get(key)}
        if accepted := inputs.get("accept_breaking") if declaration.type == f"{_TYPE}ConnectorVersion" else None:
            waivers["accept_breaking"] = ", ".join(accepted)
        if declaration.type == f"{_TYPE}Connection":
            for key, stream in inputs["streams"].items():
                if reason := stream.get("allow_full_refresh"):
                    waivers[f"streams.{key}.allow_full_refresh"] = reason
            for planned in self._program.plan.pipelines:
                if _connection_of(planned.file) == declaration.name and planned.file.spec.sync.normalization.allow_raw:
                    waivers["normalization.allow_raw"] = planned.file.spec.sync.normalization.allow_raw
        return waivers


_ENDED: Final = {
    Outcome.FAILED: "does not pass its check",
    Outcome.REFUSED: "is refused",
    Outcome.NOT_CHECKED: "could not be checked",
}


def _connection_of(file: File) -> str:
    """What the program calls a pipeline's connection."""
    return f"{file.name}-connection"


def _name(declaration: Declaration) -> str:
    """What Airbyte calls it."""
    kind = _KINDS[declaration.type]
    return str(declaration.inputs["connector" if kind == "connector" else f"{kind}_name"])


def _label(declaration: Declaration) -> str:
    return f"{_KINDS[declaration.type]} {_name(declaration)}"
