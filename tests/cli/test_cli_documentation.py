"""The commands that docs/connectors.md shows do what it says."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import SNOWFLAKE_5, Airbyte, Project

COMMAND = re.compile(r"airbyte-cli connectors ((?:outdated|upgrade)[^\n`>]*)")
MESSAGE = "Password login is deprecated in favour of key pairs. Give the service user a key pair before upgrading."


@pytest.fixture
def page(project_root: Path) -> str:
    return (project_root / "docs" / "connectors.md").read_text()


@pytest.fixture
def shown(project: Project, airbyte: Airbyte) -> Project:
    """The project that the page's examples come from."""
    project.pin("destination-snowflake: 4.0.10\nsource-postgres: 3.6.1\n")
    change = {"releases": {"breakingChanges": {"5.0.0": {**SNOWFLAKE_5, "message": MESSAGE}}}}
    registry = project.registry(destination_snowflake={"dockerImageTag": "5.0.0", **change})
    Path(registry).rename(project.folder / "oss_registry.json")
    airbyte.pin("destination-snowflake", "4.0.10")
    airbyte.pin("source-postgres", "3.6.1")
    database = {"host": "h", "port": 5432, "database": "d", "username": "u", "password": "p"}
    airbyte.source("source-postgres", "postgres_production", database)
    airbyte.destination("destination-snowflake", "snowflake_warehouse")
    return project


def test_every_command_shown_succeeds_or_has_something_to_tell(page: str, shown: Project) -> None:
    commands = [command for command in COMMAND.findall(page) if command != "upgrade"]  # its name alone is no command
    assert len(commands) > 5
    for command in commands:
        arguments = shlex.split(command)
        shown.pin("destination-snowflake: 4.0.10\nsource-postgres: 3.6.1\n")
        result = shown.run(*arguments)
        assert result.exit_code == (3 if "--exit-code" in arguments else 0), (command, result.output)


def test_the_report_shown_is_what_is_printed(page: str, shown: Project) -> None:
    example = page.split("$ airbyte-cli connectors outdated --registry oss_registry.json\n")[1].split("```")[0]
    printed = shown.run("outdated", "--registry", "oss_registry.json").stdout
    assert [line.rstrip() for line in printed.splitlines()] == example.splitlines()
