"""Privileges that a data statement needs, by its syntax tree.

docs.snowflake.com/en/user-guide/security-access-control-privileges. After a statement has succeeded, `record`
notes in the catalog what it made, dropped or renamed, so that ownership and grants follow.
"""

from collections.abc import Iterator

from sqlglot import exp

from sandbox.snowflake import warehouses
from sandbox.snowflake.access import Access
from sandbox.snowflake.catalog import Catalog
from sandbox.snowflake.errors import denied, not_found, table_not_found, unsupported
from sandbox.snowflake.names import Name, parse
from sandbox.snowflake.privileges import OWNERSHIP, SCHEMA_OBJECT_KINDS
from sandbox.snowflake.session import Session

_INFORMATION_SCHEMA = "INFORMATION_SCHEMA"

_HARMLESS = (exp.Show, exp.Set, exp.Commit, exp.Rollback, exp.Transaction, exp.Alias)
"""Statements that need no privilege of their own; an Alias is how sqlglot reads UNSET."""

_QUERIES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy)
_KNOWN = (
    *_HARMLESS,
    *_QUERIES,
    *_WRITES,
    exp.Alter,
    exp.Comment,
    exp.Create,
    exp.Describe,
    exp.Drop,
    exp.ListStage,
    exp.Put,
    exp.TruncateTable,
)


