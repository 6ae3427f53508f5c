"""The report of ``pipelines check``; these models are its JSON, so a field is added here but never renamed."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import typer
from pydantic import BaseModel, ConfigDict

from dynamic_providers.airbyte.rehearsal import Outcome

Kind = Literal["connector", "source", "destination", "connection"]

_WORST_FIRST = (
    Outcome.FAILED,
    Outcome.REFUSED,
    Outcome.NOT_CHECKED,
    Outcome.WAIVED,
    Outcome.PASSED,
    Outcome.UNCHANGED,
)
_COLUMNS = ("PIPELINE", "CONNECTORS", "SOURCE", "DESTINATION", "CONNECTION")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Result(_Model):
    """What came of one object."""

    kind: Kind
    name: str
    """What Airbyte calls it."""
    resource: str
    """What Pulumi calls it."""
    where: str
    """``file:line: field`` of its declaration."""
    outcome: Outcome
    """unchanged, passed, waived, failed (the connector says no), refused (a rule says no) or not_checked."""
    message: str = ""
    """The paragraph that `pulumi up` would end with, or why nothing can be told."""
    notes: list[str] = []
    waivers: dict[str, str] = {}
    """What the file waives -> its reason."""


class Pipeline(_Model):
    """One file; the worst of its parts is its outcome. A file of a source or destination alone has no other part."""

    name: str
    file: str
    outcome: Outcome
    connectors: Outcome
    source: Outcome | None
    destination: Outcome | None
    connection: Outcome | None


class Report(_Model):
    """All pipelines, and every object of theirs once."""

    format: Literal[1] = 1
    stack: str | None
    server: str
    state_known: bool
    """Whether the stack's state told what would change; without it everything is checked."""
    passed: bool
    pipelines: list[Pipeline]
    results: list[Result]

    @property
    def exit_code(self) -> int:
        """0 all well, 1 something would be refused, 3 nothing would as far as can be told, but not all can."""
        outcomes = {result.outcome for result in self.results}
        if outcomes & {Outcome.FAILED, Outcome.REFUSED}:
            return 1
        return 3 if Outcome.NOT_CHECKED in outcomes else 0


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The one that decides over the whole."""
    return min(outcomes, key=_WORST_FIRST.index, default=Outcome.UNCHANGED)


def shown(outcome: Outcome | None) -> str:
    """An outcome as people read it."""
    return outcome.replace("_", " ") if outcome else "-"


def print_report(report: Report) -> None:
    """A table of the pipelines, then a paragraph for everything that somebody should read."""
    rows = [_COLUMNS] + [
        (each.name, shown(each.connectors), shown(each.source), shown(each.destination), shown(each.connection))
        for each in report.pipelines
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for result in report.results:
        lines = [*filter(None, [result.message]), *result.notes]
        lines += [f"{waiver}: {reason}" for waiver, reason in result.waivers.items()]
        if lines:
            typer.echo(f"\n{result.kind} {result.name}: {shown(result.outcome)}")
            for line in lines:
                typer.echo(f"  {line}")
    counted = Counter(each.outcome for each in report.pipelines)
    told = ", ".join(f"{counted[outcome]} {shown(outcome)}" for outcome in reversed(_WORST_FIRST) if counted[outcome])
    typer.echo(f"\n{len(report.pipelines)} pipeline{'s' if len(report.pipelines) != 1 else ''}: {told}.")
