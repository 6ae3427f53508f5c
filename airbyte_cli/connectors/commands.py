"""The commands ``airbyte-cli connectors …``."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from airbyte_cli.connectors import outdated as reports
from airbyte_cli.connectors import pinned, pins_file
from airbyte_cli.connectors.facts import Facts
from airbyte_cli.connectors.registry_file import RegistryFile
from airbyte_cli.connectors.report_text import print_report
from airbyte_cli.connectors.server import Server
from airbyte_cli.connectors.upgrade import Planner
from airbyte_cli.connectors.versions import Step
from airbyte_cli.errors import told
from airbyte_cli.options import Output, PinsFile, PipelinesFolder, ServerUrl, WorkspaceId
from airbyte_cli.options import RegistryFile as RegistryPath
from airbyte_cli.session import credentials, known_workspace
from components.errors import ConfigurationError
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import SettingsError
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.settings import Settings, base_address

app = typer.Typer(no_args_is_help=True, help="Pinned connector versions.")

OUTDATED, UNKNOWN = 3, 4
"""Exit codes of `outdated --exit-code`."""

_VERSION = re.compile(r"\d+\.\d+\.\d+[A-Za-z0-9_.-]*")
_NAMED = re.compile(
    r"(?P<connector>([a-z0-9._:-]+/)*(source|destination)-[a-z0-9-]+)(==(?P<version>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
)


@app.command()
def outdated(
    connectors: PinsFile = Path("connectors.yaml"),
    pipelines: PipelinesFolder = Path("pipelines"),
    registry: RegistryPath = None,
    airbyte_url: ServerUrl = None,
    workspace_id: WorkspaceId = None,
    output: Output = "text",
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 3 or 4 where not all is known to be up to date.")
    ] = False,
) -> None:
    """Compare every pinned connector version with what runs and with the latest one.

    Exit codes: 0 the report was made, 1 it was not; with --exit-code also 3 where a pinned version is outdated, known
    to be bad or no longer fully supported, and 4 where none is but one can't be told.
    """
    with told(), _facts(registry, airbyte_url, workspace_id, needed=True) as found:
        report = reports.report(
            pinned.read(connectors, pipelines).places, found.facts, server=found.server, registry=found.registry
        )
    if output == "json":
        typer.echo(report.model_dump_json(indent=2))
    else:
        print_report(report)
    if exit_code and any(each.needs_work for each in report.connectors):
        raise typer.Exit(OUTDATED)
    if exit_code and report.summary.unknown:
        raise typer.Exit(UNKNOWN)


@app.command()
def upgrade(
    named: Annotated[
        list[str] | None, typer.Argument(metavar="[CONNECTOR[==VERSION]]...", help="Without a version: the latest.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every connector of the file.")] = False,
    within: Annotated[Step, typer.Option("--within", help="The biggest step to take.")] = "major",
    accept_breaking: Annotated[
        list[str] | None,
        typer.Option(
            "--accept-breaking",
            metavar="[CONNECTOR==]VERSION",
            help="A breaking change to cross, which is written into the file too; repeatable.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
    connectors: PinsFile = Path("connectors.yaml"),
    pipelines: PipelinesFolder = Path("pipelines"),
    registry: RegistryPath = None,
    airbyte_url: ServerUrl = None,
    workspace_id: WorkspaceId = None,
) -> None:
    """Move pins in connectors.yaml, one line each; all of those asked for, or none.

    Exit codes: 0 done, or nothing to do; 1 refused, and nothing was written.
    """
    asked = _asked(named or [])
    accepted = _accepted(accept_breaking or [], asked, every=every)
    if not asked and not every:
        raise typer.BadParameter("name connectors, or give --all")
    with told(), _facts(registry, airbyte_url, workspace_id, needed=every or None in asked.values()) as found:
        pins = pinned.read(connectors, pipelines)
        again = _options(connectors=connectors, pipelines=pipelines, registry=registry)
        plan = Planner(pins, found.facts, within, accepted, again).plan(asked, every=every)
        if plan.refusals:
            raise ConfigurationError(plan.refusals)
        text = pins_file.edited(
            pins.pins,
            {change.connector: change.new for change in plan.changes},
            {change.connector: change.accepts for change in plan.changes},
        )
        if plan.changes and not dry_run:
            pins_file.write(connectors, text)
    for change in plan.changes:
        typer.echo(str(change))
    for note in plan.notes:
        typer.echo(note, err=True)
    if dry_run:
        typer.echo("Nothing was written (--dry-run).", err=True)


@dataclass(frozen=True)
class _Found:
    facts: Facts
    server: str | None
    """Address of the server that answers."""
    registry: str | None
    """What the report calls its registry."""


@contextmanager
def _facts(file: Path | None, url: str | None, workspace_id: str | None, *, needed: bool) -> Iterator[_Found]:
    """Open what there is to ask; raises SettingsError where it is `needed` and there is nothing.

    A server that does not answer can be done without if a registry file was given, and not otherwise.
    """
    registry = RegistryFile.read(file) if file else None
    if not url:
        if needed and registry is None:
            raise SettingsError(
                "There is neither a server nor a registry to tell which versions there are",
                fix="Set AIRBYTE_URL (or --airbyte-url), or give a registry file (--registry).",
            )
        yield _Found(Facts(registry), None, str(file) if file else None)
        return
    settings = _settings(url, workspace_id)
    client = Client(settings)
    try:
        if client.answers():
            session = Session(client, settings.workspace_id)
            known_workspace(session)
            server = Server(session)
            yield _Found(Facts(registry, server), settings.url, str(file) if file else "server")
        elif registry is not None:
            typer.echo(f"Airbyte does not answer at {settings.url} ({client.silence}); what runs is unknown.", err=True)
            yield _Found(Facts(registry), None, str(file))
        else:
            raise SettingsError(
                f"Airbyte does not answer at {settings.url}",
                why=client.silence,
                fix="Check AIRBYTE_URL and that the server is up, or give a registry file (--registry).",
            )
    finally:
        client.close()


def _settings(url: str, workspace_id: str | None) -> Settings:
    client_id, secret = credentials()
    try:
        address = base_address(url)
    except SettingsError:
        raise SettingsError(
            f"AIRBYTE_URL (or --airbyte-url): {url!r} is no address",
            fix="Write it as https://airbyte.example.com, without /api.",
        ) from None
    return Settings(address, client_id, secret, workspace_id or None)


def _asked(named: list[str]) -> dict[str, str | None]:
    asked: dict[str, str | None] = {}
    for text in named:
        match = _NAMED.fullmatch(text)
        if match is None:
            raise typer.BadParameter(f"{text!r} is not of the form CONNECTOR or CONNECTOR==VERSION")
        if match["connector"] in asked:
            raise typer.BadParameter(f"{match['connector']} is named twice")
        asked[match["connector"]] = match["version"]
    return asked


def _accepted(texts: list[str], asked: dict[str, str | None], *, every: bool) -> set[tuple[str, str]]:
    """Connector and version of each breaking change that is accepted; a version alone is that of the one connector."""
    accepted = set()
    for text in texts:
        match = _NAMED.fullmatch(text)
        if match is not None and match["version"] is not None:
            accepted.add((match["connector"], match["version"]))
        elif match is not None or not _VERSION.fullmatch(text):
            raise typer.BadParameter(f"--accept-breaking {text!r} is not of the form CONNECTOR==VERSION or VERSION")
        elif every or len(asked) != 1:
            raise typer.BadParameter(f"--accept-breaking {text} does not say of which connector: CONNECTOR=={text}")
        else:
            accepted.add((next(iter(asked)), text))
    return accepted


def _options(**paths: Path | None) -> str:
    """The options of a command line that are not at their defaults."""
    defaults = {"connectors": Path("connectors.yaml"), "pipelines": Path("pipelines")}
    given = {name: path for name, path in paths.items() if path is not None and path != defaults.get(name)}
    return "".join(f" --{name} {shlex.quote(str(path))}" for name, path in given.items())
