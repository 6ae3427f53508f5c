"""Privileges of a role on objects: https://www.postgresql.org/docs/current/sql-grant.html."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NoReturn

from psycopg import sql

from sandbox.plugins.postgresql.privileges import complaints, grantee, grantee_oid, spelled
from sandbox.plugins.postgresql.session import Connection, PostgresSession, identifiers, keywords, one, run
from sandbox.plugins.resource import Field, PluginError, Resource
from sandbox.plugins.values import Properties, is_known

_OBJECT_TYPES = (
    *("database", "schema", "table", "sequence", "function", "procedure", "routine", "column"),
    *("foreign_data_wrapper", "foreign_server"),
)
_WITHOUT_SCHEMA = ("database", "foreign_data_wrapper", "foreign_server")

# One row for each object and privilege: object, privilege, grantable. An object without any has one row of nulls.
_RELATIONS = (
    "SELECT o.relname::text AS object, a.privilege_type AS privilege, a.is_grantable AS grantable FROM pg_class AS o"
    " LEFT JOIN LATERAL aclexplode(o.relacl) AS a ON a.grantee = %(grantee)s"
    " WHERE o.relnamespace = %(schema)s::regnamespace AND o.relkind = ANY({kinds})"
)
_ROUTINES = (
    "SELECT o.proname::text AS object, a.privilege_type AS privilege, a.is_grantable AS grantable FROM pg_proc AS o"
    " LEFT JOIN LATERAL aclexplode(o.proacl) AS a ON a.grantee = %(grantee)s"
    " WHERE o.pronamespace = %(schema)s::regnamespace AND o.prokind = ANY({kinds})"
)
_NAMED = (
    "SELECT o.{name}::text AS object, a.privilege_type AS privilege, a.is_grantable AS grantable FROM {catalog} AS o"
    " LEFT JOIN LATERAL aclexplode(o.{acl}) AS a ON a.grantee = %(grantee)s WHERE o.{name} = %(object)s"
)
_COLUMNS = (
    "SELECT o.attname::text AS object, a.privilege_type AS privilege, a.is_grantable AS grantable"
    " FROM pg_attribute AS o LEFT JOIN LATERAL aclexplode(o.attacl) AS a ON a.grantee = %(grantee)s"
    " JOIN pg_class AS c ON c.oid = o.attrelid"
    " WHERE c.relnamespace = %(schema)s::regnamespace AND c.relname = %(object)s AND o.attnum > 0"
)


def _named(catalog: str, name: str, acl: str) -> str:
    return _NAMED.format(catalog=catalog, name=name, acl=acl)


_QUERIES: Mapping[str, str] = {
    "database": _named("pg_database", "datname", "datacl"),
    "schema": _named("pg_namespace", "nspname", "nspacl"),
    "foreign_data_wrapper": _named("pg_foreign_data_wrapper", "fdwname", "fdwacl"),
    "foreign_server": _named("pg_foreign_server", "srvname", "srvacl"),
    # GRANT ... ON ALL TABLES also reaches views, materialized views and foreign tables.
    "table": _RELATIONS.format(kinds="'{r,p,v,m,f}'"),
    "sequence": _RELATIONS.format(kinds="'{S}'"),
    "function": _ROUTINES.format(kinds="'{f,a,w}'"),
    "procedure": _ROUTINES.format(kinds="'{p}'"),
    "routine": _ROUTINES.format(kinds="'{f,a,w,p}'"),
    "column": _COLUMNS,
}


class Grant(Resource[PostgresSession]):
    """The privileges of one role on one kind of object; no declared object means all of that kind in the schema.

    The id joins role, database, schema, object type, objects and columns with ``_``.
    """

    token = "postgresql:index/grant:Grant"  # noqa: S105 - a type token
    noun = "PostgreSQL grant"
    importable = False
    fields = (
        Field(name="role", required=True, replace=True),
        Field(name="database", required=True, replace=True),
        Field(name="schema", replace=True),
        Field(name="objectType", required=True, replace=True),
        Field(name="objects", type="strings", replace=True, unordered=True),
        Field(name="columns", type="strings", replace=True, unordered=True),
        Field(name="privileges", type="strings", required=True, unordered=True),
        Field(name="withGrantOption", type="boolean", default=False, replace=True),
    )

    def complaints(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Which of the fields go together, as the official provider has it."""
        yield from complaints(inputs, _OBJECT_TYPES)
        kind = inputs["objectType"]
        if not is_known(kind):
            return
        objects, columns = inputs.get("objects", []), inputs.get("columns", [])
        if kind not in _WITHOUT_SCHEMA and not inputs.get("schema"):
            yield "schema", f"is required for objectType {kind!r}"
        if objects and kind in ("database", "schema"):
            yield "objects", f"can't be given for objectType {kind!r}"
        one_object = kind in ("column", "foreign_data_wrapper", "foreign_server")
        if one_object and is_known(objects) and len(objects) != 1:
            yield "objects", f"must name exactly one for objectType {kind!r}"
        if bool(columns) != (kind == "column"):
            yield "columns", "goes with objectType 'column', and only with it"
        if kind == "column" and is_known(inputs["privileges"]) and len(inputs["privileges"]) != 1:
            yield "privileges", "must be exactly one for objectType 'column'"

    def identity(self, properties: Properties) -> str:
        """As the official provider forms it, with the objects in order."""
        kind = properties["objectType"]
        schema = [] if kind in _WITHOUT_SCHEMA else [properties["schema"]]
        listed = [*sorted(properties.get("objects") or []), *sorted(properties.get("columns") or [])]
        return "_".join([properties["role"], properties["database"], *schema, kind, *listed])

    def locate(self, identifier: str) -> NoReturn:
        """Names may hold the separator, so an id tells nothing."""
        raise ValueError(identifier)

    def create(self, session: PostgresSession, inputs: Properties) -> None:
        """REVOKE what is declared elsewhere or left over, then GRANT, in one transaction."""
        with session.write(inputs["database"]) as connection:
            _revoke(connection, inputs)
            _grant(connection, inputs)

    def read(self, session: PostgresSession, state: Properties) -> Properties | None:
        """The privileges that all declared objects have; gone when role, schema or database are."""
        if not session.has_database(state["database"]):
            return None
        with session.read(state["database"]) as connection:
            oid = grantee_oid(connection, state["role"])
            if oid is None or not _has_schema(connection, state):
                return None
            objects = _granted(connection, state, oid)
        live = {field.name: state.get(field.name) for field in self.fields}
        live["privileges"], live["withGrantOption"] = _agreed(objects, state)
        return live

    def update(
        self,
        session: PostgresSession,
        state: Properties,
        inputs: Properties,
        changed: Collection[str],  # noqa: ARG002
    ) -> None:
        """REVOKE and GRANT in one transaction, so that no one sees the role without."""
        with session.write(inputs["database"]) as connection:
            _revoke(connection, state)
            _grant(connection, inputs)

    def delete(self, session: PostgresSession, state: Properties) -> None:
        """REVOKE; fine when role, schema or database are gone."""
        if self.read(session, state) is not None:
            with session.write(state["database"]) as connection:
                _revoke(connection, state)


