"""A chart's value keys, and the values it is given, against the table and against what its templates read."""

from collections.abc import Iterator, Mapping
from typing import Any

from airbyte_cli.platform.helm import Chart
from airbyte_cli.platform.report import Deviation, Keys
from airbyte_cli.platform.template_reads import Reads
from components.airbyte_platform.chart import ChartTable, check_values
from components.airbyte_platform.chart.table import KeyPath


def key_report(chart: Chart, table: ChartTable, found: Reads) -> Keys:
    """Which keys there are, and which of them are read."""
    declared = [path for path in _leaves(chart.values, ()) if path[0] not in table.unchecked]
    others = sum(1 for _ in _leaves(chart.values, ())) - len(declared)
    undeclared = (path for path in found.undeclared(chart.values) if not found.open(path[:-1]) and "*" not in path)
    return Keys(
        read=[".".join(path) for path in declared if found.read(path)],
        undeclared=sorted(".".join(path) for path in undeclared if path[0] not in table.unchecked),
        inert=[".".join(path) for path in declared if not found.read(path)],
        unchecked=others,
    )


def _leaves(values: Mapping[str, Any], path: KeyPath) -> Iterator[KeyPath]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, str(key)))
        else:
            yield (*path, str(key))


def key_deviations(keys: Keys, table: ChartTable, found: Reads) -> Iterator[Deviation]:
    """Keys of which chart and table tell different things."""

    def told(where: str, what: str) -> Deviation:
        return Deviation(area="keys", where=where, what=what)

    for key in keys.read:
        path = tuple(key.split("."))
        known = _known(table, path)
        if table.why_inert(path):
            yield told(key, "is read by a template, and the table calls it inert")
        elif not known and not table.below(path):
            yield told(key, "is read by a template, and is not in the table")
        elif known and not table.keys[known].declared:
            yield told(key, "is declared by the chart, and the table says it is not")
    for key in keys.inert:
        path = tuple(key.split("."))
        if not table.why_inert(path) and not _known(table, path):
            yield told(key, "is declared by the chart and read by none of its templates; it is not in the table")
    for key in keys.undeclared:
        path = tuple(key.split("."))
        known = _known(table, path)
        if not known and not table.below(path):
            yield told(key, "is read by a template and not declared; it is not in the table")
        elif known and table.keys[known].declared and known == path:
            yield told(key, "is not declared by the chart, and the table says it is")
    for path in table.keys:
        if not found.read(path):
            yield told(".".join(path), "is read by no template, and the table says it is")


def _known(table: ChartTable, path: KeyPath) -> KeyPath | None:
    """The table's key that a key is, or is below of."""
    return next((path[:length] for length in range(len(path), 0, -1) if path[:length] in table.keys), None)


def value_deviations(values: Mapping[str, Any], chart: Chart, found: Reads) -> Iterator[Deviation]:
    """Values that would be given in vain, by the table or by the chart itself."""
    told = []
    for problem in check_values(values, chart.version):
        told.append(problem.where)
        yield Deviation(area="values", where=problem.where, what=f"{problem.what} {problem.fix}")
    for path in _leaves(values, ()):
        key = ".".join(path)
        if not found.read(path) and not f"{key}.".startswith(tuple(f"{each}." for each in told)):
            yield Deviation(area="values", where=key, what="is given, and read by no template")
