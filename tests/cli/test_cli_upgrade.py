"""`connectors upgrade`: which pins move, and everything that is refused."""

import shlex
from pathlib import Path

import pytest

from components.pipeline_file import load_pins
from tests.cli.conftest import SNOWFLAKE_5, Airbyte, Project

PINS = """\
# Pinned versions.

destination-snowflake: 4.0.10   # until the key pair is there
source-postgres: "3.6.1"
"""


def refused(project: Project, *arguments: str) -> str:
    """Run an upgrade that must be refused and leave everything as it was; gives what is said."""
    before = {file: file.read_bytes() for file in project.folder.rglob("*") if file.is_file()}
    result = project.run("upgrade", *arguments)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert {file: file.read_bytes() for file in project.folder.rglob("*") if file.is_file()} == before
    return result.stderr


def test_a_connector_moves_to_the_latest_version_and_the_file_is_otherwise_the_same(project: Project) -> None:
    project.pin(PINS)
    result = project.run("upgrade", "source-postgres", "--registry", project.registry())
    assert (result.exit_code, result.stdout, result.stderr) == (0, "source-postgres: 3.6.1 -> 3.7.0\n", "")
    assert project.pins.read_text() == PINS.replace("3.6.1", "3.7.0")


def test_to_a_version_that_is_named_nothing_needs_to_be_known_within_one_major_version(project: Project) -> None:
    project.pin(PINS)
    result = project.run("upgrade", "source-postgres==3.6.32")
    assert result.stdout == "source-postgres: 3.6.1 -> 3.6.32\n"
    assert project.pins.read_text() == PINS.replace("3.6.1", "3.6.32")


def test_a_dry_run_says_the_same_and_writes_nothing(project: Project) -> None:
    project.pin(PINS)
    result = project.run("upgrade", "source-postgres", "--dry-run", "--registry", project.registry())
    assert (result.exit_code, result.stdout) == (0, "source-postgres: 3.6.1 -> 3.7.0\n")
    assert project.pins.read_text() == PINS


def test_a_second_time_there_is_nothing_to_do(project: Project) -> None:
    project.pin(PINS)
    arguments = ("upgrade", "source-postgres", "--registry", project.registry())
    project.run(*arguments)
    written = project.pins.stat()
    result = project.run(*arguments)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "stays at 3.7.0" in result.stderr
    assert project.pins.stat().st_mtime_ns == written.st_mtime_ns


def test_going_back_to_a_version_that_is_named_is_allowed(project: Project) -> None:
    project.pin("source-mongodb-v2: 1.5.18\n")
    result = project.run("upgrade", "source-mongodb-v2==1.5.17", "--registry", project.registry())
    assert result.stdout == "source-mongodb-v2: 1.5.18 -> 1.5.17\n"


# Breaking changes


def test_a_breaking_change_is_refused_with_its_text_link_and_deadline(project: Project) -> None:
    project.pin(PINS)
    said = refused(project, "destination-snowflake", "--registry", project.registry())
    assert said.startswith("connectors.yaml:3: destination-snowflake: 4.0.10 -> 5.0.0 crosses")
    assert "Password login is deprecated. Give the service user a key pair before upgrading." in said
    assert f"Read {SNOWFLAKE_5['migrationDocumentationUrl']} and" in said
    assert "2026-10-31" in said
    assert "--accept-breaking destination-snowflake==5.0.0" in said


def test_a_breaking_change_that_is_named_may_be_crossed(project: Project) -> None:
    project.pin(PINS)
    accept = ("--accept-breaking", "destination-snowflake==5.0.0")
    result = project.run("upgrade", "destination-snowflake", *accept, "--registry", project.registry())
    assert (result.stdout, result.stderr) == ("destination-snowflake: 4.0.10 -> 5.0.0, accepting 5.0.0\n", "")
    # then the file says so too, which `pulumi up` reads, and every other line is as it was
    changed = [line for line in project.pins.read_text().splitlines() if line not in PINS.splitlines()]
    assert len(changed) == 1
    assert changed[0].startswith("destination-snowflake: {version: 5.0.0, accept_breaking: [5.0.0]}")
    assert load_pins(project.pins).accept_breaking["destination-snowflake"] == ("5.0.0",)


def test_of_one_connector_the_version_alone_says_which_change_is_accepted(project: Project) -> None:
    project.pin("source-github: 1.8.0\n")
    accept = ("--accept-breaking", "2.0.0", "--accept-breaking", "3.0.0")
    result = project.run("upgrade", "source-github", *accept, "--registry", project.registry())
    assert result.stdout == "source-github: 1.8.0 -> 3.0.0, accepting 2.0.0, 3.0.0\n"
    assert project.pins.read_text() == "source-github: {version: 3.0.0, accept_breaking: [2.0.0, 3.0.0]}\n"


