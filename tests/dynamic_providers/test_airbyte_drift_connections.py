"""Every setting of a connection, a stream and a pin, changed on the server one at a time, is exactly what is shown.

What is changed follows from the field tables: a setting that is added there is tested, or fails the test that says
how it is changed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte import connection_api, schedule, streams
from dynamic_providers.airbyte.models import Connection
from tests.dynamic_providers.drift import differing, seen

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Database, Life, Properties

BASE: Properties = {
    "connection_name": "production",
    "streams": {
        "drift_events": {
            "sync_mode": "incremental",
            "destination_sync_mode": "append_dedup",
            "cursor_field": ["updated_at"],
            "primary_key": [["id"]],
        },
        "users": {"sync_mode": "incremental", "destination_sync_mode": "append", "cursor_field": ["updated_at"]},
    },
    "schedule": {"type": "cron", "expression": "0 */6 * * *", "timezone": "UTC"},
    "namespace_definition": "customformat",
    "namespace_format": "raw_${SOURCE_NAMESPACE}",
    "prefix": "p_",
    "schema_changes": "ignore",
    "status": "active",
    "resources": dict.fromkeys(connection_api.RESOURCES, "1"),
    "tags": ["daily"],
}


@pytest.fixture
def events(database: Database) -> Iterator[str]:
    """A table whose cursor and key the source does not define."""
    database.execute("CREATE TABLE drift_events (id bigint, tenant bigint, note text, updated_at timestamptz)")
    database.execute("GRANT SELECT ON drift_events TO airbyte")
    yield "drift_events"
    database.execute("DROP TABLE drift_events")


@pytest.fixture
def connection(
    airbyte: Airbyte,
    events: str,
    a_source: Life,
    a_destination: Life,
    a_connection: Life,
    source_inputs: Properties,
    destination_inputs: Properties,
) -> Life:
    """A connection with every setting set, of streams whose cursor and key are the program's own."""
    standard = {**source_inputs["config"], "replication_method": {"method": "Standard"}}
    a_source.up({**source_inputs, "config": standard})
    a_destination.up(destination_inputs)
    a_connection.up({**copy.deepcopy(BASE), "source_id": a_source.id, "destination_id": a_destination.id})
    assert seen(a_connection) == set()
    return a_connection


def setting_changes(field: str) -> list[Any]:
    """Other values of a connection's setting, by its kind."""
    value = BASE[field]
    if field in connection_api._ALLOWED:
        return [other for other in connection_api._ALLOWED[field] if other != value]
    if field == "schedule":
        kinds = {"manual": {}, "interval": {"every": "12h"}, "cron": value}
        assert set(kinds) == set(schedule._KEYS), "how is this kind of schedule changed?"
        changed = [{"type": kind, **rest} for kind, rest in kinds.items() if kind != value["type"]]
        return [*changed, {**value, "expression": "0 */5 * * *"}, {**value, "timezone": "Europe/Berlin"}]
    if isinstance(value, dict):
        return [{**value, key: "2"} for key in value] + [{k: v for k, v in value.items() if k != key} for key in value]
    if isinstance(value, list):
        return [[*value, "other"], []]
    assert isinstance(value, str), f"how is {field} changed?"
    return [f"{value}_other"]


@pytest.mark.parametrize("field", [field for field in connection_api.MANAGED if field != "streams"])
def test_every_setting_of_a_connection_is_seen(airbyte: Airbyte, connection: Life, field: str) -> None:
    session = airbyte.session()
    clean = connection_api.to_api(connection.inputs, connection_api.tags(session, BASE["tags"], session.workspace()))
    for other in setting_changes(field):
        program = {**connection.inputs, field: other}
        tags = connection_api.tags(session, program["tags"], session.workspace())
        airbyte.post("connections/update", {"connectionId": connection.id, **connection_api.to_api(program, tags)})
        found = seen(connection)
        airbyte.post("connections/update", {"connectionId": connection.id, **clean})
        meaningless = {"namespace_format"} if program["namespace_definition"] != "customformat" else set()
        beside = {"status_reason"} if field == "status" else set()
        expected = differing(BASE[field], other, field)
        assert found == expected | meaningless | beside, other
        assert seen(connection) == set()


def mapper(kind: str, **configuration: Any) -> Properties:
    return {"type": kind, "mapperConfiguration": configuration}