class Guard:
    """Lets a data statement pass, or raises the error that Snowflake would."""

    def __init__(self, catalog: Catalog, access: Access) -> None:
        self._catalog = catalog
        self._access = access

    def check(self, tree: exp.Expr, session: Session) -> None:
        """Check every privilege, and that a warehouse runs where one is needed.

        Raises:
            SnowflakeError: 002003, 003001 or 000606; 000002 for a statement the sandbox does not know.
        """
        if not isinstance(tree, _KNOWN):
            raise unsupported(_verb(tree))
        targets = list(self._check_targets(tree, session))
        for table in self._sources(tree, targets):
            self._check_source(table, session)
        if isinstance(tree, (*_QUERIES, *_WRITES)) and tree.find(exp.Table):
            warehouses.use(self._catalog, self._access, session)

    # What the statement changes

    def _check_targets(self, tree: exp.Expr, session: Session) -> Iterator[exp.Table]:
        """Checks what the statement changes, and yields the tables that say so."""
        match tree:
            case exp.Create():
                yield self._check_create(tree, session)
            case exp.Drop():
                yield self._check_owner(_kind(tree), tree.args["tables"][0], session, or_of_schema=True)
            case exp.Alter():
                yield self._check_owner(_kind(tree), tree.this, session)
                for action in tree.actions:
                    if isinstance(action, exp.SwapTable):
                        yield self._check_owner("TABLE", action.this, session)
                    elif isinstance(action, exp.AlterRename):
                        yield action.this
            case exp.Comment():
                table = tree.find(exp.Table)
                if table is not None:
                    yield self._check_owner("TABLE", table, session)
            case exp.Describe():
                kind, name = _kind(tree), self._name("TABLE", tree.this, session)
                if kind in ("TABLE", "VIEW"):
                    self._check_object(self._table_kind(name), name, "", session)
                    yield tree.this
            case exp.Put():
                self._check_stage(str(tree.args["target"].name), "WRITE", session)
            case exp.ListStage():
                self._check_stage(str(tree.this.name), "READ", session)
            case exp.TruncateTable():
                yield self._check_write(tree.expressions[0], ("TRUNCATE",), session)
            case exp.Merge():
                yield self._check_write(tree.this, _merge_privileges(tree), session)
            case exp.Insert():
                privileges = ("INSERT", "DELETE") if tree.args.get("overwrite") else ("INSERT",)
                yield self._check_write(tree.this, privileges, session)
            case exp.Copy() | exp.Update() | exp.Delete():
                privilege = "INSERT" if isinstance(tree, exp.Copy) else tree.key.upper()
                yield self._check_write(tree.this, (privilege,), session)

    def _check_create(self, tree: exp.Create, session: Session) -> exp.Table:
        kind = _kind(tree)
        table = _table(tree.this)
        name = self._name(kind, table, session)
        self._reach(name, session)
        if not _is_temporary(tree):
            self._access.require_create(session, kind, "SCHEMA", name[:2])
            if self._catalog.find(kind, name) and tree.args.get("replace"):
                self._check_object(kind, name, OWNERSHIP, session)
        return table

    def _check_owner(self, kind: str, node: exp.Expr, session: Session, *, or_of_schema: bool = False) -> exp.Table:
        table = _table(node)
        name = self._name(kind, table, session)
        self._reach(name, session)
        of_schema = or_of_schema and OWNERSHIP in self._held("SCHEMA", name[:2], session)
        if self._catalog.find(kind, name) and not of_schema:
            self._check_object(kind, name, OWNERSHIP, session)
        return table

    def _check_write(self, node: exp.Expr, privileges: tuple[str, ...], session: Session) -> exp.Table:
        table = _table(node)
        name = self._name("TABLE", table, session)
        for privilege in privileges:
            self._check_object(self._table_kind(name), name, privilege, session)
        return table

    def _check_stage(self, reference: str, privilege: str, session: Session) -> None:
        """`reference` is @name/path; the stages of tables and users (@%t, @~) have no privileges."""
        name = parse(reference.lstrip("@'").partition("/")[0])
        if name and name[-1][:1] not in ("%", "~"):
            self._check_object("STAGE", session.qualify("STAGE", name), privilege, session)

    # What the statement reads

    def _sources(self, tree: exp.Expr, targets: list[exp.Table]) -> Iterator[exp.Table]:
        """Tables, views and stages that are read, common table expressions apart."""
        if isinstance(tree, (exp.Show, exp.Set, exp.Alias)):
            return
        ctes = {cte.alias.upper() for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            is_cte = not table.args.get("db") and table.name.upper() in ctes
            is_reference = table.find_ancestor(exp.Reference, exp.ForeignKey, exp.FileFormatProperty, exp.CopyParameter)
            if not (is_cte or is_reference or any(table is target for target in targets)):
                yield table

    def _check_source(self, table: exp.Table, session: Session) -> None:
        if isinstance(table.this, exp.Var | exp.Literal):
            if table.name.lstrip("'").startswith("@"):
                self._check_stage(table.name, "READ", session)
            return
        if not isinstance(table.this, exp.Identifier):
            return  # a table function
        name = self._name("TABLE", table, session)
        if name[1] == _INFORMATION_SCHEMA:
            if not self._held("DATABASE", name[:1], session):
                raise not_found("DATABASE", name[:1])
            return
        self._check_object(self._table_kind(name), name, "SELECT", session)

    # Privileges on one object

    def _check_object(self, kind: str, name: Name, privilege: str, session: Session) -> None:
        """Check one privilege ('' for any at all) on an object in a schema."""
        if name in session.temporary_tables:
            return
        self._reach(name, session)
        held = self._held(kind, name, session)
        missing = table_not_found(name) if kind in ("TABLE", "VIEW") else not_found(kind, name)
        if not self._catalog.find(kind, name):
            raise missing
        if held & {privilege, OWNERSHIP} or (held and not privilege):
            return
        if held or self._access.manages_grants(self._access.roles(session)):
            raise denied(kind, name)
        raise missing

    def _reach(self, name: Name, session: Session) -> None:
        """The database and the schema must be usable: any privilege on them lets one through."""
        roles = self._access.roles(session)
        for kind, container in (("DATABASE", name[:1]), ("SCHEMA", name[:2])):
            if not self._catalog.find(kind, container) or not self._access.sees(roles, kind, container):
                raise not_found(kind, container)

    def _held(self, kind: str, name: Name, session: Session) -> set[str]:
        return self._access.privileges(self._access.roles(session), kind, name)

    def owner(self, name: Name, session: Session) -> str | None:
        """Who owns an object that SHOW TABLES, SHOW STAGES or the like would list; None to leave it out."""
        roles = self._access.roles(session)
        entries = [entry for kind in SCHEMA_OBJECT_KINDS if (entry := self._catalog.find(kind, name))]
        if not entries:
            return session.role if name in session.temporary_tables else None
        seen = [entry.owner for entry in entries if self._access.sees(roles, entry.kind, name)]
        return seen[0] if seen else None

    def _table_kind(self, name: Name) -> str:
        return "VIEW" if self._catalog.find("VIEW", name) else "TABLE"

    def _name(self, kind: str, node: exp.Expr, session: Session) -> Name:
        return session.qualify(kind, _parts(_table(node)))

    # What the statement has done

    def record(self, tree: exp.Expr, session: Session) -> None:
        """Note what a statement that succeeded has created, dropped, renamed or swapped."""
        with self._catalog.transaction():
            match tree:
                case exp.Create():
                    self._record_create(tree, session)
                case exp.Drop():
                    name = self._name(_kind(tree), tree.args["tables"][0], session)
                    session.temporary_tables.discard(name)
                    self._catalog.remove(_kind(tree), name)
                case exp.Alter():
                    name = self._name(_kind(tree), tree.this, session)
                    for action in tree.actions:
                        self._record_alter(_kind(tree), name, action, session)

    def _record_create(self, tree: exp.Create, session: Session) -> None:
        kind, name = _kind(tree), self._name(_kind(tree), tree.this, session)
        if _is_temporary(tree) and kind == "TABLE":
            session.temporary_tables.add(name)
            return
        kept = self._catalog.grants_on(kind, name) if tree.find(exp.CopyGrantsProperty) else []
        if tree.args.get("replace"):
            self._catalog.remove(kind, name)
        if not self._catalog.find(kind, name):
            self._catalog.add(kind, name, session.role, {})
        for grant in kept:
            self._catalog.grant(kind, name, grant.privilege, grant.role, grant.grant_option, grant.granted_by)

    def _record_alter(self, kind: str, name: Name, action: exp.Expr, session: Session) -> None:
        if isinstance(action, exp.AlterRename):
            self._catalog.rename(kind, name, self._name(kind, action.this, session))
        elif isinstance(action, exp.SwapTable):
            other = self._name(kind, action.this, session)
            aside = (*name[:2], "")  # no table is named like this
            for old, new in ((name, aside), (other, name), (aside, other)):
                self._catalog.rename(kind, old, new)


def _kind(tree: exp.Expr) -> str:
    """The kind of object that CREATE, ALTER, DROP or DESCRIBE is about."""
    kind = str(tree.args.get("kind") or "").upper()
    if not isinstance(tree, exp.Describe) and kind not in SCHEMA_OBJECT_KINDS:
        raise unsupported(f"{tree.key.upper()} {kind}".strip())
    return kind


def _verb(tree: exp.Expr) -> str:
    """What an unknown statement is about, such as CALL or SHOW INTEGRATIONS."""
    if not isinstance(tree, exp.Command):
        return tree.key.upper()
    rest = str(tree.expression).split(maxsplit=1)
    return f"{tree.this} {rest[0]}".upper() if str(tree.this).upper() == "SHOW" and rest else str(tree.this).upper()


def _table(node: exp.Expr) -> exp.Table:
    table = node if isinstance(node, exp.Table) else node.find(exp.Table)
    if table is None:
        raise unsupported(node.key.upper())
    return table


def _parts(table: exp.Table) -> Name:
    parts = (table.args.get("catalog"), table.args.get("db"), table.this)
    return tuple(
        part.name if part.args.get("quoted") else part.name.upper()
        for part in parts
        if isinstance(part, exp.Identifier)
    )


def _is_temporary(tree: exp.Create) -> bool:
    return tree.find(exp.TemporaryProperty) is not None


def _merge_privileges(merge: exp.Merge) -> tuple[str, ...]:
    """INSERT, UPDATE and DELETE as far as the WHEN clauses do them."""
    thens = [when.args["then"] for when in merge.args["whens"].expressions]
    return tuple(
        dict.fromkeys(
            "INSERT" if isinstance(then, exp.Insert) else "UPDATE" if isinstance(then, exp.Update) else "DELETE"
            for then in thens
        )
    )