def test_a_refusal_prints_the_command_that_takes_the_step(project: Project) -> None:
    project.pin("source-github: 1.8.0\n")
    registry = project.registry()
    said = refused(project, "source-github", "--accept-breaking", "2.0.0", "--registry", registry)
    command = said.strip().rpartition("run: airbyte-cli connectors ")[2]
    result = project.run(*shlex.split(command))
    assert result.stdout == "source-github: 1.8.0 -> 3.0.0, accepting 2.0.0, 3.0.0\n"


def test_a_change_is_accepted_for_the_version_that_the_file_has_already(project: Project) -> None:
    project.pin("source-github: 3.0.0  # by hand\n")
    result = project.run("upgrade", "source-github==3.0.0", "--accept-breaking", "3.0.0")
    assert result.stdout == "source-github: 3.0.0, accepting 3.0.0\n"
    assert project.pins.read_text() == "source-github: {version: 3.0.0, accept_breaking: [3.0.0]}  # by hand\n"
    again = project.run("upgrade", "source-github==3.0.0", "--accept-breaking", "3.0.0")
    assert (again.stdout, "is at 3.0.0 already" in again.stderr) == ("", True)


def test_a_dry_run_accepts_nothing(project: Project) -> None:
    project.pin(PINS)
    accept = ("--accept-breaking", "5.0.0", "--dry-run")
    result = project.run("upgrade", "destination-snowflake", *accept, "--registry", project.registry())
    assert result.stdout == "destination-snowflake: 4.0.10 -> 5.0.0, accepting 5.0.0\n"
    assert project.pins.read_text() == PINS


def test_a_breaking_change_that_the_file_accepts_may_be_crossed(project: Project) -> None:
    project.pin('destination-snowflake: {version: 4.0.10, accept_breaking: ["5.0.0"]}  # soon\n')
    result = project.run("upgrade", "--all", "--registry", project.registry())
    assert (result.stdout, result.stderr) == ("destination-snowflake: 4.0.10 -> 5.0.0\n", "")
    assert project.pins.read_text() == 'destination-snowflake: {version: 5.0.0, accept_breaking: ["5.0.0"]}  # soon\n'


def test_each_breaking_change_on_the_way_must_be_named(project: Project) -> None:
    project.pin("source-github: 1.8.0\n")
    registry = project.registry()
    said = refused(project, "source-github", "--accept-breaking", "source-github==3.0.0", "--registry", registry)
    assert "breaking change 2.0.0" in said
    assert "breaking change 3.0.0" not in said


def test_a_breaking_change_named_for_another_connector_does_not_count(project: Project) -> None:
    project.pin(PINS)
    accept = ("--accept-breaking", "source-postgres==5.0.0")
    refused(project, "destination-snowflake", *accept, "--registry", project.registry())


def test_a_release_candidate_brings_the_breaking_change_of_its_version(project: Project) -> None:
    project.pin(PINS)
    said = refused(project, "destination-snowflake==5.0.0-rc.1", "--registry", project.registry())
    assert "breaking change 5.0.0" in said


def test_the_way_back_over_a_breaking_change_is_refused_too(project: Project) -> None:
    project.pin("destination-snowflake: 5.0.0\n")
    said = refused(project, "destination-snowflake==4.0.10", "--registry", project.registry())
    assert "breaking change 5.0.0" in said


@pytest.mark.parametrize("version", ["4.0.0", "dev-1"])
def test_a_step_that_nobody_can_explain_must_be_named(project: Project, version: str) -> None:
    # given neither server nor registry
    project.pin(PINS)
    said = refused(project, f"source-postgres=={version}")
    assert f"--accept-breaking source-postgres=={version}" in said
    result = project.run("upgrade", f"source-postgres=={version}", "--accept-breaking", f"source-postgres=={version}")
    assert result.stdout == f"source-postgres: 3.6.1 -> {version}, accepting {version}\n"


def test_each_major_version_that_nobody_can_explain_must_be_named(project: Project) -> None:
    project.pin(PINS)
    said = refused(project, "source-postgres==5.1.0", "--accept-breaking", "source-postgres==4.0.0")
    assert said.count("may cross") == 1
    assert "--accept-breaking source-postgres==5.0.0" in said


