"""What differs between Airbyte releases, in one place.

A release is written ``2.0.0``; ``HEAD`` is the development head, newer than 2.0. Endpoints that exist only in some
releases say so where they are declared (``since``/``until`` in ``wire.Endpoints``); every other switch is a property of
``Release``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

MinorVersion = tuple[int, int]

_FORM = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_HEAD_NUMBER = "2.1.0"
_OLDEST: MinorVersion = (1, 0)


@dataclass(frozen=True)
class Release:
    """One Airbyte release and the behaviour that goes with it."""

    number: str

    @classmethod
    def parse(cls, text: str) -> Release:
        """Read ``1.8.0``, ``v1.8`` or ``HEAD``.

        Raises:
            ValueError: the text is no release, or one before 1.0.
        """
        number = _HEAD_NUMBER if text.upper() == "HEAD" else text
        match = _FORM.fullmatch(number)
        if not match:
            raise ValueError(f"'{text}' is not an Airbyte release; write it like 2.0.0, or HEAD")
        release = cls(".".join(part or "0" for part in match.groups()))
        if release.minor < _OLDEST:
            raise ValueError(f"Airbyte {text} cannot be imitated; the oldest release known here is 1.0.0")
        return release

    @cached_property
    def minor(self) -> MinorVersion:
        """Major and minor number, which is as fine as the switches go."""
        major, minor, _ = self.number.split(".")
        return int(major), int(minor)

    def within(self, since: MinorVersion | None, until: MinorVersion | None) -> bool:
        """Whether the release lies in the inclusive range; ``None`` leaves an end open."""
        return (since is None or self.minor >= since) and (until is None or self.minor <= until)

    @property
    def is_head(self) -> bool:
        """Newer than 2.0: pin deletion may convert the pin, the Config API can show secret coordinates."""
        return self.minor > (2, 0)

    @property
    def hides_error_messages(self) -> bool:
        """Since 2.0 most errors carry only an ``errorId`` to look up in the server's log."""
        return self.minor >= (2, 0)

    @property
    def paginates_actor_lists(self) -> bool:
        """Since 1.8 ``sources/list`` and ``destinations/list`` answer 20 at a time."""
        return self.minor >= (1, 8)

    @property
    def shows_resource_allocation(self) -> bool:
        """Since 1.8 reads of actors carry ``resourceAllocation`` and ``isEntitled``."""
        return self.minor >= (1, 8)

    @property
    def shows_secret_coordinates(self) -> bool:
        """Since 1.7 the public GET of an actor takes ``includeSecretCoordinates``."""
        return self.minor >= (1, 7)

    @property
    def token_lifetime_seconds(self) -> int:
        """Access tokens of an application live 15 minutes since 1.8, a day before."""
        return 15 * 60 if self.minor >= (1, 8) else 24 * 3600

    @property
    def workspace_update_takes_name(self) -> bool:
        """Since 1.8 ``workspaces/update`` accepts ``name``; before, only ``workspaces/update_name`` does."""
        return self.minor >= (1, 8)

    @property
    def has_geography(self) -> bool:
        """Up to 1.5 workspaces have ``defaultGeography``, later ``dataplaneGroupId``."""
        return self.minor <= (1, 5)

    @property
    def has_tags(self) -> bool:
        """Connections have tags since 1.5."""
        return self.minor >= (1, 5)

    @property
    def scoped_configuration_needs_resource(self) -> bool:
        """In 1.0 a scoped configuration needs ``resource_id`` and ``resource_type``."""
        return self.minor <= (1, 0)

    @property
    def has_queued_notifications(self) -> bool:
        """The head adds ``sendOnConnectionSyncQueued``."""
        return self.is_head

    @property
    def status_has_old_shape(self) -> bool:
        """1.0 answers ``connections/status`` with the last job's status instead of a sync status."""
        return self.minor <= (1, 0)

    def definition_update_needs_workspace(self, kind: str) -> bool:
        """``*_definitions/update`` requires ``workspaceId``: sources since 1.6, destinations since 1.8."""
        return self.minor >= ((1, 6) if kind == "source" else (1, 8))
