"""The command ``airbyte-cli pipelines check``."""

import json
from pathlib import Path
from typing import Annotated

import pulumi
import typer

from airbyte_cli.checking import program, run, stack
from airbyte_cli.checking.report import Report, print_report
from airbyte_cli.options import Output
from airbyte_cli.session import known_workspace
from components.errors import ConfigurationError, Problem
from dynamic_providers.airbyte.errors import AirbyteError, SettingsError
from dynamic_providers.airbyte.rehearsal import ReadOnlyClient, Rehearsal
from dynamic_providers.airbyte.settings import Settings

NOT_CHECKED = 3
"""Exit code where nothing is known to be wrong, and not all could be checked."""

_PROGRAM = Path("__main__.py")


def check(
    name: Annotated[
        str | None, typer.Option("--stack", "-s", help="Stack whose configuration and state count.")
    ] = None,
    env_file: Annotated[
        list[Path] | None, typer.Option("--env-file", help="File of NAME=value lines for the environment; repeatable.")
    ] = None,
    pipelines: Annotated[Path | None, typer.Option("--pipelines", help="Folder, instead of the stack's.")] = None,
    connectors: Annotated[
        Path | None, typer.Option("--connectors", help="File of pins, instead of the stack's.")
    ] = None,
    output: Output = "text",
) -> None:
    """Ask a real Airbyte all that `pulumi up` would before it writes, and write nothing.

    Versions are looked up, sources and destinations that would change are checked by their connectors, streams are
    discovered and the rules applied. Without --stack, settings are read from the environment (AIRBYTE_URL,
    POSTGRES_HOST, …), and everything is checked.

    Exit codes: 0 `pulumi up` would not be refused; 1 it would; 3 not all could be checked, and nothing else is wrong.
    """
    try:
        stack.load_environment(env_file or [])
        paths = {"pipelinesPath": pipelines, "connectorsPath": connectors}
        chosen = stack.read(name, {key: str(path) for key, path in paths.items() if path}, _say)
        declared = program.run(_PROGRAM, chosen)
        settings = Settings.from_config(chosen.setting)
    except (ConfigurationError, SettingsError) as error:
        raise _refused(error, output) from None
    except pulumi.RunError as error:
        raise _refused(ConfigurationError([Problem(str(_PROGRAM), str(error), "")]), output) from None
    client = ReadOnlyClient(settings)
    try:
        if not client.answers():
            fix = "See that the server is up, and that airbyteUrl (AIRBYTE_URL) is its address."
            raise SettingsError(f"Airbyte does not answer at {settings.url}", why=client.silence, fix=fix)
        rehearsal = Rehearsal(client, settings.workspace_id, stateful=chosen.state is not None)
        known_workspace(rehearsal.session)
        report = run.check(declared, chosen, rehearsal, _say)
    except AirbyteError as error:
        typer.echo(f"Nothing could be checked. {client.redactor.scrub(str(error))}", err=True)
        raise typer.Exit(NOT_CHECKED) from None
    finally:
        client.close()
    _tell(report, output)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _tell(report: Report, output: str) -> None:
    if output == "json":
        typer.echo(report.model_dump_json(indent=2))
    else:
        print_report(report)
    typer.echo("Nothing was written to Airbyte.", err=True)


def _refused(error: ConfigurationError | SettingsError, output: str) -> typer.Exit:
    """Tell what is wrong with files and settings, as `validate` does."""
    if output == "json":
        found = error.problems if isinstance(error, ConfigurationError) else [Problem("", str(error), "")]
        problems = [{"where": each.where, "what": each.what, "fix": each.fix} for each in found]
        typer.echo(json.dumps({"passed": False, "problems": problems}, indent=2))
    else:
        typer.echo(str(error), err=True)
    return typer.Exit(1)


def _say(line: str) -> None:
    typer.echo(line, err=True)