def test_one_refusal_stops_all(project: Project) -> None:
    project.pin(PINS)
    said = refused(project, "--all", "--registry", project.registry())
    assert "breaking change 5.0.0" in said


def test_all_refusals_are_told_together(project: Project) -> None:
    project.pin(PINS + "source-mongodb-v2: 1.5.17\n")
    said = refused(project, "--all", "--registry", project.registry())
    assert [line.split(":")[1] for line in said.splitlines()] == ["3", "5"]


# Connectors of one's own


def test_a_connector_of_ones_own_is_named_by_its_image(project: Project) -> None:
    project.pin("registry.example.com:5000/acme/source-orders: 1.0.0\nsource-orders: 1.0.0\n")
    named = "registry.example.com:5000/acme/source-orders"
    result = project.run("upgrade", f"{named}==1.1.0", "--registry", project.registry())
    assert result.stdout == f"{named}: 1.0.0 -> 1.1.0\n"
    assert project.pins.read_text() == f"{named}: 1.1.0\nsource-orders: 1.0.0\n"


# Steps


@pytest.mark.parametrize(
    ("limit", "changed"),
    [("patch", []), ("minor", ["source-postgres: 3.6.1 -> 3.7.0"])],
)
def test_a_limit_leaves_out_bigger_steps_and_says_so(project: Project, limit: str, changed: list[str]) -> None:
    project.pin(PINS)
    result = project.run("upgrade", "--all", "--within", limit, "--registry", project.registry())
    assert (result.exit_code, result.stdout.splitlines()) == (0, changed)
    assert "destination-snowflake stays at 4.0.10: 5.0.0 is a major step" in result.stderr


def test_a_named_version_beyond_the_limit_is_refused(project: Project) -> None:
    project.pin(PINS)
    said = refused(project, "source-postgres==3.7.0", "--within", "patch", "--registry", project.registry())
    assert "minor step" in said


# Versions and connectors that do not do


def test_a_known_bad_version_is_refused_with_its_reason(project: Project) -> None:
    project.pin("source-mongodb-v2: 1.5.17\n")
    for arguments in (("source-mongodb-v2",), ("source-mongodb-v2==1.5.18",), ("--all",)):
        said = refused(project, *arguments, "--registry", project.registry())
        assert "known to be bad" in said
        assert "https://github.com/airbytehq/airbyte/pull/59134" in said


def test_a_version_newer_than_the_registrys_latest_is_refused(project: Project) -> None:
    project.pin(PINS)
    said = refused(project, "source-postgres==3.7.1", "--registry", project.registry())
    assert "no version 3.7.1" in said
    assert "3.7.0" in said


def test_a_tag_that_moves_by_itself_is_refused(project: Project) -> None:
    project.pin(PINS)
    said = refused(project, "source-postgres==latest", "--accept-breaking", "source-postgres==latest")
    assert said.startswith("connectors.yaml:4: source-postgres")
    assert "moves by itself" in said


def test_a_connector_without_a_known_latest_version_is_refused_when_named(project: Project) -> None:
    project.pin(PINS + "source-own: 1.0.0\n")
    assert "latest version is unknown" in refused(project, "source-own", "--registry", project.registry())
    result = project.run("upgrade", "--all", "--within", "minor", "--registry", project.registry())
    assert (result.exit_code, "source-own stays at 1.0.0" in result.stderr) == (0, True)


def test_a_pin_that_can_not_be_compared_is_refused_when_named(project: Project) -> None:
    project.pin("source-postgres: dev-1\n")
    assert "dev-1 can't be compared" in refused(project, "source-postgres", "--registry", project.registry())


def test_a_connector_that_is_not_pinned_is_refused_with_the_nearest(project: Project) -> None:
    project.pin(PINS)
    assert "Did you mean source-postgres?" in refused(project, "source-postgre", "--registry", project.registry())


def test_pins_of_pipeline_files_are_reported_and_not_edited(project: Project) -> None:
    project.pin("source-postgres: 3.6.1\n")
    project.pipeline("orders", source_postgres="3.6.1", destination_redshift="3.5.0")
    before = (project.folder / "pipelines/orders.yaml").read_bytes()
    result = project.run("upgrade", "source-postgres", "--registry", project.registry())
    assert result.stdout == "source-postgres: 3.6.1 -> 3.7.0\n"
    assert "pipelines/orders.yaml:3: source.version: source-postgres is pinned at 3.6.1 here" in result.stderr
    assert (project.folder / "pipelines/orders.yaml").read_bytes() == before
    said = refused(project, "destination-redshift", "--registry", project.registry())
    assert said.startswith("pipelines/orders.yaml:6: destination.version")


