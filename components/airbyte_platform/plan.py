"""What a stack's platform will be: its settings checked against each other, the environment and the pipelines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from components.airbyte_platform import quantity
from components.airbyte_platform.checks import At, check
from components.airbyte_platform.egress import endpoint, openings
from components.airbyte_platform.loading import where
from components.airbyte_platform.model import Environment
from components.airbyte_platform.network import Opening
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.values import Values, chart_values, merge
from components.errors import ConfigurationError, Problem
from components.pipeline_file import Actor, Pipeline


@dataclass(frozen=True)
class Client:
    """How this project logs in to the server, and so the client that the installation is given."""

    url: str
    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class AirbytePlatformArgs:
    """Arguments of AirbytePlatform."""

    settings: PlatformSettings
    client: Client
    values: Values
    """For the chart; credentials in them are Credential objects."""
    openings: tuple[Opening, ...] = ()
    """What the job pods may reach for the pipelines' sake."""


def plan_platform(
    settings: PlatformSettings,
    environment: Environment,
    client: Client,
    actors: Iterable[tuple[Actor, Mapping[str, Any]]],
    pipelines: Iterable[Pipeline],
    file: str,
) -> AirbytePlatformArgs:
    """Check everything; `actors` are all sources and destinations with their resolved configurations.

    Raises ConfigurationError with every problem; `file` is where the settings stand.
    """

    def at(*path: str | int) -> str:
        return where(file, path)

    values = chart_values(settings, client.url if urlsplit(client.url).scheme == "https" else "")
    opened, uncovered = openings(
        [endpoint(actor, config) for actor, config in actors],
        settings.network.egress,
        strict=environment == "production",
        setting=at("network", "egress"),
    )
    problems = [
        *_client(client, file),
        *check(settings, environment, client.url, values, at),
        *uncovered,
        *_large_pipelines(settings, pipelines, at),
    ]
    if problems:
        raise ConfigurationError(problems)
    return AirbytePlatformArgs(settings, client, merge(values, settings.extra_values), tuple(opened))


def _client(client: Client, file: str) -> Iterator[Problem]:
    for key, value in (("airbyteClientId", client.id), ("airbyteClientSecret", client.secret)):
        if not value:
            fix = f"Choose one: the installation is given it. Set it with `pulumi config set --secret {key} …`."
            yield Problem(f"{file}: {key}", "is not set.", fix)


def _large_pipelines(settings: PlatformSettings, pipelines: Iterable[Pipeline], at: At) -> Iterator[Problem]:
    """Pipelines that ask for more than a container may have: their pods would be refused, one sync after the other."""
    most = settings.quota.container_max
    for pipeline in pipelines:
        resources = pipeline.spec.sync.resources
        for resource in ("cpu", "memory"):
            limit = getattr(resources, f"{resource}_limit", None)
            if limit and quantity.parse(limit) > quantity.parse(getattr(most, resource)):
                yield Problem(
                    pipeline.where("sync", "resources", f"{resource}_limit"),
                    f"is {limit}, and {at('quota', 'containerMax')} allows a container {getattr(most, resource)}.",
                    "Lower it, or raise that.",
                )
