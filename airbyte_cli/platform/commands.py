"""The commands ``airbyte-cli platform …``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from airbyte_cli.options import Output
from airbyte_cli.platform.helm import OFFICIAL_REPOSITORY, Helm
from airbyte_cli.platform.platform_values import production_values
from airbyte_cli.platform.report_text import print_report
from airbyte_cli.platform.sizing import sizing
from airbyte_cli.platform.template_syntax import TemplateSyntaxError
from airbyte_cli.platform.verification import verify
from components.airbyte_platform.chart import load_table
from components.errors import ConfigurationError, Problem

app = typer.Typer(no_args_is_help=True, help="The Helm chart that Airbyte is installed from.")

DEVIATES = 3
"""Exit code of a chart that is not as expected."""
_NAME = "airbyte"
"""Of the release and its namespace: what names are compared with."""


app.command()(sizing)


@app.command()
def verify_chart(
    chart: Annotated[
        str, typer.Argument(metavar="CHART", help="A folder, an archive, or a repository (https:// or oci://).")
    ] = OFFICIAL_REPOSITORY,
    version: Annotated[
        str | None, typer.Option("--version", help="Of the chart in a repository. Default: the newest.")
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option("--values", help="Values to render it with. Default: those of a production platform."),
    ] = None,
    output: Output = "text",
) -> None:
    """Compare a chart with what the project expects of it: keys, objects, hooks, images, Secrets, pod security.

    Exit codes: 0 it is as expected; 1 it could not be verified; 3 it deviates, and the report says where.
    """
    try:
        given = _values(values)
        helm = Helm.find()
        with helm.chart(chart, version) as found:
            table = load_table(found.version)
            report = verify(found, table, given, helm.render(found, given, _NAME, _NAME), _NAME)
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except TemplateSyntaxError as error:
        typer.echo(f"{chart}: {error}. Its templates can't be told apart from here.", err=True)
        raise typer.Exit(1) from None
    if output == "json":
        typer.echo(report.model_dump_json(indent=2))
    else:
        print_report(report)
    if report.deviations:
        raise typer.Exit(DEVIATES)


def _values(file: Path | None) -> Mapping[str, Any]:
    if file is None:
        return production_values()
    try:
        read = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except (OSError, YAMLError, ValueError) as error:
        what = f"can't be read ({str(error).splitlines()[0]})."
        raise ConfigurationError([Problem(str(file), what, "Name a file of Helm values.")]) from None
    if not isinstance(read, dict):
        raise ConfigurationError([Problem(str(file), "holds no values.", "Name a file of Helm values.")])
    return read
