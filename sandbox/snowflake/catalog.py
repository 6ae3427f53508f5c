"""What the account holds: objects, who has which role, who may do what. SQLite, three tables.

Everything here is bookkeeping without judgement: whether a change is allowed is `access`'s business.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.snowflake import names
from sandbox.snowflake.errors import not_found
from sandbox.snowflake.names import Name
from sandbox.snowflake.privileges import (
    OWNERSHIP,
    PUBLIC,
    SYSTEM_ROLE_PARENTS,
    SYSTEM_ROLE_PRIVILEGES,
    SYSTEM_ROLES,
)

Stored = dict[str, str | list[str]]
"""An object's properties as stored: no NULLs."""

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT, path TEXT, owner TEXT, created REAL, properties TEXT, PRIMARY KEY (kind, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
    role TEXT, grantee_kind TEXT, grantee TEXT, granted_by TEXT, created REAL,
    PRIMARY KEY (role, grantee_kind, grantee)) WITHOUT ROWID;
-- of a future grant, path is the container's and kind that of the objects to come
CREATE TABLE IF NOT EXISTS grants (
    future INTEGER, kind TEXT, path TEXT, privilege TEXT, role TEXT, grant_option INTEGER, granted_by TEXT,
    created REAL, PRIMARY KEY (future, kind, path, privilege, role)) WITHOUT ROWID;
"""

# Statements on an object (:kind, :path) and, if it is a container, on all that is inside it.
_INSIDE = "(:container AND substr(path, 1, length(:path) + 1) = :path || '.')"
_OBJECT = f"((kind = :kind AND path = :path) OR {_INSIDE})"
_ITS_GRANTS = f"((NOT future AND {_OBJECT}) OR (future AND :container AND (path = :path OR {_INSIDE})))"
_MOVED = "path = :new || substr(path, length(:path) + 1)"
_FORGET = (f"DELETE FROM objects WHERE {_OBJECT}", f"DELETE FROM grants WHERE {_ITS_GRANTS}")  # noqa: S608
_FORGET_ROLE = (
    "DELETE FROM members WHERE role = :role",
    "DELETE FROM grants WHERE role = :role",
    "UPDATE objects SET owner = :heir WHERE owner = :role",
)
_MOVE = (
    f"UPDATE objects SET {_MOVED} WHERE {_OBJECT}",  # noqa: S608
    f"UPDATE grants SET {_MOVED} WHERE {_ITS_GRANTS}",  # noqa: S608
)
_RENAME_ROLE = (
    "UPDATE members SET role = :new WHERE role = :role",
    "UPDATE grants SET role = :new WHERE role = :role",
    "UPDATE objects SET owner = :new WHERE owner = :role",
)


@dataclass(frozen=True)
class Entry:
    """One object; `created` in seconds since the epoch."""

    kind: str
    name: Name
    owner: str
    created: float
    properties: Stored = field(default_factory=dict)

    def text(self, key: str, default: str = "") -> str:
        """A property as text; a list's items are joined by commas."""
        value = self.properties.get(key, default)
        return value if isinstance(value, str) else ",".join(value)

    def items(self, key: str) -> list[str]:
        """A property that is a list."""
        value = self.properties.get(key, [])
        return [value] if isinstance(value, str) else value

    def flag(self, key: str, default: bool = False) -> bool:
        """A property that is true or false."""
        return self.text(key, str(default)).upper() == "TRUE"


@dataclass(frozen=True)
class Grant:
    """One privilege on one object (or, of the future grants, on objects to come in a container)."""

    kind: str
    name: Name
    privilege: str
    role: str
    grant_option: bool
    granted_by: str
    created: float


@dataclass(frozen=True)
class Membership:
    """A role granted to a user or to another role."""

    role: str
    grantee_kind: str
    grantee: str
    granted_by: str
    created: float