def _grant(connection: Connection, inputs: Properties) -> None:
    if inputs["privileges"]:
        option = " WITH GRANT OPTION" if inputs.get("withGrantOption") else ""
        privileges, role = _listed(inputs), grantee(inputs["role"])
        run(connection, "GRANT {} ON {} TO {}" + option, privileges, _target(inputs), role)


def _revoke(connection: Connection, properties: Properties) -> None:
    """Column privileges are taken back alone: REVOKE ALL on a table would take those of other grants along."""
    named = properties.get("privileges") and (properties.get("objects") or properties["objectType"] == "column")
    privileges = _listed(properties) if named else sql.SQL("ALL PRIVILEGES")
    if properties["objectType"] == "column" and not properties.get("privileges"):
        return
    run(connection, "REVOKE {} ON {} FROM {}", privileges, _target(properties), grantee(properties["role"]))


def _listed(properties: Properties) -> sql.Composable:
    privileges = keywords(properties["privileges"])
    columns = properties.get("columns")
    return sql.SQL("{} ({})").format(privileges, identifiers(columns)) if columns else privileges


def _target(properties: Properties) -> sql.Composable:
    """What comes after ON: checked before, so that the object type is one of ours."""
    kind, objects = properties["objectType"], properties.get("objects") or []
    word = sql.SQL("TABLE" if kind == "column" else kind.upper().replace("_", " "))
    if kind == "database":
        return sql.SQL("{} {}").format(word, sql.Identifier(properties["database"]))
    if kind == "schema":
        return sql.SQL("{} {}").format(word, sql.Identifier(properties["schema"]))
    if kind in _WITHOUT_SCHEMA:
        return sql.SQL("{} {}").format(word, identifiers(objects))
    schema = sql.Identifier(properties["schema"])
    if not objects:
        return sql.SQL("ALL {}S IN SCHEMA {}").format(word, schema)
    names = sql.SQL(", ").join(sql.SQL("{}.{}").format(schema, _object(name)) for name in sorted(objects))
    return sql.SQL("{} {}").format(word, names)


