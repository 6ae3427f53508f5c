"""`connectors outdated`: what is pinned, what runs, what there is."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import CLIENT_SECRET, Airbyte, Project

UNUSED_URL = "http://localhost:9"
FIELDS = {
    "connector",
    "pinned",
    "pinned_in",
    "running",
    "latest",
    "status",
    "behind",
    "breaking_changes",
    "breaking_changes_complete",
    "support_state",
    "support_deadline",
    "known_bad",
}
FAKER_7 = {"7.0.0": {"message": "seven", "upgradeDeadline": "2099-01-01", "migrationDocumentationUrl": "https://x/7"}}


# Without a server


@pytest.mark.parametrize(
    ("pinned", "status", "behind"),
    [
        ("3.7.0", "up_to_date", None),
        ("3.6.9", "outdated", "minor"),
        ("3.7.1", "ahead", None),
        ("2.9.9", "outdated", "major"),
        ("3.7.0-rc.1", "unknown", None),
        ("dev-02eae48501", "unknown", None),
    ],
)
def test_a_pin_is_compared_with_the_registry_file(
    project: Project, pinned: str, status: str, behind: str | None
) -> None:
    project.pin(f"source-postgres: {pinned}\n")
    found = project.connector("source-postgres", "--registry", project.registry())
    assert (found["latest"], found["status"], found["behind"]) == ("3.7.0", status, behind)


@pytest.mark.parametrize("connector", ["source-of-our-own", "source-gone"])
def test_what_the_registry_does_not_offer_is_unknown_and_not_up_to_date(project: Project, connector: str) -> None:
    project.pin(f"{connector}: 9.9.9\n")
    found = project.connector(connector, "--registry", project.registry())
    assert (found["latest"], found["status"], found["breaking_changes_complete"]) == (None, "unknown", None)


def test_a_connector_of_ones_own_is_not_taken_for_airbytes(project: Project) -> None:
    project.pin("acme/source-postgres: 1.0.0\n")
    assert project.connector("acme/source-postgres", "--registry", project.registry())["status"] == "unknown"


def test_offline_nothing_is_said_of_what_runs(project: Project) -> None:
    project.pin("source-postgres: 3.7.0\n")
    report = project.report("--registry", project.registry())
    assert (report["server"], report["workspace_id"]) == (None, None)
    assert report["connectors"][0]["running"] is None
    assert report["connectors"][0]["support_state"] is None


def test_a_server_that_does_not_answer_can_be_done_without_only_with_a_registry_file(project: Project) -> None:
    project.pin("source-postgres: 3.6.1\n")
    result = project.run("outdated", "--airbyte-url", UNUSED_URL, "--registry", project.registry())
    assert (result.exit_code, "minor behind" in result.stdout) == (0, True)
    assert f"does not answer at {UNUSED_URL}" in result.stderr
    result = project.run("outdated", "--airbyte-url", UNUSED_URL)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "--registry" in result.stderr


def test_with_neither_server_nor_registry_there_is_no_report(project: Project) -> None:
    project.pin("source-postgres: 3.6.1\n")
    result = project.run("outdated")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "AIRBYTE_URL" in result.stderr


def test_the_breaking_changes_on_the_way_are_listed_and_no_others(project: Project) -> None:
    project.pin("source-github: 2.1.0\ndestination-snowflake: 4.0.10\n")
    registry = project.registry()
    assert [c["version"] for c in project.connector("source-github", "--registry", registry)["breaking_changes"]] == [
        "3.0.0"
    ]
    found = project.connector("destination-snowflake", "--registry", registry)
    assert found["breaking_changes_complete"] is True
    assert found["breaking_changes"] == [
        {
            "version": "5.0.0",
            "message": "Password login is deprecated.\nGive the service user a key pair before upgrading",
            "migration_url": "https://docs.airbyte.com/integrations/destinations/snowflake-migrations#5.0.0",
            "upgrade_deadline": "2026-10-31",
        }
    ]


def test_a_known_bad_pin_is_named_even_where_it_is_the_latest(project: Project) -> None:
    project.pin("source-mongodb-v2: 1.5.18\n")
    found = project.connector("source-mongodb-v2", "--registry", project.registry())
    assert found["status"] == "up_to_date"
    assert found["known_bad"]["sources"] == ["https://github.com/airbytehq/airbyte/pull/59134"]
    assert project.run("outdated", "--registry", project.registry(), "--exit-code").exit_code == 3


def test_pins_of_pipeline_files_are_reported_with_their_place(project: Project) -> None:
    project.pin("source-postgres: 3.7.0\n")
    project.pipeline("orders", source_postgres="3.6.1", destination_redshift="3.5.4")
    report = project.report("--registry", project.registry())
    assert [(c["connector"], c["pinned"], c["pinned_in"]) for c in report["connectors"]] == [
        ("destination-redshift", "3.5.4", ["pipelines/orders.yaml:6: destination.version"]),
        ("source-postgres", "3.6.1", ["pipelines/orders.yaml:3: source.version"]),
        ("source-postgres", "3.7.0", ["connectors.yaml:1: source-postgres"]),
    ]


def test_the_shape_of_the_json(project: Project) -> None:
    project.pin("source-postgres: 3.6.1\nsource-mongodb-v2: 1.5.18\nsource-own: 1.0.0\n")
    report = project.report("--registry", project.registry())
    assert set(report) == {"format", "server", "workspace_id", "registry", "summary", "connectors"}
    assert report["format"] == 1
    assert all(set(each) == FIELDS for each in report["connectors"])
    assert report["summary"] == {
        "up_to_date": 1,
        "outdated": 1,
        "ahead": 0,
        "unknown": 1,
        "deprecated": 0,
        "unsupported": 0,
        "known_bad": 1,
    }


def test_the_documentation_describes_every_field(project_root: Path) -> None:
    page = (project_root / "docs" / "connectors.md").read_text()
    for field in FIELDS:
        assert f"| `{field}` |" in page


@pytest.mark.parametrize(
    ("pins", "code"),
    [
        ("source-postgres: 3.7.0\n", 0),
        ("source-postgres: 3.8.0\n", 0),
        ("source-postgres: 3.6.0\nsource-own: 1.0.0\n", 3),
        ("source-postgres: 3.7.0\nsource-own: 1.0.0\n", 4),
    ],
)
def test_the_exit_code_tells_only_when_asked(project: Project, pins: str, code: int) -> None:
    project.pin(pins)
    registry = project.registry()
    assert project.run("outdated", "--registry", registry).exit_code == 0
    assert project.run("outdated", "--registry", registry, "--exit-code").exit_code == code


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"sources": []}', '{"sources": [{}], "destinations": []}', '{"sources": [], "destinations": []}'],
)
def test_a_file_that_is_no_registry_is_an_error(project: Project, text: str) -> None:
    project.pin("source-postgres: 3.7.0\n")
    (project.folder / "r.json").write_text(text)
    result = project.run("outdated", "--registry", "r.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("r.json: ")


def test_an_entry_that_can_not_be_read_is_an_error_of_that_connector_alone(project: Project) -> None:
    registry = project.registry(source_github={"dockerImageTag": None})
    project.pin("source-postgres: 3.7.0\n")
    assert project.run("outdated", "--registry", registry).exit_code == 0
    project.pin("source-github: 3.0.0\n")
    result = project.run("outdated", "--registry", registry)
    assert result.exit_code == 1
    assert "source-github" in result.stderr
    assert "dockerImageTag" in result.stderr


def test_a_build_log_gets_plain_text_that_fits_120_columns(project: Project) -> None:
    # given messages longer than a line, and an environment that asks for colour
    project.pin("destination-snowflake: 4.0.10\nsource-mongodb-v2: 1.5.18\n")
    guide = f"https://docs.airbyte.com/{'a/' * 60}"
    long = {"message": "words " * 60, "upgradeDeadline": "2026-10-31", "migrationDocumentationUrl": guide}
    registry = project.registry(
        destination_snowflake={"dockerImageTag": "5.0.0", "releases": {"breakingChanges": {"5.0.0": long}}}
    )
    # when the command runs as CI runs it
    command = [sys.executable, "-m", "airbyte_cli", "connectors", "outdated", "--registry", registry]
    environment = {**os.environ, "FORCE_COLOR": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    # then
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert f"  {guide}" in lines  # whole, so that it can be followed
    assert max(len(line) for line in lines if guide not in line) <= 120
    assert "1.5.18 (bad)" in done.stdout
    assert "2026-10-31" in done.stdout


# With a server


def test_a_server_tells_the_latest_version_and_what_runs(project: Project, airbyte: Airbyte) -> None:
    # given a workspace pin and a source that follows it
    project.pin("source-faker: 6.2.10\n")
    airbyte.pin("source-faker", "6.2.10")
    airbyte.source("source-faker", "sample")
    found = project.connector("source-faker")
    assert (found["latest"], found["status"], found["behind"]) == ("6.2.20", "outdated", "patch")
    assert found["running"] == [
        {"version": "6.2.10", "support_state": "supported", "support_deadline": None, "used_by": ["sample"]}
    ]
    assert found["support_state"] == "supported"


def test_a_source_with_a_pin_of_its_own_is_told_apart(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.20\n")
    airbyte.pin("source-faker", "6.2.20")
    for name in ("a", "b"):
        airbyte.source("source-faker", name)
    airbyte.pin("source-faker", "6.2.10", actor_id=airbyte.source("source-faker", "held"))
    found = project.connector("source-faker")
    assert [(each["version"], each["used_by"]) for each in found["running"]] == [
        ("6.2.10", ["held"]),
        ("6.2.20", ["a", "b"]),
    ]
    assert "held runs 6.2.10" in project.run("outdated").stdout


def test_a_connector_that_nothing_uses_runs_nowhere(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.20\n")
    found = project.connector("source-faker")
    assert (found["running"], found["support_state"], found["status"]) == ([], None, "up_to_date")


def test_sources_of_one_version_are_asked_about_once(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.20\n")
    airbyte.pin("source-faker", "6.2.20")
    for number in range(5):
        airbyte.source("source-faker", f"sample {number}")
    airbyte.calls()
    assert len(project.connector("source-faker")["running"][0]["used_by"]) == 5
    assert airbyte.calls().count("/v1/actor_definition_versions/get_for_source") == 1


def test_each_source_is_asked_where_pins_may_not_be_seen(project: Project, airbyte: Airbyte) -> None:
    # given an actor's pin that the list of pins would tell, if this application might read it
    project.pin("source-faker: 6.2.20\n")
    airbyte.source("source-faker", "free")
    airbyte.pin("source-faker", "6.2.10", actor_id=airbyte.source("source-faker", "held"))
    airbyte.forbid("/v1/scoped_configuration/list")
    assert [each["version"] for each in project.connector("source-faker")["running"]] == ["6.2.10", "6.2.20"]


@pytest.mark.parametrize(("deadline", "state"), [("2099-01-01", "deprecated"), ("2000-01-01", "unsupported")])
def test_the_support_state_and_its_deadline_are_the_servers(
    project: Project, airbyte: Airbyte, deadline: str, state: str
) -> None:
    # given a breaking change between what runs and the instance's own version
    project.pin("source-faker: 6.2.10\n")
    airbyte.publish("source-faker", breakingChanges={"6.2.20": {**FAKER_7["7.0.0"], "upgradeDeadline": deadline}})
    airbyte.pin("source-faker", "6.2.10")
    airbyte.source("source-faker", "sample")
    found = project.connector("source-faker")
    assert (found["support_state"], found["support_deadline"]) == (state, deadline)
    assert [change["version"] for change in found["breaking_changes"]] == ["6.2.20"]
    assert project.run("outdated", "--exit-code").exit_code == 3


def test_a_source_out_of_support_needs_work_even_where_the_pin_is_up_to_date(
    project: Project, airbyte: Airbyte
) -> None:
    project.pin("source-faker: 6.2.20\n")
    airbyte.publish("source-faker", breakingChanges={"6.2.20": FAKER_7["7.0.0"]})
    airbyte.pin("source-faker", "6.2.10", actor_id=airbyte.source("source-faker", "held"))
    found = project.connector("source-faker")
    assert (found["status"], found["support_state"]) == ("up_to_date", "deprecated")
    assert project.run("outdated", "--exit-code").exit_code == 3


def test_below_what_runs_the_server_does_not_know_the_breaking_changes(project: Project, airbyte: Airbyte) -> None:
    # given a pin of an older major version than the only source runs
    project.pin("source-faker: 5.0.0\n")
    airbyte.source("source-faker", "sample")
    assert project.connector("source-faker")["breaking_changes_complete"] is False


def test_a_server_that_does_not_reach_its_registry_makes_the_latest_unknown(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.20\n")
    airbyte.server.instance.registry.online = False
    found = project.connector("source-faker")
    assert (found["latest"], found["status"]) == (None, "unknown")
    assert project.run("outdated", "--exit-code").exit_code == 4


def test_a_major_step_that_the_server_does_not_explain_is_said_to_be_unexplained(
    project: Project, airbyte: Airbyte
) -> None:
    # given a newer major version in the registry than the instance's own, beyond which a server tells nothing
    project.pin("source-faker: 6.2.20\n")
    airbyte.publish("source-faker", latestTag="7.0.0", tags=["6.2.20", "7.0.0"], breakingChanges=FAKER_7)
    airbyte.source("source-faker", "sample")
    found = project.connector("source-faker")
    assert (found["behind"], found["breaking_changes"], found["breaking_changes_complete"]) == ("major", [], False)
    assert "--registry" in project.run("outdated").stdout


def test_a_registry_file_is_asked_before_the_servers(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.20\n")
    registry = project.registry(source_faker={"dockerImageTag": "6.3.0"})
    report = project.report("--registry", registry)
    assert (report["registry"], report["server"]) == (registry, airbyte.url)
    assert report["connectors"][0]["latest"] == "6.3.0"


def test_wrong_credentials_are_an_error_that_names_the_variables_and_no_secret(
    project: Project, airbyte: Airbyte, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.pin("source-faker: 6.2.20\n")
    monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", "not-the-secret")
    result = project.run("outdated")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "AIRBYTE_CLIENT_SECRET" in result.stderr
    assert "not-the-secret" not in result.stderr
    monkeypatch.delenv("AIRBYTE_CLIENT_SECRET")
    result = project.run("outdated")
    assert (result.exit_code, "AIRBYTE_CLIENT_SECRET is not set" in result.stderr) == (1, True)


def test_an_address_that_is_none_is_an_error_that_names_the_option(project: Project) -> None:
    project.pin("source-faker: 6.2.20\n")
    result = project.run("outdated", "--airbyte-url", "airbyte.example.com")
    assert (result.exit_code, "--airbyte-url" in result.stderr) == (1, True)


def test_the_secret_is_in_no_output(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.20\n")
    airbyte.source("source-faker", "sample")
    for arguments in (("outdated",), ("outdated", "-o", "json"), ("upgrade", "--all")):
        result = project.run(*arguments)
        assert CLIENT_SECRET not in result.output
        assert result.exit_code == 0


def test_as_a_program_of_its_own(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.10\n")
    command = [sys.executable, "-m", "airbyte_cli", "connectors", "outdated", "-o", "json", "--exit-code"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["connectors"][0]["latest"] == "6.2.20"
