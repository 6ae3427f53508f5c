"""``${VAR}`` resolves from the stack, then its configuration, then the environment; secrets stay secrets."""

import asyncio
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import ConfigurationError
from components.pipeline_file import Variables
from components.pipeline_file.document import Document
from components.pipeline_file.secrets import is_secret_name
from components.pipeline_file.variables import config_key


def value_of(output: Any) -> tuple[Any, bool]:
    """An Output's value and whether it is a secret."""

    async def wait() -> tuple[Any, bool]:
        return await output.future(), await output.is_secret()

    return asyncio.get_event_loop().run_until_complete(wait())


def test_what_the_stack_provisions_wins_over_configuration_and_environment() -> None:
    variables = Variables({"POSTGRES_HOST": "stack"}, {"postgresHost": "config"}, (), {"POSTGRES_HOST": "environment"})
    assert variables.resolve({"host": "${POSTGRES_HOST}"}).config == {"host": "stack"}


def test_configuration_wins_over_the_environment_under_either_spelling() -> None:
    for key in ("MYSQL_HOST", "mysqlHost"):
        variables = Variables({}, {key: "config"}, (), {"MYSQL_HOST": "environment"})
        assert variables.resolve({"host": "${MYSQL_HOST}"}).config == {"host": "config"}


def test_a_configuration_value_may_itself_refer_to_the_environment() -> None:
    variables = Variables({}, {"mysqlHost": "${DB_HOST}"}, (), {"DB_HOST": "db.example.com"})
    assert variables.resolve({"host": "${MYSQL_HOST}"}).config == {"host": "db.example.com"}


def test_numbers_and_booleans_are_typed_as_if_they_stood_in_the_file() -> None:
    variables = Variables({}, {}, (), {"PORT": "5432", "SSL": "true", "ZIP": "01234"})
    config = variables.resolve({"port": "${PORT}", "ssl": "${SSL}", "zip": "${ZIP}", "text": "5432"}).config
    assert config == {"port": 5432, "ssl": True, "zip": "01234", "text": "5432"}


def test_a_secret_is_wrapped_at_its_leaf_and_its_path_is_told() -> None:
    variables = Variables({}, {}, (), {"PASSWORD": "12345678", "HOST": "db"})
    resolved = variables.resolve(
        {"host": "${HOST}", "password": "${PASSWORD}", "tunnel": {"keys": [{"ssh_key": "${PASSWORD}"}]}}
    )
    assert resolved.secret_paths == ("password", "tunnel.keys.0.ssh_key")
    assert resolved.config["host"] == "db"
    assert value_of(resolved.config["password"]) == ("12345678", True)


TYPED = {
    "integer": ("1234", 1234),
    "number": ("0.5", 0.5),
    "boolean": ("true", True),
    "object": ('{"key": "k"}', {"key": "k"}),
    "array": ("[1]", [1]),
    "string": ("1234", "1234"),
}


@pytest.mark.parametrize("kind", TYPED)
@pytest.mark.parametrize("provisioned", [False, True])
def test_a_secret_that_is_no_text_has_the_type_that_the_file_gives_it(kind: str, provisioned: bool) -> None:
    text, value = TYPED[kind]
    variables = Variables({"PIN": pulumi.Output.secret(text)} if provisioned else {}, {}, (), {"PIN": text})
    resolved = variables.resolve({"a": {"pin": "${PIN}"}}, {"a.pin": kind})
    assert resolved.secret_paths == ("a.pin",)
    assert value_of(resolved.config["a"]["pin"]) == (value, True)


@pytest.mark.parametrize(
    ("kind", "text"), [("integer", "12x4"), ("integer", "true"), ("boolean", "1"), ("object", "[4711]")]
)
def test_a_value_of_another_type_is_refused_and_not_told(kind: str, text: str) -> None:
    variables = Variables({}, {}, (), {"PIN": text})
    with pytest.raises(ConfigurationError, match=r"\$\{PIN\}: stands for a secret of the type") as refused:
        variables.resolve({"pin": "${PIN}"}, {"pin": kind})
    assert text not in str(refused.value).replace(kind, "")


def test_a_value_from_a_secret_of_the_stack_is_secret_whatever_its_name() -> None:
    variables = Variables({}, {"hostName": "db"}, {"hostName"}, {})
    resolved = variables.resolve({"host": "${HOST_NAME}"})
    assert resolved.secret_paths == ("host",)
    assert value_of(resolved.config["host"]) == ("db", True)


def test_the_file_can_declare_a_secret_that_its_name_does_not_give_away() -> None:
    variables = Variables({}, {}, (), {"PIN": "4711"})
    assert variables.resolve({"login": {"pin": "${PIN}"}}, ["login.pin"]).secret_paths == ("login.pin",)


def test_references_within_a_text_are_replaced_and_escapes_kept() -> None:
    variables = Variables({"HOST": pulumi.Output.from_input("db")}, {}, (), {"PORT": "5432"})
    plain = variables.resolve({"url": "x:${PORT}/${PORT}", "literal": "$${PORT}"}).config
    assert plain == {"url": "x:5432/5432", "literal": "${PORT}"}
    mixed = variables.resolve({"url": "${HOST}:${PORT}"}).config["url"]
    assert value_of(mixed)[0] == "db:5432"


def test_every_unresolved_name_is_reported_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "orders.yaml"
    file.write_text("source:\n  config:\n    host: ${NO_HOST}\n    user: ${NO_USER}\n")
    problems = Variables(environ={}).missing(Document.read(file))
    assert [problem.where.split("orders.yaml")[1] for problem in problems] == [
        ":3: source.config.host",
        ":4: source.config.user",
    ]
    assert "pulumi config set noHost" in problems[0].fix
    with pytest.raises(ConfigurationError, match="NO_HOST"):
        Variables(environ={}).resolve({"host": "${NO_HOST}"})


@given(st.lists(st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True), min_size=1, max_size=4))
def test_a_variable_and_its_configuration_key_hold_the_same_letters(parts: list[str]) -> None:
    assert config_key("_".join(parts)).lower() == "".join(parts).lower()


@pytest.mark.parametrize(
    ("leaf", "secret"),
    [
        ("password", True),
        ("private_key", True),
        ("private_key_password", True),
        ("api_key", True),
        ("credentials_json", True),
        ("client_secret", True),
        ("access_token", True),
        ("ca_certificate", True),
        ("host", False),
        ("token_refresh_endpoint_url", False),
        ("primary_key", False),
        ("key", False),
    ],
)
def test_secrets_are_told_by_their_names(leaf: str, secret: bool) -> None:
    assert is_secret_name(("config", leaf), ()) is secret
