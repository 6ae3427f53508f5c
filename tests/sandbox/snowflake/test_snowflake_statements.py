"""Reading account-level statements."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.snowflake import names
from sandbox.snowflake.errors import SnowflakeError
from sandbox.snowflake.journal import redacted
from sandbox.snowflake.statements import Alter, Create, Drop, GrantPrivileges, SetProperties, Show, Use, parse
from sandbox.snowflake.tokens import tokenize

COMMENT = ' --terraform_provider_usage_tracking {"resource":"snowflake_x","operation":"it\'s"}'

identifiers = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=40)


def escaped(text: str) -> str:
    """A string literal as the Go provider writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def doubled(text: str) -> str:
    """A string literal in standard SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@given(identifiers, texts, st.sampled_from([escaped, doubled]), st.sampled_from(["", COMMENT, "/* x */", ";"]))
def test_quoted_name_and_text_survive_any_characters(name: str, text: str, literal: object, tail: str) -> None:
    assert callable(literal)
    sql = f"CREATE ROLE {names.quote_part(name)} COMMENT = {literal(text)}{tail}"
    assert parse(tokenize(sql)) == Create("ROLE", (name,), {"COMMENT": text})


@given(st.lists(identifiers, min_size=1, max_size=3).map(tuple))
def test_name_survives_being_written_and_read(name: names.Name) -> None:
    assert names.parse(names.path(name)) == name
    assert names.parse(names.quote(name)) == name


@given(texts)
def test_journal_never_holds_a_literal(text: str) -> None:
    secret = f"s3cret{text}"
    sql = f"ALTER USER U SET PASSWORD = {escaped(secret)} RSA_PUBLIC_KEY = {doubled(secret)} -- {secret!r}".replace(
        "\n", " "
    )
    assert "s3cret" not in redacted(tokenize(sql))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_but_never_crashes(sql: str) -> None:
    for verb in ("", "CREATE WAREHOUSE ", "GRANT ", "SHOW GRANTS ", "ALTER USER "):
        with suppress(SnowflakeError):
            parse(tokenize(verb + sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "CREATE TABLE T (A INT)",
        "INSERT INTO T VALUES (1)",
        "DROP VIEW V",
        "SHOW TABLES",
        "DESC TABLE T",
        "",
    ],
)
def test_data_statements_are_left_alone(sql: str) -> None:
    assert parse(tokenize(sql)) is None


@pytest.mark.parametrize(
    ("sql", "statement"),
    [
        ("use raw", Use("DATABASE", ("RAW",))),
        ('use raw."s"', Use("SCHEMA", ("RAW", "s"))),
        ("USE SECONDARY ROLES NONE", Use("SECONDARY ROLES", ("NONE",))),
        ("DROP SCHEMA IF EXISTS A.B CASCADE", Drop("SCHEMA", ("A", "B"), if_exists=True)),
        ("DROP DATABASE IDENTIFIER('\"a\".b')", Drop("DATABASE", ("a", "B"))),
        ("SHOW ROLES LIKE 'A%' LIMIT 2", Show("ROLES", like="A%", limit=2)),
        (
            "ALTER USER U UNSET COMMENT, DEFAULT_ROLE",
            Alter("USER", ("U",), SetProperties({"COMMENT": None, "DEFAULT_ROLE": None})),
        ),
        (
            'CREATE USER U DEFAULT_NAMESPACE = "D"."s" DAYS_TO_EXPIRY = -1 DEFAULT_SECONDARY_ROLES = (\'ALL\')',
            Create(
                "USER",
                ("U",),
                {"DEFAULT_NAMESPACE": 'D."s"', "DAYS_TO_EXPIRY": "-1", "DEFAULT_SECONDARY_ROLES": ["ALL"]},
            ),
        ),
        (
            "REVOKE ALL ON FUTURE FILE FORMATS IN SCHEMA A.B FROM ROLE R CASCADE",
            GrantPrivileges(
                ("ALL",), "FILE FORMAT", ("A", "B"), "R", bulk="FUTURE", container_kind="SCHEMA", revoke=True
            ),
        ),
    ],
)
def test_statement_reads_as(sql: str, statement: object) -> None:
    assert parse(tokenize(sql)) == statement


@pytest.mark.parametrize(
    ("sql", "position"),
    [("GRANT USAGE ON WAREHOUSE W TO ROLE R R2", 37), ("DROP ROLE R S", 12), ("ALTER WAREHOUSE W DANCE", 18)],
)
def test_syntax_error_says_where(sql: str, position: int) -> None:
    with pytest.raises(SnowflakeError, match=f"syntax error line 1 at position {position} unexpected"):
        parse(tokenize(sql))


def test_syntax_error_does_not_repeat_a_literal() -> None:
    with pytest.raises(SnowflakeError) as caught:
        parse(tokenize("ALTER USER U SET PASSWORD 'hunter22'"))
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [("a_c", "ABC", True), ("a%", "abc", True), ("a\\_c", "abc", False), ("a\\_c", "a_c", True), ("a.c", "abc", False)],
)
def test_like_pattern(pattern: str, text: str, expected: bool) -> None:
    assert names.matches(pattern, text) is expected
