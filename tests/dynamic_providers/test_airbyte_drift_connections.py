"""Every setting of a connection, a stream and a pin, changed on the server one at a time, is exactly what is shown.

What is changed follows from the field tables, and from what the server's own handlers take: a setting that is added on
either side is tested, or fails the test that says how it is changed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte import connection_api, schedule, streams
from dynamic_providers.airbyte.errors import AlreadyExistsError
from dynamic_providers.airbyte.models import Connection
from sandbox.airbyte import connections
from sandbox.airbyte.wire import Body
from tests.dynamic_providers.drift import differing, seen

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Database, Life, Properties

ENDS = ("source_id", "destination_id")
BASE: Properties = {
    "connection_name": "production",
    "streams": {
        "drift_events": {
            "sync_mode": "incremental",
            "destination_sync_mode": "append_dedup",
            "cursor_field": ["updated_at"],
            "primary_key": [["id"]],
            "destination_object_name": "Event",
            "include_files": True,
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
    "notify_schema_changes": True,
    "notify_schema_changes_by_email": True,
    "backfill_new_columns": True,
}
"""Nothing in it is as in a new connection; operations are added, which have ids."""


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
    ends = {"source_id": a_source.id, "destination_id": a_destination.id}
    a_connection.up({**copy.deepcopy(BASE), **ends, "operation_ids": [operation(airbyte, "one")]})
    assert seen(a_connection) == set()
    return a_connection


def operation(airbyte: Airbyte, name: str) -> str:
    """Make something that can be run after a sync; gives its id."""
    body = {
        "workspaceId": airbyte.session().workspace(),
        "name": name,
        "operatorConfiguration": {"operatorType": "webhook", "webhook": {"executionUrl": "http://localhost/hook"}},
    }
    return str(airbyte.post("operations/create", body)["operationId"])


def setting_changes(field: str, value: Any, another: str = "other") -> list[Any]:
    """Other values of a connection's setting, by its kind; `another` is one that a list may have too."""
    if isinstance(value, bool):
        return [not value]
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
        return [sorted([*value, another]), []]
    assert isinstance(value, str), f"how is {field} changed?"
    return [f"{value}_other"]


@pytest.mark.parametrize("field", [field for field in connection_api.MANAGED if field != "streams"])
def test_every_setting_of_a_connection_is_seen(airbyte: Airbyte, connection: Life, field: str) -> None:
    session = airbyte.session()
    clean = connection_api.to_api(connection.inputs, connection_api.tags(session, BASE["tags"], session.workspace()))
    another = operation(airbyte, "two") if field == "operation_ids" else "other"
    for other in setting_changes(field, connection.inputs[field], another):
        program = {**connection.inputs, field: other}
        tags = connection_api.tags(session, program["tags"], session.workspace())
        airbyte.post("connections/update", {"connectionId": connection.id, **connection_api.to_api(program, tags)})
        found = seen(connection)
        airbyte.post("connections/update", {"connectionId": connection.id, **clean})
        meaningless = {"namespace_format"} if program["namespace_definition"] != "customformat" else set()
        beside = {"status_reason"} if field == "status" else set()
        expected = differing(connection.inputs[field], other, field)
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
        {"mappers": [mapper("hashing", **{**HASHING, "method": "SHA-512"})]},
        {"mappers": [mapper("hashing", **{**HASHING, "fieldNameSuffix": "_x"})]},
        {
            "mappers": [
                mapper("row-filtering", conditions={"type": "EQUAL", "fieldName": "note", "comparisonValue": "x"})
            ]
        },
    ],
    "destination_object_name": [{"destinationObjectName": "Occurrence"}, {"destinationObjectName": None}],
    "include_files": [{"includeFiles": False}, {"includeFiles": None}],
}
"""How the server is told of each setting of a stream."""
SERVERS_OWN: dict[str, str] = {
    "connectionId": "which one it is",
    "breakingChange": "the server's verdict on the source's schema",
    "sourceCatalogId": "every discovery makes another",
    "geography": "a choice that only Airbyte Cloud has",
    "schedule": "the former name of scheduleData, refused",
    "aliasName": "made of the stream's name",
    "suggested": "made of the registry",
}
"""What the server takes or keeps that is no setting, and why."""


def test_there_is_a_change_for_every_setting_of_a_stream() -> None:
    assert set(STREAM_CHANGES) == set(streams._KEYS) - set(streams._REASONS)


@pytest.mark.parametrize("field", STREAM_CHANGES)
def test_every_setting_of_a_stream_is_seen(airbyte: Airbyte, connection: Life, field: str) -> None:
    program = dict(connection.inputs)
    clean = airbyte.read("connections", connection.id)["syncCatalog"]
    for change in STREAM_CHANGES[field]:
        catalog = copy.deepcopy(clean)
        entry = next(e for e in catalog["streams"] if e["stream"]["name"] == "drift_events")
        entry["config"] |= change
        airbyte.post("connections/update", {"connectionId": connection.id, "syncCatalog": catalog})
        assert seen(connection) == {f"streams.drift_events.{field}"}, change
    assert connection.refresh() == ("streams",)
    assert AES["key"] not in str((connection.inputs, connection.outputs))
    assert connection.up({**program, "allow_state_loss": "tests"}) == ("streams",)
    assert seen(connection) == set()


# -- what the server takes -------------------------------------------------------------------------------------------


