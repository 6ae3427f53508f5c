"""Values for the chart against the table of its keys."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.airbyte_platform.chart.table import ChartTable, KeyPath, load_table
from components.errors import ConfigurationError, Problem

Where = Callable[[KeyPath], str]


def check_values(values: Mapping[str, Any], version: str, where: Where = ".".join) -> list[Problem]:
    """Every key that the chart would ignore: unknown ones, and those that it declares and does nothing with.

    `where` names a key for the messages, which hold no values. A version of the chart that there is no table for is
    a problem too.
    """
    try:
        table = load_table(version)
    except ConfigurationError as error:
        return list(error.problems)
    return list(_problems(values, (), table, where))


def _problems(values: Mapping[str, Any], path: KeyPath, table: ChartTable, where: Where) -> Iterator[Problem]:
    for name, value in values.items():
        here = (*path, str(name))
        if here[0] in table.unchecked:
            continue
        problem = _problem(here, value, table, where)
        if problem is not None:
            yield problem
        elif here not in table.keys and isinstance(value, Mapping):
            yield from _problems(value, here, table, where)


def _problem(path: KeyPath, value: Any, table: ChartTable, where: Where) -> Problem | None:
    if instead := table.why_inert(path):
        return Problem(where(path), "is declared by the chart and read by none of its templates.", instead)
    if why := table.why_ineffective(path):
        return Problem(where(path), "has no effect.", why)
    key = table.keys.get(path)
    if key is None and not table.below(path):
        return Problem(where(path), f"is no key of chart {table.minor}, which would ignore it.", _nearest(path, table))
    if value is None:  # takes a default away
        return None
    if key is None and not isinstance(value, Mapping):
        names = ", ".join(sorted(table.below(path)))
        return Problem(where(path), "is not a value but a group of keys.", f"Write its keys below it: {names}.")
    if key is not None and key.kind != "map" and isinstance(value, Mapping):
        return Problem(where(path), f"takes a {key.kind}, and not a map.", "Write the keys below it where they belong.")
    return None


def _nearest(path: KeyPath, table: ChartTable) -> str:
    """What was perhaps meant: a sibling by its name, or a key of that name elsewhere."""
    siblings = difflib.get_close_matches(path[-1], table.below(path[:-1]), n=1, cutoff=0.7)
    if siblings:
        return f"Did you mean `{'.'.join((*path[:-1], siblings[0]))}`?"
    same = sorted(".".join(key) for key in table.keys if key[-1].lower() == path[-1].lower() and key[0] == path[0])
    if same:
        return f"Did you mean `{'`, `'.join(same[:3])}`?"
    closest = difflib.get_close_matches(".".join(path), [".".join(key) for key in table.keys], n=1, cutoff=0.8)
    return f"Did you mean `{closest[0]}`?" if closest else "Remove it."
