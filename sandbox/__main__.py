"""``python -m sandbox``: the embedded environment from the command line."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sandbox.environment import PROJECT, Sandbox
from sandbox.errors import SandboxError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


class Output(StrEnum):
    """For whom a command writes: people or programs."""

    text = "text"
    json = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="json is for scripts.")]


@app.callback()
def main() -> None:
    """PostgreSQL, a Snowflake account, Airbyte, Kubernetes and Pulumi on this machine: no account, no Docker.

    Everything listens on loopback only. State, data and logs are in .sandbox, or in the directory that
    AIRBYTE_AS_CODE_SANDBOX names. Where AIRBYTE_AS_CODE_KUBECONFIG names a kubeconfig, that cluster is used instead.
    """


@app.command()
def up(
    services: Annotated[
        list[str] | None, typer.Argument(help="postgres, snowflake, airbyte, kubernetes, pulumi; all if not given.")
    ] = None,
) -> None:
    """Start what does not run yet, and wait until it is ready."""
    with readable_errors():
        sandbox = Sandbox.for_project()
        sandbox.up(say, services or None)
        say(f"Variables for clients: source {sandbox.env_file}")


@app.command()
def status(output: OutputOption = Output.text) -> None:
    """Show how each service is; exit code 0 only when all run."""
    with readable_errors():
        sandbox = Sandbox.for_project()
        services, pulumi, kubernetes = sandbox.status(), sandbox.pulumi(), sandbox.kubernetes()
    running = all(service.state == "running" for service in services)
    if output is Output.json:
        report = {
            "root": sandbox.root,
            "running": running,
            "services": [asdict(service) for service in services],
            "pulumi": pulumi.model_dump() if pulumi else None,
            "kubernetes": kubernetes.model_dump() if kubernetes else None,
        }
        print(json.dumps(report, indent=2, default=str))
    else:
        table = Table("service", "state", "address", "pid", "what", box=None)
        for service in services:
            table.add_row(service.name, service.state, service.address or "", str(service.pid or ""), service.title)
        if pulumi:
            table.add_row("pulumi", pulumi.origin, "", "", str(pulumi.pulumi))
        Console(width=None if sys.stdout.isatty() else 160).print(table)
    raise typer.Exit(0 if running else 1)


@app.command()
def env(output: OutputOption = Output.text) -> None:
    """Print the variables that clients need, secrets among them: eval "$(python -m sandbox env)"."""
    with readable_errors():
        sandbox = Sandbox.for_project()
        print(json.dumps(sandbox.env(), indent=2) if output is Output.json else sandbox.env_text(), end="")


@app.command()
def down(
    purge: Annotated[bool, typer.Option("--purge", help="Delete data, secrets and Pulumi's state as well.")] = False,
) -> None:
    """Stop all services."""
    with readable_errors():
        Sandbox.for_project().down(say, purge)


@app.command()
def demo() -> None:
    """Tell the whole story: preview, up, checks, syncs, a drift seen and mended. The sandbox is left running."""
    from sandbox import demo as story  # needs the databases' drivers, which the other commands don't

    with readable_errors():
        story.run(PROJECT, say)


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


@contextmanager
def readable_errors() -> Iterator[None]:
    """End with one paragraph on stderr instead of a traceback."""
    try:
        yield
    except (SandboxError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
