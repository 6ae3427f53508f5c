"""``airbyte-cli platform sizing``: what so many syncs at once take."""

import json
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer
from pydantic.alias_generators import to_camel
from rich.console import Console
from rich.table import Table

from airbyte_cli.options import Output
from components.airbyte_platform.quota import computed_quota
from components.airbyte_platform.settings import ResourceSettings
from components.airbyte_platform.sizing import Row, row

_USUAL = (10, 100, 1000)
_WIDTH = 120


def sizing(
    concurrent_syncs: Annotated[
        list[int] | None, typer.Option("--concurrent-syncs", "-n", min=1, help="May be given several times.")
    ] = None,
    node_cpu: Annotated[str, typer.Option(help="CPUs of a node for job pods, such as 16.")] = "16",
    node_memory: Annotated[str, typer.Option(help="Memory of a node for job pods, such as 64Gi.")] = "64Gi",
    output: Output = "text",
) -> None:
    """Show what `platform.scaling.concurrentSyncs` sets, the quota it needs, and how many nodes hold the job pods.

    The sums follow from the default requests of components and jobs, the replicas from ratios that are a start.
    """
    try:
        lines = [row(syncs, ResourceSettings(), node_cpu, node_memory) for syncs in concurrent_syncs or _USUAL]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if output == "json":
        typer.echo(json.dumps([_plain(line) for line in lines], indent=2))
        return
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, force_terminal=terminal, width=None if terminal else _WIDTH, highlight=False)
    console.print(_table(lines, f"nodes of {node_cpu} CPU, {node_memory}"))


def _table(lines: list[Row], nodes: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("concurrentSyncs")
    for line in lines:
        table.add_column(str(line.concurrent_syncs), justify="right")
    plain = [_plain(line) for line in lines]
    for key in plain[0]["set"]:
        table.add_row(key, *(str(each["set"][key]) for each in plain))
    table.add_section()
    for key in plain[0]["quota"]:
        table.add_row(f"quota {key}", *(each["quota"][key] for each in plain))
    table.add_row(nodes, *(str(line.job_nodes) for line in lines))
    return table


def _plain(line: Row) -> dict[str, Any]:
    knobs = asdict(line.knobs)
    total = line.platform + line.jobs
    return {
        "concurrentSyncs": line.concurrent_syncs,
        "set": {to_camel(key): value for key, value in knobs.items()},
        "quota": computed_quota(total),
        "jobNodes": line.job_nodes,
    }