def _object(name: str) -> sql.Composable:
    """A name, or a routine's name with its argument types, which are no identifiers."""
    plain, parenthesis, arguments = name.partition("(")
    if any(sign in arguments for sign in ";'\"$") or (parenthesis and not arguments.endswith(")")):
        raise PluginError(f"{name!r} is not the name of a routine with its argument types")
    return sql.SQL("{}{}").format(sql.Identifier(plain), sql.SQL(parenthesis + arguments))


def _has_schema(connection: Connection, state: Properties) -> bool:
    if state["objectType"] in _WITHOUT_SCHEMA:
        return True
    return one(connection, "SELECT FROM pg_namespace WHERE nspname = %s", state["schema"]) is not None


def _granted(connection: Connection, state: Properties, oid: int) -> dict[str, dict[str, bool]]:
    """For each object (or column) in question, its privileges and whether each may be granted on."""
    kind = state["objectType"]
    single = {"database": state["database"], "schema": state.get("schema")}
    wanted = state.get("columns") if kind == "column" else state.get("objects")
    parameters = {
        "grantee": oid,
        "schema": _quoted(state.get("schema") or ""),
        "object": single.get(kind) or next(iter(state.get("objects") or []), None),
    }
    objects: dict[str, dict[str, bool]] = defaultdict(dict)
    for name in wanted or []:
        objects[name.partition("(")[0]]  # one that is missing has no privileges
    for row in connection.execute(sql.SQL(_QUERIES[kind]), parameters).fetchall():
        if not wanted or row["object"] in objects:
            held = objects[row["object"]]
            if row["privilege"]:
                held[row["privilege"]] = row["grantable"]
    return objects


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _agreed(objects: Mapping[str, Mapping[str, bool]], state: Properties) -> tuple[list[str], bool]:
    """The declared privileges when every object has them, else those of the first object that differs.

    A column grant is one of several on the same columns, so others' privileges there are none of its business.
    """
    declared, kind = state.get("privileges") or [], state["objectType"]
    option = bool(state.get("withGrantOption"))
    for _, held in sorted(objects.items()):
        privileges = set(held) & set(declared) if kind == "column" else set(held)
        live = spelled(privileges, declared, kind)
        grantable = bool(held) and all(held[privilege] for privilege in privileges)
        if sorted(live) != sorted(declared) or (privileges and grantable != option):
            return live, grantable if privileges else option
    return list(declared), option
