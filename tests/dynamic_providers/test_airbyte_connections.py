"""Connections against a server: streams that can be synced, nothing lost silently, every change seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte.errors import AlreadyExistsError, InvalidStreamsError, OutcomeUnknownError
from dynamic_providers.values import UNKNOWN, contains_unknown

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Database, Life, Properties


def with_stream(inputs: Properties, name: str, **changes: Any) -> Properties:
    stream = {k: v for k, v in {**inputs["streams"].get(name, {}), **changes}.items() if v is not None}
    return {**inputs, "streams": {**inputs["streams"], name: stream}}


def edit(airbyte: Airbyte, life: Life, **changes: Any) -> None:
    """Change the connection as the UI does."""
    airbyte.post("connections/update", {"connectionId": life.id, **changes})


def edited_catalog(airbyte: Airbyte, life: Life, name: str, **config: Any) -> Properties:
    """The connection's catalog with one stream's configuration changed; ``selected=False`` takes it out."""
    catalog: Properties = airbyte.read("connections", life.id)["syncCatalog"]
    for entry in catalog["streams"]:
        if entry["stream"]["name"] == name:
            entry["config"].update(config)
    return catalog


# -- making one ------------------------------------------------------------------------------------------------------


def test_an_untouched_connection_has_no_drift_and_no_difference(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    assert a_connection.up(connection_inputs) == ("create",)
    assert a_connection.refresh() == ()
    assert a_connection.up(connection_inputs) == ()
    stored = airbyte.read("connections", a_connection.id)
    assert stored["scheduleData"]["cron"] == {"cronExpression": "0 0 */6 * * ?", "cronTimeZone": "UTC"}
    assert stored["namespaceDefinition"] == "destination"
    assert stored["status"] == "active"
    assert stored["sourceCatalogId"]


def test_discovery_never_names_a_connection_since_that_may_switch_it_off(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    with airbyte.counted() as calls:
        a_connection.up(with_stream(connection_inputs, "users", destination_sync_mode="append"))
    assert "/v1/sources/discover_schema" in calls
    assert not [call for call in calls if call.startswith("/v1/web_backend")]
    assert a_connection.refresh() == ()


def test_a_stream_that_is_not_there_stops_the_deployment(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    with pytest.raises(InvalidStreamsError, match=r"no stream order\. Did you mean orders\?"):
        a_connection.up(with_stream(connection_inputs, "order", sync_mode="incremental"))
    assert airbyte.ids("connections") == []


def test_a_table_that_came_after_the_cached_discovery_is_found(
    airbyte: Airbyte, database: Database, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    database.execute("CREATE TABLE late_arrivals (id bigint PRIMARY KEY)")
    try:
        database.execute("GRANT SELECT ON late_arrivals TO airbyte")
        database.execute("ALTER PUBLICATION airbyte_publication ADD TABLE late_arrivals")
        changed = a_connection.up(with_stream(connection_inputs, "late_arrivals", sync_mode="incremental"))
    finally:
        database.execute("DROP TABLE late_arrivals")
    assert changed == ("streams",)
    assert a_connection.refresh() == ()


def test_what_needs_no_server_is_refused_in_the_preview(a_connection: Life, connection_inputs: Properties) -> None:
    program = {
        **connection_inputs,
        "streams": {"orders": {"sync_mod": "x"}},
        "schedule": {"type": "cron", "expression": "every day"},
        "status": "paused",
        "namespace_definition": "customformat",
        "origin": "pipelines/production.yaml:20",
    }
    failures = a_connection.resource().check({}, program).failures
    assert len(failures) == 4
    assert all(text.startswith("pipelines/production.yaml:20: Connection production: ") for text in failures)
    for field in ("streams.orders.sync_mod", "schedule.expression", "status", "namespace_format"):
        assert any(field in text for text in failures), field


def test_tags_are_made_where_they_do_not_exist(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up({**connection_inputs, "tags": ["finance", "daily"]})
    assert a_connection.refresh() == ()
    assert a_connection.up({**connection_inputs, "tags": ["daily", "finance"]}) == ()
    assert a_connection.up({**connection_inputs, "tags": ["finance"]}) == ("tags",)
    assert [tag["name"] for tag in airbyte.read("connections", a_connection.id)["tags"]] == ["finance"]


@pytest.mark.parametrize(
    ("key", "unknown", "later"),
    [
        ("tags", ["daily", UNKNOWN], ["daily", "made"]),
        ("tags", UNKNOWN, ["made"]),
        ("operation_ids", [UNKNOWN], ["made"]),
        ("resources", UNKNOWN, {"cpu_limit": "1"}),
    ],
)
def test_what_is_not_known_yet_passes_a_preview(
    a_connection: Life, connection_inputs: Properties, key: str, unknown: Any, later: Any
) -> None:
    """As a tag's name is not, while the tag is still to be made by the same program."""
    resource = a_connection.resource()
    checked = resource.check({}, {**connection_inputs, key: unknown})
    assert checked.failures == ()
    assert contains_unknown(checked.inputs[key])
    known = resource.check({}, {**connection_inputs, key: later}).inputs
    assert resource.diff("id", known, checked.inputs).changed == (key,)


