"""The Airbyte server that a command works on, from its options and the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import SettingsError
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.settings import Settings, base_address

_ID, _SECRET = "AIRBYTE_CLIENT_ID", "AIRBYTE_CLIENT_SECRET"


@contextmanager
def opened(url: str | None, workspace_id: str | None) -> Iterator[Session]:
    """A session on the server; raises SettingsError where the address or half of the credentials is missing."""
    if not url:
        raise SettingsError("There is no Airbyte to ask", fix="Give --airbyte-url, or set AIRBYTE_URL.")
    client_id, secret = os.environ.get(_ID, ""), os.environ.get(_SECRET, "")
    if bool(client_id) != bool(secret):
        raise SettingsError(
            f"{_SECRET if client_id else _ID} is not set, but its other half is", fix="Set both, or neither."
        )
    client = Client(Settings(base_address(url), client_id, secret))
    try:
        yield Session(client, workspace_id)
    finally:
        client.close()
