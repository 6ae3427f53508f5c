"""The Airbyte server that a command works on, from its options and the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import NotFoundError, SettingsError
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.settings import Settings, base_address

CLIENT_ID, CLIENT_SECRET = "AIRBYTE_CLIENT_ID", "AIRBYTE_CLIENT_SECRET"
"""The variables that hold the credentials: a command line is there for every user of the machine to read."""


def credentials() -> tuple[str, str]:
    """Client id and secret, both empty where there are none; raises SettingsError for one half alone."""
    client_id, secret = os.environ.get(CLIENT_ID, ""), os.environ.get(CLIENT_SECRET, "")
    if bool(client_id) != bool(secret):
        missing = CLIENT_SECRET if client_id else CLIENT_ID
        raise SettingsError(f"{missing} is not set, but its other half is", fix="Set both, or neither.")
    return client_id, secret


@contextmanager
def opened(url: str | None, workspace_id: str | None) -> Iterator[Session]:
    """A session on the server; raises SettingsError for a missing address, half of the credentials, or no workspace."""
    if not url:
        raise SettingsError("There is no Airbyte to ask", fix="Give --airbyte-url, or set AIRBYTE_URL.")
    client = Client(Settings(base_address(url), *credentials()))
    try:
        session = Session(client, workspace_id)
        known_workspace(session)
        yield session
    finally:
        client.close()


def known_workspace(session: Session) -> None:
    """Raise SettingsError where the workspace that was asked for is not there: its lists would just be empty."""
    if session.declared_workspace is None:
        return
    try:
        session.client.post("workspaces/get", {"workspaceId": session.declared_workspace})
    except NotFoundError:
        raise SettingsError(
            f"Airbyte at {session.client.url} has no workspace {session.declared_workspace}",
            fix="Correct the id (it is in the address of every page of the workspace), or leave it out for the "
            "instance's default workspace.",
        ) from None
