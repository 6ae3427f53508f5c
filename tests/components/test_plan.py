"""The plan of a stack is complete before anything is declared, and says all that is wrong at once."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ruamel.yaml import YAML

from components.errors import ConfigurationError
from components.pipeline_file.variables import references
from components.plan import Plan

StackConfig = Callable[..., None]


def refusal() -> str:
    with pytest.raises(ConfigurationError) as refused:
        Plan.load()
    return str(refused.value)


def test_what_the_file_leaves_out_and_the_stack_knows_is_filled_in(stack_config: StackConfig) -> None:
    planned = Plan.load().pipelines[0]

    source = planned.source.config
    assert source["host"] == "db.example.com"
    assert source["port"] == 5432
    assert source["schemas"] == ["public"]
    assert source["ssl_mode"] == {"mode": "require"}
    assert source["username"] == "airbyte"
    assert planned.source.secret_paths == ("password",)

    destination = planned.destination.config
    assert destination["host"] == "org-account.snowflakecomputing.com"
    assert destination["role"] == "AIRBYTE_ROLE"
    assert destination["username"] == "AIRBYTE_USER"
    assert destination["disable_type_dedupe"] is False
    assert destination["credentials"]["auth_type"] == "Key Pair Authentication"
    assert planned.destination.secret_paths == ("credentials.private_key",)


def test_the_slot_and_publication_cover_exactly_the_synced_tables(stack_config: StackConfig) -> None:
    (capture,) = Plan.load().postgres["production"].captures
    assert (capture.slot, capture.publication) == ("airbyte_slot", "airbyte_publication")
    assert capture.tables == ("public.orders", "public.users")


def test_warehouse_and_schema_come_from_the_pipelines(stack_config: StackConfig) -> None:
    args = Plan.load().snowflake
    assert args is not None
    assert args.warehouses == ("AIRBYTE_WH",)
    assert args.schemas == {"RAW": ("PRODUCTION",)}


def test_unmanaged_servers_are_left_alone(stack_config: StackConfig) -> None:
    stack_config(postgresManaged="false", snowflakeManaged="false", postgresAdminUser=None, snowflakeAdminUser=None)
    plan = Plan.load()
    assert plan.postgres == {}
    assert plan.snowflake is None
    assert plan.pipelines[0].source.config["host"] == "db.example.com"


def test_a_setting_may_refer_to_the_environment(stack_config: StackConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    stack_config(postgresHost="${DB_HOST}", postgresPort="${DB_PORT}")
    monkeypatch.setenv("DB_HOST", "elsewhere.example.com")
    monkeypatch.setenv("DB_PORT", "6543")
    source = Plan.load().pipelines[0].source.config
    assert (source["host"], source["port"]) == ("elsewhere.example.com", 6543)


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown setting": (
        {"postgresHots": "x"},
        ["Pulumi.test.yaml: postgresHots", "Did you mean `postgresHost`?"],
    ),
    "reference to nothing": (
        {"postgresHost": "${NOT_SET_ANYWHERE}"},
        ["Pulumi.test.yaml: postgresHost", "NOT_SET_ANYWHERE"],
    ),
    "not a port": ({"postgresPort": "fivefour"}, ["Pulumi.test.yaml: postgresPort"]),
    "no such time zone": ({"timezone": "Mars/Olympus"}, ["timezone", "Mars/Olympus", "IANA"]),
    "no address": ({"airbyteUrl": None}, ["Pulumi.test.yaml: airbyteUrl"]),
    "no admin": (
        {"postgresAdminUser": None},
        ["postgresAdminUser: is not set", "creates the replication role", "pulumi config set postgresAdminUser"],
    ),
    "no key": ({"snowflakePrivateKeyFile": None}, ["snowflakePrivateKey: is not set", "snowflakePrivateKeyFile"]),
    "no such key file": ({"snowflakePrivateKeyFile": "/nowhere.p8"}, ["snowflakePrivateKeyFile: /nowhere.p8"]),
    "not a key": (
        {"snowflakePrivateKeyFile": None, "snowflakePrivateKey": "hunter2-not-a-key"},
        ["snowflakePrivateKey: is not an unencrypted RSA private key", "openssl genpkey"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_setting_is_refused_with_its_key_and_its_fix(case: str, stack_config: StackConfig) -> None:
    changes, expected = BAD[case]
    stack_config(**changes)
    message = refusal()
    for part in expected:
        assert part in message
    assert "hunter2" not in message


def test_problems_of_settings_and_files_are_told_together(
    stack_config: StackConfig, project_root: Path, tmp_path: Path
) -> None:
    text = (project_root / "pipelines" / "production.yaml").read_text()
    folder = tmp_path / "pipelines"
    folder.mkdir()
    (folder / "orders.yaml").write_text(
        text.replace("${POSTGRES_HOST}", "${NO_SUCH_HOST}").replace("schema: PRODUCTION", "schema: lower")
    )
    (tmp_path / "connectors.yaml").write_text("source-postgres: 3.7.0\n")
    stack_config(pipelinesPath=str(folder), connectorsPath=str(tmp_path / "connectors.yaml"), typo="x")
    message = refusal()
    assert "${NO_SUCH_HOST}" in message
    assert "Write it as LOWER." in message
    assert "destination-snowflake has no pinned version" in message
    assert "typo: is neither a setting nor a variable" in message


def test_a_destination_too_old_for_typed_tables_is_refused_with_the_version_that_can(
    stack_config: StackConfig, tmp_path: Path
) -> None:
    pins = tmp_path / "connectors.yaml"
    pins.write_text("source-postgres: 3.7.0\ndestination-snowflake: 2.1.0\n")
    stack_config(connectorsPath=str(pins))
    assert "destination-snowflake 2.1.0 lands raw JSON and can't make typed tables. Pin 3.0.0 or newer." in refusal()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_example_stacks_make_a_plan(
    stack: str, stack_config: StackConfig, project_root: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = YAML(typ="safe").load((project_root / f"Pulumi.{stack}.yaml").read_text())["config"]
    for value in written.values():
        for name in references(str(value)):
            monkeypatch.setenv(name, key_file.read_text() if name.endswith("PRIVATE_KEY") else f"value-of-{name}")
    pulumi.runtime.set_all_config(
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in written.items()}
    )

    plan = Plan.load()

    assert plan.pipelines[0].source.config["host"].endswith("example.com")
    assert plan.snowflake is not None
    assert plan.snowflake.credit_quota == (100 if stack == "prod" else 10)
    plain = {
        key: value for key, value in written.items() if re.search("password|secret|privatekey$", key, re.IGNORECASE)
    }
    assert plain
    assert all(references(value) for value in plain.values()), "secrets are references"