# -- drift -----------------------------------------------------------------------------------------------------------

DRIFTS: list[tuple[str, Properties]] = [
    ("connection_name", {"name": "renamed"}),
    ("status", {"status": "inactive"}),
    ("prefix", {"prefix": "raw_"}),
    ("namespace_definition", {"namespaceDefinition": "source"}),
    ("schema_changes", {"nonBreakingChangesPreference": "disable"}),
    ("resources", {"resourceRequirements": {"memory_limit": "8Gi"}}),
    ("schedule", {"scheduleType": "manual"}),
    (
        "schedule",
        {"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 0 4 * * ?", "cronTimeZone": "UTC"}}},
    ),
    (
        "schedule",
        {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 12}}},
    ),
]


@pytest.mark.parametrize(("field", "change"), DRIFTS, ids=lambda value: value if isinstance(value, str) else "")
def test_any_changed_setting_is_seen_and_set_right_again(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties, field: str, change: Properties
) -> None:
    a_connection.up(connection_inputs)
    edit(airbyte, a_connection, **change)
    assert a_connection.refresh() == (field,)
    assert a_connection.up(connection_inputs) == (field,)
    assert a_connection.refresh() == ()


STREAM_DRIFTS: list[tuple[str, Properties]] = [
    ("destination_sync_mode", {"destinationSyncMode": "append"}),
    ("sync_mode", {"syncMode": "full_refresh"}),
    (
        "fields",
        {"fieldSelectionEnabled": True, "selectedFields": [{"fieldPath": ["id"]}, {"fieldPath": ["_ab_cdc_lsn"]}]},
    ),
    (
        "hash",
        {
            "mappers": [
                {
                    "type": "hashing",
                    "mapperConfiguration": {"targetField": "status", "method": "SHA-256", "fieldNameSuffix": "_hashed"},
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(("field", "config"), STREAM_DRIFTS, ids=[name for name, _ in STREAM_DRIFTS])
def test_a_changed_stream_is_seen_in_its_field_and_set_right_again(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties, field: str, config: Properties
) -> None:
    a_connection.up(connection_inputs)
    edit(airbyte, a_connection, syncCatalog=edited_catalog(airbyte, a_connection, "orders", **config))

    before, now = a_connection.drift()["streams"]

    assert before["users"] == now["users"]
    keys = {*before["orders"], *now["orders"]}
    assert {key for key in keys if before["orders"].get(key) != now["orders"].get(key)} == {field}
    assert a_connection.up(connection_inputs) == ("streams",)
    assert a_connection.refresh() == ()


def test_a_stream_that_was_switched_off_or_on_is_seen(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    edit(airbyte, a_connection, syncCatalog=edited_catalog(airbyte, a_connection, "users", selected=False))
    before, now = a_connection.drift()["streams"]
    assert (set(before), set(now)) == ({"orders", "users"}, {"orders"})
    a_connection.up(connection_inputs)
    assert a_connection.up({**connection_inputs, "streams": {"orders": connection_inputs["streams"]["orders"]}})
    full = airbyte.post("sources/discover_schema", {"sourceId": connection_inputs["source_id"]})["catalog"]
    for entry in full["streams"]:
        entry["config"]["selected"] = entry["stream"]["name"] in ("orders", "users")
    edit(airbyte, a_connection, syncCatalog=full)
    assert "public.users" in a_connection.drift()["streams"][1]


def test_streams_in_another_order_are_no_drift(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    catalog = airbyte.read("connections", a_connection.id)["syncCatalog"]
    edit(airbyte, a_connection, syncCatalog={"streams": catalog["streams"][::-1]})
    assert a_connection.refresh() == ()


def test_a_deleted_connection_is_gone_although_the_api_still_answers_for_it(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    airbyte.post("connections/delete", {"connectionId": a_connection.id})
    assert airbyte.read("connections", a_connection.id)["status"] == "deprecated"
    assert a_connection.refresh() == ("gone",)


def test_a_connection_goes_with_its_source(airbyte: Airbyte, a_connection: Life, connection_inputs: Properties) -> None:
    a_connection.up(connection_inputs)
    airbyte.post("sources/delete", {"sourceId": connection_inputs["source_id"]})
    assert a_connection.refresh() == ("gone",)


# -- what a change costs ---------------------------------------------------------------------------------------------


def test_a_setting_is_changed_without_discovery_and_without_the_catalog(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    with airbyte.counted() as calls:
        assert a_connection.up({**connection_inputs, "status": "inactive"}) == ("status",)
    assert "/v1/sources/discover_schema" not in calls
    assert airbyte.read("connections", a_connection.id)["status"] == "inactive"


def test_a_changed_reason_is_no_change(a_connection: Life, connection_inputs: Properties) -> None:
    full = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    a_connection.up(with_stream(connection_inputs, "users", **full, allow_full_refresh="one reason"))
    assert a_connection.up(with_stream(connection_inputs, "users", **full, allow_full_refresh="another")) == ()


def test_a_sync_mode_that_would_forget_the_state_is_refused_in_the_preview(
    a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    full = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite", "allow_full_refresh": "small table"}
    program = with_stream(connection_inputs, "users", **full)
    refused = a_connection.resource().check(a_connection.inputs, dict(program))
    assert len(refused.failures) == 1
    assert "Stream users changes from incremental to full_refresh" in refused.failures[0]
    assert "allow_state_loss" in refused.failures[0]
    assert a_connection.up({**program, "allow_state_loss": "the table is rebuilt anyway"}) == ("streams",)


@pytest.mark.parametrize("end", ["source_id", "destination_id"])
def test_another_end_is_another_connection_and_refused_unless_state_may_be_lost(
    a_connection: Life, connection_inputs: Properties, end: str
) -> None:
    a_connection.up(connection_inputs)
    program = {**connection_inputs, end: "another"}
    refused = a_connection.resource().check(a_connection.inputs, dict(program))
    assert "deleted with the sync state of streams orders, users" in refused.failures[0]
    resource = a_connection.resource()
    checked = resource.check(a_connection.inputs, {**program, "allow_state_loss": "moved"})
    difference = resource.diff(a_connection.id, a_connection.outputs, checked.inputs)
    assert difference.replaces == (end,)
    assert difference.delete_before_replace


# -- crash safety and adoption ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["after", "before"])
def test_a_create_whose_answer_is_lost_ends_with_one_connection(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties, when: str
) -> None:
    airbyte.fault(path="/v1/connections/create", status=504, body="html", when=when)
    if when == "after":
        a_connection.up(connection_inputs)
    else:
        with pytest.raises(OutcomeUnknownError):
            a_connection.up(connection_inputs)
        a_connection.up(connection_inputs)
    assert airbyte.ids("connections") == [a_connection.id]


def forgotten(life: Life) -> str:
    """As after a run that was killed before it could write its state."""
    id_, life.id, life.inputs, life.outputs = life.id, "", {}, {}
    return id_


def test_what_an_interrupted_run_made_is_taken_over_without_a_write(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    orphan = forgotten(a_connection)
    with airbyte.counted() as calls:
        a_connection.up(connection_inputs)
    assert a_connection.id == orphan
    assert not [call for call in calls if call in ("/v1/connections/create", "/v1/connections/update")]
    assert a_connection.refresh() == ()


def test_another_ones_connection_is_touched_only_when_adopted(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up({**connection_inputs, "status": "inactive", "prefix": "theirs_"})
    theirs = forgotten(a_connection)
    with pytest.raises(AlreadyExistsError, match=r"another prefix, status.*adopt: true"):
        a_connection.up(connection_inputs)
    a_connection.up({**connection_inputs, "adopt": True})
    assert a_connection.id == theirs
    assert airbyte.read("connections", theirs)["status"] == "active"
    assert a_connection.refresh() == ()
