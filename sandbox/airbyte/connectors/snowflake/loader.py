"""One load: records are staged as text, and moved into the final tables when all are there."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime

from sandbox.airbyte.connectors.base import Batch, ConfiguredStream, ConnectorError, Json, Placement, Record, StreamKey
from sandbox.airbyte.connectors.snowflake.checks import ensure_schema
from sandbox.airbyte.connectors.snowflake.columns import (
    EXTRACTED_AT,
    GENERATION,
    META,
    OWN_COLUMNS,
    RAW_ID,
    Column,
    columns_of,
)
from sandbox.airbyte.connectors.snowflake.merge import insert_statement, merge_statement
from sandbox.airbyte.connectors.snowflake.names import Target, identifier, internal_schema, quoted, target
from sandbox.airbyte.connectors.snowflake.session import Session, execute, execute_many

DELETED_AT = "_ab_cdc_deleted_at"
SEQUENCE, DELETED = "_AIRBYTE_SEQUENCE", "_AIRBYTE_DELETED"
_RAW_DATA = Column("_airbyte_data", "VARIANT")


class _Staged:
    """The staging table of one stream, made at its first record."""

    def __init__(self, session: Session, config: Json, stream: ConfiguredStream, final: Target, sync_id: int) -> None:
        self._session = session
        self.stream = stream
        self.final = final
        self.raw = bool(config.get("disable_type_dedupe"))
        self.columns = _raw_columns() if self.raw else columns_of(stream)
        name = f"{identifier(final.schema)}_{identifier(final.name)}_{sync_id}"
        self.table = Target(final.database, internal_schema(config), name)
        self.rows = 0
        self._made = False

    def make(self) -> None:
        """Create the table anew, all its columns text."""
        ensure_schema(self._session, self.table.database, self.table.schema)
        columns = ", ".join(f"{column.sql} VARCHAR" for column in self.columns)
        marks = f"{quoted(SEQUENCE)} NUMBER(38, 0), {quoted(DELETED)} BOOLEAN"
        execute(self._session, f"CREATE OR REPLACE TABLE {self.table.sql} ({columns}, {marks})")
        self._made = True

    def add(self, records: list[Record], own: Json) -> None:
        """Stage records."""
        if not self._made:
            self.make()
        rows: list[tuple[object, ...]] = []
        for record in records:
            self.rows += 1
            values = own | {RAW_ID: str(uuid.uuid4())}
            texts = tuple(self._text(column, record, values) for column in self.columns)
            rows.append((*texts, self.rows, record.get(DELETED_AT) is not None))
        places = ", ".join("?" for _ in range(len(self.columns) + 2))
        # S608: identifiers are quoted, values are bound
        execute_many(self._session, f"INSERT INTO {self.table.sql} VALUES ({places})", rows)  # noqa: S608

    def _text(self, column: Column, record: Record, own: Json) -> str | None:
        if column is _RAW_DATA:
            return column.text(record)
        return column.text(own[column.name.upper()] if column.field is None else record.get(column.field))

    def drop(self) -> None:
        """Remove the table."""
        if self._made:
            execute(self._session, f"DROP TABLE IF EXISTS {self.table.sql}")


class SnowflakeWriter:
    """Loads the streams of one sync."""

    def __init__(
        self,
        session: AbstractContextManager[Session],
        config: Json,
        streams: list[ConfiguredStream],
        placement: Placement,
        sync_id: int,
    ) -> None:
        self._resources = ExitStack()
        self._session = self._resources.enter_context(session)
        self._hard_delete = config.get("cdc_deletion_mode", "Hard delete") == "Hard delete"
        self._sync_id = sync_id
        self._extracted_at = datetime.now(UTC).isoformat()
        self._staged: dict[StreamKey, _Staged] = {
            stream.key: _Staged(self._session, config, stream, target(config, stream, placement), sync_id)
            for stream in streams
        }

    def write(self, batch: Batch) -> None:
        """Stage records.

        Raises:
            ConnectorError: with Snowflake's own words.
        """
        own = {
            EXTRACTED_AT: self._extracted_at,
            META: {"sync_id": self._sync_id, "changes": []},
            GENERATION: batch.stream.generation,
        }
        self._staged[batch.stream.key].add(batch.records, own)

    def commit(self) -> None:
        """Bring every final table up to date: columns, rows, and the end of older generations.

        Raises:
            ConnectorError: with Snowflake's own words.
        """
        for staged in self._staged.values():
            ensure_schema(self._session, staged.final.database, staged.final.schema)
            self._prepare(staged)
            if staged.rows:
                execute(self._session, self._statement(staged))
            if staged.stream.minimum_generation:
                # S608: identifiers are quoted, the number is ours
                old = quoted("_airbyte_generation_id") if staged.raw else quoted(GENERATION)
                keep = staged.stream.minimum_generation
                execute(self._session, f"DELETE FROM {staged.final.sql} WHERE {old} < {keep}")  # noqa: S608

    def _statement(self, staged: _Staged) -> str:
        dedup = staged.stream.destination_sync_mode.endswith("_dedup") and staged.stream.primary_key
        if staged.raw or not dedup:
            return insert_statement(staged.final, staged.table, staged.columns, quoted(SEQUENCE))
        cursor = identifier(staged.stream.cursor[0]) if staged.stream.cursor else None
        return merge_statement(
            staged.final,
            staged.table,
            staged.columns,
            key=[identifier(path[0]) for path in staged.stream.primary_key],
            # Field selection may leave a cursor out that the source defines itself.
            cursor=cursor if cursor in {column.name for column in staged.columns} else None,
            hard_delete=self._hard_delete,
        )

    def _prepare(self, staged: _Staged) -> None:
        """Create the final table, or add the columns that it lacks."""
        definitions = ", ".join(f"{column.sql} {column.type}" for column in staged.columns)
        execute(self._session, f"CREATE TABLE IF NOT EXISTS {staged.final.sql} ({definitions})")
        query = (
            f"SELECT COLUMN_NAME FROM {quoted(staged.final.database)}.INFORMATION_SCHEMA.COLUMNS "  # noqa: S608
            "WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
        )
        present = {row[0] for row in execute(self._session, query, (staged.final.schema, staged.final.name))}
        for column in staged.columns:
            if column.name not in present:
                execute(self._session, f"ALTER TABLE {staged.final.sql} ADD COLUMN {column.sql} {column.type}")

    def close(self) -> None:
        """Drop what was staged and end the session; a failure to do so must not hide the one before."""
        for staged in self._staged.values():
            with suppress(ConnectorError):
                staged.drop()
        self._resources.close()


def _raw_columns() -> list[Column]:
    """The columns of a raw table, in lower case as raw tables always had them."""
    own = [Column(column.name.lower(), column.type) for column in OWN_COLUMNS]
    return [*own, _RAW_DATA]
