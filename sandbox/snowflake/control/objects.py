"""CREATE, ALTER and DROP of account objects, databases and schemas."""

from sandbox.snowflake import warehouses
from sandbox.snowflake.access import Access
from sandbox.snowflake.catalog import Catalog, Entry, Stored
from sandbox.snowflake.control.properties import changed
from sandbox.snowflake.data.databases import Databases
from sandbox.snowflake.errors import SnowflakeError, already_exists, denied, unsupported
from sandbox.snowflake.names import Name
from sandbox.snowflake.privileges import OWNERSHIP, PUBLIC, SYSTEM_ROLES
from sandbox.snowflake.results import Table, status
from sandbox.snowflake.session import Session
from sandbox.snowflake.statements import Action, Alter, Create, Drop, Rename

_REFERENCES = {"RESOURCE_MONITOR": "RESOURCE MONITOR", "NETWORK_POLICY": "NETWORK POLICY"}
"""Properties that name another object, which must exist."""


class Objects:
    """Carries out DDL on the catalog, and on the DuckDB files where databases and schemas are."""

    def __init__(self, catalog: Catalog, access: Access, databases: Databases) -> None:
        self._catalog = catalog
        self._access = access
        self._databases = databases

    # CREATE

    def create(self, statement: Create, session: Session) -> Table:
        """Create an object and make it the session's current one, as Snowflake does."""
        kind, name = statement.kind, statement.name
        container_kind, container = ("DATABASE", name[:1]) if kind == "SCHEMA" else ("ACCOUNT", Name())
        if container:
            self._catalog.require(container_kind, container)
        self._access.require_create(session, kind, container_kind, container)
        existing = self._catalog.find(kind, name)
        if existing and statement.if_not_exists:
            return status(f"{name[-1]} already exists, statement succeeded.")
        if existing and not statement.or_replace:
            raise already_exists(name)
        if kind == "USER":
            self._require_free_login_name(statement, name)
        properties = changed(kind, {}, statement.properties)
        self._require_references(properties)
        if existing:
            self._access.require(session, OWNERSHIP, kind, name)
            self._remove(existing, session)
        if kind == "DATABASE":
            self._databases.create(name[0])
        elif kind == "SCHEMA":
            self._databases.create_schema(*name)
        self._catalog.add(kind, name, session.role, properties)
        self._make_current(kind, name, session)
        return status(f"{kind.capitalize()} {name[-1]} successfully created.")

    def _make_current(self, kind: str, name: Name, session: Session) -> None:
        match kind:
            case "DATABASE":
                # every database is born with a schema PUBLIC
                self._databases.create_schema(name[0], PUBLIC)
                self._catalog.add("SCHEMA", (name[0], PUBLIC), session.role, {})
                session.database, session.schema = name[0], PUBLIC
            case "SCHEMA":
                session.database, session.schema = name
            case "WAREHOUSE":
                session.warehouse = name[0]

    def _require_free_login_name(self, statement: Create, name: Name) -> None:
        wanted = str(statement.properties.get("LOGIN_NAME") or name[0]).upper()
        for user in self._catalog.entries("USER"):
            if user.name != name and user.text("LOGIN_NAME", user.name[0]).upper() == wanted:
                raise already_exists((wanted,))

    def _require_references(self, properties: Stored) -> None:
        for key, kind in _REFERENCES.items():
            if target := properties.get(key):
                self._catalog.require(kind, (str(target),))

    # ALTER

    def alter(self, statement: Alter, session: Session) -> Table:
        """Change an object: properties, name, or state."""
        kind, name = statement.kind, statement.name
        entry = self._catalog.find(kind, name)
        if entry is None and statement.if_exists:
            return status()
        entry = entry or self._catalog.require(kind, name)
        match statement.change:
            case Rename(new):
                self._access.require(session, OWNERSHIP, kind, name)
                self._rename(entry, new, session)
            case Action(verb):
                self._access.require(session, "OPERATE" if kind == "WAREHOUSE" else OWNERSHIP, kind, name)
                self._catalog.save(kind, name, self._after(verb, entry))
            case change:
                self._access.require(session, "MODIFY", kind, name)
                properties = changed(kind, entry.properties, change.properties)
                self._require_references(properties)
                self._catalog.save(kind, name, properties)
        return status()

    def _after(self, verb: str, entry: Entry) -> Stored:
        if verb.endswith("MANAGED ACCESS") and entry.kind == "SCHEMA":
            enabled = "TRUE" if verb.startswith("ENABLE") else "FALSE"
            return entry.properties | {"MANAGED ACCESS": enabled}
        if verb == "ABORT ALL QUERIES":
            return entry.properties  # every statement has ended by the time another is read
        if entry.kind != "WAREHOUSE":
            raise unsupported(f"ALTER {entry.kind} {verb}")
        return warehouses.after(verb, entry)

    def _rename(self, entry: Entry, new: Name, session: Session) -> None:
        old = entry.name
        if entry.kind == "SCHEMA":
            new = new if len(new) == 2 else (old[0], *new)
        if self._catalog.find(entry.kind, new):
            raise already_exists(new)
        if entry.kind == "SCHEMA":
            self._databases.rename_schema(old, new)
        elif entry.kind == "DATABASE":
            self._databases.rename(old[0], new[0])
        self._catalog.rename(entry.kind, old, new)
        if (session.database, session.schema) == old:
            session.database, session.schema = new
        elif entry.kind == "DATABASE" and session.database == old[0]:
            session.database = new[0]
        elif entry.kind == "WAREHOUSE" and session.warehouse == old[0]:
            session.warehouse = new[0]
        elif entry.kind == "ROLE" and session.role == old[0]:
            session.role = new[0]

    # DROP

    def drop(self, statement: Drop, session: Session) -> Table:
        """Drop an object and, of a database or schema, all that is in it."""
        kind, name = statement.kind, statement.name
        entry = self._catalog.find(kind, name)
        if entry is None and statement.if_exists:
            return status(f"Drop statement executed successfully ({name[-1]} already dropped).")
        entry = entry or self._catalog.require(kind, name)
        if kind == "ROLE" and name[0] in SYSTEM_ROLES:
            raise denied(kind, name)
        self._access.require(session, OWNERSHIP, kind, name)
        self._require_unused(entry, session)
        self._remove(entry, session)
        return status(f"{name[-1]} successfully dropped.")

    def _require_unused(self, entry: Entry, session: Session) -> None:
        if entry.kind == "USER" and entry.name[0] == session.user:
            raise SnowflakeError("SQL execution error: Cannot drop the current user.", 3504, "42601")
        if entry.kind == "NETWORK POLICY":
            for user in self._catalog.entries("USER"):
                if user.text("NETWORK_POLICY") == entry.name[0]:
                    raise SnowflakeError(
                        f"SQL compilation error:\nCannot perform Drop operation on network policy "
                        f"{entry.name[0]}. The policy is attached to USER with name {user.name[0]}. "
                        "Unset the network policy from USER and try the drop operation again.",
                        1492,
                        "42601",
                    )

    def _remove(self, entry: Entry, session: Session) -> None:
        name = entry.name
        match entry.kind:
            case "DATABASE":
                self._databases.drop(name[0])
                if session.database == name[0]:
                    session.database = session.schema = ""
            case "SCHEMA":
                self._databases.drop_schema(*name)
                if (session.database, session.schema) == name:
                    session.schema = ""
            case "WAREHOUSE" if session.warehouse == name[0]:
                session.warehouse = ""
            case "RESOURCE MONITOR":
                for warehouse in self._catalog.entries("WAREHOUSE"):
                    if warehouse.text("RESOURCE_MONITOR") == name[0]:
                        kept = {k: v for k, v in warehouse.properties.items() if k != "RESOURCE_MONITOR"}
                        self._catalog.save("WAREHOUSE", warehouse.name, kept)
        self._catalog.remove(entry.kind, name, heir=session.role)
