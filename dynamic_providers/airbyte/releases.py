"""What an Airbyte release can do: the one place where the provider branches on the server's version.

Everything else of the API that the provider uses is the same from 1.5 on; unknown fields are ignored, and missing ones
mean null.
"""

import re
from dataclasses import dataclass

_NEWEST = (999, 0)


@dataclass(frozen=True)
class Release:
    """An Airbyte release, as far as it matters here."""

    minor: tuple[int, int]

    @classmethod
    def parse(cls, version: str) -> "Release":
        """Read ``1.8.3`` or ``v2.0.0-rc1``; a version that is no number is a build of the newest."""
        match = re.match(r"v?(\d+)\.(\d+)", version)
        return cls((int(match[1]), int(match[2])) if match else _NEWEST)

    @property
    def has_commands(self) -> bool:
        """Checks and discoveries can be started under an id and asked for later, since 1.7."""
        return self.minor >= (1, 7)

    @property
    def tells_coordinates(self) -> bool:
        """The public API tells where it keeps a secret, since 1.7."""
        return self.minor >= (1, 7)

    @property
    def gives_tickets(self) -> bool:
        """Making and changing a custom definition is a job with a ticket, and a reason where it fails, since 2.0."""
        return self.minor >= (2, 0)

    @property
    def tells_resources(self) -> bool:
        """Reads of sources and destinations have what resources their jobs are given, since 1.8."""
        return self.minor >= (1, 8)

    @property
    def searches_actors(self) -> bool:
        """Lists of sources and destinations take a text that their names have to contain, since 1.8."""
        return self.minor >= (1, 8)
