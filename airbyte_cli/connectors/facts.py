"""What is known of connector versions, from a registry file and a server, whichever there is."""

from dataclasses import dataclass

from semver import Version

from airbyte_cli.connectors.registry_file import RegistryChange, RegistryFile
from airbyte_cli.connectors.server import Running, Server
from airbyte_cli.connectors.versions import base, crosses, may_break


@dataclass(frozen=True)
class Crossing:
    """The breaking changes between two versions."""

    changes: dict[str, RegistryChange]
    """By version, ascending."""
    complete: bool
    """Whether there can be no others."""


@dataclass(frozen=True)
class Facts:
    """The sources, asked in order: a registry file that the user gave, then the server."""

    registry: RegistryFile | None = None
    server: Server | None = None

    def latest(self, connector: str) -> str | None:
        """The newest version; None when nobody can tell."""
        if self.registry is not None:
            entry = self.registry.find(connector)
            return entry.docker_image_tag if entry else None
        return self.server.latest(connector) if self.server else None

    def candidates(self, connector: str) -> list[str]:
        """Versions that a pin may move to by itself: the latest and the instance's own; none without a latest."""
        latest = self.latest(connector)
        default = self.server.default(connector) if self.server else None
        return [version for version in (latest, default) if latest is not None and version is not None]

    def running(self, connector: str) -> tuple[Running, ...] | None:
        """What the workspace runs; None without a server."""
        return self.server.running(connector) if self.server else None

    def exists(self, connector: str, version: str) -> bool | None:
        """Whether there is such a version; None when nobody can tell.

        A registry file names the newest version only: what is newer does not exist, what is older may.
        """
        if self.server is not None:
            return self.server.has_version(connector, version)
        entry = self.registry.find(connector) if self.registry else None
        if entry is None:
            return None
        if version == entry.docker_image_tag:
            return True
        asked, newest = base(version), base(entry.docker_image_tag)
        return False if asked and newest and asked > newest else None

    def between(self, connector: str, old: str, new: str) -> Crossing:
        """The breaking changes on the way from one version to another, up or down.

        A server tells them only of the versions between what runs and its default; a file tells all.
        """
        entry = self.registry.find(connector) if self.registry else None
        if entry is not None:
            known, complete = entry.breaking_changes, base(old) is not None and base(new) is not None
        else:
            running = self.running(connector) or ()
            known = {version: change for each in running for version, change in each.upcoming.items()}
            complete = self._covers(connector, running, old, new)
        changes = {version: change for version, change in known.items() if crosses(old, new, version)}
        ascending = sorted(changes, key=Version.parse)
        return Crossing({v: changes[v] for v in ascending}, complete or not may_break(old, new))

    def _covers(self, connector: str, running: tuple[Running, ...], old: str, new: str) -> bool:
        ends = [number for number in (base(old), base(new)) if number is not None]
        lowest = [number for number in (base(each.version) for each in running) if number is not None]
        default = base((self.server.default(connector) if self.server else None) or "")
        return (
            len(ends) == 2 and bool(lowest) and default is not None and min(lowest) <= min(ends) <= max(ends) <= default
        )
