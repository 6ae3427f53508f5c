"""Values on the wire: those that a driver binds to `?`, and the rows it gets back.

A binding is `{"type": "FIXED", "value": "10"}`; an array binding (executemany of an INSERT) holds a list of
values, one a row. Dates are milliseconds, times and timestamps nanoseconds.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from fakesnow import arrow
from fakesnow.converter import from_binding
from fakesnow.rowtype import ColumnInfo

Binding = Mapping[str, Any]
Bindings = Mapping[str, Binding]
"""Placeholder's position, counted from 1, as text; or a name."""

Rows: TypeAlias = Any
"""A pyarrow.Table (pyarrow is untyped) with the columns p1, p2, ..."""


def is_batch(bindings: Bindings) -> bool:
    """Whether the values are rows of a batch."""
    return any(isinstance(binding["value"], list) for binding in bindings.values())


def as_parameters(bindings: Bindings) -> tuple[Any, ...] | dict[str, Any] | None:
    """Parameters of one statement: positional, named, or None for none."""
    if not bindings:
        return None
    if not all(position.isdigit() for position in bindings):
        return {name: _value(binding, binding["value"]) for name, binding in bindings.items()}
    return tuple(_value(bindings[key], bindings[key]["value"]) for key in _positions(bindings))


def as_rows(bindings: Bindings) -> Rows:
    """The rows of a batch, columns in the order of the placeholders."""
    columns = [
        [_value(bindings[position], value) for value in bindings[position]["value"]]
        for position in _positions(bindings)
    ]
    return rows_of(columns)


def rows_of(columns: Iterable[Sequence[Any]]) -> Rows:
    """Rows of these columns, each of one type (or None)."""
    return pa.table({f"p{n}": _column(values) for n, values in enumerate(columns, start=1)})


def with_texts(rows: Rows, column: str, texts: Sequence[str | None]) -> Rows:
    """The rows with other texts in a column, without those where it is None."""
    index = rows.column_names.index(column)
    replaced = rows.set_column(index, column, pa.array(texts, pa.string()))
    return replaced.filter(pa.array([text is not None for text in texts], pa.bool_()))


def encoded(rows: Rows, columns: list[ColumnInfo]) -> str:
    """A query's result as drivers take it: base64 of an Arrow stream with Snowflake's column types."""
    result = arrow.to_sf(rows, columns)
    for index, column in enumerate(rows.columns):
        if column.null_count and pa.types.is_timestamp(column.type):
            # fakesnow makes 1970 of NULL where a column has both
            parts, field = _whole(result.column(index)), result.schema.field(index)
            masked = pa.StructArray.from_arrays(
                parts.flatten(), fields=list(field.type), mask=pc.is_null(_whole(column))
            )
            result = result.set_column(index, field, masked)
    return b64encode(arrow.to_ipc(result)).decode()


def _whole(column: Any) -> Any:
    """A column in one piece."""
    pieces = column.combine_chunks()
    return pa.concat_arrays(pieces.chunks) if isinstance(pieces, pa.ChunkedArray) else pieces


def _positions(bindings: Bindings) -> Sequence[str]:
    return sorted(bindings, key=int)


def _value(binding: Binding, value: str | None) -> Any:
    if value is None:
        return None
    if binding["type"] == "FIXED" and not value.lstrip("-").isdigit():
        return Decimal(value)
    return from_binding({"type": binding["type"], "value": value})


def _column(values: Sequence[Any]) -> pa.Array:
    """Exact numbers go as text, which DuckDB casts to the column's type: they may have 38 digits."""
    if any(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in values):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    if all(isinstance(value, str | None) for value in values):
        return pa.array(values, pa.string())
    return pa.array(values)
