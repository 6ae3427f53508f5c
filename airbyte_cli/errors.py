"""How a command ends that could not do what it was asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from airbyte_cli.session import CLIENT_ID, CLIENT_SECRET
from components.errors import ConfigurationError
from dynamic_providers.airbyte.errors import AirbyteError, UnauthorizedError


@contextmanager
def told() -> Iterator[None]:
    """Tell on stderr what is wrong with the server or a file, and end with 1. Files are written last, if at all."""
    try:
        yield
    except UnauthorizedError as error:
        typer.echo(f"{error} Here they come from {CLIENT_ID} and {CLIENT_SECRET}.", err=True)
    except (ConfigurationError, AirbyteError) as error:
        typer.echo(str(error), err=True)
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"{error.filename}: {error.strerror}. Nothing was changed.", err=True)
    else:
        return
    raise typer.Exit(1)
