"""``airbyte-cli pipelines check``: the gates of `pulumi up`, against a server that is not written to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airbyte_cli.checking import run
from dynamic_providers.airbyte.rehearsal import ReadOnlyClient, WouldWriteError
from dynamic_providers.airbyte.settings import Settings
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings as ServerSettings
from tests.cli.checked import (
    CLIENT_SECRET,
    PINS,
    REDSHIFT,
    SECRET,
    WRITES,
    Repository,
    copied,
    credentials,
    outcomes,
    pipeline,
    result_of,
)

if TYPE_CHECKING:
    from tests.cli.conftest import Airbyte, Project


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """One for all tests that change nothing on it, which is what the command promises."""
    with Running(ServerSettings(client_secret=CLIENT_SECRET, assume_checks_pass=True)) as running:
        yield running


@pytest.fixture
def repository(server: Running, project: Project, project_root: Path) -> Iterator[Repository]:
    """Nothing is deployed, and no stack is there: settings come from the environment."""
    made = Repository(
        copied(project_root, project.folder), server.url, {**credentials(server.url), "LAKE_PASSWORD": SECRET}
    )
    made.write(users=pipeline())
    yield made
    made.forget()


@pytest.fixture
def used(repository: Repository, airbyte: Airbyte) -> Repository:
    """The same with a server of its own, on which the test changes something."""
    return Repository(repository.folder, airbyte.url, {**repository.environment, **credentials(airbyte.url)})


# -- nothing is written ----------------------------------------------------------------------------------------------


def test_a_new_pipeline_is_checked_and_nothing_is_written(repository: Repository, server: Running) -> None:
    repository.forget()
    report = repository.report()
    assert outcomes(report) == {"users": "passed"}
    assert report["passed"] is True

    calls = repository.calls()
    assert calls.count("/v1/scheduler/sources/check_connection") == 1
    assert calls.count("/v1/scheduler/destinations/check_connection") == 1
    assert calls.count("/v1/scheduler/sources/discover_schema") == 1
    assert [call for call in calls if any(word in call for word in WRITES)] == []
    store = server.instance.store
    assert [list(kept) for kept in (store.actors, store.connections, store.catalogs)] == [[], [], []]


@pytest.mark.parametrize(
    "operation",
    ["sources/create", "connections/update", "scoped_configuration/create", "sources/check_and_create", "jobs/cancel"],
)
def test_the_client_of_a_rehearsal_sends_no_write(repository: Repository, operation: str) -> None:
    repository.forget()
    client = ReadOnlyClient(Settings(repository.url))
    with pytest.raises(WouldWriteError, match=operation):
        client.post(operation, {})
    with pytest.raises(WouldWriteError):
        client.post_many(operation, {})
    assert repository.calls() == []


def test_no_secret_is_shown(repository: Repository) -> None:
    repository.fault(path=REDSHIFT, connector={"message": f"FATAL: password {SECRET} is wrong"})
    result = repository.check()
    assert result.exit_code == 1
    assert "FATAL: password" in result.output
    assert SECRET not in result.output


# -- outcomes --------------------------------------------------------------------------------------------------------


def test_all_pipelines_are_checked_though_one_fails_and_shared_ends_once(repository: Repository) -> None:
    other = {"name": "broken", "config": {**pipeline()["destination"]["config"], "schema": "other"}}
    repository.write(users=pipeline(), more=pipeline("purchases"), broken=pipeline("products", destination=other))
    repository.fault(path=REDSHIFT, connector={"message": "no pg_hba.conf entry"}, times=1)
    report = repository.report(code=1)
    failed = [each for each in report["results"] if each["outcome"] == "failed"]
    assert len(failed) == 1
    assert failed[0]["kind"] == "destination"
    assert "The connector says: no pg_hba.conf entry" in failed[0]["message"]
    assert len(report["pipelines"]) == 3
    assert repository.calls().count("/v1/scheduler/sources/check_connection") == 1
    assert repository.calls().count("/v1/scheduler/destinations/check_connection") == 2


@pytest.mark.parametrize(
    ("fault", "outcome", "code", "words"),
    [
        ({"path": REDSHIFT, "connector": {"message": "no entry"}}, "failed", 1, "The connector says: no entry"),
        ({"path": REDSHIFT, "connector": {"crash": True, "message": "OOM"}}, "not_checked", 3, "broke down before"),
        (
            {"path": "/v1/scheduler/destinations/check_connection", "status": 500},
            "not_checked",
            3,
            "nothing is said about its configuration",
        ),
    ],
)
def test_a_no_is_told_from_what_could_not_be_asked(
    repository: Repository, fault: dict[str, Any], outcome: str, code: int, words: str
) -> None:
    repository.fault(times=0, **fault)
    report = repository.report(code=code)
    assert report["passed"] is False
    warehouse = result_of(report, "destination", "warehouse")
    assert (warehouse["outcome"], outcomes(report)) == (outcome, {"users": outcome})
    assert words in warehouse["message"]
    assert result_of(report, "connection", "people-users")["outcome"] == "passed"


def test_a_waived_check_is_not_run_and_its_reason_is_shown(repository: Repository) -> None:
    reason = "the warehouse opens on Monday"
    repository.write(users=pipeline(destination={"skip_check": reason}))
    repository.fault(path=REDSHIFT, connector={"message": "no"}, times=0)
    warehouse = result_of(repository.report(), "destination", "warehouse")
    assert (warehouse["outcome"], warehouse["waivers"]) == ("waived", {"skip_check": reason})
    assert f"skip_check: {reason}" in repository.check().stdout


def test_streams_of_a_source_that_does_not_pass_are_not_told(repository: Repository) -> None:
    repository.fault(path="connector:check:airbyte/source-faker", connector={"message": "no"})
    report = repository.report(code=1)
    connection = result_of(report, "connection", "people-users")
    assert connection["outcome"] == "not_checked"
    assert "Its source, people, does not pass its check" in connection["message"]


@pytest.mark.parametrize(
    ("sync", "words"),
    [
        ({"streams": [{"name": "user", "primary_key": ["id"]}]}, "The source has no stream user Did you mean users?"),
        ({"streams": [{"name": "users", "primary_key": ["uid"]}]}, "uid"),
        ({"streams": [{"name": "users", "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}]}, "reads"),
    ],
)
def test_streams_that_can_not_be_synced_are_refused(repository: Repository, sync: dict[str, Any], words: str) -> None:
    repository.write(users=pipeline(sync=sync))
    connection = result_of(repository.report(code=1), "connection", "people-users")
    assert connection["outcome"] == "refused"
    assert words.split()[0] in connection["message"]
    assert "users.yaml:1: sync" in connection["message"]


def test_a_config_that_breaks_the_spec_is_refused(repository: Repository) -> None:
    repository.write(users=pipeline(source={"config": {"cuont": 5}}))
    people = result_of(repository.report(code=1), "source", "people")
    assert people["outcome"] == "refused"
    assert "cuont is no field of this connector. Did you mean count?" in people["message"]


def test_a_source_with_a_file_of_its_own_is_checked_too(repository: Repository) -> None:
    alone = {"source": {"name": "spare", "connector": "source-faker", "config": {"count": "many"}}}
    repository.write(users=pipeline(), spare=alone)
    report = repository.report(code=1)
    assert outcomes(report) == {"users": "passed", "spare": "refused"}
    assert "count must be" in result_of(report, "source", "spare")["message"]
    assert ["spare", "unchanged", "refused", "-", "-"] in [
        line.split() for line in repository.check().stdout.splitlines()
    ]


def test_there_is_no_silent_minute(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PATIENCE", 0.05)
    repository.fault(path="/v1/scheduler/sources/check_connection", delay_ms=500)
    result = repository.check()
    assert result.exit_code == 0
    assert "still checking source people (0 s)" in result.stderr


# -- versions --------------------------------------------------------------------------------------------------------


def test_an_unknown_tag_is_refused(repository: Repository) -> None:
    repository.write({**PINS, "source-faker": "6.9.99"}, users=pipeline())
    pin = result_of(repository.report(code=1), "connector", "source-faker")
    assert pin["outcome"] == "refused"
    assert "has no version 6.9.99 that this server can find" in pin["message"]


def test_an_unknown_tag_of_one_source_is_refused(repository: Repository) -> None:
    repository.write(users=pipeline(source={"version": "6.9.99"}))
    people = result_of(repository.report(code=1), "source", "people")
    assert (people["outcome"], "has no version 6.9.99" in people["message"]) == ("refused", True)


def test_a_breaking_change_is_refused_until_it_is_accepted(used: Repository, airbyte: Airbyte) -> None:
    airbyte.destination("destination-snowflake", "lake")
    config = {
        **dict.fromkeys(("role", "warehouse", "database", "schema", "username"), "x"),
        "host": "a.snowflakecomputing.com",
    }
    keys = {"credentials": {"auth_type": "Key Pair Authentication", "private_key": "${LAKE_PASSWORD}"}}
    lake = {"name": "lake", "connector": "destination-snowflake", "config": {**config, **keys}}
    users = pipeline(destination={**lake, "skip_check": "not reachable from here"})
    used.write({"source-faker": "6.2.20", "destination-snowflake": "5.0.0"}, users=users)
    pin = result_of(used.report(code=1), "connector", "destination-snowflake")
    assert pin["outcome"] == "refused"
    assert "crosses the breaking change 5.0.0" in pin["message"]

    accepted = {"version": "5.0.0", "accept_breaking": ["5.0.0"]}
    used.write({"source-faker": "6.2.20", "destination-snowflake": accepted}, users=users)
    pin = result_of(used.report(), "connector", "destination-snowflake")
    assert (pin["outcome"], pin["waivers"]) == ("passed", {"accept_breaking": "5.0.0"})


def test_a_check_at_the_version_that_runs_says_so(used: Repository, airbyte: Airbyte) -> None:
    airbyte.pin("source-faker", "6.2.10")
    people = result_of(used.report(), "source", "people")
    assert people["outcome"] == "passed"
    assert people["notes"] == [
        "Tried at 6.2.10, which runs now: 6.2.20 can be tried only once it is pinned, which `pulumi up` does."
    ]


def test_a_no_at_another_version_is_no_answer(used: Repository, airbyte: Airbyte) -> None:
    airbyte.pin("source-faker", "6.2.10")
    used.fault(path="connector:check:airbyte/source-faker", connector={"message": "seed is required"})
    people = result_of(used.report(code=3), "source", "people")
    assert people["outcome"] == "not_checked"
    assert "Tried at 6.2.10" in people["message"]
    assert "seed is required" in people["message"]


# -- files, settings and the server ----------------------------------------------------------------------------------


def test_unresolved_variables_are_all_told_with_their_lines(repository: Repository) -> None:
    config = {**pipeline()["destination"]["config"], "username": "${LAKE_USER}"}
    repository.write(users=pipeline(destination={"config": config}))
    repository.environment |= {"LAKE_PASSWORD": ""}
    problems = repository.report(code=1)["problems"]
    assert [problem["where"] for problem in problems] == [
        "pipelines/users.yaml:1: destination.config.username",
        "pipelines/users.yaml:1: destination.config.password",
    ]
    assert repository.calls() == []


def test_variables_come_from_a_file_and_the_environment_wins(repository: Repository, tmp_path: Path) -> None:
    config = {**pipeline()["destination"]["config"], "database": "${LAKE_DATABASE}", "schema": "${LAKE_SCHEMA}"}
    repository.write(users=pipeline(destination={"config": config}))
    (tmp_path / "ci.env").write_text("# names\nexport LAKE_DATABASE='from file'\nLAKE_SCHEMA=file\n")
    repository.environment |= {"LAKE_SCHEMA": "environment"}
    assert repository.report("--env-file", "ci.env")["passed"] is True


def test_a_server_that_is_not_there_is_no_verdict(repository: Repository) -> None:
    repository.environment |= {"AIRBYTE_URL": "http://localhost:9"}
    result = repository.check()
    assert result.exit_code == 3
    assert "Nothing could be checked. Airbyte does not answer at http://localhost:9" in result.stderr


def test_an_unknown_workspace_is_told(repository: Repository) -> None:
    repository.environment |= {"AIRBYTE_WORKSPACE_ID": "11111111-2222-3333-4444-555555555555"}
    result = repository.check()
    assert result.exit_code == 3
    assert "has no workspace 11111111-2222-3333-4444-555555555555" in result.stderr


def test_the_table_names_every_pipeline(repository: Repository) -> None:
    result = repository.check()
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["PIPELINE", "CONNECTORS", "SOURCE", "DESTINATION", "CONNECTION"]
    assert lines[1].split() == ["users", "unchanged", "passed", "passed", "passed"]
    assert lines[-1] == "1 pipeline: 1 passed."
    assert "source people: passed" in result.stderr
    assert "Nothing was written to Airbyte." in result.stderr
