"""The report as a person reads it: a table of the pods that fits 120 columns, totals, and what deviates."""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from airbyte_cli.platform.report import PodReport, Report

_WIDTH = 120


def print_report(report: Report) -> None:
    """Print to stdout: in colour and as wide as the terminal, or plain and 120 columns wide where it is none."""
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, force_terminal=terminal, width=None if terminal else _WIDTH, highlight=False)
    digest = f", SHA-256 {report.sha256}" if report.sha256 else ""
    lines = [
        f"{report.chart} {report.version} (Airbyte {report.app_version}){digest}, against the table of {report.table}",
        "",
        f"{len(report.keys.read)} value keys are read, {len(report.keys.undeclared)} more without being declared, "
        f"and {len(report.keys.inert)} are declared and read by nothing; {report.keys.unchecked} belong to parts that "
        "are off as shipped.",
        f"{len(report.hooks)} objects are hooks: {', '.join(report.hooks)}.",
        "",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    console.print(_table(report.pods))
    console.print()
    for deviation in report.deviations:
        console.print(f"{deviation.area}: {deviation.where} {deviation.what}", markup=False, soft_wrap=True)
    count = len(report.deviations)
    console.print(f"{count} deviation{'s' if count != 1 else ''}." if count else "Everything is as the table says.")


def _table(pods: list[PodReport]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("pod", "account", "images", "ports", "restricted"):
        table.add_column(column, overflow="fold")
    for pod in pods:
        table.add_row(
            pod.owner,
            pod.service_account,
            ", ".join(pod.images),
            _ports(pod.ports),
            Text("admitted", "green") if pod.restricted else Text("refused", "red"),
        )
    return table


def _ports(ports: list[int]) -> str:
    """Numbers, with runs of them drawn together."""
    runs: list[list[int]] = []
    for port in ports:
        if runs and port == runs[-1][-1] + 1:
            runs[-1].append(port)
        else:
            runs.append([port])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