def test_nothing_known_of_any_connector_is_an_error_and_no_silent_success(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.10\n")
    airbyte.server.instance.registry.online = False
    assert "no latest version" in refused(project, "--all")


def test_without_anything_to_ask_the_latest_can_not_be_found(project: Project) -> None:
    project.pin(PINS)
    for arguments in (("--all",), ("source-postgres",)):
        assert "AIRBYTE_URL" in refused(project, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("postgres",),
        ("source-postgres==",),
        ("source-postgres=3.7.0",),
        ("source-postgres", "source-postgres==3.7.0"),
        ("source-postgres", "--accept-breaking", "source-postgres"),
        ("source-postgres", "--accept-breaking", "four"),
        ("--all", "--accept-breaking", "4.0.0"),
        ("source-postgres", "destination-snowflake", "--accept-breaking", "4.0.0"),
        ("source-postgres", "--within", "epoch"),
    ],
)
def test_a_wrong_command_line_is_told_apart_from_a_refusal(project: Project, arguments: tuple[str, ...]) -> None:
    project.pin(PINS)
    result = project.run("upgrade", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert project.pins.read_text() == PINS


# With a server


def test_a_server_is_asked_for_the_latest_version(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.10\n")
    assert project.run("upgrade", "--all").stdout == "source-faker: 6.2.10 -> 6.2.20\n"


def test_within_a_limit_the_instances_own_version_will_do(project: Project, airbyte: Airbyte) -> None:
    # given a latest version of another major than the instance's
    project.pin("destination-snowflake: 4.0.10\n")
    result = project.run("upgrade", "--all", "--within", "minor")
    assert result.stdout == "destination-snowflake: 4.0.10 -> 4.0.33\n"
    assert "5.0.0 is a major step" in result.stderr


def test_a_version_that_the_server_can_not_find_is_refused(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.10\n")
    said = refused(project, "source-faker==6.2.11")
    assert "no version 6.2.11" in said
    assert "The latest known is 6.2.20." in said


def test_a_connector_that_the_server_does_not_have_is_refused(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-own: 1.0.0\n")
    assert "no version 1.0.1" in refused(project, "source-own==1.0.1")


def test_a_version_is_taken_where_the_server_may_not_be_asked(project: Project, airbyte: Airbyte) -> None:
    project.pin("source-faker: 6.2.10\n")
    airbyte.forbid("/v1/actor_definition_versions/resolve")
    assert project.run("upgrade", "source-faker==6.2.11").stdout == "source-faker: 6.2.10 -> 6.2.11\n"


def test_the_breaking_changes_that_a_server_tells_are_refused(project: Project, airbyte: Airbyte) -> None:
    # given a source that runs below a breaking change of the instance's own version
    project.pin("source-faker: 5.0.0\n")
    change = {"message": "six", "upgradeDeadline": "2099-01-01", "migrationDocumentationUrl": "https://x/6"}
    airbyte.publish("source-faker", tags=["5.0.0", "6.2.20"], breakingChanges={"6.0.0": change})
    airbyte.pin("source-faker", "5.0.0")
    airbyte.source("source-faker", "sample")
    said = refused(project, "source-faker")
    assert "breaking change 6.0.0, to be adopted by 2099-01-01: six. Read https://x/6 and" in said
    assert "nobody here can describe" not in said
    result = project.run("upgrade", "source-faker", "--accept-breaking", "source-faker==6.0.0")
    assert result.stdout == "source-faker: 5.0.0 -> 6.2.20, accepting 6.0.0\n"


def test_a_major_step_that_the_server_does_not_explain_is_refused(project: Project, airbyte: Airbyte) -> None:
    project.pin("destination-snowflake: 4.0.10\n")
    assert "nobody here can describe" in refused(project, "destination-snowflake")


# The file


def test_a_link_stays_a_link_and_permissions_stay(project: Project) -> None:
    real = project.folder / "shared.yaml"
    real.write_text("source-postgres: 3.6.1\n")
    real.chmod(0o640)
    project.pins.symlink_to(real)
    project.run("upgrade", "source-postgres==3.6.2")
    assert project.pins.is_symlink()
    assert real.read_text() == "source-postgres: 3.6.2\n"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device", str(project.pins))

    project.pin(PINS)
    monkeypatch.setattr("os.fsync", full)
    said = refused(project, "source-postgres==3.6.2")
    assert "No space left on device" in said
    assert [file.name for file in Path(project.folder).iterdir()] == ["connectors.yaml"]
