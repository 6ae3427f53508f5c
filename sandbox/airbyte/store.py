"""The server's state: tables of rows in memory, written through to SQLite when a data directory is given.

Every access from a handler or a job happens under ``Store.lock``. Rows are live objects: change one, then ``save`` it.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sandbox.airbyte.entities import (
    Actor,
    BuilderProject,
    Catalog,
    Connection,
    ConnectionState,
    Definition,
    Event,
    Job,
    Manifest,
    Operation,
    Pin,
    Secret,
    Setting,
    Tag,
    Workspace,
)
from sandbox.airbyte.errors import NotFoundError

STATE_FILE = "airbyte.sqlite"


class _Row(Protocol):
    @property
    def id(self) -> Any: ...


R = TypeVar("R", bound=_Row)


class Table(Generic[R]):
    """Rows of one kind, by id, in the order they were made."""

    def __init__(self, name: str, row_type: type[R], database: sqlite3.Connection | None) -> None:
        self.name = name
        self._rows: dict[str, R] = {}
        self._database = database
        if database is not None:
            # S608: table names are the fixed ones of Store
            database.execute(f'CREATE TABLE IF NOT EXISTS "{name}" (id TEXT PRIMARY KEY, row TEXT NOT NULL)')
            for key, text in database.execute(f'SELECT id, row FROM "{name}" ORDER BY rowid'):  # noqa: S608
                self._rows[key] = row_type(**json.loads(text))

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, key: object) -> R | None:
        """The row, or None."""
        return self._rows.get(str(key))

    def get(self, key: object) -> R:
        """The row.

        Raises:
            NotFoundError: no such row.
        """
        row = self.find(key)
        if row is None:
            raise NotFoundError(self.name.upper(), str(key))
        return row

    def save(self, row: R) -> R:
        """Insert or write back a row, and return it."""
        self._rows[str(row.id)] = row
        if self._database is not None:
            self._database.execute(
                f'INSERT INTO "{self.name}" VALUES (?, ?) '  # noqa: S608
                "ON CONFLICT (id) DO UPDATE SET row = excluded.row",
                (str(row.id), json.dumps(vars(row))),
            )
            self._database.commit()
        return row

    def remove(self, key: object) -> None:
        """Drop a row; a missing one is fine."""
        self._rows.pop(str(key), None)
        if self._database is not None:
            self._database.execute(f'DELETE FROM "{self.name}" WHERE id = ?', (str(key),))  # noqa: S608
            self._database.commit()


class Store:
    """All tables of one server.

    Args:
        directory: Where to keep the state; None keeps it in memory only. The file holds the sandbox's secrets in the
            clear and is readable by its owner alone.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.lock = threading.RLock()
        database = _open(directory) if directory else None
        self._database = database
        self.workspaces = Table("standard_workspace", Workspace, database)
        self.definitions = Table("actor_definition", Definition, database)
        self.builder_projects = Table("connector_builder_project", BuilderProject, database)
        self.manifests = Table("declarative_manifest", Manifest, database)
        self.actors = Table("actor", Actor, database)
        self.pins = Table("scoped_configuration", Pin, database)
        self.catalogs = Table("actor_catalog", Catalog, database)
        self.connections = Table("standard_sync", Connection, database)
        self.states = Table("state", ConnectionState, database)
        self.jobs = Table("job", Job, database)
        self.events = Table("connection_timeline_event", Event, database)
        self.tags = Table("tag", Tag, database)
        self.operations = Table("standard_sync_operation", Operation, database)
        self.secrets = Table("secret", Secret, database)
        self.settings = Table("setting", Setting, database)

    def setting(self, name: str, default: Any) -> Any:
        """A remembered value; the default is remembered at first use."""
        found = self.settings.find(name)
        if found is None:
            found = self.settings.save(Setting(name, default))
        return found.value

    def remember(self, name: str, value: Any) -> None:
        """Set a remembered value."""
        self.settings.save(Setting(name, value))

    def next_number(self, name: str) -> int:
        """A counter that goes on after a restart."""
        number = int(self.setting(name, 0)) + 1
        self.remember(name, number)
        return number

    def close(self) -> None:
        """Close the file, if there is one."""
        with self.lock:
            if self._database is not None:
                self._database.close()


def _open(directory: Path) -> sqlite3.Connection:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / STATE_FILE
    path.touch(mode=0o600)
    path.chmod(0o600)
    # The lock above serialises access, so threads may share the connection.
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")  # a sandbox survives its own crash, not the machine's
    return database
