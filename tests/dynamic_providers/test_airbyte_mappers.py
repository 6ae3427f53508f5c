"""Mappers: every type the API has, in order, in one form whichever side they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_providers.airbyte import mappers, streams
from dynamic_providers.airbyte.errors import InvalidStreamsError

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

HASH = {"type": "hashing", "target_field": "email", "method": "SHA-256", "field_name_suffix": "_hashed"}
MD5 = {**HASH, "method": "MD5"}
FILTER = {"type": "field-filtering", "target_field": "note"}
RENAME = {"type": "field-renaming", "original_field_name": "mail", "new_field_name": "email"}
GERMAN = {"type": "EQUAL", "field_name": "country", "comparison_value": "DE"}
ROWS = {"type": "row-filtering", "conditions": {"type": "NOT", "conditions": [{"type": "OR", "conditions": [GERMAN]}]}}
AES = {
    "type": "encryption",
    "algorithm": "AES",
    "target_field": "iban",
    "mode": "GCM",
    "padding": "NoPadding",
    "key": "00112233445566778899aabbccddeeff",
    "field_name_suffix": "_encrypted",
}
RSA = {
    "type": "encryption",
    "algorithm": "RSA",
    "target_field": "iban",
    "public_key": "MIIB",
    "field_name_suffix": "_encrypted",
}
EVERY = [HASH, MD5, FILTER, RENAME, ROWS, AES, RSA]


@given(st.lists(st.sampled_from(["a", "b", "c"]), unique=True), st.lists(st.sampled_from(EVERY), max_size=5))
@settings(max_examples=200)
def test_what_is_sent_comes_back_as_it_was_declared(hashed: list[str], declared: list[dict[str, Any]]) -> None:
    form = mappers.canonical(hashed, declared)
    sent = mappers.to_api(*form, [])
    assert mappers.from_api(sent, form[1]) == form
    assert mappers.canonical(*form) == form
    kinds = [mapper["type"] for mapper in declared]
    assert [mapper["type"] for mapper in sent] == ["hashing"] * len(hashed) + kinds, "the order is the program's"


def test_hashing_as_usual_is_the_short_form_unless_another_mapper_comes_first() -> None:
    assert mappers.canonical([], [HASH]) == (["email"], [])
    assert mappers.canonical(["id"], [HASH, FILTER]) == (["email", "id"], [FILTER])
    assert mappers.canonical([], [RENAME, HASH]) == ([], [RENAME, HASH])
    assert mappers.canonical([], [MD5]) == ([], [MD5]), "another method is another column"


def test_defaults_may_be_left_out() -> None:
    short = {"type": "hashing", "target_field": "email", "method": "MD5"}
    assert mappers.canonical([], [short])[1] == [MD5]


@pytest.mark.parametrize(
    ("mapper", "told"),
    [
        ({"type": "hashin", "target_field": "a"}, "mappers[0]: 'hashin' is none of 'hashing', 'field-filtering'"),
        ({"target_field": "a"}, "mappers[0].type is missing"),
        ({"type": "field-renaming", "original_field_name": "a"}, "mappers[0].field-renaming.new_field_name is missing"),
        ({"type": "encryption", "target_field": "a"}, "mappers[0].encryption.algorithm is missing"),
        ({**HASH, "method": "SHA-3"}, "method: input should be 'MD2'"),
        ({**FILTER, "field": "a"}, "field: extra inputs are not permitted"),
        ({**ROWS, "conditions": {"type": "AND", "conditions": []}}, "conditions: list should have at least 1 item"),
    ],
)
def test_a_mapper_that_airbyte_does_not_know_is_refused(mapper: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidStreamsError) as refused:
        streams.canonical({"orders": {"mappers": [mapper]}})
    assert "streams.orders.mappers[0]" in str(refused.value)
    assert told in str(refused.value)


def test_a_wrong_key_is_not_told() -> None:
    with pytest.raises(InvalidStreamsError) as refused:
        streams.canonical({"orders": {"mappers": [{**AES, "mode": "GCN"}]}})
    assert str(AES["key"]) not in str(refused.value)


def test_a_mapper_of_a_later_airbyte_is_shown_and_not_lost() -> None:
    live = [{"id": "1", "type": "tokenizing", "mapperConfiguration": {"targetField": "a", "vaultName": "v"}}]
    assert mappers.from_api(live, []) == ([], [{"type": "tokenizing", "target_field": "a", "vault_name": "v"}])


def test_a_live_mapper_keeps_its_id_and_a_key_its_declared_value() -> None:
    live = [
        {"id": "one", "type": "encryption", "mapperConfiguration": {"algorithm": "AES", "targetField": "iban"}},
        {"id": "two", "type": "hashing", "mapperConfiguration": {"targetField": "email"}},
    ]
    sent = mappers.to_api(["email"], [AES, FILTER], live)
    assert [mapper.get("id") for mapper in sent] == ["two", "one", None]
    assert sent[1]["mapperConfiguration"]["key"] == AES["key"]
    shown = [{**sent[1], "mapperConfiguration": {**sent[1]["mapperConfiguration"], "key": "**********"}}]
    assert mappers.from_api(shown, [AES])[1] == [AES]
    assert mappers.from_api(shown, [])[1][0]["key"] == "**********"


def test_fields_are_looked_for_under_the_name_they_have_by_then() -> None:
    columns = {"mail", "note", "country", "iban"}
    assert mappers.missing_fields([], [RENAME, HASH, {**FILTER, "target_field": "email_hashed"}], columns) == set()
    assert mappers.missing_fields([], [HASH, RENAME], columns) == {"email"}
    assert mappers.missing_fields(["iban"], [ROWS, AES], columns) == {"iban"}, "hashed, it is not there any more"
    assert mappers.missing_fields([], [ROWS], columns - {"country"}) == {"country"}


def test_keys_are_found_to_be_kept_out_of_messages() -> None:
    form = streams.canonical({"orders": {"mappers": [AES, ROWS]}, "users": {}})
    assert mappers.keys(form) == [AES["key"]]
    assert mappers.keys(None) == []


def test_a_changed_key_is_sent_and_a_live_one_is_no_drift(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    key, *_ = connection_inputs["streams"]

    def program(secret: str) -> Properties:
        stream = {**connection_inputs["streams"][key], "mappers": [{**AES, "target_field": "amount", "key": secret}]}
        return {**connection_inputs, "streams": {**connection_inputs["streams"], key: stream}}

    a_connection.up(program("0123456789abcdef"))
    [made] = mappers_of(airbyte, a_connection, key)
    assert a_connection.refresh() == ()
    assert a_connection.up(program("0123456789abcdef")) == ()

    assert a_connection.up(program("fedcba9876543210")) == ("streams",)

    assert mappers_of(airbyte, a_connection, key) == [made], "the same one, its key masked"
    assert a_connection.refresh() == ()
    redactor = a_connection.resource().session.redactor  # type: ignore[attr-defined]
    assert redactor.scrub("fedcba9876543210") == "fedcba9876543210", "a new command knows no secret"
    told = a_connection.resource()
    told.read(a_connection.id, a_connection.outputs)
    assert told.session.redactor.scrub("fedcba9876543210") == "[redacted]"  # type: ignore[attr-defined]


def mappers_of(airbyte: Airbyte, connection: Life, key: str) -> list[Properties]:
    entries = airbyte.read("connections", connection.id)["syncCatalog"]["streams"]
    found: list[Properties] = next(e["config"]["mappers"] for e in entries if e["stream"]["name"] == key)
    return found
