"""Columns of final tables: their Snowflake types, and how staged text becomes a value of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox.airbyte.connectors.base import ConfiguredStream, Json
from sandbox.airbyte.connectors.snowflake.names import identifier, quoted

RAW_ID, EXTRACTED_AT = "_AIRBYTE_RAW_ID", "_AIRBYTE_EXTRACTED_AT"
META, GENERATION = "_AIRBYTE_META", "_AIRBYTE_GENERATION_ID"

_TEMPORAL = {
    "timestamp_with_timezone": "TIMESTAMP_TZ",
    "timestamp_without_timezone": "TIMESTAMP_NTZ",
    "time_without_timezone": "TIME",
    "time_with_timezone": "VARCHAR",
}
_FORMATS = {"date-time": "TIMESTAMP_TZ", "date": "DATE", "time": "TIME"}
_PLAIN = {"boolean": "BOOLEAN", "integer": "NUMBER(38, 0)", "number": "FLOAT", "string": "VARCHAR"}


@dataclass(frozen=True)
class Column:
    """A column of a final table.

    Attributes:
        field: The record's key; None for what the connector adds itself.
    """

    name: str
    type: str
    field: str | None = None

    @property
    def sql(self) -> str:
        """The quoted name."""
        return quoted(self.name)

    @property
    def from_text(self) -> str:
        """The expression that turns the staged text into a value."""
        return f"PARSE_JSON({self.sql})" if self.type == "VARIANT" else f"CAST({self.sql} AS {self.type})"

    def text(self, value: Any) -> str | None:
        """A value as staged text."""
        if value is None:
            return None
        if self.type == "VARIANT":
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        return json.dumps(value, ensure_ascii=False)


OWN_COLUMNS = (
    Column(RAW_ID, "VARCHAR"),
    Column(EXTRACTED_AT, "TIMESTAMP_TZ"),
    Column(META, "VARIANT"),
    Column(GENERATION, "NUMBER(38, 0)"),
)


def columns_of(stream: ConfiguredStream) -> list[Column]:
    """The connector's own columns, then those of the stream in their order."""
    properties: Json = stream.schema.get("properties", {})
    return [*OWN_COLUMNS, *(Column(identifier(name), column_type(schema), name) for name, schema in properties.items())]


def column_type(schema: Json) -> str:
    """The Snowflake type of a JSON schema."""
    found = schema.get("type")
    kinds = [kind for kind in (found if isinstance(found, list) else [found]) if kind != "null"]
    kind = kinds[0] if len(kinds) == 1 else None
    if kind == "string":
        airbyte_type, text_format = schema.get("airbyte_type"), schema.get("format")
        return _TEMPORAL.get(airbyte_type or "") or _FORMATS.get(text_format or "", "VARCHAR")
    if kind == "number" and schema.get("airbyte_type") == "integer":
        return _PLAIN["integer"]
    return _PLAIN.get(kind or "", "VARIANT")
