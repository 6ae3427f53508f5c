"""One Airbyte instance: its state and the services that handlers use."""

from __future__ import annotations

import re
import secrets
import threading
from typing import TYPE_CHECKING

from sandbox.airbyte.actors import Actors
from sandbox.airbyte.auth import Tokens
from sandbox.airbyte.checks import ConnectorRuns
from sandbox.airbyte.credentials import Credentials, ServerEnvironment
from sandbox.airbyte.definitions import Definitions
from sandbox.airbyte.entities import Event, Workspace, new_id
from sandbox.airbyte.faults import Calls, Faults
from sandbox.airbyte.jobs import Jobs
from sandbox.airbyte.notifications import with_defaults
from sandbox.airbyte.registry import Registry
from sandbox.airbyte.secret_store import SecretStore
from sandbox.airbyte.settings import Settings
from sandbox.airbyte.store import Store
from sandbox.airbyte.wire import NIL_UUID, Json

if TYPE_CHECKING:
    from sandbox.airbyte.entities import Connection

DEFAULT_WORKSPACE_NAME = "Default Workspace"


class Instance:
    """Everything behind the HTTP surface.

    Handlers run under ``store.lock``, except slow ones, which take it themselves.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.release = settings.release
        self.store = Store(settings.data)
        self.registry = Registry()
        for entry in self.store.setting("published_connectors", []):
            self.registry.publish(entry)
        self.secrets = SecretStore(self.store)
        self.definitions = Definitions(self.store, self.registry)
        self.actors = Actors(self.store, self.definitions, self.secrets, self.release)
        self.faults = Faults()
        for fault in settings.faults:
            self.faults.add(dict(fault))
        self.calls = Calls()
        signature = str(self.store.setting("token_key", secrets.token_hex(32)))
        own = Credentials(settings.client_id, settings.client_secret, signature)
        self.tokens = Tokens(
            ServerEnvironment(settings.environment, own),
            lifetime_seconds=settings.token_lifetime_seconds or self.release.token_lifetime_seconds,
            enabled=settings.auth,
        )
        self.runs = ConnectorRuns(settings, self.faults)
        self.jobs = Jobs(self)
        # Commands of the commands API: they are lost with the process, as their results are only read at once.
        self.commands: dict[str, Json] = {}
        self.stopping = threading.Event()
        self._prepare()

    def _prepare(self) -> None:
        wanted = str(self.store.setting("workspace_id", self.settings.workspace_id or new_id()))
        if self.store.workspaces.find(wanted) is None:
            self.add_workspace(DEFAULT_WORKSPACE_NAME, wanted)
        self.jobs.recover()

    @property
    def default_workspace_id(self) -> str:
        """The workspace of a fresh instance."""
        return str(self.store.setting("workspace_id", None))

    @property
    def deployment_id(self) -> str:
        """The instance's own id."""
        return str(self.store.setting("deployment_id", new_id()))

    def add_workspace(self, name: str, workspace_id: str | None = None, organization_id: str = NIL_UUID) -> Workspace:
        """Make a workspace with Airbyte's defaults."""
        return self.store.workspaces.save(
            Workspace(
                workspace_id or new_id(),
                name,
                self.slug(name),
                organization_id,
                settings={
                    "initialSetupComplete": True,
                    "displaySetupWizard": False,
                    "anonymousDataCollection": False,
                    "news": False,
                    "securityUpdates": False,
                },
                notification_settings=with_defaults({}, self.release),
            )
        )

    def slug(self, name: str) -> str:
        """A name for addresses, made unique by a number."""
        base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "workspace"
        taken = {workspace.slug for workspace in self.store.workspaces}
        candidates = [base, *(f"{base}-{number}" for number in range(1, len(taken) + 2))]
        return next(slug for slug in candidates if slug not in taken)

    def note(self, connection: Connection, kind: str, **summary: object) -> None:
        """Write an entry into a connection's timeline."""
        self.store.events.save(Event(new_id(), connection.id, kind, dict(summary)))

    def close(self) -> None:
        """Stop running jobs and close the store."""
        self.stopping.set()
        self.jobs.wait_all(10)
        self.store.close()
