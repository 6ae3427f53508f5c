"""Values that a driver binds to `?`: from their form on the wire to Python and Arrow.

A binding is `{"type": "FIXED", "value": "10"}`; an array binding (executemany of an INSERT) holds a list of
values, one a row. Dates are milliseconds, times and timestamps nanoseconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa  # type: ignore[import-untyped]
from fakesnow.converter import from_binding

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


def _positions(bindings: Bindings) -> Sequence[str]:
    return sorted(bindings, key=int)


def _value(binding: Binding, value: str | None) -> Any:
    return None if value is None else from_binding({"type": binding["type"], "value": value})


def _column(values: Sequence[Any]) -> pa.Array:
    """Whole numbers go as text, which DuckDB casts to the column's type: they may have 38 digits."""
    if any(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    if all(isinstance(value, str | None) for value in values):
        return pa.array(values, pa.string())
    return pa.array(values)
