"""A workspace that is not there is told by every command: its lists would just be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from airbyte_cli.__main__ import app

if TYPE_CHECKING:
    from tests.cli.conftest import Airbyte, Project

UNKNOWN = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    "command",
    [
        ("import", "--out", "made"),
        ("connectors", "outdated"),
        ("connections", "sync", "a → b"),
    ],
)
def test_an_unknown_workspace_is_an_error(project: Project, airbyte: Airbyte, command: tuple[str, ...]) -> None:
    project.pin("source-faker: 6.2.20\n")
    result = CliRunner().invoke(app, [*command, "--workspace-id", UNKNOWN])
    assert result.exit_code == 1, result.output
    assert f"Airbyte at {airbyte.url} has no workspace {UNKNOWN}. Correct the id" in result.stderr
    assert result.stdout == ""
    assert not (project.folder / "made").exists()


def test_the_workspace_that_is_there_is_taken_by_its_id(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.20\n")
    workspace = airbyte.client.instance().default_workspace_id
    result = CliRunner().invoke(app, ["connectors", "outdated", "--workspace-id", workspace])
    assert result.exit_code == 0, result.output
