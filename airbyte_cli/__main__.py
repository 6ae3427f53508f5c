"""``airbyte-cli``: what concerns pipeline files and connector versions rather than a stack.

Exit codes: 0 all is well, 1 something has problems, 2 the command line is wrong; see a command's help for more.
"""

import typer

from airbyte_cli import connections, pipelines
from airbyte_cli.connectors import commands as connectors
from airbyte_cli.importing.commands import import_workspace
from airbyte_cli.pipelines import json_schema
from airbyte_cli.platform import commands as platform

__all__ = ["app", "json_schema", "main"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(pipelines.app, name="pipelines")
app.add_typer(connectors.app, name="connectors")
app.add_typer(connections.app, name="connections")
app.add_typer(platform.app, name="platform")
app.command("import")(import_workspace)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
