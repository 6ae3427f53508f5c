"""The pipeline file: what a data engineer edits, one file a pipeline.

pipelines = load_pipelines(Path("pipelines"))            # every problem of every file in one error
pins = load_pins(Path("connectors.yaml"))
config = pipelines[0].source_config(variables)           # ${VAR} resolved, secrets wrapped
"""

from components.pipeline_file.loader import Pipeline, load_pipeline, load_pipelines
from components.pipeline_file.models import (
    DestinationSpec,
    PipelineSpec,
    ScheduleSpec,
    SourceSpec,
    StreamSpec,
    SyncSpec,
)
from components.pipeline_file.pins import Pin, Pins, load_pins
from components.pipeline_file.variables import Variables

__all__ = [
    "DestinationSpec",
    "Pin",
    "Pins",
    "Pipeline",
    "PipelineSpec",
    "ScheduleSpec",
    "SourceSpec",
    "StreamSpec",
    "SyncSpec",
    "Variables",
    "load_pins",
    "load_pipeline",
    "load_pipelines",
]
