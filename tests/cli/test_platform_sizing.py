"""`airbyte-cli platform sizing` prints what to set, as a table or as numbers."""

import json

from typer.testing import CliRunner

from airbyte_cli.__main__ import app


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["platform", "sizing", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_table_has_a_column_for_each_number_of_syncs() -> None:
    lines = run("-n", "10", "-n", "100").splitlines()
    assert lines[0].split() == ["concurrentSyncs", "10", "100"]
    rows = {line.rsplit(maxsplit=2)[0].strip(): line.split()[-2:] for line in lines[1:]}
    assert rows["workerReplicas"] == ["2", "2"]
    assert rows["maxSyncWorkers"] == ["5", "50"]
    assert rows["quota pods"] == ["37", "137"]
    assert rows["nodes of 16 CPU, 64Gi"] == ["1", "6"]


def test_nodes_of_another_size_and_json() -> None:
    (answer,) = json.loads(run("-n", "100", "--node-cpu", "4", "--node-memory", "16Gi", "--output", "json"))
    assert answer["jobNodes"] == 22
    assert answer["set"]["launcherParallelism"] == 17
    assert answer["quota"]["requests.cpu"] == "82450m"


def test_what_is_no_amount_is_refused() -> None:
    done = CliRunner().invoke(app, ["platform", "sizing", "--node-cpu", "lots"])
    assert done.exit_code == 2
    assert "`lots` is not an amount" in done.output
