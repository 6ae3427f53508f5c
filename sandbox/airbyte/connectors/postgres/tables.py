"""Which tables a source has: their columns, keys, and membership in the publication."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.airbyte.connectors.base import Json, StreamKey
from sandbox.airbyte.connectors.postgres import types
from sandbox.airbyte.connectors.postgres.config import Replication
from sandbox.airbyte.connectors.postgres.session import Session, explained

LSN, UPDATED_AT, DELETED_AT = "_ab_cdc_lsn", "_ab_cdc_updated_at", "_ab_cdc_deleted_at"
CDC_COLUMNS: dict[str, Json] = {
    LSN: {"type": "number"},
    UPDATED_AT: {"type": "string"},
    DELETED_AT: {"type": "string"},
}

_TABLES = """
    SELECT n.nspname, c.relname, a.attname, t.typname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t0 ON t0.oid = a.atttypid
    JOIN pg_type t ON t.oid = CASE WHEN t0.typtype = 'd' THEN t0.typbasetype ELSE t0.oid END
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_%%'
      AND (cardinality(%(schemas)s::text[]) = 0 OR n.nspname = ANY (%(schemas)s))
      AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1, 2, a.attnum
"""
_KEYS = """
    SELECT n.nspname, c.relname, a.attname
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE i.indisprimary
    ORDER BY 1, 2, k.place
"""
_PUBLISHED = "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = %s"


@dataclass
class Table:
    """A table or view: type names by column, and the key's columns."""

    schema: str
    name: str
    columns: dict[str, str] = field(default_factory=dict)
    primary_key: list[str] = field(default_factory=list)

    @property
    def key(self) -> StreamKey:
        """Schema and name."""
        return self.schema, self.name


def readable(session: Session, schemas: list[str]) -> dict[StreamKey, Table]:
    """The tables and views of schemas (empty: all) that the user may read."""
    tables: dict[StreamKey, Table] = {}
    with explained("Reading the catalog of the database"):
        for schema, name, column, type_name in session.execute(_TABLES, {"schemas": schemas}):
            tables.setdefault((schema, name), Table(schema, name)).columns[column] = type_name
        for schema, name, column in session.execute(_KEYS):
            if (schema, name) in tables:
                tables[schema, name].primary_key.append(column)
    return tables


def published(session: Session, publication: str) -> set[StreamKey]:
    """The tables of a publication."""
    with explained("Reading the tables of the publication"):
        return {(schema, name) for schema, name in session.execute(_PUBLISHED, (publication,))}


def streams(session: Session, schemas: list[str], replication: Replication) -> list[Json]:
    """The tables as ``AirbyteStream`` objects.

    With CDC a table is incremental when it is published and has a primary key; its cursor is the log position.
    Otherwise every table is incremental with a cursor of the user's choice.
    """
    in_publication = published(session, replication.publication) if replication.publication else set()
    found = []
    for table in readable(session, schemas).values():
        properties = {name: types.json_schema(type_name) for name, type_name in table.columns.items()}
        stream: Json = {
            "name": table.name,
            "namespace": table.schema,
            "jsonSchema": {"type": "object", "properties": properties},
            "supportedSyncModes": ["full_refresh", "incremental"],
            "sourceDefinedPrimaryKey": [[column] for column in table.primary_key],
            "isResumable": bool(table.primary_key),
        }
        if replication.is_cdc:
            properties |= CDC_COLUMNS
            if table.key in in_publication and table.primary_key:
                stream |= {"sourceDefinedCursor": True, "defaultCursorField": [LSN]}
            else:
                stream["supportedSyncModes"] = ["full_refresh"]
        found.append(stream)
    return found