HASHING = {"targetField": "note", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
AES = {"algorithm": "AES", "mode": "CBC", "padding": "PKCS5Padding", "key": "0f1e2d3c4b5a6978"}
COLUMNS = [{"fieldPath": [name]} for name in ("id", "updated_at")]
STREAM_CHANGES: dict[str, list[Properties]] = {
    "sync_mode": [{"syncMode": "full_refresh"}],
    "destination_sync_mode": [{"destinationSyncMode": mode} for mode in ("append", "overwrite", "overwrite_dedup")],
    "cursor_field": [{"cursorField": ["id"]}, {"cursorField": []}],
    "primary_key": [{"primaryKey": [["tenant"], ["id"]]}, {"primaryKey": []}],
    "fields": [{"fieldSelectionEnabled": True, "selectedFields": COLUMNS}],
    "hash": [{"mappers": [mapper("hashing", **HASHING)]}, {"hashedFields": [{"fieldPath": ["note"]}]}],
    "mappers": [
        {"mappers": [mapper("field-renaming", originalFieldName="note", newFieldName="remark")]},
        {"mappers": [mapper("field-filtering", targetField="note")]},
        {"mappers": [mapper("encryption", targetField="note", **AES)]},
        {
            "mappers": [
                mapper("row-filtering", conditions={"type": "EQUAL", "fieldName": "note", "comparisonValue": "x"})
            ]
        },
    ],
}
"""How the server is told of each setting of a stream."""


def test_there_is_a_change_for_every_setting_of_a_stream() -> None:
    assert set(STREAM_CHANGES) == set(streams._KEYS) - set(streams._REASONS)


@pytest.mark.parametrize("field", STREAM_CHANGES)
def test_every_setting_of_a_stream_is_seen(airbyte: Airbyte, connection: Life, field: str) -> None:
    clean = airbyte.read("connections", connection.id)["syncCatalog"]
    for change in STREAM_CHANGES[field]:
        catalog = copy.deepcopy(clean)
        entry = next(e for e in catalog["streams"] if e["stream"]["name"] == "drift_events")
        entry["config"] |= change
        airbyte.post("connections/update", {"connectionId": connection.id, "syncCatalog": catalog})
        assert seen(connection) == {f"streams.drift_events.{field}"}, change
    assert connection.refresh() == ("streams",)
    assert AES["key"] not in str((connection.inputs, connection.outputs))
    assert connection.up({**BASE, **ends(connection), "allow_state_loss": "tests"}) == ("streams",)
    assert seen(connection) == set()


def ends(connection: Life) -> Properties:
    return {key: connection.inputs[key] for key in ("source_id", "destination_id")}


def test_a_stream_that_came_or_went_is_seen(airbyte: Airbyte, connection: Life) -> None:
    clean = airbyte.read("connections", connection.id)["syncCatalog"]
    one = {"streams": [entry for entry in clean["streams"] if entry["stream"]["name"] == "users"]}
    airbyte.post("connections/update", {"connectionId": connection.id, "syncCatalog": one})
    assert seen(connection) == {"streams.drift_events"}
    more = airbyte.post("sources/discover_schema", {"sourceId": connection.inputs["source_id"]})["catalog"]["streams"]
    orders = next(entry for entry in more if entry["stream"]["name"] == "orders")
    orders["config"]["selected"] = True
    both = {"streams": [*clean["streams"], orders]}
    airbyte.post("connections/update", {"connectionId": connection.id, "syncCatalog": both})
    assert seen(connection) == {"streams.public.orders"}


# -- pins ------------------------------------------------------------------------------------------------------------


def test_every_field_of_a_pin_is_seen(airbyte: Airbyte, a_pin: Life) -> None:
    """A pin has a version and is there or not; connector and workspace are what it is a pin of."""
    a_pin.up({"connector": "source-postgres", "version": "3.6.1"})
    another: Callable[[str], Any] = lambda tag: a_pin.resource().update(  # noqa: E731
        a_pin.id, a_pin.outputs, {**a_pin.inputs, "version": tag}
    )
    another("3.7.0")
    assert seen(a_pin) == {"version"}
    another("3.6.1")
    assert seen(a_pin) == set()
    pin = airbyte.session().inventory.pins()[0]
    airbyte.post("scoped_configuration/delete", {"scopedConfigurationId": pin.id})
    assert "pin" in seen(a_pin)


# -- gone ------------------------------------------------------------------------------------------------------------


def test_a_deleted_source_takes_its_connections_and_both_are_made_again(
    airbyte: Airbyte, connection: Life, a_source: Life, source_inputs: Properties
) -> None:
    airbyte.post("sources/delete", {"sourceId": a_source.id})
    standard = {**source_inputs["config"], "replication_method": {"method": "Standard"}}
    assert a_source.refresh() == ("gone",)
    assert connection.refresh() == ("gone",)
    connection.inputs = {}
    assert a_source.up({**source_inputs, "config": standard}) == ("create",)
    program = {**BASE, "source_id": a_source.id, "destination_id": airbyte.ids("destinations")[0]}
    assert connection.up(program) == ("create",)
    assert airbyte.ids("sources") == [a_source.id]
    assert airbyte.ids("connections") == [connection.id]
    assert Connection.model_validate(airbyte.read("connections", connection.id)).source_id == a_source.id
    assert (a_source.refresh(), connection.refresh()) == ((), ())
