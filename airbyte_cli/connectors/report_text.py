"""The report as a person reads it: a table that fits 120 columns, then what needs more words than a cell has."""

import sys
import textwrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from airbyte_cli.connectors.outdated import Connector, Report

WIDTH = 120
_STYLES = {"up_to_date": "green", "outdated": "yellow", "ahead": "cyan", "unknown": "magenta"}


def print_report(report: Report) -> None:
    """Print to stdout: in colour and as wide as the terminal, or plain and 120 columns wide where it is none."""
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, force_terminal=terminal, width=None if terminal else WIDTH, highlight=False)
    console.print(_table(report))
    for connector in report.connectors:
        for paragraph in _paragraphs(connector):
            for line in paragraph:
                # A link broken over two lines can't be followed.
                console.print(line, markup=False, soft_wrap=True)
    console.print(_totals(report), markup=False, soft_wrap=True)


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("connector", "pinned", "running", "latest", "status", "support"):
        table.add_column(column, overflow="fold")
    for each in report.connectors:
        table.add_row(
            each.connector,
            Text(f"{each.pinned} (bad)", "red") if each.known_bad else each.pinned,
            _running(each),
            each.latest or "unknown",
            Text(_status(each), _STYLES[each.status]),
            _support(each),
        )
    return table


def _running(connector: Connector) -> str:
    if connector.running is None:
        return "unknown"
    return ", ".join(each.version for each in connector.running) or "not used"


def _status(connector: Connector) -> str:
    if connector.status == "outdated":
        breaking = len(connector.breaking_changes)
        return f"{connector.behind} behind" + (f", {breaking} breaking" if breaking else "")
    return connector.status.replace("_", " ")


def _support(connector: Connector) -> Text:
    if connector.support_state is None:
        return Text("not used" if connector.running == [] else "unknown")
    until = f" ({connector.support_deadline})" if connector.support_deadline else ""
    return Text(connector.support_state + until, "" if connector.support_state == "supported" else "red")


def _paragraphs(connector: Connector) -> list[list[str]]:
    name = f"{connector.connector} {connector.pinned}"
    paragraphs = []
    if connector.known_bad:
        paragraphs.append([*_wrapped(f"{name} is known to be bad: {connector.known_bad.reason}")])
        paragraphs[-1] += [f"  {source}" for source in connector.known_bad.sources]
    for change in connector.breaking_changes:
        by = f", to be adopted by {change.upgrade_deadline}" if change.upgrade_deadline else ""
        paragraphs.append(_wrapped(f"{name} -> {connector.latest} crosses breaking change {change.version}{by}:"))
        paragraphs[-1] += _wrapped(change.message, "  ")
        paragraphs[-1] += [f"  {change.migration_url}"] if change.migration_url else []
    if connector.breaking_changes_complete is False:
        what = (
            f"{name} -> {connector.latest} may cross breaking changes that the server does not tell; "
            "a registry file (--registry) does."
        )
        paragraphs.append(_wrapped(what))
    paragraphs += [
        _wrapped(f"{name} is pinned, but {', '.join(stray.used_by)} runs {stray.version}.")
        for stray in connector.strays
    ]
    if connector.status == "ahead":
        what = f"{name} is newer than the registry's latest, {connector.latest}: it may have been withdrawn."
        paragraphs.append(_wrapped(what))
    return [["", *paragraph] for paragraph in paragraphs]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent or "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _totals(report: Report) -> str:
    counts = [(count, name.replace("_", " ")) for name, count in report.summary.model_dump().items() if count]
    return "\n" + (", ".join(f"{count} {name}" for count, name in counts) or "Nothing is pinned.")
