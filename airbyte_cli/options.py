"""Options that several commands share, so that they are called and described alike."""

from pathlib import Path
from typing import Annotated, Literal

import typer

PinsFile = Annotated[Path, typer.Option("--connectors", help="File of the pinned connector versions.")]
PipelinesFolder = Annotated[Path, typer.Option("--pipelines", help="Folder of the pipeline files.")]
RegistryFile = Annotated[
    Path | None,
    typer.Option("--registry", help="Registry in the format of Airbyte's oss_registry.json, instead of the server's."),
]
Output = Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="How to print the result.")]
ServerUrl = Annotated[
    str | None,
    typer.Option(
        "--airbyte-url",
        envvar="AIRBYTE_URL",
        help="Airbyte's address. Its credentials come from AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET.",
    ),
]
WorkspaceId = Annotated[
    str | None,
    typer.Option("--workspace-id", envvar="AIRBYTE_WORKSPACE_ID", help="Default: the instance's default workspace."),
]
