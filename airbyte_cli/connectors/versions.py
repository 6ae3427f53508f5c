"""Comparing connector versions, which follow semver.

Airbyte ships a breaking change with a new major version only
(https://docs.airbyte.com/platform/connector-development/connector-breaking-changes); below 1.0.0 we take a minor one
for as risky.
"""

from collections.abc import Collection
from typing import Literal

from semver import Version

Step = Literal["major", "minor", "patch"]
_SIZES: dict[Step, int] = {"patch": 0, "minor": 1, "major": 2}


def stable(tag: str) -> Version | None:
    """The number of a released version; None for tags like ``dev`` or ``1.2.3-rc.1``, which have no place in line."""
    number = Version.parse(tag) if Version.is_valid(tag) else None
    return number if number and not number.prerelease and not number.build else None


def base(tag: str) -> Version | None:
    """The number a tag belongs to: ``4.0.0-rc.1`` brings what 4.0.0 brings. None for tags like ``dev``."""
    return Version.parse(tag).finalize_version() if Version.is_valid(tag) else None


def step(old: str, new: str) -> Step | None:
    """The highest part that differs; None where they are equal or can't be compared."""
    start, end = base(old), base(new)
    if start is None or end is None or start == end:
        return None
    if start.major != end.major:
        return "major"
    return "minor" if start.minor != end.minor else "patch"


def within(old: str, new: str, limit: Step) -> bool:
    """Whether the way from one version to another is no bigger a step than the limit."""
    size = step(old, new)
    return size is None or _SIZES[size] <= _SIZES[limit]


def may_break(old: str, new: str) -> bool:
    """Whether semver allows a breaking change between the two; True where they can't be compared."""
    start, end = base(old), base(new)
    if start is None or end is None:
        return old != new
    return start.major != end.major or (start.major == 0 and start.minor != end.minor)


def crosses(old: str, new: str, breaking: str) -> bool:
    """Whether a breaking version lies on the way, up or down."""
    start, end, at = base(old), base(new), base(breaking)
    if start is None or end is None or at is None:
        return False
    return min(start, end) < at <= max(start, end)


def majors_without(old: str, new: str, known: Collection[str]) -> list[str]:
    """The major versions on the way that none of the known breaking changes belongs to, as ``5.0.0``.

    What can't be compared, or is below 1.0.0, is one step to the new version itself.
    """
    start, end = base(old), base(new)
    if start is None or end is None or start.major == end.major:
        return [new]
    low, high = sorted((start.major, end.major))
    explained = {number.major for number in map(base, known) if number is not None}
    return [f"{major}.0.0" for major in range(low + 1, high + 1) if major not in explained]


def by_number(tag: str) -> tuple[int, int, int, str]:
    """A key that sorts versions by their number; tags without one come first."""
    number = base(tag)
    return (number.major, number.minor, number.patch, tag) if number else (-1, 0, 0, tag)
