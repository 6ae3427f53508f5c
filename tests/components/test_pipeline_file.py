"""A pipeline file is accepted whole or refused with every problem, each naming its line."""

import json
from pathlib import Path

import pytest

from airbyte_cli.__main__ import json_schema
from components.errors import ConfigurationError
from components.pipeline_file import load_pins, load_pipelines

PINS = "source-postgres: 3.7.0\ndestination-snowflake: 4.0.33\n"


@pytest.fixture
def production(project_root: Path) -> str:
    return (project_root / "pipelines" / "production.yaml").read_text()


def refusal(tmp_path: Path, text: str, name: str = "orders.yaml") -> str:
    """The message with which a file of this text is refused."""
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_pipelines(tmp_path)
    return str(refused.value)


def test_the_production_pipeline_is_accepted_as_it_is(project_root: Path) -> None:
    [pipeline] = load_pipelines(project_root / "pipelines").pipelines

    assert pipeline.captures_changes
    assert pipeline.connection_name == "postgres_production → snowflake_warehouse"
    assert [stream.name for stream in pipeline.spec.sync.streams] == ["orders", "users"]


EDITS = {
    "unknown key": (
        "    - name: orders\n      sync_mode:",
        "    - name: orders\n      sync_mod:",
        ["orders.yaml:26: sync.streams[0].sync_mod", "`sync_mod` is not a key", "Did you mean `sync_mode`?"],
    ),
    "unknown top-level key": ("sync:\n", "synk:\n", ["orders.yaml:23: synk", "Did you mean `sync`?"]),
    "bad sync mode": (
        "sync_mode: incremental",
        "sync_mode: incrementl",
        ["sync.streams[0].sync_mode", "`incrementl`", "'incremental' or 'full_refresh'"],
    ),
    "bad cron": (
        '"0 */6 * * *"',
        '"0 */6 * *"',
        ["sync.schedule.expression", "0 */6 * *"],
    ),
    "cron out of range": ('"0 */6 * * *"', '"0 25 * * *"', ["sync.schedule.expression", "25"]),
    "schedule without its field": (
        '    expression: "0 */6 * * *"',
        "    every: 6h",
        ["sync.schedule", "`expression`"],
    ),
    "normalization off without a reason": (
        "enabled: true",
        "enabled: false",
        ["sync.normalization", "raw JSON tables", "allow_raw"],
    ),
    "full refresh although changes are captured": (
        "      sync_mode: incremental\n      destination_sync_mode: append_dedup",
        "      sync_mode: full_refresh\n      destination_sync_mode: overwrite",
        ["sync.streams[0].sync_mode", "`orders`", "incrementally", "allow_full_refresh"],
    ),
    "modes that do not go together": (
        "destination_sync_mode: append_dedup",
        "destination_sync_mode: overwrite",
        ["sync.streams[0]", "incremental can't be combined with overwrite"],
    ),
    "a secret in the file": (
        "password: ${POSTGRES_PASSWORD}",
        "password: correct-horse",
        ["source.config.password", "secret written into the file", "${PASSWORD}", "--secret"],
    ),
    "a variable where none resolves": (
        "name: postgres_production",
        "name: ${NAME}",
        ["source.name", "can't be resolved here", "source.config"],
    ),
    "not a connector": (
        "connector: source-postgres",
        "connector: postgres",
        ["source.connector", "`postgres` is not a connector's name"],
    ),
    "not YAML": ("sync:\n", "sync: [\n", ["orders.yaml:", "not valid YAML"]),
    "a stream twice": ("- name: users", "- name: orders", ["sync.streams", "`orders` is listed twice"]),
    "missing key": ("  connector: source-postgres\n", "", ["source.connector", "is missing"]),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_mistake_is_refused_with_its_place_and_its_fix(case: str, production: str, tmp_path: Path) -> None:
    old, new, expected = EDITS[case]
    assert old in production
    message = refusal(tmp_path, production.replace(old, new, 1))
    for part in expected:
        assert part in message
    assert "correct-horse" not in message


def test_all_problems_of_all_files_are_reported_together(production: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(production.replace("sync_mode: incremental", "sync_mode: x"))
    message = refusal(tmp_path, production.replace("enabled: true", "enabled: false"), "b.yaml")

    assert "a.yaml" in message
    assert "b.yaml" in message
    assert message.count("is not one of the values allowed") == 2


def test_two_pipelines_may_not_write_the_same_table(production: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(production)
    message = refusal(tmp_path, production.replace("- name: users", "- name: Users"), "b.yaml")
    assert "stream `orders` would land in a table that" in message

    (tmp_path / "b.yaml").write_text(production.replace("sync:\n", "sync:\n  prefix: other_\n", 1))
    assert len(load_pipelines(tmp_path).pipelines) == 2


def test_two_pipelines_may_not_describe_one_source_differently(production: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(production)
    other = production.replace("sync:\n", "sync:\n  prefix: other_\n", 1).replace("airbyte_slot", "other_slot")
    assert "source `postgres_production` is described differently" in refusal(tmp_path, other, "b.yaml")


def test_a_folder_without_pipelines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no pipeline files"):
        load_pipelines(tmp_path)


def test_the_published_json_schema_is_that_of_the_models(project_root: Path) -> None:
    published = json.loads((project_root / "pipelines" / "pipeline.schema.json").read_text())
    assert published == json_schema(), "run `airbyte-cli pipelines schema > pipelines/pipeline.schema.json`"


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        ("source-postgres: 3.7.0\n", ["destination.connector", "destination-snowflake has no pinned version"]),
        ("source-postgres: 3.7.0\ndestination-snowflak: 4.0.33\n", ["Did you mean `destination-snowflak`?"]),
        (PINS.replace("3.7.0", "latest"), ["connectors.yaml:1: source-postgres", "a tag that moves by itself"]),
        (PINS.replace("3.7.0", "3.7"), ["read as a number", 'in quotes: source-postgres: "3.7"']),
        (PINS.replace("3.7.0", "'3 7'"), ["`3 7` is not an image tag"]),
        (
            PINS.replace("4.0.33", "3.11.8"),
            ["connectors.yaml:2", "destination-snowflake 3.11.8 is known to be bad", "https://"],
        ),
        ("- a\n", ["is not a list of `connector: version` lines"]),
    ],
)
def test_a_version_is_pinned_exactly_or_refused(
    pins: str, expected: list[str], project_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "connectors.yaml").write_text(pins)
    with pytest.raises(ConfigurationError) as refused:
        load_pins(tmp_path / "connectors.yaml").resolve(load_pipelines(project_root / "pipelines").actors)
    for part in expected:
        assert part in str(refused.value)


def test_pins_resolve_to_one_version_a_connector(project_root: Path, tmp_path: Path) -> None:
    (tmp_path / "connectors.yaml").write_text(PINS)
    pins = load_pins(tmp_path / "connectors.yaml").resolve(load_pipelines(project_root / "pipelines").actors)
    assert {connector: pin.version for connector, pin in pins.items()} == {
        "destination-snowflake": "4.0.33",
        "source-postgres": "3.7.0",
    }
    assert pins["source-postgres"].where.endswith("connectors.yaml:1: source-postgres")


def test_a_pin_may_name_the_breaking_changes_it_crosses(project_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text(PINS.replace("3.7.0", "{version: 4.0.0, accept_breaking: [4.0.0]}"))
    pins = load_pins(file).resolve(load_pipelines(project_root / "pipelines").actors)
    assert (pins["source-postgres"].version, pins["source-postgres"].accept_breaking) == ("4.0.0", ("4.0.0",))
    assert pins["destination-snowflake"].accept_breaking == ()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{version: 4.0.0, accept: [4.0.0]}", "unknown keys accept"),
        ("{accept_breaking: [4.0.0]}", "has no version"),
        ("{version: 4.0, accept_breaking: [4.0.0]}", "read as a number"),
        ("{version: 4.0.0, accept_breaking: 4.0.0}", "not a list of versions"),
        ("{version: 4.0.0, accept_breaking: [4.0]}", "not a list of versions"),
        ("{version: latest}", "a tag that moves by itself"),
    ],
)
def test_the_long_form_of_a_pin_is_checked(entry: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "connectors.yaml").write_text(PINS.replace("3.7.0", entry))
    with pytest.raises(ConfigurationError, match=expected):
        load_pins(tmp_path / "connectors.yaml")


def _two_pipelines(production: str, folder: Path) -> Path:
    """Of which the second has a source of its own, with its own version."""
    folder.mkdir()
    (folder / "a.yaml").write_text(production.replace("name: postgres_production\n", "name: one\n  version: 3.7.0\n"))
    other = production.replace("sync:\n", "sync:\n  prefix: other_\n", 1)
    (folder / "b.yaml").write_text(other.replace("name: postgres_production\n", "name: two\n  version: 3.6.1\n"))
    return folder


def test_a_pipelines_own_version_leaves_the_workspaces_alone(production: str, tmp_path: Path) -> None:
    (tmp_path / "connectors.yaml").write_text(PINS)
    pins = load_pins(tmp_path / "connectors.yaml").resolve(
        load_pipelines(_two_pipelines(production, tmp_path / "pipelines")).actors
    )
    assert pins["source-postgres"].version == "3.7.0"


def test_two_pipelines_that_disagree_need_a_pin_of_the_workspace(production: str, tmp_path: Path) -> None:
    (tmp_path / "connectors.yaml").write_text("destination-snowflake: 4.0.33\n")
    folder = _two_pipelines(production, tmp_path / "pipelines")
    with pytest.raises(ConfigurationError, match=r"pins source-postgres at 3\.6\.1, but .* at 3\.7\.0"):
        load_pins(tmp_path / "connectors.yaml").resolve(load_pipelines(folder).actors)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_bytes(b"source: \xff")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        load_pipelines(tmp_path)
