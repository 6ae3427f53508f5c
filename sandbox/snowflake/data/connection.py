"""One session's connection to the data: carries out data statements, answers in the JSON drivers read."""

import logging
import shutil
import threading
import uuid
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import snowflake.connector.errors
from fakesnow import dialect, rowtype, statement_type
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.transforms import stage
from sqlglot import exp

from sandbox.snowflake.data import bulk
from sandbox.snowflake.data.databases import Databases
from sandbox.snowflake.data.variables import SessionVariables
from sandbox.snowflake.data.wire import Bindings, Rows, as_parameters, as_rows, encoded, is_batch, with_texts
from sandbox.snowflake.errors import SnowflakeError, internal_error, not_found
from sandbox.snowflake.names import Name, quote_part
from sandbox.snowflake.results import NUMBER, Column, Table, status

# both would write statements, and so rows, to stderr
logging.getLogger("sqlglot").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)

Json = dict[str, Any]

_DDL = (exp.Create, exp.Drop, exp.Alter, exp.Comment)
_KEPT_RESULTS = 50
_READS = (exp.Select, exp.SetOperation, exp.Show, exp.Describe, exp.ListStage)
_writes = threading.RLock()
"""Held by every write outside a transaction: DuckDB refuses conflicting writers, Snowflake queues them."""


@dataclass(frozen=True)
class DataStatement:
    """A data statement that has passed the guard.

    `owner` says whose an object in a SHOW TABLES or the like is; None hides it. `upload_url` says where PUT sends
    the file with a given path below the stages.
    """

    sql: str
    tree: exp.Expr
    bindings: Bindings = field(default_factory=dict)
    describe_only: bool = False
    owner: Callable[[Name], str | None] | None = None
    upload_url: Callable[[str], str] = str


def parse(sql: str) -> exp.Expr:
    """The statement's syntax tree.

    Raises:
        SnowflakeError: 001003, a syntax error.
    """
    try:
        return dialect.parse_one(sql)
    except snowflake.connector.errors.ProgrammingError as error:
        raise _translated(error) from None


