"""What the Airbyte components declare: pins, shared sources and destinations, and one connection a pipeline."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from components.airbyte_workspace import AirbyteWorkspace, AirbyteWorkspaceArgs
from components.elt_pipeline import EltPipeline, EltPipelineArgs, namespace_args, stream_args, stream_key
from components.pipeline_file import StreamSpec
from components.plan import Plan

if TYPE_CHECKING:
    from tests.components.conftest import Declared
else:
    Declared = Any

StackConfig = Callable[..., None]
DYNAMIC = "pulumi-python:dynamic/airbyte:"


def declare(plan: Plan) -> list[EltPipeline]:
    """What the program does after its plan."""
    workspace = AirbyteWorkspace("airbyte", AirbyteWorkspaceArgs(pins=plan.pins))
    return [
        EltPipeline(
            planned.file.name,
            EltPipelineArgs(
                pipeline=planned.file,
                source=workspace.source(planned.file.source, planned.source, []),
                destination=workspace.destination(planned.file.destination, planned.destination, []),
            ),
        )
        for planned in plan.pipelines
    ]


def when_done(pipelines: list[EltPipeline], check: Callable[[], None]) -> Any:
    """Run a check once everything is registered."""
    return pulumi.Output.all(*[pipeline.ids for pipeline in pipelines]).apply(lambda _: check())


@pulumi.runtime.test
def test_a_pipeline_becomes_pins_source_destination_and_connection(
    stack_config: StackConfig, declared: Declared
) -> Any:
    pipelines = declare(Plan.load())

    def check() -> None:
        pins = declared.of_type(f"{DYNAMIC}ConnectorVersion")
        assert {name: pin["version"] for name, pin in pins.items()} == {
            "source-postgres": "3.7.0",
            "destination-snowflake": "4.0.33",
        }
        (source,) = declared.of_type(f"{DYNAMIC}Source").values()
        assert source["secret_paths"] == ["password"]
        assert source["origin"].endswith("production.yaml:1: source")
        (connection,) = declared.of_type(f"{DYNAMIC}Connection").values()
        assert connection["connection_name"] == "postgres_production → snowflake_warehouse"
        assert connection["schedule"] == {"type": "cron", "expression": "0 */6 * * *", "timezone": "UTC"}
        assert connection["namespace_definition"] == "destination"
        assert connection["streams"]["orders"] == {
            "sync_mode": "incremental",
            "destination_sync_mode": "append_dedup",
            "cursor_field": ["updated_at"],
            "primary_key": [["id"]],
        }

    return when_done(pipelines, check)


@pulumi.runtime.test
def test_pipelines_that_name_the_same_source_and_destination_share_them(
    stack_config: StackConfig, declared: Declared, project_root: Path, tmp_path: Path
) -> Any:
    text = (project_root / "pipelines" / "production.yaml").read_text()
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.yaml").write_text(text.replace("sync:\n", "sync:\n  prefix: again_\n", 1))
    stack_config(pipelinesPath=str(tmp_path), postgresManaged="false")
    pipelines = declare(Plan.load())

    def check() -> None:
        assert len(declared.of_type(f"{DYNAMIC}Source")) == 1
        assert len(declared.of_type(f"{DYNAMIC}Destination")) == 1
        assert len(declared.of_type(f"{DYNAMIC}Connection")) == 2

    return when_done(pipelines, check)


@pytest.mark.parametrize(
    ("stream", "key", "args"),
    [
        (
            {"name": "orders", "namespace": "shop", "primary_key": ["tenant.id", ["a.b"]]},
            "shop.orders",
            {
                "sync_mode": "incremental",
                "destination_sync_mode": "append_dedup",
                "primary_key": [["tenant", "id"], ["a.b"]],
            },
        ),
        (
            {"name": "log", "destination_sync_mode": "append", "fields": ["b", "a"], "hash": ["email"]},
            "log",
            {"sync_mode": "incremental", "destination_sync_mode": "append", "fields": ["a", "b"], "hash": ["email"]},
        ),
    ],
)
def test_a_stream_in_the_providers_terms(stream: dict[str, Any], key: str, args: dict[str, Any]) -> None:
    spec = StreamSpec.model_validate(stream)
    assert (stream_key(spec), stream_args(spec)) == (key, args)


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("destination", {"namespace_definition": "destination"}),
        ("source", {"namespace_definition": "source"}),
        (
            "raw_${SOURCE_NAMESPACE}",
            {"namespace_definition": "customformat", "namespace_format": "raw_${SOURCE_NAMESPACE}"},
        ),
    ],
)
def test_a_namespace_in_the_providers_terms(namespace: str, expected: dict[str, str]) -> None:
    assert namespace_args(namespace) == expected
