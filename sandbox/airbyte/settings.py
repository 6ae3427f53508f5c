"""What a server is started with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.airbyte.versions import Release

Address = tuple[str, int]

_MAPPING = re.compile(r"(?P<host>[^=]+)=(?P<target>[^:]+|\[[^\]]+\]):(?P<port>\d+)")


@dataclass(frozen=True)
class Settings:
    """The knobs of a server.

    Attributes:
        release: The Airbyte release to imitate.
        data: Directory to keep the state in; None keeps it in memory.
        client_id, client_secret: The instance's application.
        environment: File with the server's environment variables, whose application and signing key come first; they
            are taken again when it changes. See :mod:`sandbox.airbyte.credentials`.
        auth: False imitates an instance without authentication.
        token_lifetime_seconds: None takes the release's.
        latency_ms: Added to every call of the API.
        connect_to: Where a connector really connects when it is told a host.
        assume_checks_pass: Let checks and discovery of connectors that cannot run here succeed.
        connect_timeout_seconds: How long a connector waits for a server.
        workspace_id: Of the default workspace; None invents one.
        max_attempts: How often a sync is tried when it fails for a transient reason.
        failed_jobs_before_disable: So many failed jobs in a row make a connection inactive.
    """

    release: Release = field(default_factory=lambda: Release.parse("2.0.0"))
    data: Path | None = None
    client_id: str = "sandbox"
    client_secret: str = ""
    environment: Path | None = None
    auth: bool = True
    token_lifetime_seconds: int | None = None
    latency_ms: int = 0
    connect_to: dict[str, Address] = field(default_factory=dict)
    assume_checks_pass: bool = False
    connect_timeout_seconds: int = 5
    workspace_id: str | None = None
    max_attempts: int = 3
    failed_jobs_before_disable: int = 30
    faults: tuple[dict[str, object], ...] = ()


def parse_connect_to(text: str) -> tuple[str, Address]:
    """Read ``HOST=ADDRESS:PORT``; hosts compare in lower case.

    Raises:
        ValueError: another form.
    """
    match = _MAPPING.fullmatch(text)
    if not match:
        raise ValueError(f"'{text}' is not of the form HOST=ADDRESS:PORT")
    return match["host"].lower(), (match["target"].strip("[]"), int(match["port"]))
