"""Syncs from a real PostgreSQL to a Snowflake account."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.airbyte.databases import Account, Database
from tests.sandbox.airbyte.harness import FAKER, Json
from tests.sandbox.airbyte.pipelines import DEDUP, Pipeline, moved


def test_a_second_sync_moves_only_what_changed(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect(DEDUP)
    assert pipeline.sync() == {"orders": 3}
    assert pipeline.rows() == [(1, "new"), (2, "new"), (3, "new")]
    assert pipeline.sync() == {"orders": 0}
    shop.run("INSERT INTO orders VALUES (4, 'new')")
    shop.run("UPDATE orders SET status = 'paid' WHERE id = 1")
    shop.run("UPDATE orders SET status = 'sent' WHERE id = 1")
    shop.run("DELETE FROM orders WHERE id = 2")
    shop.run("UPDATE orders SET id = 30 WHERE id = 3")
    assert pipeline.sync() == {"orders": 6}  # a changed key is a deletion and an insertion
    assert pipeline.rows() == [(1, "sent"), (4, "new"), (30, "new")]


def test_append_keeps_every_version_of_a_row(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect({"syncMode": "incremental", "destinationSyncMode": "append"})
    pipeline.sync()
    shop.run("UPDATE orders SET status = 'paid' WHERE id = 1")
    pipeline.sync()
    assert pipeline.rows() == [(1, "new"), (1, "paid"), (2, "new"), (3, "new")]


def test_overwrite_replaces_and_full_refresh_append_repeats(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect({"syncMode": "full_refresh", "destinationSyncMode": "overwrite"})
    pipeline.sync()
    shop.run("DELETE FROM orders WHERE id = 1")
    assert pipeline.sync() == {"orders": 2}
    assert pipeline.rows() == [(2, "new"), (3, "new")]
    assert {row[1] for row in pipeline.rows('"ID", "_AIRBYTE_GENERATION_ID"')} == {2}
    pipeline.connect({"syncMode": "full_refresh", "destinationSyncMode": "append"}, prefix="again_")
    pipeline.sync()
    pipeline.sync()
    assert len(pipeline.rows(table="AGAIN_ORDERS")) == 4


def test_the_standard_method_reads_beyond_its_cursor_and_misses_deletions(pipeline: Pipeline, shop: Database) -> None:
    source = shop.config(replication_method={"method": "Standard"})
    pipeline.connect(DEDUP | {"cursorField": ["updated_at"]}, source=source)
    assert pipeline.sync() == {"orders": 3}
    assert pipeline.sync() == {"orders": 0}
    shop.run("UPDATE orders SET status = 'paid', updated_at = now() WHERE id = 1")
    shop.run("DELETE FROM orders WHERE id = 2")
    assert pipeline.sync() == {"orders": 1}
    assert pipeline.rows() == [(1, "paid"), (2, "new"), (3, "new")]
    state = pipeline.api.post("state/get", connectionId=pipeline.connection["connectionId"])
    assert state["stateType"] == "stream"
    assert state["streamState"][0]["streamState"]["cursor_field"] == ["updated_at"]


@pytest.mark.parametrize(
    ("fields", "schema"),
    [
        ({"namespaceDefinition": "source"}, "PUBLIC"),
        ({"namespaceDefinition": "customformat", "namespaceFormat": "x_${SOURCE_NAMESPACE}"}, "X_PUBLIC"),
    ],
)
def test_the_namespace_decides_the_schema(pipeline: Pipeline, fields: Json, schema: str) -> None:
    prefix = f"{pipeline.shop.name}_"
    pipeline.account.run("GRANT USAGE, CREATE TABLE ON SCHEMA RAW.PUBLIC TO ROLE AIRBYTE_ROLE")
    pipeline.connect(DEDUP, prefix=prefix, **fields)
    pipeline.sync()
    assert len(pipeline.rows(table=f"{prefix}ORDERS".upper(), schema=schema)) == 3


def test_raw_tables_only_when_types_and_deduplication_are_off(pipeline: Pipeline, shop: Database) -> None:
    config = pipeline.account.config(pipeline.schema, disable_type_dedupe=True)
    pipeline.connect(DEDUP, destination=config)
    pipeline.sync()
    shop.run("UPDATE orders SET status = 'paid' WHERE id = 1")
    pipeline.sync()
    raw = f"{pipeline.schema}_raw__stream_orders"
    columns = '"_airbyte_data":id::INT, "_airbyte_data":status::VARCHAR'
    assert pipeline.rows(columns, raw, "airbyte_internal") == [(1, "new"), (1, "paid"), (2, "new"), (3, "new")]
    tables = pipeline.account.run(
        f"SELECT COUNT(*) FROM RAW.INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '{pipeline.schema}'"
    )
    assert tables == [(0,)]


def test_new_columns_follow_the_preference(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect(DEDUP, nonBreakingChangesPreference="propagate_columns")
    pipeline.sync()
    catalog_id = pipeline.connection["sourceCatalogId"]
    shop.run("ALTER TABLE orders ADD COLUMN note text")
    shop.run("CREATE TABLE refunds (id int PRIMARY KEY)")
    shop.run("ALTER PUBLICATION airbyte_publication ADD TABLE refunds")
    shop.run("UPDATE orders SET note = 'hi' WHERE id = 1")
    assert pipeline.sync() == {"orders": 1}
    assert pipeline.rows('"ID", "NOTE"') == [(1, "hi"), (2, None), (3, None)]
    connection = pipeline.api.post("connections/get", connectionId=pipeline.connection["connectionId"])
    assert "note" in connection["syncCatalog"]["streams"][0]["stream"]["jsonSchema"]["properties"]
    assert connection["sourceCatalogId"] != catalog_id
    events = pipeline.api.post("connections/events/list", connectionId=connection["connectionId"])["events"]
    assert {"SCHEMA_UPDATE", "SYNC_STARTED", "SYNC_SUCCEEDED"} <= {event["eventType"] for event in events}


def test_propagate_fully_adds_and_removes_streams_and_ignore_does_neither(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect(DEDUP, nonBreakingChangesPreference="propagate_fully")
    pipeline.sync()
    shop.run("CREATE TABLE refunds (id int PRIMARY KEY)")
    shop.run("ALTER PUBLICATION airbyte_publication ADD TABLE refunds")
    shop.run("INSERT INTO refunds VALUES (7)")
    assert pipeline.sync() == {"orders": 0, "refunds": 1}
    update = {"connectionId": pipeline.connection["connectionId"], "nonBreakingChangesPreference": "ignore"}
    pipeline.api.post("connections/update", **update)
    shop.run("ALTER TABLE orders ADD COLUMN note text")
    assert pipeline.sync() == {"orders": 0, "refunds": 0}
    assert "NOTE" not in {row[0] for row in columns_of(pipeline, "ORDERS")}
    pipeline.api.post("connections/update", **(update | {"nonBreakingChangesPreference": "propagate_fully"}))
    shop.run("DROP TABLE refunds")
    assert pipeline.sync() == {"orders": 0}


def columns_of(pipeline: Pipeline, table: str) -> list[tuple[Any, ...]]:
    return pipeline.account.run(
        "SELECT COLUMN_NAME FROM RAW.INFORMATION_SCHEMA.COLUMNS "
        f"WHERE TABLE_SCHEMA = '{pipeline.schema}' AND TABLE_NAME = '{table}'"
    )


def test_a_lost_key_makes_the_connection_inactive_and_cancels_the_sync(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect(DEDUP)
    pipeline.sync()
    shop.run("ALTER TABLE orders DROP CONSTRAINT orders_pkey")
    shop.run("ALTER TABLE orders ADD PRIMARY KEY (id, status)")
    info = pipeline.api.sync(pipeline.connection)
    assert info["job"]["status"] == "cancelled"
    read = pipeline.api.post("connections/get", connectionId=pipeline.connection["connectionId"])
    assert (read["status"], read["breakingChange"]) == ("inactive", True)
    answer = pipeline.api.call("connections/sync", connectionId=read["connectionId"])
    assert answer.status_code == 500


def test_field_selection_and_mappers_shape_the_final_table(pipeline: Pipeline) -> None:
    mappers = [
        {"type": "hashing", "mapperConfiguration": {"targetField": "status", "method": "SHA-256"}},
        {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": "id", "newFieldName": "order_id"}},
        {
            "type": "row-filtering",
            "mapperConfiguration": {
                "conditions": {
                    "type": "NOT",
                    "conditions": [{"type": "EQUAL", "fieldName": "order_id", "comparisonValue": "2"}],
                }
            },
        },
    ]
    selected = [{"fieldPath": ["id"]}, {"fieldPath": ["status"]}]
    mode = DEDUP | {"fieldSelectionEnabled": True, "selectedFields": selected, "mappers": mappers}
    pipeline.connect(mode | {"cursorField": []})
    assert pipeline.sync() == {"orders": 2}
    rows = pipeline.rows('"ORDER_ID", "STATUS_HASHED"')
    assert [row[0] for row in rows] == [1, 3]
    assert all(len(row[1]) == 64 for row in rows)
    assert not {"UPDATED_AT", "STATUS", "ID"} & {row[0] for row in columns_of(pipeline, "ORDERS")}


def test_refresh_reads_again_and_clear_removes_data_and_state(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect(DEDUP)
    pipeline.sync()
    connection = {"connectionId": pipeline.connection["connectionId"]}
    pipeline.account.run(f'INSERT INTO RAW."{pipeline.schema}"."ORDERS" ("ID", "STATUS") VALUES (99, \'stray\')')
    merge = pipeline.api.post("connections/refresh", refreshMode="Merge", **connection)["job"]
    assert moved(pipeline.api.finished(merge)) == {"orders": 3}
    assert [row[0] for row in pipeline.rows()] == [1, 2, 3, 99]
    truncate = pipeline.api.post("connections/refresh", refreshMode="Truncate", **connection)["job"]
    assert moved(pipeline.api.finished(truncate)) == {"orders": 3}
    assert {row[1] for row in pipeline.rows('"ID", "_AIRBYTE_GENERATION_ID"') if row[0] < 99} == {1}
    cleared = pipeline.api.finished(pipeline.api.post("connections/clear", **connection)["job"])
    assert cleared["job"]["status"] == "succeeded"
    assert pipeline.rows() == []
    assert pipeline.api.post("state/get", **connection)["stateType"] == "not_set"
    assert pipeline.sync() == {"orders": 3}


def test_a_missing_right_in_snowflake_is_told_by_check_and_sync(pipeline: Pipeline, account: Account) -> None:
    account.run(f"CREATE SCHEMA RAW.{pipeline.schema}")
    config = account.config(pipeline.schema)
    pipeline.connect(DEDUP, destination=config)
    body = {"destinationId": pipeline.connection["destinationId"]}
    check = pipeline.api.post("destinations/check_connection", **body)
    assert check["status"] == "failed"
    assert "Insufficient privileges to operate on schema" in check["message"] or "not authorized" in check["message"]
    assert pipeline.failure()["failureOrigin"] == "destination"
    account.run(f"GRANT USAGE, CREATE TABLE ON SCHEMA RAW.{pipeline.schema} TO ROLE AIRBYTE_ROLE")
    assert pipeline.api.post("destinations/check_connection", **body)["status"] == "succeeded"
    assert pipeline.sync() == {"orders": 3}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"role": "NOBODY"}, "Role 'NOBODY' specified in the connect string is not granted"),
        ({"username": "STRANGER"}, "JWT token is invalid"),
        ({"host": "nowhere.snowflakecomputing.com"}, "Could not connect to Snowflake at nowhere"),
        ({"credentials": {"auth_type": "Username and Password", "password": "x"}}, "Incorrect username or password"),
        ({"credentials": {"auth_type": "Key Pair Authentication", "private_key": "x"}}, "private key cannot be read"),
    ],
)
def test_a_login_that_fails_is_a_failed_check_with_snowflakes_words(
    pipeline: Pipeline, fields: Json, words: str
) -> None:
    destination = pipeline.api.destination(pipeline.account.config(pipeline.schema, **fields))
    check = pipeline.api.post("destinations/check_connection", destinationId=destination["destinationId"])
    assert check["status"] == "failed"
    assert words in check["message"]
    assert "BEGIN" not in check["message"]


def test_sample_data_reach_snowflake_and_only_new_ones_the_second_time(pipeline: Pipeline) -> None:
    api = pipeline.api
    source = api.source(FAKER, {"count": 150, "seed": 1})
    catalog = api.post("sources/discover_schema", sourceId=source["sourceId"])["catalog"]
    destination = api.destination(pipeline.account.config(pipeline.schema))
    body = {"namespaceDefinition": "destination", "syncCatalog": catalog}
    pipeline.connection = api.connection(source, destination, **body)
    assert pipeline.sync() == {"users": 150, "products": 100, "purchases": 150}
    update = {"sourceId": source["sourceId"], "name": "s", "connectionConfiguration": {"count": 160, "seed": 1}}
    api.post("sources/update", **update)
    assert pipeline.sync() == {"users": 10, "products": 0, "purchases": 10}
    assert len(pipeline.rows('"ID", "EMAIL"', "USERS")) == 160


def test_one_job_at_a_time_and_cancelling_stops_it(pipeline: Pipeline) -> None:
    pipeline.connect(DEDUP)
    slow = {"path": "connector:sync:airbyte/source-postgres", "delay_ms": 1000}
    pipeline.api.sandbox("POST", "faults", slow)
    connection = {"connectionId": pipeline.connection["connectionId"]}
    job = pipeline.api.post("connections/sync", **connection)["job"]
    assert pipeline.api.call("connections/sync", **connection).status_code == 409
    state = {"stateType": "not_set", **connection}
    body = {"connectionState": state, **connection}
    assert pipeline.api.call("state/create_or_update_safe", **body).status_code == 423
    assert pipeline.api.post("connections/status", connectionIds=[connection["connectionId"]])[0]["activeJob"]
    assert pipeline.api.post("jobs/cancel", id=job["id"])["job"]["status"] == "cancelled"
    pipeline.api.sandbox("POST", "jobs/wait")
    assert pipeline.api.post("jobs/get", id=job["id"])["job"]["status"] == "cancelled"
    assert pipeline.sync() == {"orders": 3}


def test_clearing_one_stream_leaves_the_others_data_and_state(pipeline: Pipeline, shop: Database) -> None:
    shop.run("CREATE TABLE refunds (id int PRIMARY KEY)")
    shop.run("ALTER PUBLICATION airbyte_publication ADD TABLE refunds")
    shop.run("INSERT INTO refunds VALUES (7)")
    pipeline.connect(DEDUP)
    pipeline.sync()
    body = {"connectionId": pipeline.connection["connectionId"]}
    streams = [{"streamName": "orders", "streamNamespace": "public"}]
    pipeline.api.finished(pipeline.api.post("connections/clear/stream", streams=streams, **body)["job"])
    assert pipeline.rows() == []
    assert pipeline.rows('"ID", "_AIRBYTE_GENERATION_ID"', "REFUNDS") == [(7, 0)]
    assert pipeline.sync() == {"orders": 3, "refunds": 0}
