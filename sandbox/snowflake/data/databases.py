"""Databases as DuckDB files: one file a database, DuckDB schemas for schemas.

`directory` holds `NAME.db` for each database, `_fs_global.db` for what fakesnow keeps across databases
(stages, file formats, comments, text lengths), and `stages/` for staged files. DuckDB may read and write
nothing outside it.
"""

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME, FakeSnow
from fakesnow.transforms import show, stage

from sandbox.snowflake.errors import SnowflakeError, already_exists
from sandbox.snowflake.names import Name, quote_part

# fakesnow pastes database names into SQL and into file paths
_USABLE_DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")
_GLOBAL_TABLES = tuple(
    f"{GLOBAL_DATABASE_NAME}._fs_information_schema.{table}" for table in ("_fs_stages", "_fs_file_formats")
)
_RESERVED_WORDS = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
_RESERVED = frozenset({GLOBAL_DATABASE_NAME, "system", "temp", "memory"})


class Databases:
    """Opens `directory` and attaches the databases found there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        stages = directory / "stages"
        stages.mkdir(parents=True, exist_ok=True)
        stage.LOCAL_BUCKET_PATH = str(stages)
        self.fakesnow = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False, db_path=directory)
        self._confine()
        self.reserved_words = frozenset(word.upper() for (word,) in self._run(_RESERVED_WORDS))
        self._replace_global_database()
        for file in sorted(directory.glob("*.db")):
            if file.stem != GLOBAL_DATABASE_NAME:
                self._attach(file.stem)

    def _confine(self) -> None:
        directory = _literal(str(self._directory))
        self._run(f"SET GLOBAL temp_directory = {_literal(str(self._directory / 'tmp'))}")
        self._run(f"SET GLOBAL allowed_directories = [{directory}]")
        self._run("SET GLOBAL enable_external_access = false")

    def _replace_global_database(self) -> None:
        """Give fakesnow's in-memory catalog of stages and file formats a file."""
        self._run(f"DETACH {GLOBAL_DATABASE_NAME}")
        self._run(f"ATTACH {self._file(GLOBAL_DATABASE_NAME)} AS {GLOBAL_DATABASE_NAME}")
        self._run(info_schema.fs_global_creation_sql())
        self._run(show.fs_global_creation_sql())

    def close(self) -> None:
        """Write everything to the files and let them go."""
        self.fakesnow.duck_conn.close()

    def _run(self, sql: str, values: Sequence[str] = ()) -> list[tuple[str, ...]]:
        return self.fakesnow.duck_conn.cursor().execute(sql, list(values)).fetchall()

    def _file(self, database: str) -> str:
        return _literal(str(self._directory / f"{database}.db"))

    def _attach(self, database: str) -> None:
        self._run(f"ATTACH {self._file(database)} AS {quote_part(database)}")
        self._run(info_schema.per_db_creation_sql(database))
        self._run(macros.creation_sql(database))

    def create(self, database: str) -> None:
        """Make a database.

        Raises:
            SnowflakeError: 000904, a name that cannot be a file's; 002002, a name that differs from another
                only in case, which DuckDB does not tell apart.
        """
        self._require_usable(database)
        self._attach(database)

    def _require_usable(self, database: str) -> None:
        if not _USABLE_DATABASE.fullmatch(database) or database in _RESERVED:
            raise SnowflakeError(
                f"SQL compilation error:\ninvalid identifier {quote_part(database)}: the sandbox takes letters, "
                "digits, _ and $ in a database's name.",
                904,
                "42000",
            )
        self._require_free((database,), "SELECT database_name FROM duckdb_databases()")

    def create_schema(self, database: str, schema: str) -> None:
        """Make a schema.

        Raises:
            SnowflakeError: 002002, a name that differs from another only in case.
        """
        sql = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ?"
        self._require_free((database, schema), sql)
        self._run(f"CREATE SCHEMA {_path(database, schema)}")

    def _require_free(self, name: Name, siblings: str) -> None:
        taken = {row[0].upper() for row in self._run(siblings, name[:-1])}
        if name[-1].upper() in taken:
            raise already_exists(name)

    def drop(self, database: str) -> None:
        """Delete a database's file."""
        self._run(f"DETACH {quote_part(database)}")
        self._forget(database)
        for suffix in (".db", ".db.wal"):
            (self._directory / f"{database}{suffix}").unlink(missing_ok=True)

    def drop_schema(self, database: str, schema: str) -> None:
        """Drop a schema with all it contains."""
        self._run(f"DROP SCHEMA {_path(database, schema)} CASCADE")
        self._forget(database, schema)

    def _forget(self, database: str, schema: str = "") -> None:
        """Forget the stages and file formats of a schema, or of a whole database."""
        for table in _GLOBAL_TABLES:
            self._run(
                f"DELETE FROM {table} WHERE database_name = ? AND ? IN ('', schema_name)",  # noqa: S608
                (database, schema),
            )
        place = (database, schema) if schema else (database,)
        shutil.rmtree(Path(stage.LOCAL_BUCKET_PATH, *place), ignore_errors=True)

    def rename(self, old: str, new: str) -> None:
        """Rename a database: its file gets the new name."""
        self._require_usable(new)
        self._run(f"DETACH {quote_part(old)}")
        for suffix in (".db", ".db.wal"):
            with suppress(FileNotFoundError):
                (self._directory / f"{old}{suffix}").rename(self._directory / f"{new}{suffix}")
        self._run(f"ATTACH {self._file(new)} AS {quote_part(new)}")
        # these views have the database's name in them
        self._run(f"DROP SCHEMA {_path(new, '_fs_information_schema')} CASCADE")
        self._run(info_schema.per_db_creation_sql(new))
        self._run(macros.creation_sql(new))
        for table in _GLOBAL_TABLES:
            sql = f"UPDATE {table} SET database_name = ? WHERE database_name = ?"  # noqa: S608
            self._run(sql, (new, old))
        self._move_stages((old,), (new,))

    def rename_schema(self, old: Name, new: Name) -> None:
        """Rename a schema. DuckDB cannot, so its tables are copied; views are not."""
        self.create_schema(*new)
        sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = ?"
        for (table,) in self._run(sql, old):
            self._run(f"CREATE TABLE {_path(*new, table)} AS FROM {_path(*old, table)}")
        for table in _GLOBAL_TABLES:
            self._run(
                f"UPDATE {table} SET database_name = ?, schema_name = ?"  # noqa: S608
                " WHERE database_name = ? AND schema_name = ?",
                new + old,
            )
        self._move_stages(old, new)
        self.drop_schema(*old)

    def _move_stages(self, old: Name, new: Name) -> None:
        source, target = Path(stage.LOCAL_BUCKET_PATH, *old), Path(stage.LOCAL_BUCKET_PATH, *new)
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)


def _path(*parts: str) -> str:
    return ".".join(quote_part(part) for part in parts)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
