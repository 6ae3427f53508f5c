"""Breaking changes on the way from one version of a connector to another, and whether the program accepts them.

The server tells the breaking changes between an actor's version and its own default one, with the maker's text and
deadline. Beyond the default it knows none; there the rule for Airbyte's own connectors serves, that only a breaking
change raises the major number: https://docs.airbyte.com/platform/connector-development/connector-breaking-changes
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dynamic_providers.airbyte.errors import BreakingChangeError
from dynamic_providers.airbyte.models import BreakingChange

Numbers = tuple[int, ...]


def ordinal(version: str) -> Numbers | None:
    """A version as numbers that compare; None for a tag that is no plain version, as `dev`."""
    return tuple(int(part) for part in version.split(".")) if re.fullmatch(r"\d+\.\d+\.\d+", version) else None


@dataclass(frozen=True)
class User:
    """A source or destination of the connector: what it runs, and what the server says lies above that."""

    version: str
    upcoming: tuple[BreakingChange, ...] = ()


def crossed(users: Iterable[User], target: str, *, by_major: bool) -> list[BreakingChange]:
    """The breaking changes that some user crosses on its way up to the target, ascending; none on the way down.

    `by_major` adds the majors that the server says nothing about.
    """
    end = ordinal(target)
    found: dict[Numbers, BreakingChange] = {}
    for user in users:
        start = ordinal(user.version)
        if start is None or end is None:
            continue
        described = {
            at: change for change in user.upcoming if (at := ordinal(change.version)) is not None and start < at <= end
        }
        majors = range(start[0] + 1, end[0] + 1) if by_major else ()
        silent: dict[Numbers, BreakingChange] = {
            (major, 0, 0): BreakingChange(version=f"{major}.0.0")
            for major in majors
            if all(at[0] != major for at in described)
        }
        found = {**silent, **found, **described}
    return [found[at] for at in sorted(found)]


def refuse(
    connector: str,
    current: str,
    target: str,
    changes: Iterable[BreakingChange],
    accepted: Collection[str],
    origin: str | None = None,
) -> None:
    """Raise BreakingChangeError where a change is not accepted, with its text, its deadline and its guide."""
    missing = [change for change in changes if change.version not in accepted]
    if not missing:
        return
    names = ", ".join(f'"{change.version}"' for change in missing)
    one = len(missing) == 1
    raise BreakingChangeError(
        f"{connector} {current} to {target} crosses the breaking change{'' if one else 's'} "
        f"{', '.join(change.version for change in missing)}; nothing was changed",
        origin=origin,
        why=" ".join(_described(connector, change) for change in missing),
        fix=f"When {'that is' if one else 'these are'} done, accept {'it' if one else 'them'}: "
        f"accept_breaking: [{names}].",
    )


def _described(connector: str, change: BreakingChange) -> str:
    kind, _, name = connector.rpartition("/")[2].partition("-")
    guide = change.migration_documentation_url or f"https://docs.airbyte.com/integrations/{kind}s/{name}-migrations"
    text = change.message.strip() or "This server does not describe it yet, but the new major number says that it is."
    deadline = f" Airbyte's deadline for it is {change.upgrade_deadline}." if change.upgrade_deadline else ""
    return f"{change.version}: {text if text.endswith(('.', '!', '?')) else text + '.'}{deadline} Migration: {guide} ."
