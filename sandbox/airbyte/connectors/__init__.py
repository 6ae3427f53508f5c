"""The connectors that run for real in the sandbox.

``for_version`` gives the implementation of a connector's image; an image without one gets ``spec_only.SpecOnly``, which
fails as a job that cannot pull its image would.
"""

from __future__ import annotations

from sandbox.airbyte.connectors.base import Destination, Source
from sandbox.airbyte.connectors.faker import Faker
from sandbox.airbyte.connectors.postgres import Postgres
from sandbox.airbyte.connectors.snowflake import Snowflake
from sandbox.airbyte.connectors.spec_only import SpecOnly
from sandbox.airbyte.settings import Settings


def source(repository: str, settings: Settings) -> Source:
    """The source connector of a docker repository."""
    if repository == "airbyte/source-postgres":
        return Postgres(settings.connect_to, settings.connect_timeout_seconds)
    if repository == "airbyte/source-faker":
        return Faker()
    return SpecOnly(repository, checks_pass=settings.assume_checks_pass)


def destination(repository: str, settings: Settings) -> Destination:
    """The destination connector of a docker repository."""
    if repository == "airbyte/destination-snowflake":
        return Snowflake(settings.connect_to, settings.connect_timeout_seconds)
    return SpecOnly(repository, checks_pass=settings.assume_checks_pass)
