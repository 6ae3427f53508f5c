"""The report of ``connectors outdated``; these models are its JSON, so a field is added here but never renamed."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from airbyte_cli.connectors.facts import Crossing, Facts
from airbyte_cli.connectors.pinned import Place
from airbyte_cli.connectors.server import Running
from airbyte_cli.connectors.versions import Step, by_number, stable, step
from dynamic_providers.airbyte import known_bad

Status = Literal["up_to_date", "outdated", "ahead", "unknown"]
SupportState = Literal["supported", "deprecated", "unsupported"]
_WORST_FIRST: tuple[SupportState, ...] = ("unsupported", "deprecated", "supported")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class BreakingChange(_Model):
    """A breaking change between the pinned and the latest version."""

    version: str
    message: str
    migration_url: str | None
    upgrade_deadline: date | None


class RunningVersion(_Model):
    """A version that the workspace runs."""

    version: str
    support_state: str
    support_deadline: date | None
    used_by: list[str]
    """Names of the sources or destinations."""


class KnownBadVersion(_Model):
    """What is known against the pinned version."""

    reason: str
    sources: list[str]


class Connector(_Model):
    """One pinned version of a connector."""

    connector: str
    pinned: str
    pinned_in: list[str]
    """``file:line: key`` of every place that pins it so."""
    running: list[RunningVersion] | None
    """None where no server was asked; empty where nothing uses the connector."""
    latest: str | None
    """None where it is unknown."""
    status: Status
    """``unknown`` where there is no latest version, or one of the two is no plain number; ``ahead`` of the registry."""
    behind: Step | None
    """The highest part of the version that differs, of an outdated one."""
    breaking_changes: list[BreakingChange]
    """Ascending."""
    breaking_changes_complete: bool | None
    """False where there may be more than those listed; None without a latest version."""
    support_state: SupportState | None
    """The worst of what runs; None where unknown."""
    support_deadline: date | None
    """The earliest day by which a breaking change must be adopted."""
    known_bad: KnownBadVersion | None

    @property
    def needs_work(self) -> bool:
        """Whether somebody should do something about it."""
        return self.status == "outdated" or self.known_bad is not None or self.support_state in _WORST_FIRST[:2]

    @property
    def strays(self) -> list[RunningVersion]:
        """What runs another version than this pin."""
        return [each for each in self.running or [] if each.version != self.pinned]


class Summary(_Model):
    """How many pinned versions are how."""

    up_to_date: int
    outdated: int
    ahead: int
    unknown: int
    deprecated: int
    unsupported: int
    known_bad: int


class Report(_Model):
    """All pinned connectors, by name and version."""

    format: Literal[1] = 1
    server: str | None
    """Address of the server that was asked."""
    workspace_id: str | None
    registry: str | None
    """The registry file, ``server``, or None where neither was there."""
    summary: Summary
    connectors: list[Connector]


def report(places: Iterable[Place], facts: Facts, *, server: str | None, registry: str | None) -> Report:
    """Look up every pin; raises ApiError where the server fails, ConfigurationError for an unusable registry."""
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for place in places:
        where[place.connector, place.version].append(place.where)
    connectors = [
        _connector(*key, where[key], facts) for key in sorted(where, key=lambda key: (key[0], by_number(key[1])))
    ]
    return Report(
        server=server,
        workspace_id=facts.server.workspace_id if facts.server else None,
        registry=registry,
        summary=_summary(connectors),
        connectors=connectors,
    )


def _connector(connector: str, pinned: str, places: list[str], facts: Facts) -> Connector:
    latest, running = facts.latest(connector), facts.running(connector)
    status = _status(pinned, latest)
    crossing = facts.between(connector, pinned, latest) if latest and status != "ahead" else None
    bad = known_bad.find(connector, pinned)
    deadlines = [each.support_deadline for each in running or () if each.support_deadline]
    return Connector(
        connector=connector,
        pinned=pinned,
        pinned_in=places,
        running=None if running is None else [_running(each) for each in running],
        latest=latest,
        status=status,
        behind=step(pinned, latest) if latest and status == "outdated" else None,
        breaking_changes=_changes(crossing) if crossing else [],
        breaking_changes_complete=crossing.complete if crossing else None,
        support_state=next((s for s in _WORST_FIRST if any(each.support_state == s for each in running or ())), None),
        support_deadline=min(deadlines, default=None),
        known_bad=KnownBadVersion(reason=bad.reason, sources=list(bad.sources)) if bad else None,
    )


def _status(pinned: str, latest: str | None) -> Status:
    if latest is None:
        return "unknown"
    if pinned == latest:
        return "up_to_date"
    here, newest = stable(pinned), stable(latest)
    if here is None or newest is None:
        return "unknown"
    return "outdated" if here < newest else "ahead"


def _running(version: Running) -> RunningVersion:
    return RunningVersion(
        version=version.version,
        support_state=version.support_state,
        support_deadline=version.support_deadline,
        used_by=list(version.used_by),
    )


def _changes(crossing: Crossing) -> list[BreakingChange]:
    return [
        BreakingChange(
            version=version,
            message=change.message,
            migration_url=change.migration_documentation_url,
            upgrade_deadline=change.upgrade_deadline,
        )
        for version, change in crossing.changes.items()
    ]


def _summary(connectors: list[Connector]) -> Summary:
    def count(status: Status) -> int:
        return sum(each.status == status for each in connectors)

    return Summary(
        up_to_date=count("up_to_date"),
        outdated=count("outdated"),
        ahead=count("ahead"),
        unknown=count("unknown"),
        deprecated=sum(each.support_state == "deprecated" for each in connectors),
        unsupported=sum(each.support_state == "unsupported" for each in connectors),
        known_bad=sum(each.known_bad is not None for each in connectors),
    )
