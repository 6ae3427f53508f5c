"""Property values between the engine's wire form and Python."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from sandbox.plugins.values import (
    UNKNOWN,
    UnsupportedValueError,
    decode,
    decode_deeply,
    encode,
    is_known,
    secret_texts,
)

SIGNATURE = "4dabf18193072939515e22adb298388d"
UNKNOWN_ON_THE_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": "hush"}

plain = st.recursive(
    st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=8) | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def wire(properties: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(properties, struct_pb2.Struct())


@given(st.dictionaries(st.text(min_size=1, max_size=5), plain, max_size=4), st.data())
def test_what_is_encoded_is_decoded_again_with_its_secrets(properties: dict[str, Any], data: Any) -> None:
    secrets = data.draw(st.sets(st.sampled_from(sorted(properties)))) if properties else set()
    assert decode(encode(properties, secrets)) == (properties, secrets)


def test_the_wire_form_is_the_engines() -> None:
    struct = encode({"later": UNKNOWN, "password": "hush", "none": None, "port": 5432}, {"password"})
    assert json_format.MessageToDict(struct) == {"later": UNKNOWN_ON_THE_WIRE, "password": SECRET, "port": 5432}


def test_a_secret_inside_a_list_makes_the_property_secret() -> None:
    properties, secrets = decode(wire({"names": ["a", SECRET], "host": "h"}))
    assert properties == {"names": ["a", "hush"], "host": "h"}
    assert secrets == frozenset({"names"})


def test_secrets_below_the_top_are_told_by_their_paths() -> None:
    struct = wire({"data": {"a": "x", "b": SECRET}, "spec": {"list": ["a", SECRET]}, "c": SECRET})
    properties, secrets = decode_deeply(struct)
    assert properties == {"data": {"a": "x", "b": "hush"}, "spec": {"list": ["a", "hush"]}, "c": "hush"}
    assert secrets == {("data", "b"), ("spec", "list"), ("c",)}
    assert decode_deeply(encode(properties, secrets)) == (properties, secrets)


def test_nulls_are_kept_where_they_say_something() -> None:
    properties = {"values": {"a": None, "b": [None]}, "c": None}
    assert decode(encode(properties, nulls=True))[0] == properties
    assert decode(encode(properties))[0] == {"values": {"b": [None]}}


def test_an_output_without_value_is_unknown() -> None:
    output = {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "secret": True, "dependencies": []}
    properties, secrets = decode(wire({"later": output}))
    assert properties == {"later": UNKNOWN}
    assert secrets == frozenset({"later"})


def test_a_resource_reference_is_its_id() -> None:
    reference = {SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": "urn:x", "id": "RAW"}
    assert decode(wire({"database": reference}))[0] == {"database": "RAW"}


def test_an_asset_is_refused_by_the_propertys_name() -> None:
    asset = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "x"}
    with pytest.raises(UnsupportedValueError, match="script"):
        decode(wire({"script": asset}))


def test_unknowns_are_found_at_any_depth() -> None:
    assert not is_known({"on": {"names": ["a", UNKNOWN]}})
    assert is_known({"on": {"names": ["a", "b"]}})


def test_only_texts_under_a_secret_are_secret() -> None:
    struct = wire({"host": "h", "password": SECRET, "deep": {"list": [SECRET]}})
    assert [text for text in secret_texts(struct) if text != SECRET[SIGNATURE]] == ["hush", "hush"]
