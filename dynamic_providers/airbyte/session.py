"""One server's client and inventory, shared by everything that a provider process does.

The engine serves all dynamic resources from one process with four threads; the session is that process's.
"""

import threading
from collections.abc import Callable
from typing import Any

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.engine import Engine
from dynamic_providers.airbyte.inventory import Inventory
from dynamic_providers.airbyte.redaction import Redactor
from dynamic_providers.airbyte.settings import Settings
from dynamic_providers.values import known


class Session:
    """What a resource needs to do its work."""

    def __init__(self, client: Client, workspace_id: str | None = None, *, watch_secrets: bool = False) -> None:
        self.client = client
        self.inventory = Inventory(client)
        self.origins: dict[tuple[str, str], str] = {}
        """Where in the files a resource of this type and name is declared; for errors, so not kept in state."""
        self.declared_workspace = workspace_id
        """The stack's own choice of workspace, if it made one."""
        self.watch_secrets = watch_secrets
        """Whether to ask the server, per source and destination, whether somebody else changed a secret."""

    @property
    def redactor(self) -> Redactor:
        """What keeps secrets out of messages."""
        return self.client.redactor

    def workspace(self, given: Any = None) -> str:
        """The given workspace, else the stack's, else the instance's default one."""
        return str(known(given) or self.declared_workspace or self.client.instance().default_workspace_id)


_lock = threading.Lock()
_redactor = Redactor()
_config: Callable[[str], Any] | None = None
_engine: Engine | None = None
_current: Session | None = None


def configure(get: Callable[[str], Any], engine: Engine | None = None) -> None:
    """Take stack config; the settings in it are read, and may be found wanting, when first needed.

    With an engine's end, so ends this process.
    """
    global _config, _engine
    with _lock:
        if _config is None:
            _config, _engine = get, engine
            if engine is not None:
                engine.end_process_with_it()


def current() -> Session:
    """The process's session; raises SettingsError where stack config does not say how to connect."""
    global _current
    with _lock:
        if _current is None:
            settings = Settings.from_config(_config or (lambda _key: None))
            client = Client(settings, redactor=_redactor)
            if _engine is not None:
                client.abandoned = _engine.gone
            _current = Session(client, settings.workspace_id, watch_secrets=settings.watch_secrets)
        return _current


def scrub(text: str) -> str:
    """The text without any secret this process was told of."""
    return _redactor.scrub(text)
