"""The account: its catalog, its data, its open sessions."""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from sandbox.snowflake import names
from sandbox.snowflake.access import Access
from sandbox.snowflake.catalog import Catalog
from sandbox.snowflake.control import Control
from sandbox.snowflake.control.properties import changed
from sandbox.snowflake.data import rewrites
from sandbox.snowflake.data.connection import Connection, DataStatement, parse
from sandbox.snowflake.data.databases import Databases
from sandbox.snowflake.data.wire import Bindings
from sandbox.snowflake.errors import SnowflakeError, internal_error
from sandbox.snowflake.guard import Guard
from sandbox.snowflake.journal import Journal
from sandbox.snowflake.login import ACCOUNT, ORGANIZATION, REGION, Login, Wish
from sandbox.snowflake.parameters import PARAMETERS
from sandbox.snowflake.privileges import ACCOUNTADMIN
from sandbox.snowflake.session import Session
from sandbox.snowflake.statements import Alter, AlterSession, Create, Describe, Drop, Show, Statement
from sandbox.snowflake.statements import parse as parse_statement
from sandbox.snowflake.tokens import Token, tokenize

Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """A query request: one statement, its bindings, and whether only its columns are wanted.

    `upload_url` gives the URL to which a driver may upload the file at a path below the stages.
    """

    sql: str
    bindings: Bindings = field(default_factory=dict)
    describe_only: bool = False
    upload_url: Callable[[str], str] = str


@dataclass
class _Open:
    """An open session; its statements run one at a time."""

    session: Session
    connection: Connection
    lock: threading.Lock = field(default_factory=threading.Lock)


