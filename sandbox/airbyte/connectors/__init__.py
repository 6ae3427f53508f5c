"""The connectors that run for real in the sandbox.

``for_version`` gives the implementation of a connector's image; an image without one gets ``spec_only.SpecOnly``, which
fails as a job that cannot pull its image would.
"""

from __future__ import annotations

from ..settings import Settings
from .base import Destination, Source
from .faker import Faker
from .postgres import Postgres
from .snowflake import Snowflake
from .spec_only import SpecOnly


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
