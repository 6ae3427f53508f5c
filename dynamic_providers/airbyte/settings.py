"""Where Airbyte is and who we are there, from stack config.

Keys, in the project's namespace: ``airbyteUrl`` (``https://…`` or ``port-forward://NAMESPACE/SERVICE:PORT``),
``airbyteClientId``, ``airbyteClientSecret``, ``airbyteWorkspaceId`` (optional) and ``airbyteWatchSecrets`` (true or
false, the default).
A value ``${NAME}`` is read from the environment variable NAME.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dynamic_providers.airbyte.errors import SettingsError

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def resolve_reference(value: str, environ: Mapping[str, str] = os.environ) -> str:
    """The value, or what the environment variable holds that it names as ``${NAME}``.

    Raises SettingsError where the variable is not set.
    """
    match = _REFERENCE.fullmatch(value.strip())
    if match is None:
        return value
    if match[1] not in environ:
        raise SettingsError(
            f"The value ${{{match[1]}}} refers to the environment variable {match[1]}, which is not set",
            fix=f"Set {match[1]}, or write the value itself.",
        )
    return environ[match[1]]


@dataclass(frozen=True)
class Settings:
    """How to reach one Airbyte server."""

    url: str
    """Address without a path, as ``http://localhost:8000`` or ``port-forward://airbyte/airbyte-airbyte-server-svc:8001``."""
    client_id: str = ""
    """Empty where the server has authentication turned off."""
    client_secret: str = field(default="", repr=False)
    workspace_id: str | None = None
    """None for the instance's default workspace."""
    watch_secrets: bool = False
    """Whether a refresh asks, a call for each source and destination, if a secret was changed outside."""

    @classmethod
    def from_config(cls, get: Callable[[str], Any], environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; `get` gives the value of a config key or None. Raises SettingsError."""

        def text(key: str) -> str:
            value = get(key)
            try:
                return resolve_reference(str(value), environ).strip() if value is not None else ""
            except SettingsError as error:
                raise SettingsError(f"{key}: {error}") from None

        url = text("airbyteUrl")
        if not url:
            raise SettingsError(
                "airbyteUrl is not set, so there is no Airbyte server to talk to",
                fix="Run `pulumi config set airbyteUrl https://airbyte.example.com`.",
            )
        settings = cls(
            url=base_address(url),
            client_id=text("airbyteClientId"),
            client_secret=text("airbyteClientSecret"),
            workspace_id=text("airbyteWorkspaceId") or None,
            watch_secrets=_flag("airbyteWatchSecrets", text("airbyteWatchSecrets")),
        )
        if bool(settings.client_id) != bool(settings.client_secret):
            missing = "airbyteClientSecret" if settings.client_id else "airbyteClientId"
            raise SettingsError(
                f"{missing} is not set, but its other half is",
                fix="Set both (`abctl local credentials` or the secret airbyte-auth-secrets shows them), or neither.",
            )
        return settings


def _flag(key: str, value: str) -> bool:
    """A stack setting arrives as text; raises SettingsError for anything but true and false."""
    if value.lower() not in ("", "true", "false"):
        raise SettingsError(f"{key}: {value!r} is neither true nor false", fix=f"Run `pulumi config set {key} true`.")
    return value.lower() == "true"


def is_port_forward(url: str) -> bool:
    """Whether the server is reached through its cluster's API."""
    return urlsplit(url).scheme == "port-forward"


def base_address(url: str) -> str:
    """The server's address without the API's path; raises SettingsError for anything but http(s) and port-forward."""
    parts = urlsplit(url)
    if is_port_forward(url):
        if not (parts.hostname and re.fullmatch(r"/[a-z0-9-]+:\d+", parts.path)):
            raise SettingsError(
                f"airbyteUrl: {url!r} names no Service",
                fix="Write it as port-forward://NAMESPACE/SERVICE:PORT, for the official chart "
                "port-forward://airbyte/airbyte-airbyte-server-svc:8001.",
            )
        return url
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            f"airbyteUrl: {url!r} is no address",
            fix="Write it as https://airbyte.example.com, without /api, or as port-forward://NAMESPACE/SERVICE:PORT.",
        )
    path = re.sub(r"/api(/(public/)?v1)?/?$", "", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"
