"""What verifying a chart finds."""

from typing import Any, Literal

from pydantic import BaseModel

Area = Literal["archive", "keys", "values", "objects", "hooks", "images", "ports", "secrets", "launcher", "security"]


class Deviation(BaseModel):
    """One thing that is not as the table says."""

    area: Area
    where: str
    what: str


class Keys(BaseModel):
    """The chart's value keys, dotted."""

    read: list[str]
    """Declared, and read by a template."""
    undeclared: list[str]
    """Read all the same, though not declared."""
    inert: list[str]
    """Declared, and read by none."""
    unchecked: int
    """How many more there are of parts that are off as shipped."""


class PodReport(BaseModel):
    """What one pod is like."""

    owner: str
    component: str
    hooks: list[str]
    images: list[str]
    ports: list[int]
    service_account: str
    security_context: dict[str, Any]
    """The pod's own; `container_security_contexts` are by container."""
    container_security_contexts: dict[str, dict[str, Any]]
    secrets: dict[str, str]
    """Environment variables that come out of Secrets, as ``name of the Secret/key``."""
    restricted: bool
    violations: list[str]
    """Of the Pod Security profile ``restricted``."""


class Report(BaseModel):
    """What was found."""

    chart: str
    version: str
    app_version: str
    sha256: str | None
    table: str
    """The minor version that it was compared with."""
    keys: Keys
    pods: list[PodReport]
    hooks: dict[str, list[str]]
    deviations: list[Deviation]
