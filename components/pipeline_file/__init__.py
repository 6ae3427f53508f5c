"""The pipeline file: what a data engineer edits, one file a pipeline.

files = load_pipelines(Path("pipelines"))                # every problem of every file in one error
pins = load_pins(Path("connectors.yaml")).resolve(files.actors)
source = files.pipelines[0].spec.source
config = variables.resolve(source.config, source.secrets)  # ${VAR} resolved, secrets wrapped
"""

from components.pipeline_file.loader import Actor, Pipeline, PipelineFiles, load_file, load_pipelines
from components.pipeline_file.models import (
    DestinationSpec,
    PipelineSpec,
    ScheduleSpec,
    SourceSpec,
    StreamSpec,
    SyncSpec,
    json_schema,
)
from components.pipeline_file.pins import Pin, Pins, load_pins
from components.pipeline_file.variables import Variables

__all__ = [
    "Actor",
    "DestinationSpec",
    "Pin",
    "Pins",
    "Pipeline",
    "PipelineFiles",
    "PipelineSpec",
    "ScheduleSpec",
    "SourceSpec",
    "StreamSpec",
    "SyncSpec",
    "Variables",
    "json_schema",
    "load_file",
    "load_pins",
    "load_pipelines",
]
