"""Whatever a pipeline file can say comes back from an import of what it makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airbyte_cli.importing import plan as importing
from airbyte_cli.importing import proof
from airbyte_cli.importing.snapshot import Connector, Workspace
from components.pipeline_file import load_pins, load_pipelines
from dynamic_providers.airbyte import connection_api, mappers, streams
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.models import Actor, Connection, Specification

MASK = "**********"
SPEC = {
    "type": "object",
    "properties": {
        "host": {"type": "string"},
        "port": {"type": "integer"},
        "flags": {"type": "array", "items": {"type": "string"}},
        "credentials": {"oneOf": [{"properties": {"key": {"type": "string", "airbyte_secret": True}}}]},
        "keys": {"type": "array", "items": {"type": "string", "airbyte_secret": True}},
    },
}
CONNECTORS = {
    "s": Connector("source-orders", "1.2.3", Specification(connection_specification=SPEC)),
    "d": Connector("destination-lake", "0.4.0", Specification(connection_specification=SPEC)),
}

text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
names = text.map(str.strip).filter(lambda name: bool(name) and "${" not in name)
columns = st.sampled_from(["id", "tenant", "updated_at", "a.b", "Ünicode", "with space"])
paths = st.lists(columns, min_size=1, max_size=2)

HASHING = {"type": "hashing", "target_field": "email", "method": "MD5", "field_name_suffix": "_x"}
WHERE = {"type": "EQUAL", "field_name": "a.b", "comparison_value": "null"}
NOT = {"type": "NOT", "conditions": [WHERE]}
MAPPERS: list[dict[str, Any]] = [
    HASHING,
    {"type": "field-filtering", "target_field": "id"},
    {"type": "field-renaming", "original_field_name": "id", "new_field_name": "with space"},
    {"type": "row-filtering", "conditions": {"type": "AND", "conditions": [WHERE, NOT]}},
    {
        "type": "encryption",
        "algorithm": "RSA",
        "target_field": "id",
        "public_key": "MIIB",
        "field_name_suffix": "_encrypted",
    },
]


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """A configuration as Airbyte shows it."""
    whole: dict[str, Any] = {
        "host": draw(st.one_of(text, st.sampled_from(["${NAMESPACE}/$${x}", "007", "true", "null", "2024-01-01"]))),
        "port": draw(st.integers(0, 2**40)),
        "flags": draw(st.lists(text, max_size=3)),
        "credentials": {"key": MASK},
        "keys": draw(st.lists(st.just(MASK), max_size=2)),
    }
    return {key: value for key, value in whole.items() if draw(st.booleans())}


@st.composite
def stream_terms(draw: st.DrawFn) -> dict[str, Any]:
    full = draw(st.booleans())
    modes = ["overwrite", "append", "overwrite_dedup"] if full else ["append", "append_dedup"]
    mode = draw(st.sampled_from(modes))
    terms: dict[str, Any] = {"sync_mode": "full_refresh" if full else "incremental", "destination_sync_mode": mode}
    if not full:
        terms["cursor_field"] = draw(paths)
    if mode.endswith("dedup"):
        terms["primary_key"] = sorted(draw(st.lists(paths, min_size=1, max_size=3, unique_by=tuple)))
    if draw(st.booleans()):
        terms["fields"] = sorted(draw(st.sets(columns, min_size=1)))
    if draw(st.booleans()):
        terms["hash"] = sorted(draw(st.sets(columns, min_size=1)))
    if draw(st.booleans()):
        terms["mappers"] = draw(st.lists(st.sampled_from(MAPPERS), min_size=1, max_size=3))
    if draw(st.booleans()):
        terms |= {"destination_object_name": draw(names), "include_files": True}
    return terms


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    """A connection as a program declares it, in canonical form."""
    keys = draw(st.lists(st.tuples(st.sampled_from(["", "public", "a b"]), names), min_size=1, max_size=4, unique=True))
    namespace, form = draw(
        st.sampled_from([("source", None), ("destination", None), ("customformat", "raw_${SOURCE_NAMESPACE}")])
    )
    declared = {
        "connection_name": draw(names),
        "streams": {f"{ns}.{name}" if ns else name: draw(stream_terms()) for ns, name in keys},
        "keys": keys,
        "schedule": draw(
            st.sampled_from(
                [
                    {"type": "manual"},
                    {"type": "interval", "every": "2w"},
                    {"type": "interval", "every": "90m"},
                    {"type": "cron", "expression": "0 15 6 ? * MON-FRI", "timezone": "Europe/Berlin"},
                ]
            )
        ),
        "namespace_definition": namespace,
        "prefix": draw(st.one_of(st.just(""), names)),
        "schema_changes": draw(st.sampled_from(["ignore", "disable", "propagate_columns", "propagate_fully"])),
        "status": draw(st.sampled_from(["active", "inactive"])),
        "resources": draw(st.sampled_from([None, {"memory_limit": "2Gi"}])),
        "tags": sorted(draw(st.sets(names, max_size=2))),
        "notify_schema_changes": draw(st.booleans()),
        "notify_schema_changes_by_email": draw(st.booleans()),
        "backfill_new_columns": draw(st.booleans()),
        "operation_ids": sorted(draw(st.sets(names, max_size=2))),
    }
    return {**declared, "namespace_format": form} if form else declared


def made_of(declared: dict[str, Any]) -> Connection:
    """What Airbyte answers after the declaration was written."""
    entries = []
    for namespace, name in declared["keys"]:
        terms = declared["streams"][f"{namespace}.{name}" if namespace else name]
        schema = {"type": "object", "properties": {"id": {"type": "string"}}}
        stream = {"name": name, "jsonSchema": schema, "supportedSyncModes": ["full_refresh", "incremental"]}
        config = {
            "syncMode": terms["sync_mode"],
            "destinationSyncMode": terms["destination_sync_mode"],
            "cursorField": terms.get("cursor_field", []),
            "primaryKey": terms.get("primary_key", []),
            "selected": True,
            "fieldSelectionEnabled": "fields" in terms,
            "selectedFields": [{"fieldPath": [field]} for field in terms.get("fields", [])],
            "mappers": mappers.to_api(terms.get("hash", []), terms.get("mappers", []), []),
            "destinationObjectName": terms.get("destination_object_name"),
            "includeFiles": terms.get("include_files"),
        }
        entries.append({"stream": {**stream, **({"namespace": namespace} if namespace else {})}, "config": config})
    body = connection_api.to_api(declared, [{"name": tag} for tag in declared["tags"]])
    answer = {**body, "connectionId": "c", "sourceId": "src", "destinationId": "dst"}
    return Connection.model_validate({**answer, "syncCatalog": {"streams": entries}})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(declared=declarations(), source=configs(), destination=configs(), both=st.tuples(names, names))
def test_an_import_of_what_a_file_made_loads_back_to_the_same_plan(
    tmp_path: Path, declared: dict[str, Any], source: dict[str, Any], destination: dict[str, Any], both: tuple[str, str]
) -> None:
    actors = {
        SOURCE: Actor(
            actor_id="src", definition_id="s", workspace_id="w", name=both[0], connection_configuration=source
        ),
        DESTINATION: Actor(
            actor_id="dst", definition_id="d", workspace_id="w", name=both[1], connection_configuration=destination
        ),
    }
    live = made_of(declared)
    by_kind = {kind: {actor.actor_id: actor} for kind, actor in actors.items()}

    made = importing.plan(Workspace("w", by_kind, {"c": live}, CONNECTORS, {}))

    assert made.report.complete, made.report
    for path, written in made.files().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(written, encoding="utf-8")
    [pipeline] = load_pipelines(tmp_path / "pipelines").pipelines
    (tmp_path / next(iter(made.pipelines))).unlink()  # the folder serves the next example
    [file] = made.pipelines.values()
    expected = {key: value for key, value in declared.items() if key != "keys"}
    inputs = proof.connection_inputs(pipeline)
    assert json.dumps(streams.comparable(inputs.pop("streams")), sort_keys=True) == json.dumps(
        streams.canonical(expected.pop("streams")), sort_keys=True
    )
    assert inputs == expected
    assert file.source.restored(pipeline.spec.source.config) == source
    assert file.destination.restored(pipeline.spec.destination.config) == destination
    assert (pipeline.spec.source.name, pipeline.spec.destination.name) == both
    assert load_pins(tmp_path / "connectors.yaml").versions == {"source-orders": "1.2.3", "destination-lake": "0.4.0"}
