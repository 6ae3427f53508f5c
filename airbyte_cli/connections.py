"""``airbyte-cli connections``: have a connection do something now.

These are operations and not resources, since they leave nothing behind that a stack could hold true.
"""

import json
from typing import Annotated, Any, Literal

import typer

from airbyte_cli.connection_jobs import Jobs, Result, find, streams_named
from airbyte_cli.errors import told
from airbyte_cli.options import Output, ServerUrl, WorkspaceId
from airbyte_cli.session import opened

app = typer.Typer(no_args_is_help=True, help="What connections do: sync, refresh, reset, clear.")

Named = Annotated[str, typer.Argument(metavar="CONNECTION", help="Name or id.")]
Streams = Annotated[
    list[str] | None,
    typer.Option("--stream", metavar="[NAMESPACE.]NAME", help="Only this stream; repeatable. Default: all."),
]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the job to its end, and exit with 1 where it fails.")]


@app.command()
def sync(
    connection: Named,
    wait: Wait = False,
    airbyte_url: ServerUrl = None,
    workspace_id: WorkspaceId = None,
    output: Output = "text",
) -> None:
    """Sync now. Where a job runs already, --wait follows that one and starts none.

    Exit codes: 0 started or, with --wait, succeeded; 1 not.
    """
    _run(connection, "sync", {}, None, (airbyte_url, workspace_id), wait=wait, output=output)


@app.command()
def refresh(
    connection: Named,
    stream: Streams = None,
    mode: Annotated[
        Literal["merge", "truncate"],
        typer.Option("--mode", help="Keep what the source no longer has (merge), or remove it (truncate)."),
    ] = "merge",
    wait: Wait = False,
    airbyte_url: ServerUrl = None,
    workspace_id: WorkspaceId = None,
    output: Output = "text",
) -> None:
    """Read streams again from the start. Where a job runs already, --wait lets it end first.

    Exit codes: 0 started or, with --wait, succeeded; 1 not.
    """
    extra = {"refreshMode": mode.capitalize()}
    _run(connection, "refresh", extra, stream, (airbyte_url, workspace_id), wait=wait, output=output)


@app.command()
def reset(
    connection: Named,
    stream: Streams = None,
    wait: Wait = False,
    airbyte_url: ServerUrl = None,
    workspace_id: WorkspaceId = None,
    output: Output = "text",
) -> None:
    """What `clear` was called before Airbyte 1.0, for jobs of that kind."""
    _run(connection, "reset", {}, stream, (airbyte_url, workspace_id), wait=wait, output=output)


@app.command()
def clear(
    connection: Named,
    stream: Streams = None,
    wait: Wait = False,
    airbyte_url: ServerUrl = None,
    workspace_id: WorkspaceId = None,
    output: Output = "text",
) -> None:
    """Remove what was loaded, and start from nothing at the next sync. Where a job runs already, --wait lets it end.

    Exit codes: 0 started or, with --wait, succeeded; 1 not.
    """
    _run(connection, "clear", {}, stream, (airbyte_url, workspace_id), wait=wait, output=output)


def _run(
    named: str,
    operation: str,
    extra: dict[str, Any],
    streams: list[str] | None,
    server: tuple[str | None, str | None],
    *,
    wait: bool,
    output: str,
) -> None:
    with told(), opened(*server) as session:
        connection = find(session, named)
        body = {**extra, **({"streams": streams_named(connection, streams)} if streams else {})}
        path = f"{operation}/stream" if streams and operation in ("reset", "clear") else operation
        jobs = Jobs(session.client, connection, lambda text: typer.echo(text, err=True))
        result = jobs.run(path, body, wait=wait)
    if output == "json":
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        _say(result)
    if result.failed:
        raise typer.Exit(1)


def _say(result: Result) -> None:
    typer.echo(str(result), err=result.failed)
