"""Pipelines out of thin air, through the server's own handlers.

What was written is what is read, in any order, and what differs is exactly what was changed, on whichever side.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dynamic_providers.airbyte import connection_api
from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.catalog import Target, plan
from dynamic_providers.airbyte.connection import ConnectionResource, comparable
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.crud import changed_keys
from tests.dynamic_providers.conftest import DESTINATION_POSTGRES, FINGERPRINT_KEY, SOURCE_POSTGRES, USER_PASSWORD, Life
from tests.dynamic_providers.drift import differing

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Database, Properties

TABLES: Final = ("made_alpha", "made_beta", "made_gamma")
COLUMNS: Final = ("id", "tenant", "email", "amount", "updated_at")
EXAMPLES: Final = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example is many calls, and shrinking takes hundreds
)
ENDS: Final = ("source_id", "destination_id")


@dataclass(frozen=True)
class World:
    """A server with a source of tables without keys or cursors of their own, a destination, and two operations."""

    airbyte: Airbyte
    ends: dict[str, str]
    operations: tuple[str, ...]

    def connection(self) -> Life:
        return Life(ConnectionResource, self.airbyte)


@pytest.fixture(scope="module")
def world(database: Database, start_airbyte: Callable[..., AbstractContextManager[Airbyte]]) -> Iterator[World]:
    for table in TABLES:
        database.execute(f"CREATE TABLE {table} (id int, tenant int, email text, amount int, updated_at timestamptz)")
        database.execute(f"GRANT SELECT ON {table} TO airbyte")
    common = {
        "secret_paths": ["password"],
        "fingerprint_key": FINGERPRINT_KEY,
        "skip_check": "there is nothing to load",
    }
    config = {"host": database.host, "port": database.port, "database": "production", "username": "airbyte"}
    config |= {"password": USER_PASSWORD, "schemas": ["public"], "ssl_mode": {"mode": "prefer"}}
    with start_airbyte() as airbyte:
        source = Life(lambda session: ActorResource(session, SOURCE), airbyte)
        postgres = {"connector": "source-postgres", "definition_id": SOURCE_POSTGRES, "connector_version": "3.7.0"}
        method = {"replication_method": {"method": "Standard"}}
        source.up({**common, **postgres, "source_name": "made", "config": {**config, **method}})
        destination = Life(lambda session: ActorResource(session, DESTINATION), airbyte)
        warehouse = {"host": "warehouse.example.com", "port": 5432, "database": "raw", "schema": "p", "username": "u"}
        warehouse |= {"password": "warehouse-password"}
        loader = {"connector": "destination-postgres", "definition_id": DESTINATION_POSTGRES}
        loader |= {"connector_version": "2.4.7"}
        destination.up({**common, **loader, "destination_name": "made", "config": warehouse})
        operator = {"operatorType": "webhook", "webhook": {"executionUrl": "http://localhost/hook"}}
        body = {"workspaceId": airbyte.session().workspace(), "operatorConfiguration": operator}
        made = [airbyte.post("operations/create", {**body, "name": name}) for name in ("one", "two")]
        yield World(
            airbyte, dict(zip(ENDS, (source.id, destination.id), strict=True)), tuple(m["operationId"] for m in made)
        )
    for table in TABLES:
        database.execute(f"DROP TABLE {table}")


# -- pipelines -------------------------------------------------------------------------------------------------------

MODES = [("incremental", "append"), ("incremental", "append_dedup"), ("full_refresh", "overwrite")]
MAPPERS = [
    {"type": "hashing", "target_field": "email", "method": "MD5"},
    {"type": "field-renaming", "original_field_name": "amount", "new_field_name": "total"},
    {"type": "row-filtering", "conditions": {"type": "EQUAL", "field_name": "tenant", "comparison_value": "7"}},
]


@st.composite
def streams(draw: st.DrawFn) -> Properties:
    """Streams as a program declares them, in any order and with anything that a stream can have."""
    names = draw(st.lists(st.sampled_from(TABLES), min_size=1, unique=True))
    return {name: draw(_stream()) for name in names}


@st.composite
def _stream(draw: st.DrawFn) -> Properties:
    sync_mode, destination_sync_mode = draw(st.sampled_from(MODES))
    keys = st.lists(st.sampled_from([["id"], ["tenant"], ["email"]]), min_size=1, unique_by=str)
    stream: Properties = {
        "sync_mode": sync_mode,
        "destination_sync_mode": destination_sync_mode,
        "cursor_field": draw(st.sampled_from(["updated_at", ["id"]])),
        "primary_key": draw(keys),
        "allow_full_refresh": "generated",
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "fields": st.permutations(COLUMNS),
        "hash": st.lists(st.sampled_from(["email", "tenant"]), min_size=1, unique=True),
        "mappers": st.permutations(MAPPERS).map(lambda mappers: mappers[:2]),
        "destination_object_name": st.sampled_from(["Order", "Customer"]),
        "include_files": st.just(True),  # a plain no is what the server has without a word
    }
    chosen = draw(st.sets(st.sampled_from(sorted(optional))))
    chosen -= {"mappers"} if "hash" in chosen else set()  # a column that was hashed has gone
    return stream | {name: draw(optional[name]) for name in sorted(chosen)}


def settings_of(world: World) -> dict[str, st.SearchStrategy[Any]]:
    """A strategy for every setting of a connection but its name."""
    namespaces = st.sampled_from(["source", "destination", "customformat"])
    cron = st.builds(lambda hour, zone: {"type": "cron", "expression": f"0 {hour} * * *", "timezone": zone},
                     st.integers(0, 23), st.sampled_from(["UTC", "Europe/Berlin"]))  # fmt: skip
    interval = st.integers(1, 99).map(lambda hours: {"type": "interval", "every": f"{hours}h"})
    quantities = st.dictionaries(st.sampled_from(connection_api.RESOURCES), st.sampled_from(["1", "2"]))
    return {
        "connection_name": st.sampled_from(["made", "made otherwise"]),
        "streams": streams(),
        "schedule": st.one_of(st.just({"type": "manual"}), cron, interval),
        "namespace_definition": namespaces,
        "namespace_format": st.sampled_from(["a_${SOURCE_NAMESPACE}", "b_${SOURCE_NAMESPACE}"]),
        "prefix": st.sampled_from(["", "p_", "q_"]),
        "schema_changes": st.sampled_from(["ignore", "disable"]),
        "status": st.sampled_from(["active", "inactive"]),
        "resources": quantities,
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
        "operation_ids": st.sampled_from([[], [*world.operations], [*world.operations[::-1]], [*world.operations[:1]]]),
        "notify_schema_changes": st.booleans(),
        "notify_schema_changes_by_email": st.booleans(),
        "backfill_new_columns": st.booleans(),
    }


def drawn(data: st.DataObject, world: World) -> Properties:
    """A whole program for a connection."""
    strategies = settings_of(world)
    assert strategies.keys() == set(connection_api.MANAGED), "how is a new setting drawn?"
    return completed({key: data.draw(strategy, label=key) for key, strategy in strategies.items()}, world)


def completed(program: Properties, world: World) -> Properties:
    """With the ends, and without a format that would have no meaning."""
    custom = program["namespace_definition"] == "customformat"
    form = program["namespace_format"] if custom else None
    return {**program, **world.ends, "namespace_format": form, "allow_state_loss": "generated"}


def checked(world: World, program: Properties) -> Properties:
    found = world.connection().resource().check({}, copy.deepcopy(program))
    assert found.failures == ()
    return found.inputs


def settled(inputs: Properties) -> Properties:
    """What the server is to have of it."""
    return {key: value for key, value in comparable(inputs).items() if key in connection_api.MANAGED}


def turned(value: Any) -> Any:
    """The same with everything in another order that has none: not paths, nor mappers, which have one turn each."""
    if isinstance(value, dict):
        return {key: value[key] if key in _ORDERED else turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in reversed(value)] if isinstance(value, list) else value


_ORDERED: Final = frozenset({"cursor_field", "mappers", "cursorField", "defaultCursorField", "jsonSchema", "fieldPath"})


# -- properties ------------------------------------------------------------------------------------------------------


@EXAMPLES
@given(data=st.data())
def test_what_is_written_is_what_is_read_made_or_changed(world: World, data: st.DataObject) -> None:
    life = world.connection()
    try:
        for _ in range(2):
            program = drawn(data, world)
            life.up(program)
            live = life.resource().read(life.id, copy.deepcopy(life.outputs))
            assert live is not None
            assert settled(live.inputs) == settled(checked(world, program))
            assert life.refresh() == ()
            assert life.up(program) == ()
    finally:
        life.resource().delete(life.id, life.outputs)


@EXAMPLES
@given(data=st.data())
def test_order_never_matters_neither_declared_nor_answered(world: World, data: st.DataObject) -> None:
    program = drawn(data, world)
    assert settled(checked(world, turned(program))) == settled(checked(world, program))
    life = world.connection()
    life.up(program)
    try:
        resource = life.resource()
        asked = resource.session.client.post  # type: ignore[attr-defined]
        resource.session.client.post = lambda *a, **k: turned(asked(*a, **k))  # type: ignore[attr-defined]
        live = resource.read(life.id, copy.deepcopy(life.outputs))
        assert live is not None
        assert live.inputs == life.inputs
        assert resource.diff(life.id, live.outputs, checked(world, turned(program))).changed == ()
    finally:
        life.resource().delete(life.id, life.outputs)


@EXAMPLES
@given(data=st.data())
def test_any_settings_that_are_changed_are_exactly_what_differs_declared_or_out_of_band(
    world: World, data: st.DataObject
) -> None:
    before, other = drawn(data, world), drawn(data, world)
    chosen = data.draw(st.sets(st.sampled_from(connection_api.MANAGED)), label="changed")
    raw = {**before, **{key: other[key] for key in chosen}, "namespace_format": before["namespace_format"] or "c_"}
    after = completed({**raw, **{key: other[key] for key in chosen if other[key] is not None}}, world)
    mine, theirs = checked(world, before), checked(world, after)
    expected = changed_keys(settled(mine), settled(theirs), connection_api.MANAGED)
    assert set(expected) <= chosen | {"namespace_format"}
    life = world.connection()
    life.up(before)
    try:
        assert life.resource().diff(life.id, life.outputs, theirs).changed == expected
        write(world, life, theirs)
        live = life.resource().read(life.id, copy.deepcopy(life.outputs))
        assert live is not None
        assert differing(settled(mine), settled(live.inputs)) == differing(settled(mine), named(theirs, before))
        assert set(life.refresh()) == set(expected)
        assert set(life.up(before)) == set(expected)
        assert life.refresh() == ()
    finally:
        life.resource().delete(life.id, life.outputs)


def named(theirs: Properties, mine: Properties) -> Properties:
    """Their settings with the streams that only they have under their whole names."""
    known = mine["streams"]
    renamed = {name if name in known else f"public.{name}": stream for name, stream in theirs["streams"].items()}
    return settled({**theirs, "streams": renamed})


def write(world: World, life: Life, inputs: Properties) -> None:
    """What somebody else does: the server's connection is made to be so, and not by the resource."""
    session = world.airbyte.session()
    workspace = session.workspace()
    discovered = session.inventory.discovery(world.ends["source_id"]).streams
    target = Target((), one_schema=False)
    body = connection_api.to_api(inputs, connection_api.tags(session, inputs.get("tags") or [], workspace))
    body |= {"syncCatalog": plan(inputs["streams"], discovered, target).sync_catalog}
    session.client.post("connections/update", {"connectionId": life.id, **body})