class Account:
    """Opens (or makes) the account kept in `directory`, with its administrator.

    Args:
        admin: name of a user with the role ACCOUNTADMIN; made if missing.
        admin_public_key: the key this user logs in with, PEM or its base64 body; replaces an older one.
    """

    def __init__(self, directory: Path, admin: str, admin_public_key: str, journal: Journal | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._catalog = Catalog(directory / "catalog.sqlite")
        self._databases = Databases(directory / "databases")
        self._journal = journal or Journal(None)
        access = Access(self._catalog)
        self._login = Login(self._catalog, access)
        self._control = Control(self._catalog, access, self._databases)
        self._guard = Guard(self._catalog, access)
        self._sessions: dict[str, _Open] = {}
        self._ensure_admin(names.identifier(admin), admin_public_key)

    def _ensure_admin(self, admin: str, public_key: str) -> None:
        properties = changed("USER", {}, {"RSA_PUBLIC_KEY": public_key, "DEFAULT_ROLE": ACCOUNTADMIN})
        with self._catalog.transaction():
            if self._catalog.find("USER", (admin,)):
                self._catalog.save("USER", (admin,), properties)
            else:
                self._catalog.add("USER", (admin,), ACCOUNTADMIN, properties)
            self._catalog.add_member(ACCOUNTADMIN, "USER", admin, "")

    def close(self) -> None:
        """Close all sessions and files."""
        for token in list(self._sessions):
            self.logout(token)
        self._databases.close()
        self._catalog.close()

    # Sessions

    def login(self, data: Mapping[str, Any], wish: Wish, address: str) -> tuple[str, Session]:
        """Open a session; the token stands for it.

        Raises:
            SnowflakeError: refused.
        """
        try:
            session = self._login.open(data, wish, address)
        except SnowflakeError as error:
            self._journal.refused(str(data.get("LOGIN_NAME", "")), error)
            raise
        for key, value in (data.get("SESSION_PARAMETERS") or {}).items():
            if key in PARAMETERS["SESSION"]:
                session.parameters[key] = str(value)
        token = secrets.token_urlsafe(32)
        self._sessions[token] = _Open(session, Connection(self._databases, _autocommit(session)))
        return token, session

    def logout(self, token: str) -> None:
        """End a session; an unknown token is no error."""
        if ended := self._sessions.pop(token, None):
            with ended.lock:
                ended.connection.close()

    def knows(self, token: str) -> bool:
        """Whether the token stands for an open session."""
        return token in self._sessions

    # Statements

    def execute(self, token: str, query: Query) -> Json:
        """Run one statement; the answer is the `data` of a query response.

        Raises:
            KeyError: no such session.
            SnowflakeError: refused or failed.
        """
        opened = self._sessions[token]
        with opened.lock:
            session, connection = opened.session, opened.connection
            tokens: list[Token] = []
            try:
                sql = connection.with_variables(query.sql)
                tokens = tokenize(sql)
                statement = parse_statement(tokens)
                if statement is not None:
                    answer = self._run_account_statement(statement, query, session, connection)
                else:
                    sql = rewrites.copy_format_by_name(sql, tokens)
                    answer = self._run_data_statement(sql, query, session, connection)
            except SnowflakeError as error:
                self._journal.failed(session, tokens, error)
                raise
            except Exception as error:
                unforeseen = internal_error(error)
                self._journal.failed(session, tokens, unforeseen)
                raise unforeseen from error
            self._journal.done(session, tokens)
            return answer | {
                "finalDatabaseName": session.database or None,
                "finalSchemaName": session.schema or None,
                "finalWarehouseName": session.warehouse or None,
                "finalRoleName": session.role,
            }

    def _run_account_statement(
        self, statement: Statement, query: Query, session: Session, connection: Connection
    ) -> Json:
        if query.describe_only and not _is_read(statement):
            return {"rowtype": [], "rowset": [], "total": 0, "returned": 0, "queryResultFormat": "json"}
        if isinstance(statement, Create | Alter | Drop):
            connection.commit()
        table = self._control.run(statement, session)
        if isinstance(statement, AlterSession) and "AUTOCOMMIT" in statement.parameters:
            connection.set_autocommit(_autocommit(session))
        return table.as_json()

    def _run_data_statement(self, sql: str, query: Query, session: Session, connection: Connection) -> Json:
        tree = parse(sql)
        with self._catalog.transaction():
            self._leave_dropped(session)
            self._guard.check(tree, session)
        sql = self._for_fakesnow(sql, tree, session)
        connection.use(session.database, session.schema)
        answer = connection.execute(
            DataStatement(
                sql,
                tree,
                query.bindings,
                query.describe_only,
                lambda name: self._guard.owner(name, session),
                query.upload_url,
            )
        )
        if not query.describe_only:
            self._guard.record(tree, session)
        return answer

    def _leave_dropped(self, session: Session) -> None:
        """Another session may have dropped or renamed what this one is in."""
        if not self._catalog.find("DATABASE", (session.database,)):
            session.database = session.schema = ""
        elif not self._catalog.find("SCHEMA", (session.database, session.schema)):
            session.schema = ""

    def _for_fakesnow(self, sql: str, tree: exp.Expr, session: Session) -> str:
        """The statement in a form that the layer below understands; the tree is changed along with it."""
        changes = [
            "CURRENT_" in sql.upper() and rewrites.with_context(tree, _context(session)),
            rewrites.quote_reserved(tree, self._databases.reserved_words),
            "@" in sql and rewrites.qualify_stages(tree, session.database, session.schema),
        ]
        changes.append(rewrites.copy_one_file(tree))
        return tree.sql(dialect="snowflake") if any(changes) else sql


def _autocommit(session: Session) -> bool:
    return session.parameters.get("AUTOCOMMIT", "TRUE").upper() == "TRUE"


def _is_read(statement: Statement) -> bool:
    return isinstance(statement, Show | Describe)


def _context(session: Session) -> dict[str, str | None]:
    return {
        "CURRENT_ACCOUNT": ACCOUNT,
        "CURRENT_ACCOUNT_NAME": ACCOUNT,
        "CURRENT_ORGANIZATION_NAME": ORGANIZATION,
        "CURRENT_REGION": REGION,
        "CURRENT_ROLE": session.role,
        "CURRENT_USER": session.user,
        "CURRENT_WAREHOUSE": session.warehouse or None,
        "CURRENT_SESSION": str(session.id),
        "CURRENT_SECONDARY_ROLES": f'{{"roles":"","value":"{"ALL" if session.secondary_roles else ""}"}}',
        "CURRENT_DATABASE": session.database or None,
        "CURRENT_SCHEMA": session.schema or None,
    }