class Asked(Body):
    """The body of a request, which notes the fields that a handler asks it for, with the choices there are."""

    def __init__(self, members: Properties) -> None:
        super().__init__(members)
        self.fields: dict[str, tuple[str, ...]] = {}

    def has(self, name: str) -> bool:
        self.fields.setdefault(name, ())
        return super().has(name)

    def optional_choice(self, name: str, allowed: Iterable[str]) -> str | None:
        self.fields[name] = tuple(allowed)
        return super().optional_choice(name, allowed)


def writable(airbyte: Airbyte, connection: Life) -> dict[str, tuple[str, ...]]:
    """The settings that the server's own handler of updates takes, with the choices there are."""
    instance, body = airbyte.server.instance, Asked({})
    with instance.store.lock:
        connections.update(instance, instance.store.connections.get(connection.id), body)
    return {name: choices for name, choices in body.fields.items() if name not in SERVERS_OWN}


def other_values(name: str, value: Any, choices: tuple[str, ...], another: Any) -> list[Any]:
    """Other values of a field of the API, by what it takes or is now."""
    if choices:
        return [choice for choice in choices if choice not in (value, "deprecated")]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, str):
        return [f"{value}_other"]
    if isinstance(value, list):
        return [[*value, another], []]
    assert isinstance(value, dict), f"how is {name} changed?"
    return [{**value, key: "2"} for key in value] + [{}]


def test_every_field_that_the_server_takes_of_a_connection_is_seen_and_put_back(
    airbyte: Airbyte, connection: Life
) -> None:
    program = dict(connection.inputs)
    before = airbyte.read("connections", connection.id)
    tag = {"tagId": "", "workspaceId": airbyte.session().workspace(), "name": "other", "color": "FF0000"}
    tag = airbyte.post("tags/create", {k: v for k, v in tag.items() if v})
    fields = writable(airbyte, connection)
    assert {"status", "operationIds", "notifySchemaChangesByEmail", "resourceRequirements"} <= fields.keys()
    # These have forms of their own; the tests of every setting go through them.
    for name in fields.keys() - {"syncCatalog", "scheduleType", "scheduleData"}:
        another = {"tags": tag, "operationIds": operation(airbyte, "two")}.get(name)
        for value in other_values(name, before[name], fields[name], another):
            airbyte.post("connections/update", {"connectionId": connection.id, name: value})
            changed = {path.partition(".")[0] for path in seen(connection)} - {"status_reason"}
            assert len(changed) == 1 or (name, changed) == (
                "namespaceDefinition",
                {"namespace_definition", "namespace_format"},
            ), (name, value)
            connection.refresh()
            assert set(connection.up(program)) - {"namespace_format"} == changed - {"namespace_format"}
            after = airbyte.read("connections", connection.id)
            assert after[name] == before[name], (name, value)
    assert seen(connection) == set()


def test_there_is_a_change_for_every_field_that_the_server_keeps_of_a_stream(
    airbyte: Airbyte, connection: Life
) -> None:
    [entry] = [
        entry
        for entry in airbyte.read("connections", connection.id)["syncCatalog"]["streams"]
        if entry["stream"]["name"] == "drift_events"
    ]
    changed = {name for changes in STREAM_CHANGES.values() for change in changes for name in change}
    assert changed == entry["config"].keys() - SERVERS_OWN.keys() - {"selected"}, "streams that went have their test"


def test_there_is_a_change_for_every_field_that_is_read_of_a_connection(airbyte: Airbyte, connection: Life) -> None:
    read = {field.alias or name for name, field in Connection.model_fields.items()}
    which = {"sourceId", "destinationId", "created_at"}
    assert read - which - SERVERS_OWN.keys() == writable(airbyte, connection).keys()


def test_what_is_not_declared_is_as_in_a_new_connection(airbyte: Airbyte, connection: Life) -> None:
    """Nothing is kept of what somebody set: leaving a setting out of the program takes it back."""
    needed = ("connection_name", "schedule", "status", "schema_changes", "namespace_definition", *ENDS)
    bare = {key: connection.inputs[key] for key in needed} | {"namespace_definition": "source"}
    modes = ("sync_mode", "destination_sync_mode", "cursor_field", "primary_key")
    bare["streams"] = {
        name: {key: value for key, value in stream.items() if key in modes}
        for name, stream in connection.inputs["streams"].items()
    }
    connection.up(bare)
    assert connection.refresh() == ()
    live = airbyte.read("connections", connection.id)
    made = airbyte.post(
        "connections/create",
        {
            "name": "new",
            "sourceId": live["sourceId"],
            "destinationId": live["destinationId"],
            "status": "active",
            "syncCatalog": live["syncCatalog"],
        },
    )
    empty: tuple[Any, ...] = (None, "", False, [], {})
    for name in writable(airbyte, connection).keys() - {"scheduleType", "scheduleData", "syncCatalog", "name"}:
        assert live.get(name) == made.get(name) or (live.get(name) in empty and made.get(name) in empty), name
    assert not [e for e in live["syncCatalog"]["streams"] if e["config"].get("destinationObjectName")]


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


def test_what_was_deleted_is_reported_and_not_made_again_unless_a_refresh_has_shown_it(
    airbyte: Airbyte, connection: Life, a_source: Life
) -> None:
    """A source that is deleted takes the connection along; both have a row and an answer all the same."""
    airbyte.post("sources/delete", {"sourceId": a_source.id})
    for life, change in ((a_source, {"source_name": "renamed"}), (connection, {"prefix": "other_"})):
        with airbyte.counted() as calls, pytest.raises(AlreadyExistsError, match="was deleted outside this program"):
            life.up({**life.inputs, **change})
        assert not [call for call in calls if call.endswith(("/create", "/update"))]
    assert airbyte.ids("sources") == airbyte.ids("connections") == []
