"""A workspace as people leave it after two years of clicking: made through the API, the same one for the same size."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli import handmade_actors, handmade_connections
from tests.cli.handmade_api import Api

Json = dict[str, Any]


@dataclass
class Handmade:
    """What was made, for tests that compare."""

    configs: dict[tuple[str, str], Json] = field(default_factory=dict)
    """Name and connector -> configuration, secrets included."""
    connected: set[str] = field(default_factory=set)
    """Ids of the sources that a connection uses."""
    sources: list[str] = field(default_factory=list)
    destinations: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    streams: int = 0

    def environment(self, variables: Path) -> dict[str, str]:
        """The variables of an import.env.example, filled in as the user would."""
        filled: dict[str, str] = {}
        config: Json = {}
        path = ""
        for line in variables.read_text().splitlines():
            if line.startswith("# ") and line.endswith(")") and " (" in line:
                name, _, connector = line.removeprefix("# ").removesuffix(")").rpartition(" (")
                config = self.configs[name, connector]
            elif line.startswith("# "):
                path = line.removeprefix("# ").partition(";")[0]
            elif line.endswith("="):
                filled[line.removesuffix("=")] = _at(config, path)
        return filled


def make(api: Api, *, sources: int, with_secrets: int, destinations: int, connections: int, streams: int) -> Handmade:
    """Fill the workspace; the sources with secrets come first."""
    made = Handmade()
    api.pin("airbyte/source-github", "1.8.0")
    tags = [api.call("tags/create", workspaceId=api.workspace, name=n, color="FF0000") for n in ("pii", "team: core")]
    kinds: dict[str, str] = {}
    for number in range(sources):
        secret = number < with_secrets
        among = number if secret else number - with_secrets
        repository, name, config = handmade_actors.source(number, with_secrets=secret, among=among)
        resources = {"default": {"memory_limit": f"{number}Gi"}} if number % 3 == 1 else None
        made.sources.append(api.actor(repository, name, config, resources))
        made.configs[_one_line(name), repository.removeprefix("airbyte/")] = config
        kinds[made.sources[-1]] = repository
        if number == with_secrets:
            api.hold(made.sources[-1], repository, "6.2.10")
    for number in range(destinations):
        repository, name, config = handmade_actors.DESTINATIONS[number]
        made.destinations.append(api.actor(repository, name, config))
        made.configs[_one_line(name), repository.removeprefix("airbyte/")] = config
    shared = max(1, connections // 20)
    for number in range(connections):
        source = made.sources[number if number < connections - shared else number - (connections - shared)]
        target = (number + number // (connections - shared)) % destinations
        count = streams // connections + (number < streams % connections)
        made.connected.add(source)
        made.streams += count
        name, settings = handmade_connections.settings(number, kinds[source], streams=count, bucket=target == 2)
        made.configs[_one_line(name), "connection"] = handmade_connections.keys(settings)
        made.connections.append(
            api.connection(source, made.destinations[target], name=name, tags=tags[: number % 3], **settings)
        )
    return made


def _one_line(name: str) -> str:
    return " ".join(name.split())


def _at(config: Any, path: str) -> str:
    if path in config:  # of a connection's secrets, whose paths are texts
        config = config[path]
    else:
        for part in path.split("."):
            config = config[int(part)] if isinstance(config, list) else config[part]
    return config if isinstance(config, str) else json.dumps(config)
