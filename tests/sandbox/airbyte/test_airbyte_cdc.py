"""Change data capture from a real PostgreSQL: nothing lost, nothing twice, nothing forgotten too early."""

from __future__ import annotations

import threading

import psycopg

from tests.sandbox.airbyte.databases import Database
from tests.sandbox.airbyte.pipelines import DEDUP, Pipeline, moved


def test_soft_deletion_keeps_the_row_and_says_when(pipeline: Pipeline, shop: Database) -> None:
    config = pipeline.account.config(pipeline.schema, cdc_deletion_mode="Soft delete")
    pipeline.connect(DEDUP, destination=config)
    pipeline.sync()
    shop.run("DELETE FROM orders WHERE id = 2")
    assert pipeline.sync() == {"orders": 1}
    assert [row[0] for row in pipeline.rows('"ID", "_AB_CDC_DELETED_AT"') if row[1]] == [2]
    assert len(pipeline.rows()) == 3


def test_a_dropped_slot_fails_with_the_servers_own_error(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect(DEDUP)
    pipeline.sync()
    shop.run("SELECT pg_drop_replication_slot(%s)", shop.slot)
    reason = pipeline.failure()
    assert f'replication slot "{shop.slot}" does not exist' in reason["externalMessage"]
    assert (reason["failureOrigin"], reason["failureType"]) == ("source", "config_error")
    body = {"connectionIds": [pipeline.connection["connectionId"]]}
    status = pipeline.api.post("connections/status", **body)[0]
    assert status["connectionSyncStatus"] == "failed"
    assert status["failureReason"]["externalMessage"] == reason["externalMessage"]


def test_a_slot_that_ran_ahead_fails_or_resyncs_as_configured(pipeline: Pipeline, shop: Database) -> None:
    method = shop.config()["replication_method"]
    resync = method | {"invalid_cdc_cursor_position_behavior": "Re-sync data"}
    pipeline.connect(DEDUP)
    pipeline.sync()
    shop.run("UPDATE orders SET status = 'lost'")
    shop.run("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", shop.slot)
    assert "changes in between are lost" in pipeline.failure()["externalMessage"]
    source = {"sourceId": pipeline.connection["sourceId"], "name": "s"}
    pipeline.api.post("sources/update", connectionConfiguration=shop.config(replication_method=resync), **source)
    assert pipeline.sync() == {"orders": 3}
    assert {status for _, status in pipeline.rows()} == {"lost"}


def test_the_slot_moves_only_when_the_data_is_loaded(pipeline: Pipeline, shop: Database) -> None:
    def position() -> int:
        query = "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE slot_name = %s"
        return int(shop.run(query, shop.slot)[0][0])

    pipeline.connect(DEDUP)
    pipeline.sync()
    shop.run("UPDATE orders SET status = 'paid' WHERE id = 1")
    before = position()
    broken = {"path": "connector:sync:airbyte/destination-snowflake", "connector": {"message": "disk full"}}
    pipeline.api.sandbox("POST", "faults", broken)
    reason = pipeline.failure()
    assert (reason["failureOrigin"], reason["externalMessage"]) == ("destination", "disk full")
    assert position() == before
    assert pipeline.sync() == {"orders": 1}
    assert position() > before


def test_nothing_is_lost_or_doubled_while_the_snapshot_is_taken(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect({"syncMode": "incremental", "destinationSyncMode": "append"})
    stop = threading.Event()
    inserted: list[int] = []

    def insert() -> None:
        with psycopg.connect(shop.session.info.dsn, password=shop.session.info.password) as writer:
            while not stop.is_set():
                number = 1000 + len(inserted)
                writer.execute("INSERT INTO orders VALUES (%s, 'live')", (number,))
                writer.commit()
                inserted.append(number)

    thread = threading.Thread(target=insert)
    thread.start()
    try:
        for _ in range(3):
            pipeline.sync()
    finally:
        stop.set()
        thread.join()
    pipeline.sync()
    assert inserted
    assert [row[0] for row in pipeline.rows()] == [1, 2, 3, *inserted]


def test_a_transaction_open_during_the_snapshot_arrives_with_its_commit(pipeline: Pipeline, shop: Database) -> None:
    pipeline.connect({"syncMode": "incremental", "destinationSyncMode": "append"})
    with psycopg.connect(shop.session.info.dsn, password=shop.session.info.password) as writer:
        writer.execute("INSERT INTO orders VALUES (4, 'open')")
        shop.run("INSERT INTO orders VALUES (5, 'committed')")
        assert pipeline.sync() == {"orders": 4}
        writer.commit()
    assert pipeline.sync() == {"orders": 1}
    assert [row[0] for row in pipeline.rows()] == [1, 2, 3, 4, 5]


def test_large_values_that_an_update_leaves_alone_survive_it(pipeline: Pipeline, shop: Database) -> None:
    shop.run("ALTER TABLE orders ADD COLUMN note text")
    shop.run("ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL")
    shop.run("UPDATE orders SET note = repeat('x', 20000) WHERE id = 1")
    pipeline.connect(DEDUP)
    pipeline.sync()
    shop.run("UPDATE orders SET status = 'paid' WHERE id = 1")
    pipeline.sync()
    assert pipeline.rows('"STATUS", LENGTH("NOTE")')[-1] == ("paid", 20000)
    shop.run("ALTER TABLE orders REPLICA IDENTITY FULL")
    shop.run("UPDATE orders SET status = 'sent' WHERE id = 1")
    shop.run("DELETE FROM orders WHERE id = 2")
    pipeline.sync()
    assert pipeline.rows('"ID", "STATUS", LENGTH("NOTE")') == [(1, "sent", 20000), (3, "new", None)]


def test_values_keep_their_types(pipeline: Pipeline, shop: Database) -> None:
    shop.run(
        "CREATE TABLE kinds (id int PRIMARY KEY, n numeric, f float8, b boolean, d date, t time, ts timestamp,"
        " tz timestamptz, j jsonb, a int[], u uuid, x bytea)"
    )
    shop.run("ALTER PUBLICATION airbyte_publication ADD TABLE kinds")
    values = (
        "12.5, 0.1, true, '2024-02-29', '23:59:59', '2024-02-29 12:00', '2024-02-29 12:00+02', '{\"k\": [1]}',"
        " '{1,NULL,3}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\xbeef'"
    )
    shop.run(f"INSERT INTO kinds VALUES (1, {values})")
    pipeline.connect(DEDUP)
    pipeline.sync()
    shop.run(f"INSERT INTO kinds VALUES (2, {values})")
    assert pipeline.sync() == {"orders": 0, "kinds": 1}
    columns = '"ID", "N", "F", "B", "D"::VARCHAR, "TZ"::VARCHAR, "J", "A", "U", "X"'
    from_table, from_log = pipeline.rows(columns, "KINDS")
    assert from_table[1:] == from_log[1:]
    assert from_table[1:5] == (12.5, 0.1, True, "2024-02-29")
    assert from_table[5].startswith("2024-02-29 10:00:00")
    assert from_table[6:] == ('{"k": [1]}', from_table[7], "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "\\xbeef")
    assert "".join(str(from_table[7]).split()).replace("undefined", "null") == "[1,null,3]"
    types = pipeline.account.run(
        "SELECT COLUMN_NAME, DATA_TYPE FROM RAW.INFORMATION_SCHEMA.COLUMNS "
        f"WHERE TABLE_SCHEMA = '{pipeline.schema}' AND TABLE_NAME = 'KINDS'"
    )
    assert dict(types)["ID"] == "NUMBER"
    assert dict(types)["B"] == "BOOLEAN"
    assert dict(types)["A"] == "VARIANT"
    assert dict(types)["TZ"].startswith("TIMESTAMP")


def test_refreshing_one_stream_loses_no_change_of_another(pipeline: Pipeline, shop: Database) -> None:
    shop.run("CREATE TABLE refunds (id int PRIMARY KEY)")
    shop.run("ALTER PUBLICATION airbyte_publication ADD TABLE refunds")
    pipeline.connect(DEDUP)
    pipeline.sync()
    shop.run("INSERT INTO refunds VALUES (7)")
    body = {"connectionId": pipeline.connection["connectionId"], "refreshMode": "Truncate"}
    streams = [{"streamName": "orders", "streamNamespace": "public"}]
    job = pipeline.api.post("connections/refresh", streams=streams, **body)["job"]
    assert moved(pipeline.api.finished(job)) == {"orders": 3, "refunds": 1}
    assert pipeline.sync() == {"orders": 0, "refunds": 0}
    assert pipeline.rows('"ID", "_AIRBYTE_GENERATION_ID"', "REFUNDS") == [(7, 0)]
    assert {row[1] for row in pipeline.rows('"ID", "_AIRBYTE_GENERATION_ID"')} == {1}
