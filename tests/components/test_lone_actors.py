"""A source or a destination without a pipeline has a file of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from components.airbyte_workspace import AirbyteWorkspace, AirbyteWorkspaceArgs
from components.errors import ConfigurationError
from components.pipeline_file import load_pipelines
from components.plan import Plan

if TYPE_CHECKING:
    from tests.components.conftest import Declared
else:
    Declared = Any

StackConfig = Callable[..., None]
DYNAMIC = "pulumi-python:dynamic/airbyte:"
IDLE = """\
source:
  name: idle
  connector: source-mysql
  version: 3.6.1
  config:
    host: idle.example.com
    password: ${IDLE_PASSWORD}
"""
SPARE = """\
destination:
  name: spare
  connector: destination-snowflake
  config:
    host: ${SNOWFLAKE_HOST}
    database: SPARE
    schema: PUBLIC
    warehouse: SPARE_WH
"""


@pytest.fixture
def production(project_root: Path) -> str:
    return (project_root / "pipelines" / "production.yaml").read_text()


@pytest.fixture
def folder(tmp_path: Path, production: str) -> Path:
    """A pipeline, a source and a destination."""
    made = tmp_path / "pipelines"
    made.mkdir()
    for name, text in (("production", production), ("idle", IDLE), ("spare", SPARE)):
        (made / f"{name}.yaml").write_text(text)
    return made


def part(text: str, *keys: str) -> str:
    """The top-level blocks of a file that begin with these keys."""
    blocks = [f"source:{block}" for block in text.split("source:", 1)[1:]]
    found = {"source": "", "destination": "", "sync": ""}
    key = ""
    for line in blocks[0].splitlines(keepends=True):
        key = line.split(":")[0] if line[:1].isalpha() else key
        found[key] += line
    return "".join(found[key] for key in keys)


def refusal(tmp_path: Path, text: str) -> str:
    (tmp_path / "orders.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_pipelines(tmp_path)
    return str(refused.value)


def test_a_source_or_a_destination_may_stand_alone(folder: Path) -> None:
    files = load_pipelines(folder)
    assert [pipeline.name for pipeline in files.pipelines] == ["production"]
    assert [(actor.kind, actor.spec.name) for actor in files.alone] == [("source", "idle"), ("destination", "spare")]
    assert files.alone[0].where("connector").endswith("idle.yaml:3: source.connector")
    assert len(list(files.actors)) == 4


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        (("source", "destination"), ["sync"]),
        (("source", "sync"), ["destination"]),
        (("destination", "sync"), ["source"]),
        (("sync",), ["source", "destination"]),
    ],
)
def test_anything_between_is_a_pipeline_that_lacks_something(
    keys: tuple[str, ...], missing: list[str], production: str, tmp_path: Path
) -> None:
    message = refusal(tmp_path, part(production, *keys))
    for key in missing:
        assert f": {key}: is missing. Add it." in message
    assert ("goes into a file of its own" in message) == (len(keys) > 1)
    assert message.count("\n") == len(missing) - 1, "and that is all"


def test_a_slip_of_the_pen_does_not_make_a_file_another_kind(production: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, part(production, "source", "sync").replace("sync:\n", "synk:\n"))
    assert "`synk` is not a key of a pipeline file. Did you mean `sync`?" in message


def test_what_is_wrong_with_a_source_alone_is_told_as_in_a_pipeline(tmp_path: Path) -> None:
    message = refusal(tmp_path, IDLE.replace("${IDLE_PASSWORD}", "correct-horse").replace("  name: idle\n", ""))
    assert "orders.yaml:1: source.name: is missing" in message
    message = refusal(tmp_path, IDLE.replace("${IDLE_PASSWORD}", "correct-horse"))
    assert "source.config.password: looks like a secret written into the file" in message
    assert "correct-horse" not in message


def test_a_source_alone_must_agree_with_the_pipelines_that_share_it(production: str, tmp_path: Path) -> None:
    (tmp_path / "production.yaml").write_text(production)
    (tmp_path / "source.yaml").write_text(part(production, "source"))
    assert len(load_pipelines(tmp_path).alone) == 1
    (tmp_path / "source.yaml").write_text(part(production, "source").replace("airbyte_slot", "another_slot"))
    with pytest.raises(ConfigurationError, match="source `postgres_production` is described differently"):
        load_pipelines(tmp_path)


def test_the_plan_completes_and_provisions_for_what_stands_alone(
    stack_config: StackConfig, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_config(pipelinesPath=str(folder))
    with pytest.raises(ConfigurationError, match=r"idle\.yaml:7: source\.config\.password: `\$\{IDLE_PASSWORD\}`"):
        Plan.load()
    monkeypatch.setenv("IDLE_PASSWORD", "idle-password")

    plan = Plan.load()

    idle, spare = plan.alone
    assert idle.config.secret_paths == ("password",)
    assert spare.config.config["role"] == "AIRBYTE_ROLE"
    assert "disable_type_dedupe" not in spare.config.config, "no pipeline says how to load it yet"
    assert plan.snowflake is not None
    assert plan.snowflake.schemas == {"RAW": ("PRODUCTION",), "SPARE": ("PUBLIC",)}
    assert plan.pins["source-mysql"].version == "3.6.1"


def test_a_stack_may_have_no_pipeline_yet(
    stack_config: StackConfig, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDLE_PASSWORD", "idle-password")
    for name in ("production", "spare"):
        (folder / f"{name}.yaml").unlink()
    stack_config(pipelinesPath=str(folder))
    plan = Plan.load()
    assert (plan.pipelines, len(plan.alone), plan.snowflake, plan.postgres) == ((), 1, None, {})


@pulumi.runtime.test
def test_what_stands_alone_is_declared_once_and_has_an_id(
    stack_config: StackConfig,
    declared: Declared,
    folder: Path,
    production: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    monkeypatch.setenv("IDLE_PASSWORD", "idle-password")
    (folder / "shared.yaml").write_text(part(production, "source"))
    stack_config(pipelinesPath=str(folder))
    plan = Plan.load()
    workspace = AirbyteWorkspace("airbyte", AirbyteWorkspaceArgs(pins=plan.pins))
    [pipeline] = plan.pipelines
    workspace.source(pipeline.file.source, pipeline.source, [])
    for alone in plan.alone:
        workspace.alone(alone.file, alone.config, [])
    assert sorted(workspace.ids["sources"]) == ["idle", "postgres_production"]
    assert sorted(workspace.ids["destinations"]) == ["spare"]

    def check() -> None:
        sources = {each["source_name"]: each for each in declared.of_type(f"{DYNAMIC}Source").values()}
        assert sorted(sources) == ["idle", "postgres_production"]
        assert sources["idle"]["origin"].endswith("idle.yaml:1: source")
        assert sources["postgres_production"]["origin"].endswith("production.yaml:1: source")

    every = [output for ids in workspace.ids.values() for output in ids.values()]
    return pulumi.Output.all(*every).apply(lambda _: check())
