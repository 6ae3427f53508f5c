"""The command ``airbyte-cli import``."""

from pathlib import Path
from typing import Annotated

import typer

from airbyte_cli.importing import files, snapshot
from airbyte_cli.importing.plan import Import, plan
from airbyte_cli.options import ServerUrl, WorkspaceId
from airbyte_cli.session import opened
from components.errors import ConfigurationError
from dynamic_providers.airbyte.errors import AirbyteError

INCOMPLETE = 3
"""Exit code where something of the workspace is in no file."""


def import_workspace(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("imported"),
    airbyte_url: ServerUrl = None,
    workspace_id: WorkspaceId = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Write pipeline files for a workspace that was made by hand, to be adopted by `pulumi up` with `adopt: true`.

    Nothing is written to Airbyte. Exit codes: 0 all of the workspace is in the files; 3 not all of it can be, and what
    is in no file is listed; 1 it failed, and no file was written.
    """
    try:
        with opened(airbyte_url, workspace_id) as session:
            made = plan(snapshot.read(session, workspace_id))
        if made.actors:
            files.write(out, made.files(), force=force)
    except (AirbyteError, ConfigurationError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    _say(made, out)
    if not made.report.complete:
        raise typer.Exit(INCOMPLETE)


def _say(made: Import, out: Path) -> None:
    report = made.report
    streams = sum(len(file.connection.streams) for file in made.pipelines.values())
    variables = sum(len(variables) for _, variables in made.variables)
    if made.actors:
        typer.echo(
            f"{out}: {_count(len(made.pipelines), 'pipeline')} with {_count(streams, 'stream')}, "
            f"{_count(len(made.actors), 'source and destination', 'sources and destinations')}, "
            f"{_count(variables, 'variable')} to set (import.env.example)."
        )
    else:
        typer.echo("There is nothing that a pipeline file could express, so nothing was written.")
    for title, findings in (
        ("Without a file; these stay in Airbyte as they are, and no stack will know them:", report.left_out),
        ("Not in the file; these settings stay in Airbyte as they are:", report.not_in_file),
    ):
        if findings:
            typer.echo(f"\n{title}", err=True)
            for finding in findings:
                typer.echo(f"- {finding}", err=True)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
