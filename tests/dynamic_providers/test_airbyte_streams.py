"""Streams: canonical form, the rules of what can be synced, and reading back what was written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_providers.airbyte import catalog, streams
from dynamic_providers.airbyte.errors import InvalidStreamsError
from dynamic_providers.airbyte.models import DiscoveredStream

ALL_MODES = ("append", "append_dedup", "overwrite", "overwrite_dedup")
COLUMNS = ("id", "tenant", "updated_at", "email", "amount")
WAREHOUSE = catalog.Target(ALL_MODES, one_schema=False)


def discovered(name: str, *, namespace: str = "public", **facts: Any) -> DiscoveredStream:
    """A table a source may have: incremental, without a cursor or key of its own."""
    stream = {
        "name": name,
        "namespace": namespace,
        "jsonSchema": {"type": "object", "properties": {column: {"type": "string"} for column in COLUMNS}},
        "supportedSyncModes": ["full_refresh", "incremental"],
        **facts,
    }
    return DiscoveredStream(stream=stream, config={"aliasName": name, "selected": False})


def declared(**settings: Any) -> streams.Streams:
    base: dict[str, Any] = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    base |= {"cursor_field": ["updated_at"], "primary_key": [["id"]]}
    return streams.canonical({"orders": {k: v for k, v in {**base, **settings}.items() if v is not None}})


def complaint(stream: streams.Streams, *entries: DiscoveredStream, target: catalog.Target = WAREHOUSE) -> str:
    with pytest.raises(InvalidStreamsError) as caught:
        catalog.plan(stream, list(entries), target)
    return str(caught.value)


def sent(stream: streams.Streams, *entries: DiscoveredStream) -> dict[str, Any]:
    """The configuration that the one declared stream is sent with."""
    config: dict[str, Any] = catalog.plan(stream, list(entries), WAREHOUSE).sync_catalog["streams"][0]["config"]
    return config


# -- matching --------------------------------------------------------------------------------------------------------


def test_a_stream_that_is_not_there_is_answered_with_the_nearest_names() -> None:
    text = complaint(
        streams.canonical({"order": {"cursor_field": "updated_at", "primary_key": ["id"]}}),
        discovered("orders"),
        discovered("users"),
    )
    assert "no stream order" in text
    assert "Did you mean orders?" in text


def test_a_name_in_two_schemas_asks_for_the_namespace() -> None:
    text = complaint(declared(), discovered("orders"), discovered("orders", namespace="archive"))
    assert "archive.orders, public.orders" in text


def test_a_name_with_its_namespace_says_which() -> None:
    plan = catalog.plan(
        {"archive.orders": declared()["orders"]},
        [discovered("orders"), discovered("orders", namespace="archive")],
        WAREHOUSE,
    )
    assert plan.namespaces == {"archive.orders": "archive"}


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {"orders": declared(cursor_field=["updated"])["orders"], "user": declared()["orders"]}
    text = complaint(wrong, discovered("orders"), discovered("users"))
    assert "no column updated." in text
    assert "no stream user" in text


# -- rules -----------------------------------------------------------------------------------------------------------


def test_a_sync_mode_the_source_can_not_do_is_refused() -> None:
    text = complaint(declared(), discovered("orders", supportedSyncModes=["full_refresh"]))
    assert "the source can't do sync_mode incremental, only full_refresh" in text


def test_a_sync_mode_the_destination_can_not_do_is_refused() -> None:
    target = catalog.Target(("append", "overwrite"), one_schema=False)
    assert "only append, overwrite" in complaint(declared(), discovered("orders"), target=target)


def test_incremental_without_a_cursor_is_refused() -> None:
    assert "needs a cursor_field" in complaint(declared(cursor_field=None), discovered("orders"))


def test_dedup_without_a_key_is_refused() -> None:
    assert "needs a primary_key" in complaint(declared(primary_key=None), discovered("orders"))


@pytest.mark.parametrize(
    "settings",
    [
        {"cursor_field": ["updatd_at"]},
        {"primary_key": [["idd"]]},
        {"hash": ["emial"]},
        {"fields": ["id", "updated_at", "amunt"]},
    ],
)
def test_a_column_that_is_not_there_is_refused_with_the_nearest(settings: dict[str, Any]) -> None:
    text = complaint(declared(**settings), discovered("orders"))
    assert "there is no column" in text
    assert "Did you mean" in text


def test_full_refresh_where_incremental_is_possible_needs_a_reason() -> None:
    full = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    assert "allow_full_refresh" in complaint(declared(**full), discovered("orders"))
    assert sent(declared(**full, allow_full_refresh="rows change without a cursor"), discovered("orders"))
    assert sent(declared(**full), discovered("orders", supportedSyncModes=["full_refresh"]))


def test_another_key_than_the_sources_own_is_refused() -> None:
    entry = discovered("orders", sourceDefinedPrimaryKey=[["tenant"], ["id"]])
    assert "the source defines the primary key tenant, id" in complaint(declared(), entry)


def test_columns_that_are_selected_must_include_key_and_cursor() -> None:
    text = complaint(declared(fields=["email"]), discovered("orders"))
    assert "fields must include id, updated_at" in text


def test_two_tables_of_one_name_can_not_land_in_one_schema() -> None:
    both = {f"{schema}.orders": declared()["orders"] for schema in ("public", "archive")}
    entries = [discovered("orders"), discovered("orders", namespace="archive")]
    assert "would load into one table" in complaint(both, *entries, target=catalog.Target(ALL_MODES, one_schema=True))
    assert catalog.plan(both, entries, WAREHOUSE)


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({}, "at least one stream"),
        ({"orders": {"sync_mod": "incremental"}}, r"Did you mean .*sync_mode"),
        ({"orders": {"sync_mode": "incremantal"}}, "streams.orders.sync_mode: 'incremantal'"),
        ({"orders": {"destination_sync_mode": "dedup"}}, "streams.orders.destination_sync_mode"),
    ],
)
def test_what_needs_no_server_to_be_refused_is_refused_early(written: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidStreamsError, match=field):
        streams.canonical(written)


# -- what is sent ----------------------------------------------------------------------------------------------------


def test_the_discovered_stream_is_sent_verbatim() -> None:
    entry = discovered("orders", isResumable=True)
    plan = catalog.plan(declared(), [entry, discovered("users")], WAREHOUSE)
    assert [stream["stream"] for stream in plan.sync_catalog["streams"]] == [entry.stream]


def test_what_the_source_defines_is_sent_as_the_source_defines_it() -> None:
    entry = discovered(
        "orders", sourceDefinedCursor=True, defaultCursorField=["_ab_cdc_lsn"], sourceDefinedPrimaryKey=[["id"]]
    )
    config = sent(declared(primary_key=None), entry)
    assert config["cursorField"] == ["_ab_cdc_lsn"]
    assert config["primaryKey"] == [["id"]]


def test_a_cursor_the_source_suggests_is_used_where_none_is_declared() -> None:
    config = sent(declared(cursor_field=None), discovered("orders", defaultCursorField=["updated_at"]))
    assert config["cursorField"] == ["updated_at"]


def test_what_the_program_does_not_say_is_taken_away_and_what_it_has_no_word_for_is_sent_back() -> None:
    live = discovered("orders")
    live.config.update({"includeFiles": True, "destinationObjectName": "Order", "suggested": True})
    config = catalog.plan(declared(), [discovered("orders")], WAREHOUSE, [live]).sync_catalog["streams"][0]["config"]
    assert "destinationObjectName" not in config
    assert config["includeFiles"] is False
    assert config["suggested"] is True
    said = declared(destination_object_name="Order", include_files=True)
    config = catalog.plan(said, [discovered("orders")], WAREHOUSE, [live]).sync_catalog["streams"][0]["config"]
    assert (config["includeFiles"], config["destinationObjectName"]) == (True, "Order")


def test_a_hashing_mapper_keeps_the_id_the_server_knows_it_by() -> None:
    mapper = {"id": "m1", "type": "hashing", "mapperConfiguration": {"targetField": "email", "method": "SHA-512"}}
    live = discovered("orders")
    live.config["mappers"] = [mapper]
    plan = catalog.plan(declared(hash=["email", "amount"]), [discovered("orders")], WAREHOUSE, [live])
    mappers = plan.sync_catalog["streams"][0]["config"]["mappers"]
    assert [m["mapperConfiguration"]["targetField"] for m in mappers] == ["amount", "email"]
    assert [m.get("id") for m in mappers] == [None, "m1"]
    assert mappers[1]["mapperConfiguration"]["method"] == "SHA-256", "what the program says"


def test_streams_that_airbyte_was_told_to_add_stay() -> None:
    added = discovered("refunds")
    plan = catalog.plan(declared(), [discovered("orders"), added], WAREHOUSE, [added], keep_undeclared=True)
    assert [entry["stream"]["name"] for entry in plan.sync_catalog["streams"]] == ["orders", "refunds"]


# -- reading back ----------------------------------------------------------------------------------------------------

modes = st.sampled_from([("incremental", "append"), ("incremental", "append_dedup"), ("full_refresh", "overwrite")])
tables: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"modes": modes},
    optional={
        "primary_key": st.lists(
            st.sampled_from([["id"], ["tenant"], ["email"]]), min_size=1, max_size=3, unique_by=str
        ),
        "hash": st.lists(st.sampled_from(["email", "amount"]), min_size=1, unique=True),
        "fields": st.permutations(COLUMNS),
    },
)
names = st.lists(st.sampled_from(["orders", "users", "items", "refunds"]), min_size=1, unique=True)
sources = st.fixed_dictionaries(
    {}, optional={"sourceDefinedCursor": st.just(True), "defaultCursorField": st.just(["updated_at"])}
)


@st.composite
def programs(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    program: dict[str, dict[str, Any]] = {}
    for name in draw(names):
        table = draw(tables)
        sync, destination = table.pop("modes")
        program[name] = {
            "sync_mode": sync,
            "destination_sync_mode": destination,
            "cursor_field": "updated_at",
            "primary_key": [["id"]],
            "allow_full_refresh": "a reason",
            **table,
        }
    return program


def written_then_read(
    program: dict[str, dict[str, Any]], facts: dict[str, Any], order: Any = reversed
) -> streams.Streams:
    form = streams.canonical(program)
    entries = [discovered(name, **facts) for name in ("orders", "users", "items", "refunds")]
    plan = catalog.plan(form, entries, WAREHOUSE)
    live = [DiscoveredStream.model_validate(entry) for entry in order(plan.sync_catalog["streams"])]
    return streams.from_api(live, form, plan.namespaces, "ignore")


@given(programs(), sources)
def test_what_was_written_reads_back_as_declared(program: dict[str, Any], facts: dict[str, Any]) -> None:
    assert written_then_read(program, facts) == streams.canonical(program)


@given(programs(), st.randoms())
def test_order_never_matters(program: dict[str, Any], random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            random.shuffle(keys)
            return {key: shuffled(value[key]) if key != "cursor_field" else value[key] for key in keys}
        return random.sample(value, len(value)) if isinstance(value, list) else value

    assert streams.canonical(shuffled(program)) == streams.canonical(program)
    assert written_then_read(shuffled(program), {}, lambda live: random.sample(live, len(live))) == streams.canonical(
        program
    )


@given(programs(), programs())
def test_another_catalog_on_the_server_differs_exactly_where_it_is_another(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    mine, theirs = streams.canonical(one), streams.canonical(other)
    entries = [discovered(name) for name in ("orders", "users", "items", "refunds")]
    plan = catalog.plan(theirs, entries, WAREHOUSE)
    live = [DiscoveredStream.model_validate(entry) for entry in plan.sync_catalog["streams"]]
    read = streams.comparable(streams.from_api(live, mine, dict.fromkeys(mine, "public"), "ignore"))
    seen = {name.removeprefix("public."): stream for name, stream in read.items()}
    assert seen == streams.comparable(theirs)


def test_columns_airbyte_was_told_to_add_are_no_drift_but_others_are() -> None:
    form = declared(fields=["id", "updated_at"])
    plan = catalog.plan(form, [discovered("orders")], WAREHOUSE)
    plan.sync_catalog["streams"][0]["config"]["selectedFields"].append({"fieldPath": ["email"]})
    live = [DiscoveredStream.model_validate(plan.sync_catalog["streams"][0])]
    assert streams.from_api(live, form, plan.namespaces, "propagate_columns") == form
    assert streams.from_api(live, form, plan.namespaces, "ignore")["orders"]["fields"] == ["email", "id", "updated_at"]


def test_a_mapper_somebody_added_shows_without_its_key() -> None:
    form = declared()
    plan = catalog.plan(form, [discovered("orders")], WAREHOUSE)
    secret = {"type": "encryption", "mapperConfiguration": {"targetField": "email", "key": "0123456789abcdef"}}
    plan.sync_catalog["streams"][0]["config"]["mappers"] = [secret]
    live = [DiscoveredStream.model_validate(plan.sync_catalog["streams"][0])]
    [shown] = streams.from_api(live, form, plan.namespaces, "ignore")["orders"]["mappers"]
    assert (shown["type"], shown["target_field"]) == ("encryption", "email")
    assert "0123456789abcdef" not in str(shown)