class Connection:
    """Wraps a fakesnow connection."""

    def __init__(self, databases: Databases, autocommit: bool = True) -> None:
        self._fakesnow = databases.fakesnow.connect(autocommit=autocommit)
        self._fakesnow.variables = SessionVariables()
        self._duckdb: duckdb.DuckDBPyConnection = self._fakesnow._duck_conn  # noqa: SLF001
        self._in_transaction = False
        self._where: tuple[str, str] | None = None

    def close(self) -> None:
        """End the session; an open transaction is rolled back."""
        self._fakesnow.close()

    def use(self, database: str, schema: str) -> None:
        """Make these the current ones; '' for none."""
        if (database, schema) == self._where:
            return
        self._where = database, schema
        self._fakesnow.database, self._fakesnow._schema = database or None, schema or None  # noqa: SLF001
        self._fakesnow.database_set, self._fakesnow.schema_set = bool(database), bool(database and schema)
        if database:
            place = f"{quote_part(database)}.{quote_part(schema or 'main')}"
            self._duckdb.execute("SET schema = '" + place.replace("'", "''") + "'")
        else:
            self._duckdb.execute("SET schema = 'memory.main'")

    def set_autocommit(self, on: bool) -> None:
        """ALTER SESSION SET AUTOCOMMIT."""
        self._fakesnow.autocommit(on)

    def commit(self) -> None:
        """What DDL does first: commit an open transaction, so that it sees and is seen."""
        with suppress(duckdb.TransactionException):  # none was open
            self._duckdb.commit()
        self._in_transaction = False

    def with_variables(self, sql: str) -> str:
        """The statement with `$name` replaced by session variables."""
        try:
            return self._fakesnow.variables.inline_variables(sql)
        except snowflake.connector.errors.ProgrammingError as error:
            raise _translated(error) from None

    def execute(self, statement: DataStatement) -> Json:
        """Run a statement; the answer is the `data` of a query response.

        Raises:
            SnowflakeError: it failed.
        """
        if isinstance(statement.tree, _DDL):
            self.commit()
        try:
            if isinstance(statement.tree, _READS) or self._in_transaction or statement.describe_only:
                answer = self._run(statement)
            else:
                with _writes:
                    answer = self._run(statement)
        except Exception as error:  # an HTTP 500 would make the driver ask again for minutes
            raise _translated(error) from error
        if isinstance(statement.tree, exp.Transaction):
            self._in_transaction = True
        elif isinstance(statement.tree, (exp.Commit, exp.Rollback)):
            self._in_transaction = False
        return answer

    def _run(self, statement: DataStatement) -> Json:
        match statement.tree:
            case exp.Drop(args={"kind": "STAGE" | "FILE FORMAT" as kind}):
                return self._drop_from_global(kind, statement.tree)
            case exp.Alter() as alter if alter.actions and isinstance(alter.actions[0], exp.SwapTable):
                return self._swap(alter)
            case exp.Merge() as merge if self._where is not None and not all(self._where):
                return self._merge_from_nowhere(merge, statement)
            case exp.Insert() as insert if not statement.describe_only and not insert.args.get("overwrite"):
                if done := self._insert_batch(insert, statement.bindings):
                    return done
        return self._run_in_fakesnow(statement)

    def _merge_from_nowhere(self, merge: exp.Merge, statement: DataStatement) -> Json:
        """A MERGE without a current schema: the layer below makes a helper table, which has to be somewhere."""
        where = self._where or ("", "")
        database, schema, _ = self._full_name(merge.this)
        self.use(database, schema)
        try:
            return self._run_in_fakesnow(statement)
        finally:
            self.use(*where)

    def _run_in_fakesnow(self, statement: DataStatement) -> Json:
        cursor = self._fakesnow.cursor()
        if statement.describe_only:
            described = cursor._describe_only(statement.sql)  # noqa: SLF001
            if described is not None:
                return self._description(cursor, statement.tree, described)
        if is_batch(statement.bindings):
            return self._run_row_by_row(cursor, statement)
        cursor.execute(statement.sql, binding_params=as_parameters(statement.bindings), server=True)
        self._forget_old_results()
        transformed = cursor._last_transformed  # noqa: SLF001
        if transformed is not None and (put := transformed.args.get("put_stage_data")):
            return _upload(put, transformed.args["put_stage_name"], statement)
        return self._answer(cursor, statement)

    def _forget_old_results(self) -> None:
        """fakesnow keeps the rows of every query for RESULT_SCAN; keep those of the last few."""
        cache = self._fakesnow.results_cache
        for query_id in list(cache)[:-_KEPT_RESULTS]:
            cache.pop(query_id, None)

    def _run_row_by_row(self, cursor: FakeSnowflakeCursor, statement: DataStatement) -> Json:
        """A batch that is no plain INSERT, such as an UPDATE; one statement to the driver."""
        total = 0
        for row in as_rows(statement.bindings).to_pylist():
            cursor.execute(statement.sql, binding_params=tuple(row.values()), server=True)
            total += cursor.rowcount or 0
        return _rows_affected("number of rows affected", total, statement.tree)

    # Inserts

    def _insert_batch(self, insert: exp.Insert, bindings: Bindings) -> Json | None:
        rows: Rows | None
        if is_batch(bindings):
            rewritten, rows = bulk.from_placeholders(insert), as_rows(bindings)
        elif rows := bulk.literal_rows(insert):
            rewritten = bulk.from_batch(insert, rows.num_columns)
        else:
            return None
        if rewritten is None:
            return None
        transformed = self._fakesnow.cursor()._transform(rewritten, None)  # noqa: SLF001
        self._duckdb.register(bulk.BATCH, rows)
        try:
            counts = self._duckdb.execute(transformed.sql(dialect="duckdb")).fetchall()
        finally:
            self._duckdb.unregister(bulk.BATCH)
        return _rows_affected("number of rows inserted", counts[0][0], insert)

    # What fakesnow lacks

    def _drop_from_global(self, kind: str, drop: exp.Drop) -> Json:
        table, label = ("_fs_stages", "Stage") if kind == "STAGE" else ("_fs_file_formats", "File format")
        name = self._full_name(drop.args["tables"][0])
        gone = self._duckdb.execute(
            f"DELETE FROM _fs_global._fs_information_schema.{table}"  # noqa: S608
            " WHERE database_name = ? AND schema_name = ? AND name = ?",
            list(name),
        ).fetchall()
        if not gone[0][0] and not drop.args.get("exists"):
            raise not_found(kind, name)
        if kind == "STAGE":
            shutil.rmtree(Path(stage.LOCAL_BUCKET_PATH, *name), ignore_errors=True)
        text = f"{name[-1]} successfully dropped."
        if not gone[0][0]:
            text = f"Drop statement executed successfully ({label} {name[-1]} already dropped)."
        return status(text).as_json()

    def _swap(self, alter: exp.Alter) -> Json:
        """SWAP WITH: the two tables exchange names, in one transaction."""
        first, second = self._full_name(alter.this), self._full_name(alter.actions[0].this)
        if first[:2] != second[:2]:
            raise SnowflakeError(
                "Unsupported feature 'SWAP WITH a table of another schema' in the sandbox account.", 2, "0A000"
            )
        aside = f"_swap_{uuid.uuid4().hex}"
        self._duckdb.begin()
        try:
            for old, new in ((first[2], aside), (second[2], first[2]), (aside, second[2])):
                path = ".".join(map(quote_part, (*first[:2], old)))
                self._duckdb.execute(f"ALTER TABLE {path} RENAME TO {quote_part(new)}")
        except duckdb.Error:
            self._duckdb.rollback()
            raise
        self._duckdb.commit()
        return status().as_json()

    def _full_name(self, table: exp.Table) -> Name:
        database, schema = self._where or ("", "")
        parts = [
            part.name if part.args.get("quoted") else part.name.upper()
            for part in (table.args.get("catalog"), table.args.get("db"), table.this)
            if isinstance(part, exp.Identifier)
        ]
        return (database, schema)[: 3 - len(parts)] + tuple(parts)

    # Answers

    def _description(self, cursor: FakeSnowflakeCursor, tree: exp.Expr, described: list[Any]) -> Json:
        kind = statement_type.statement_type_id(tree)
        return {
            "rowtype": rowtype.describe_as_rowtype(described),
            "total": 0,
            "returned": 0,
            "queryId": cursor.sfqid,
            "statementTypeId": kind,
            "numberOfBinds": len(list(tree.find_all(exp.Placeholder))),
            "arrayBindSupported": kind == statement_type.INSERT,
            "queryResultFormat": "json",
            "rowset": [],
        }

    def _answer(self, cursor: FakeSnowflakeCursor, statement: DataStatement) -> Json:
        kind = statement_type.statement_type_id(statement.tree)
        columns = rowtype.describe_as_rowtype(cursor._describe_last_sql())  # noqa: SLF001
        table: Rows = cursor._arrow_table  # noqa: SLF001
        if isinstance(statement.tree, exp.Show) and statement.owner:
            table = _with_owners(table, statement.owner)
        answer = {
            "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
            "rowtype": columns,
            "total": table.num_rows,
            "returned": table.num_rows,
            "queryId": cursor.sfqid,
            "statementTypeId": kind,
        }
        if kind in statement_type.DML_TYPE_IDS:
            # drivers read the counts of DML from a JSON result
            rows = [[None if cell is None else str(cell) for cell in row.values()] for row in table.to_pylist()]
            return answer | {"queryResultFormat": "json", "rowset": rows}
        return answer | {"queryResultFormat": "arrow", "rowsetBase64": encoded(table, columns)}


