"""The data that a new server holds."""

from decimal import Decimal
from pathlib import Path

import psycopg

from sandbox import postgres

FINGERPRINT = (
    "SELECT (SELECT md5(string_agg(o::text, chr(10) ORDER BY id)) FROM orders o), "
    "(SELECT md5(string_agg(u::text, chr(10) ORDER BY id)) FROM users u)"
)


def test_there_are_500_orders_of_100_users(admin: psycopg.Connection) -> None:
    assert admin.execute("SELECT count(*), count(DISTINCT user_id) FROM orders").fetchone() == (500, 100)
    assert admin.execute("SELECT count(*) FROM users").fetchone() == (100,)
    orphans = "SELECT count(*) FROM orders WHERE user_id NOT IN (SELECT id FROM users)"
    assert admin.execute(orphans).fetchone() == (0,)


def test_the_columns_have_the_types_that_pipelines_get_wrong(admin: psycopg.Connection) -> None:
    columns = admin.execute(
        "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid IN ('orders'::regclass, 'users'::regclass) AND attnum > 0"
    ).fetchall()

    assert set(columns) == {
        ("orders", "id", "bigint"),
        ("orders", "user_id", "bigint"),
        ("orders", "amount", "numeric(12,2)"),
        ("orders", "status", "text"),
        ("orders", "tags", "jsonb"),
        ("orders", "created_at", "timestamp with time zone"),
        ("orders", "updated_at", "timestamp with time zone"),
        ("users", "id", "bigint"),
        ("users", "email", "text"),
        ("users", "name", "text"),
        ("users", "is_active", "boolean"),
        ("users", "created_at", "timestamp with time zone"),
        ("users", "updated_at", "timestamp with time zone"),
    }


def test_the_values_are_as_varied_as_real_ones(admin: psycopg.Connection) -> None:
    assert admin.execute("SELECT max(amount) FROM orders").fetchone() == (Decimal("9999999999.99"),)
    kinds = admin.execute("SELECT DISTINCT jsonb_typeof(tags) FROM orders").fetchall()
    assert {kind for (kind,) in kinds} == {None, "array", "object"}
    assert admin.execute("SELECT count(*) FROM users WHERE name IS NULL").fetchone() == (4,)
    assert admin.execute("SELECT count(*) > 0 FROM users WHERE name ~ '[^[:ascii:]]'").fetchone() == (True,)


def test_a_row_inserted_without_an_id_follows_the_seeded_ones(admin: psycopg.Connection) -> None:
    inserted = admin.execute("INSERT INTO orders (user_id, amount) VALUES (1, 2) RETURNING id").fetchone()
    admin.execute("DELETE FROM orders WHERE id > 500")

    assert inserted == (501,)


def test_every_new_server_holds_the_same_rows(data: Path) -> None:
    with postgres.start(data) as other, psycopg.connect(other.conninfo()) as connection:
        first = connection.execute(FINGERPRINT).fetchone()
    postgres.destroy(data)
    with postgres.start(data) as again, psycopg.connect(again.conninfo()) as connection:
        second = connection.execute(FINGERPRINT).fetchone()

    assert first == second
    assert first != (None, None)


def test_a_second_start_changes_no_row_and_brings_nothing_back(data: Path) -> None:
    with postgres.start(data) as server, psycopg.connect(server.conninfo()) as connection:
        connection.execute("UPDATE orders SET status = 'lost' WHERE id = 7")
        connection.execute("DELETE FROM orders WHERE id = 8")
        connection.execute("DROP TABLE users")

    with postgres.start(data) as server, psycopg.connect(server.conninfo()) as connection:
        assert connection.execute("SELECT id, status FROM orders WHERE id IN (7, 8)").fetchall() == [(7, "lost")]
        assert connection.execute("SELECT to_regclass('users')").fetchone() == (None,)
