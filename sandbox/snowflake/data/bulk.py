"""INSERT of many rows at once.

fakesnow carries out a batch row by row, and walks the syntax tree of a long VALUES some seventy times. Here
the rows become an Arrow table, and the INSERT one `INSERT ... SELECT` from it: 10,000 rows take part of a second.
"""

from typing import Any

from sqlglot import exp

from sandbox.snowflake.data.wire import Rows, rows_of

BATCH = "_sandbox_batch"
"""The name under which the rows are registered with DuckDB."""

_WORTH_IT = 20  # rows in a VALUES from which the detour is faster


def from_placeholders(insert: exp.Insert) -> exp.Insert | None:
    """`INSERT INTO t VALUES (?, ?)` or `INSERT INTO t SELECT ?, f(?)` reading the batch instead.

    None if the statement has another form. Placeholders become p1, p2, ... in the order they are written.
    """
    result = insert.copy()
    source = result.expression
    if isinstance(source, exp.Values) and len(source.expressions) == 1:
        source = exp.select(*source.expressions[0].expressions)
    if not isinstance(source, exp.Select) or source.args.get("from_"):
        return None
    for position, placeholder in enumerate(list(source.find_all(exp.Placeholder, bfs=False)), start=1):
        placeholder.replace(exp.column(f"p{position}", quoted=True))
    result.set("expression", source.from_(exp.to_table(BATCH)))
    return result


def literal_rows(insert: exp.Insert) -> Rows | None:
    """The rows of a long VALUES that holds nothing but literals, as text; None if it is not one."""
    values = insert.expression
    if not isinstance(values, exp.Values) or len(values.expressions) < _WORTH_IT:
        return None
    rows: list[list[str | None]] = []
    for row in values.expressions:
        cells = [_text(cell) for cell in row.expressions]
        if _NOT_LITERAL in cells or (rows and len(cells) != len(rows[0])):
            return None
        rows.append([None if cell is None else str(cell) for cell in cells])
    return rows_of(zip(*rows, strict=True))


def from_batch(insert: exp.Insert, width: int) -> exp.Insert:
    """The INSERT with its VALUES replaced by the batch's columns."""
    result: exp.Insert = exp.Insert(**{key: value for key, value in insert.args.items() if key != "expression"})
    columns = [exp.column(f"p{n}", quoted=True) for n in range(1, width + 1)]
    result.set("expression", exp.select(*columns).from_(exp.to_table(BATCH)))
    return result


_NOT_LITERAL = object()


def _text(cell: exp.Expr) -> Any:
    match cell:
        case exp.Null():
            return None
        case exp.Boolean():
            return "true" if cell.this else "false"
        case exp.Literal():
            return cell.this
        case exp.Neg(this=exp.Literal() as number) if not number.is_string:
            return f"-{number.this}"
    return _NOT_LITERAL