def _with_owners(table: Rows, owner: Callable[[Name], str | None]) -> Rows:
    """The rows of a SHOW that name an object which the session may see, with the object's real owner."""
    keys = ("database_name", "schema_name", "name")
    if not {*keys, "owner"} <= set(table.column_names):
        return table
    names = zip(*(table.column(key).to_pylist() for key in keys), strict=True)
    return with_texts(table, "owner", [owner(name) for name in names])


def _upload(put: Json, stage_name: str, statement: DataStatement) -> Json:
    """The answer to PUT: the driver uploads the file itself, over HTTP, as it would to Google's storage."""
    directory = Path(put["stageInfo"]["location"]).relative_to(stage.LOCAL_BUCKET_PATH)
    target = directory / Path(put["src_locations"][0]).name
    put["stageInfo"] = {
        "locationType": "GCS",
        "location": f"{stage_name}/",
        "creds": {},
        "presignedUrl": statement.upload_url(str(target)),
    }
    return put


def _rows_affected(column: str, count: int, tree: exp.Expr) -> Json:
    table = Table([Column(column, NUMBER)], [[count]])
    return table.as_json(statement_type.statement_type_id(tree))


def _translated(error: Exception) -> SnowflakeError:
    """An error of the layers below, as the nearest of Snowflake's."""
    if isinstance(error, SnowflakeError):
        return error
    if isinstance(error, snowflake.connector.errors.Error):
        return SnowflakeError(error.raw_msg or "unknown error", error.errno, error.sqlstate)
    text = str(error).split("\n", maxsplit=1)[0]
    match error:
        case duckdb.ConstraintException():
            return SnowflakeError(f"NULL result in a non-nullable column or key violated: {text}", 100072, "22000")
        case duckdb.ConversionException() | duckdb.OutOfRangeException() | duckdb.InvalidInputException():
            return SnowflakeError(text, 100038, "22018")
        case duckdb.CatalogException():
            return SnowflakeError(f"SQL compilation error:\n{text}", 2003, "42S02")
        case duckdb.PermissionException():
            return SnowflakeError(text, 3001, "42501")
        case NotImplementedError():
            return SnowflakeError(f"Unsupported feature in the sandbox account: {text}", 2, "0A000")
    return internal_error(error)
