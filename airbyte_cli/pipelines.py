"""``airbyte-cli pipelines``: check pipeline files, alone or against a server, and describe their shape to editors."""

import json
from pathlib import Path
from typing import Annotated

import typer

from airbyte_cli.checking.commands import check
from airbyte_cli.options import Output, PinsFile
from components.errors import ConfigurationError
from components.pipeline_file import json_schema as described
from components.pipeline_file import load_pins, load_pipelines

app = typer.Typer(no_args_is_help=True, help="Pipeline files.")
app.command()(check)

Folder = Annotated[Path, typer.Argument(help="Folder of the pipeline files.")]


@app.command()
def validate(
    folder: Folder = Path("pipelines"),
    connectors: PinsFile = Path("connectors.yaml"),
    output: Output = "text",
) -> None:
    """Check everything that can be told from the files alone; says all problems at once."""
    try:
        found = load_pipelines(folder)
        pins = load_pins(connectors).resolve(found.actors)
    except ConfigurationError as error:
        if output == "json":
            problems = [{"where": p.where, "what": p.what, "fix": p.fix} for p in error.problems]
            typer.echo(json.dumps({"valid": False, "problems": problems}, indent=2))
        else:
            typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    versions = {connector: pin.version for connector, pin in pins.items()}
    if output == "json":
        names = [pipeline.name for pipeline in found.pipelines]
        alone = [actor.document.file.stem for actor in found.alone]
        summary = {"valid": True, "pipelines": names, "alone": alone, "connectors": versions}
        typer.echo(json.dumps(summary, indent=2))
        return
    for pipeline in found.pipelines:
        spec = pipeline.spec
        streams = len(spec.sync.streams)
        typer.echo(
            f"{pipeline.name}: {spec.source.connector} {versions[spec.source.connector]} → "
            f"{spec.destination.connector} {versions[spec.destination.connector]}, "
            f"{streams} stream{'s' if streams != 1 else ''}"
        )
    for actor in found.alone:
        connector = actor.spec.connector
        typer.echo(f"{actor.document.file.stem}: {actor.kind} {connector} {versions[connector]}, without a pipeline")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a pipeline file; pipelines/pipeline.schema.json is this."""
    typer.echo(json.dumps(json_schema(), indent=2))


def json_schema() -> dict[str, object]:
    """The JSON Schema that editors complete and check pipeline files with."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pipeline file",
        **{key: value for key, value in described().items() if key != "title"},
    }