class Catalog:
    """Opens (or makes, with the system roles) the catalog at `file`."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.executescript(_TABLES)
        if not self.find("ROLE", (PUBLIC,)):
            self._seed()

    def _seed(self) -> None:
        with self.transaction():
            for role in SYSTEM_ROLES:
                self.add("ROLE", (role,), "", {})
            for role, parent in SYSTEM_ROLE_PARENTS:
                self.add_member(role, "ROLE", parent, "")
            for role, privileges in SYSTEM_ROLE_PRIVILEGES.items():
                for privilege in privileges:
                    self.grant("ACCOUNT", (), privilege, role, False, "")

    def close(self) -> None:
        """Close the database file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and alone: other threads wait."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, sql: str, *values: object) -> list[tuple[str, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    # Objects

    def find(self, kind: str, name: Name) -> Entry | None:
        """The object, or None."""
        rows = self._rows(
            "SELECT kind, path, owner, created, properties FROM objects WHERE kind = ? AND path = ?",
            kind,
            names.path(name),
        )
        return _entry(rows[0]) if rows else None

    def require(self, kind: str, name: Name) -> Entry:
        """The object.

        Raises:
            SnowflakeError: 2003, it does not exist.
        """
        entry = self.find(kind, name)
        if entry is None:
            raise not_found(kind, name)
        return entry

    def entries(self, kind: str, within: Name = ()) -> list[Entry]:
        """All objects of a kind, or those in a database or schema, by name."""
        prefix = names.path(within) + "." if within else ""
        return [
            _entry(row)
            for row in self._rows(
                "SELECT kind, path, owner, created, properties FROM objects"
                " WHERE kind = ? AND substr(path, 1, length(?)) = ? ORDER BY path",
                kind,
                prefix,
                prefix,
            )
        ]

    def owned_by(self, role: str) -> list[Entry]:
        """All objects that a role owns."""
        sql = "SELECT kind, path, owner, created, properties FROM objects WHERE owner = ? ORDER BY kind, path"
        return [_entry(row) for row in self._rows(sql, role)]

    def add(self, kind: str, name: Name, owner: str, properties: Stored) -> None:
        """Record a new object, with what the future grants of its database and schema give on it.

        Grants of the schema win over those of the database for the same kind of object
        (docs.snowflake.com/en/sql-reference/sql/grant-privilege, considerations on future grants).
        """
        containers = [name[:depth] for depth in (2, 1) if depth < len(name)]
        future = [grant for container in containers for grant in self.future_grants_in(container) if grant.kind == kind]
        nearest = [grant for grant in future if grant.name == future[0].name]
        owners = [grant.role for grant in nearest if grant.privilege == OWNERSHIP]
        self._rows(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
            kind,
            names.path(name),
            owners[0] if owners else owner,
            time.time(),
            json.dumps(properties),
        )
        for grant in nearest:
            if grant.privilege != OWNERSHIP:
                self.grant(kind, name, grant.privilege, grant.role, grant.grant_option, grant.granted_by)

    def save(self, kind: str, name: Name, properties: Stored) -> None:
        """Replace an object's properties."""
        self._rows(
            "UPDATE objects SET properties = ? WHERE kind = ? AND path = ?",
            json.dumps(properties),
            kind,
            names.path(name),
        )

    def set_owner(self, kind: str, name: Name, role: str) -> None:
        """Change an object's owner."""
        self._rows("UPDATE objects SET owner = ? WHERE kind = ? AND path = ?", role, kind, names.path(name))

    def remove(self, kind: str, name: Name, heir: str = "") -> None:
        """Forget an object, what it contains and every grant on or to it; a role's objects go to `heir`."""
        with self.transaction():
            for sql in _FORGET:
                self._db.execute(sql, _keys(kind, name))
            if kind in ("ROLE", "USER"):
                self._rows("DELETE FROM members WHERE grantee_kind = ? AND grantee = ?", kind, name[0])
            if kind == "ROLE":
                for sql in _FORGET_ROLE:
                    self._db.execute(sql, {"role": name[0], "heir": heir})

    def rename(self, kind: str, old: Name, new: Name) -> None:
        """Rename an object, and with it the paths of what it contains."""
        with self.transaction():
            for sql in _MOVE:
                self._db.execute(sql, _keys(kind, old) | {"new": names.path(new)})
            if kind in ("ROLE", "USER"):
                sql = "UPDATE members SET grantee = ? WHERE grantee_kind = ? AND grantee = ?"
                self._rows(sql, new[0], kind, old[0])
            if kind == "ROLE":
                for sql in _RENAME_ROLE:
                    self._db.execute(sql, {"role": old[0], "new": new[0]})

    # Roles

    def add_member(self, role: str, grantee_kind: str, grantee: str, granted_by: str) -> None:
        """Grant a role to a USER or ROLE; again is no change."""
        self._rows(
            "INSERT OR IGNORE INTO members VALUES (?, ?, ?, ?, ?)",
            role,
            grantee_kind,
            grantee,
            granted_by,
            time.time(),
        )

    def remove_member(self, role: str, grantee_kind: str, grantee: str) -> None:
        """Take a role from a USER or ROLE."""
        self._rows(
            "DELETE FROM members WHERE role = ? AND grantee_kind = ? AND grantee = ?",
            role,
            grantee_kind,
            grantee,
        )

    def members(self, role: str) -> list[Membership]:
        """Whom a role is granted to."""
        return [_membership(row) for row in self._rows("SELECT * FROM members WHERE role = ?", role)]

    def roles_of(self, grantee_kind: str, grantee: str) -> list[Membership]:
        """Roles granted directly to a USER or ROLE."""
        sql = "SELECT * FROM members WHERE grantee_kind = ? AND grantee = ?"
        return [_membership(row) for row in self._rows(sql, grantee_kind, grantee)]

    def inherited(self, roles: set[str]) -> frozenset[str]:
        """These roles, PUBLIC, and all roles granted to any of them."""
        rows = self._rows(
            "WITH RECURSIVE held(role) AS (SELECT value FROM json_each(?)"
            " UNION SELECT members.role FROM members JOIN held"
            " ON members.grantee_kind = 'ROLE' AND members.grantee = held.role) SELECT role FROM held",
            json.dumps([*roles, PUBLIC]),
        )
        return frozenset(role for (role,) in rows)

    # Privileges. Of a future grant, `name` is the container's and `kind` that of the objects to come.

    def grant(
        self,
        kind: str,
        name: Name,
        privilege: str,
        role: str,
        grant_option: bool,
        granted_by: str,
        *,
        future: bool = False,
    ) -> None:
        """Grant a privilege; a grant option once given stays."""
        self._rows(
            "INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET grant_option = max(grant_option, excluded.grant_option)",
            int(future),
            kind,
            names.path(name),
            privilege,
            role,
            int(grant_option),
            granted_by,
            time.time(),
        )

    def revoke(self, kind: str, name: Name, privilege: str, role: str, *, future: bool = False) -> None:
        """Take a privilege from a role."""
        self._rows(
            "DELETE FROM grants WHERE future = ? AND kind = ? AND path = ? AND privilege = ? AND role = ?",
            int(future),
            kind,
            names.path(name),
            privilege,
            role,
        )

    def revoke_option(self, kind: str, name: Name, privilege: str, role: str, *, future: bool = False) -> None:
        """Leave a role its privilege, but not the right to pass it on."""
        self._rows(
            "UPDATE grants SET grant_option = 0"
            " WHERE future = ? AND kind = ? AND path = ? AND privilege = ? AND role = ?",
            int(future),
            kind,
            names.path(name),
            privilege,
            role,
        )

    def revoke_all(self, kind: str, name: Name) -> None:
        """Take every privilege on an object from every role."""
        sql = "DELETE FROM grants WHERE NOT future AND kind = ? AND path = ?"
        self._rows(sql, kind, names.path(name))

    def grants_on(self, kind: str, name: Name) -> list[Grant]:
        """Privileges granted on an object (its ownership is not among them)."""
        sql = "SELECT * FROM grants WHERE NOT future AND kind = ? AND path = ? ORDER BY privilege, role"
        return [_grant(row) for row in self._rows(sql, kind, names.path(name))]

    def grants_to(self, role: str) -> list[Grant]:
        """Privileges granted to a role."""
        sql = "SELECT * FROM grants WHERE NOT future AND role = ? ORDER BY kind, path, privilege"
        return [_grant(row) for row in self._rows(sql, role)]

    def future_grants_in(self, container: Name) -> list[Grant]:
        """Future grants made in a database or schema."""
        sql = "SELECT * FROM grants WHERE future AND path = ? ORDER BY kind, privilege, role"
        return [_grant(row) for row in self._rows(sql, names.path(container))]

    def future_grants_to(self, role: str) -> list[Grant]:
        """Future grants made to a role."""
        sql = "SELECT * FROM grants WHERE future AND role = ? ORDER BY kind, path, privilege"
        return [_grant(row) for row in self._rows(sql, role)]


def _keys(kind: str, name: Name) -> dict[str, object]:
    return {"kind": kind, "path": names.path(name), "container": kind in ("DATABASE", "SCHEMA")}


def _entry(row: tuple[str, ...]) -> Entry:
    kind, path, owner, created, properties = row
    return Entry(kind, names.parse(path), owner, float(created), json.loads(properties))


def _grant(row: tuple[str, ...]) -> Grant:
    _future, kind, path, privilege, role, option, granted_by, created = row
    return Grant(kind, names.parse(path), privilege, role, bool(option), granted_by, float(created))


def _membership(row: tuple[str, ...]) -> Membership:
    role, grantee_kind, grantee, granted_by, created = row
    return Membership(role, grantee_kind, grantee, granted_by, float(created))
