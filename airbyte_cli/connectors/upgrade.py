"""Which pins may move, and why the others may not."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from airbyte_cli.connectors.facts import Crossing, Facts
from airbyte_cli.connectors.pinned import Pinned
from airbyte_cli.connectors.versions import Step, by_number, majors_without, stable, step, within
from components.errors import Problem
from dynamic_providers.airbyte import known_bad

Accepted = Collection[tuple[str, str]]
"""Breaking changes the user takes: connector and version."""


@dataclass(frozen=True)
class Change:
    """A pin that moves, or that is to accept breaking changes where it is."""

    connector: str
    old: str
    new: str
    accepts: tuple[str, ...] = ()
    """Breaking changes that are to stand in the file from now on."""

    def __str__(self) -> str:
        accepted = ", ".join(self.accepts)
        if self.old == self.new:
            return f"{self.connector}: {self.old}, accepting {accepted}"
        return f"{self.connector}: {self.old} -> {self.new}" + (f", accepting {accepted}" if accepted else "")


@dataclass
class Plan:
    """What to do. With a refusal, nothing at all is done."""

    changes: list[Change] = field(default_factory=list)
    refusals: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What stays as it is although it was asked for, and what only people can change."""


@dataclass(frozen=True)
class Planner:
    """Decides pin by pin."""

    pinned: Pinned
    facts: Facts
    limit: Step = "major"
    accepted: Accepted = ()
    options: str = ""
    """What else was on the command line, for the one to run instead."""

    def plan(self, asked: Mapping[str, str | None], *, every: bool = False) -> Plan:
        """Plan the upgrade of the connectors asked for, to a version or (None) to the latest; or of every one."""
        plan = Plan()
        listed = self.pinned.pins.versions
        if every and listed and not any(self.facts.candidates(connector) for connector in listed):
            what = "can't be upgraded: no latest version of any connector of it is known."
            fix = "See that the server reaches its registry, or give a registry file (--registry)."
            plan.refusals.append(Problem(str(self.pinned.pins.document.file), what, fix))
            return plan
        wanted = {**(dict.fromkeys(listed) if every else {}), **asked}
        for connector, version in wanted.items():
            if connector not in listed:
                plan.refusals.append(self._unlisted(connector))
            elif version is not None:
                self._to_version(plan, connector, version)
            else:
                self._to_latest(plan, connector, must=connector in asked)
        plan.notes += self._elsewhere(wanted)
        return plan

    def _to_latest(self, plan: Plan, connector: str, *, must: bool) -> None:
        """Find the newest version within the limit; with `must`, not knowing one is a refusal."""
        old = self.pinned.pins.versions[connector]
        offered = [version for version in self.facts.candidates(connector) if stable(version)]
        if stable(old) is None or not offered:
            why = f"{old} can't be compared with other versions" if offered else "its latest version is unknown"
            if must:
                fix = f"Name the version: {connector}==<version>."
                plan.refusals.append(self._problem(connector, f"can't be upgraded: {why}.", fix))
            else:
                plan.notes.append(f"{connector} stays at {old}: {why}.")
            return
        newest = max(offered, key=by_number)
        ahead = [version for version in offered if by_number(version) > by_number(old)]
        reachable = [version for version in ahead if within(old, version, self.limit)]
        if reachable:
            best = max(reachable, key=by_number)
            self._consider(plan, connector, best)
            if best != newest:
                plan.notes.append(f"{connector}: {newest} is a {step(old, newest)} step, beyond --within {self.limit}.")
        elif ahead:
            plan.notes.append(
                f"{connector} stays at {old}: {newest} is a {step(old, newest)} step, beyond --within {self.limit}."
            )
        elif not self._accept(plan, connector):
            bad = known_bad.reason(connector, old)
            plan.notes.append(
                f"{connector} stays at {old}, although it is known to be bad: {bad}"
                if bad
                else f"{connector} stays at {old}: nothing newer is known."
            )

    def _to_version(self, plan: Plan, connector: str, new: str) -> None:
        old = self.pinned.pins.versions[connector]
        if not within(old, new, self.limit):
            what = f"{old} -> {new} is a {step(old, new)} step, and --within {self.limit} was asked for."
            plan.refusals.append(self._problem(connector, what, "Name a nearer version, or drop --within."))
        elif new == old:
            if not self._accept(plan, connector):
                plan.notes.append(f"{connector} is at {old} already.")
        else:
            self._consider(plan, connector, new)

    def _consider(self, plan: Plan, connector: str, new: str) -> None:
        """Take the change, unless something speaks against it."""
        old = self.pinned.pins.versions[connector]
        problems = [*self._bad(connector, new), *self._unknown(connector, new)]
        if not problems:
            problems = self._breaking(connector, old, new, self.facts.between(connector, old, new))
        if problems:
            plan.refusals += problems
        else:
            plan.changes.append(Change(connector, old, new, self._to_write(connector)))

    def _accept(self, plan: Plan, connector: str) -> bool:
        """Have the file accept what was asked for, with the version that it has; gives whether there is anything."""
        version, added = self.pinned.pins.versions[connector], self._to_write(connector)
        if added:
            plan.changes.append(Change(connector, version, version, added))
        return bool(added)

    def _bad(self, connector: str, new: str) -> list[Problem]:
        why = known_bad.reason(connector, new)
        return [self._problem(connector, f"{new} is known to be bad: {why}", "Name another version.")] if why else []

    def _unknown(self, connector: str, new: str) -> list[Problem]:
        if self.facts.exists(connector, new) is not False:
            return []
        latest = self.facts.latest(connector)
        fix = f"The latest known is {latest}." if latest else "Correct the version, or the connector's name."
        return [self._problem(connector, f"there is no version {new} of it.", fix)]

    def _breaking(self, connector: str, old: str, new: str, crossing: Crossing) -> list[Problem]:
        described = {v: change for v, change in crossing.changes.items() if not self._accepts(connector, v)}
        majors = [] if crossing.complete else majors_without(old, new, crossing.changes)
        unexplained = [version for version in majors if not self._accepts(connector, version)]
        command = self._command(connector, new, [*described, *unexplained])
        problems = []
        for version, change in described.items():
            by = f", to be adopted by {change.upgrade_deadline}" if change.upgrade_deadline else ""
            what = f"{old} -> {new} crosses the breaking change {version}{by}: {_sentence(change.message)}"
            guide = change.migration_documentation_url or "its migration guide"
            problems.append(self._problem(connector, what, f"Read {guide} and run: {command}"))
        for version in unexplained:
            what = f"{old} -> {new} may cross a breaking change, {version}, that nobody here can describe."
            fix = f"Give a registry file, which does (--registry); or read the connector's changelog and run: {command}"
            problems.append(self._problem(connector, what, fix))
        return problems

    def _command(self, connector: str, new: str, missing: list[str]) -> str:
        """The command that takes the step, accepting all that is missing and what was accepted already."""
        given = sorted(version for name, version in self.accepted if name == connector)
        accepted = "".join(f" --accept-breaking {connector}=={version}" for version in (*given, *missing))
        return f"airbyte-cli connectors upgrade {connector}=={new}{accepted}{self.options}"

    def _accepts(self, connector: str, version: str) -> bool:
        """Whether the command line or connectors.yaml takes a breaking change."""
        return (connector, version) in self.accepted or version in self.pinned.pins.accept_breaking.get(connector, ())

    def _to_write(self, connector: str) -> tuple[str, ...]:
        """The accepted breaking changes that the file lacks: `pulumi up` reads them there."""
        before = self.pinned.pins.accept_breaking.get(connector, ())
        return tuple(sorted(version for name, version in self.accepted if name == connector and version not in before))

    def _elsewhere(self, wanted: Collection[str]) -> list[str]:
        return [
            f"{place.where}: {place.connector} is pinned at {place.version} here, which is not edited."
            for place in self.pinned.in_pipelines
            if place.connector in wanted
        ]

    def _unlisted(self, connector: str) -> Problem:
        file = str(self.pinned.pins.document.file)
        place = next((place for place in self.pinned.in_pipelines if place.connector == connector), None)
        if place:
            return Problem(place.where, f"{connector} is pinned here and not in {file}.", "Edit the pipeline file.")
        close = difflib.get_close_matches(connector, self.pinned.pins.versions, n=1, cutoff=0.6)
        fix = f"Did you mean {close[0]}?" if close else f"Add `{connector}: <version>` to it first."
        return Problem(file, f"{connector} is not pinned in it.", fix)

    def _problem(self, connector: str, what: str, fix: str) -> Problem:
        return Problem(self.pinned.where(connector), what, fix)


def _sentence(text: str) -> str:
    """The text on one line, ending as a sentence does."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."
