"""Carries out account-level statements. One module a family: objects, grants, show, use."""

from dataclasses import replace
from typing import TypeVar

from sandbox.snowflake.access import Access
from sandbox.snowflake.catalog import Catalog
from sandbox.snowflake.control.grants import Grants
from sandbox.snowflake.control.objects import Objects
from sandbox.snowflake.control.show import Listings
from sandbox.snowflake.control.use import alter_session, use
from sandbox.snowflake.data.databases import Databases
from sandbox.snowflake.results import Table
from sandbox.snowflake.session import Session
from sandbox.snowflake.statements import (
    Alter,
    AlterSession,
    Create,
    Describe,
    Drop,
    GrantPrivileges,
    GrantRole,
    Show,
    Statement,
    Use,
)

_Named = TypeVar("_Named", Create, Alter, Drop, Describe)


class Control:
    """The public face: `run` a statement for a session."""

    def __init__(self, catalog: Catalog, access: Access, databases: Databases) -> None:
        self._catalog = catalog
        self._access = access
        self._objects = Objects(catalog, access, databases)
        self._grants = Grants(catalog, access)
        self._listings = Listings(catalog, access)

    def run(self, statement: Statement, session: Session) -> Table:
        """Carry out one statement, wholly or not at all.

        Raises:
            SnowflakeError: refused, with the reason.
        """
        with self._catalog.transaction():
            match statement:
                case Create():
                    return self._objects.create(_qualified(statement, session), session)
                case Alter():
                    return self._objects.alter(_qualified(statement, session), session)
                case Drop():
                    return self._objects.drop(_qualified(statement, session), session)
                case Describe():
                    return self._listings.describe(_qualified(statement, session), session)
                case Show():
                    return self._listings.show(statement, session)
                case GrantRole():
                    return self._grants.role(statement, session)
                case GrantPrivileges():
                    kind = statement.container_kind or statement.kind
                    name = statement.name if kind == "ACCOUNT" else session.qualify(kind, statement.name, "GRANT")
                    return self._grants.privileges(replace(statement, name=name), session)
                case Use():
                    return use(statement, session, self._access)
                case AlterSession():
                    return alter_session(statement, session)


def _qualified(statement: _Named, session: Session) -> _Named:
    name = session.qualify(statement.kind, statement.name, type(statement).__name__.upper())
    return replace(statement, name=name)
