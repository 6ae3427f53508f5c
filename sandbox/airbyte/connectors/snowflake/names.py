"""Names in Snowflake: upper case, quoted, and where a stream goes."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.airbyte.connectors.base import ConfiguredStream, Json, Placement

DEFAULT_INTERNAL_SCHEMA = "airbyte_internal"


def identifier(name: str) -> str:
    """A name as the connector writes it: upper case, with underscores for quotes and dollars of its own."""
    upper = name.upper().replace('"', "_").replace("${", "__")
    return f"_{upper}" if upper[:1].isdigit() else upper


def quoted(name: str) -> str:
    """An identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Target:
    """A table."""

    database: str
    schema: str
    name: str

    @property
    def sql(self) -> str:
        """The fully qualified name."""
        return ".".join(quoted(part) for part in (self.database, self.schema, self.name))

    @property
    def schema_sql(self) -> str:
        """The qualified name of its schema."""
        return f"{quoted(self.database)}.{quoted(self.schema)}"


def target(config: Json, stream: ConfiguredStream, placement: Placement) -> Target:
    """The final table of a stream; the raw one when types and deduplication are off."""
    database = identifier(config["database"])
    schema = placement.namespace(stream, config["schema"])
    name = placement.prefix + stream.name
    if config.get("disable_type_dedupe"):
        return Target(database, internal_schema(config), f"{schema}_raw__stream_{name}")
    return Target(database, identifier(schema), identifier(name))


def internal_schema(config: Json) -> str:
    """The schema for raw and temporary tables. Unlike all other names it keeps its case."""
    return str(config.get("raw_data_schema") or DEFAULT_INTERNAL_SCHEMA)
