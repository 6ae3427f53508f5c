"""Mappers of a stream: what Airbyte does to its records on the way, in order.

::

    {"type": "hashing", "target_field": "email", "method": "SHA-256", "field_name_suffix": "_hashed"}
    {"type": "field-filtering", "target_field": "note"}
    {"type": "field-renaming", "original_field_name": "mail", "new_field_name": "email"}
    {"type": "row-filtering", "conditions": {"type": "EQUAL", "field_name": "country", "comparison_value": "DE"}}
    {"type": "encryption", "algorithm": "AES", "mode": "GCM", "padding": "NoPadding", "target_field": "iban", "key": …}

Types and settings are those of the API, with underscores. A stream's ``hash`` is the short form of the first of these:
the columns that are hashed as above before any other mapper has its turn.
https://docs.airbyte.com/platform/using-airbyte/mappings
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel, to_snake

from dynamic_providers.airbyte.secrets import MASK

Described = dict[str, Any]
"""A mapper in the program's terms."""

_Field = Annotated[str, StringConstraints(min_length=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Hashing(_Settings):
    """The field's hash in a field of a new name, instead of the field."""

    type: Literal["hashing"]
    target_field: _Field
    method: Literal["MD2", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"] = "SHA-256"
    field_name_suffix: str = "_hashed"


class FieldFiltering(_Settings):
    """The record without the field."""

    type: Literal["field-filtering"]
    target_field: _Field


class FieldRenaming(_Settings):
    """The field under another name."""

    type: Literal["field-renaming"]
    original_field_name: _Field
    new_field_name: _Field


class Equal(_Settings):
    """Records whose field, as text, has this value."""

    type: Literal["EQUAL"]
    field_name: _Field
    comparison_value: str


class Logical(_Settings):
    """Records that fulfil all, any or none of the conditions."""

    type: Literal["AND", "OR", "NOT"]
    conditions: list["Condition"] = Field(min_length=1)


Condition = Annotated[Equal | Logical, Field(discriminator="type")]


class RowFiltering(_Settings):
    """Only the records that fulfil the condition."""

    type: Literal["row-filtering"]
    conditions: Condition


class AesEncryption(_Settings):
    """The field encrypted with a shared key, in a field of a new name."""

    type: Literal["encryption"]
    algorithm: Literal["AES"]
    target_field: _Field
    mode: Literal["CBC", "CFB", "OFB", "CTR", "GCM", "ECB"]
    padding: Literal["NoPadding", "PKCS5Padding"]
    key: _Field = Field(description="Hex digits; a secret, so a variable.")
    field_name_suffix: str = "_encrypted"


class RsaEncryption(_Settings):
    """The field encrypted with a public key, in a field of a new name."""

    type: Literal["encryption"]
    algorithm: Literal["RSA"]
    target_field: _Field
    public_key: _Field = Field(description="Base64 of an X.509 public key.")
    field_name_suffix: str = "_encrypted"


Encryption = Annotated[AesEncryption | RsaEncryption, Field(discriminator="algorithm")]
Mapper = Annotated[
    Hashing | FieldFiltering | FieldRenaming | RowFiltering | Encryption,
    Field(discriminator="type"),
]

HASHING: Final = "hashing"
KEY: Final = "key"
"""The one setting that is secret."""
_DEFAULTS: Final[Mapping[str, Described]] = {
    HASHING: {"method": "SHA-256", "field_name_suffix": "_hashed"},
    "encryption": {"field_name_suffix": "_encrypted"},
}
_FIELDS: Final = ("target_field", "original_field_name")
_READER: Final[TypeAdapter[list[Any]]] = TypeAdapter(list[Mapper])


def canonical(hash_columns: Iterable[str], declared: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[Described]]:
    """The columns of the short form, sorted, and the other mappers with their defaults, in their order.

    Raises ValueError, a sentence with the place in it, for a mapper that Airbyte does not know or that lacks something.
    """
    try:
        checked = _READER.validate_python([dict(mapper) for mapper in declared])
    except ValidationError as error:
        raise ValueError("; ".join(_sentence(details) for details in error.errors(include_url=False))) from None
    described = [mapper.model_dump() for mapper in checked]
    return _split([*(_hashing(column) for column in sorted(set(hash_columns))), *described])


def from_api(
    live: Iterable[Mapping[str, Any]], declared: Iterable[Mapping[str, Any]]
) -> tuple[list[str], list[Described]]:
    """A stream's live mappers in the program's terms, in the two forms that `canonical` gives.

    A key can't be compared: it is the one that was declared for this field, or a mask where none was.
    """
    keys = {_subject(mapper): mapper[KEY] for mapper in declared if isinstance(mapper, Mapping) and KEY in mapper}

    def described(mapper: Mapping[str, Any]) -> Described:
        settings = _renamed(mapper.get("mapperConfiguration") or {}, to_snake)
        result = {"type": mapper.get("type"), **_DEFAULTS.get(str(mapper.get("type")), {}), **settings}
        return {**result, KEY: keys.get(_subject(result)) or MASK} if KEY in result else result

    return _split([described(mapper) for mapper in live])


def to_api(
    hash_columns: Iterable[str], declared: Iterable[Mapping[str, Any]], live: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The mappers as they are sent; one that is there already keeps the id that the server knows it by."""
    ids: dict[tuple[Any, ...], list[str]] = {}
    for mapper in live:
        if mapper.get("id"):
            settings = _renamed(mapper.get("mapperConfiguration") or {}, to_snake)
            ids.setdefault(_subject({"type": mapper.get("type"), **settings}), []).append(str(mapper["id"]))
    sent = []
    for mapper in [*map(_hashing, hash_columns), *declared]:
        known = ids.get(_subject(mapper))
        sent.append(
            {
                **({"id": known.pop(0)} if known else {}),
                "type": mapper["type"],
                "mapperConfiguration": _renamed(
                    {name: value for name, value in mapper.items() if name != "type"}, to_camel
                ),
            }
        )
    return sent


def missing_fields(hash_columns: Iterable[str], declared: Iterable[Mapping[str, Any]], columns: set[str]) -> set[str]:
    """The fields the mappers work on that are not there when their turn comes, given a record's columns."""
    there, missing = set(columns), set[str]()
    for mapper in [*map(_hashing, hash_columns), *declared]:
        wanted = set(_named(mapper))
        missing |= wanted - there
        if mapper["type"] == "row-filtering":
            continue
        there -= wanted
        if "new_field_name" in mapper:
            there.add(mapper["new_field_name"])
        elif "field_name_suffix" in mapper:
            there |= {f"{name}{mapper['field_name_suffix']}" for name in wanted}
    return missing


def keys(streams: Any) -> list[str]:
    """The secret keys in canonical streams, to keep them out of messages."""
    every = streams.values() if isinstance(streams, Mapping) else ()
    declared = [mapper for stream in every if isinstance(stream, Mapping) for mapper in stream.get("mappers") or []]
    found = [mapper.get(KEY) for mapper in declared if isinstance(mapper, Mapping)]
    return [key for key in found if isinstance(key, str) and key != MASK]


def _hashing(column: str) -> Described:
    return {"type": HASHING, "target_field": column, **_DEFAULTS[HASHING]}


def _split(described: list[Described]) -> tuple[list[str], list[Described]]:
    """What the short form says, which comes first and in any order, and the rest."""
    columns: list[str] = []
    for mapper in described:
        column = str(mapper.get("target_field"))
        if mapper != _hashing(column) or column in columns:
            break
        columns.append(column)
    return sorted(columns), described[len(columns) :]


def _subject(mapper: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells a mapper from others of its stream, whatever it is set to."""
    return (mapper.get("type"), *(mapper.get(name) for name in _FIELDS))


def _named(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        if name in (*_FIELDS, "field_name"):
            yield str(value)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, Mapping):
                yield from _named(child)


def _renamed(settings: Any, rename: Any) -> Any:
    """The settings with their names in another style, nested ones as well, and without absent ones."""
    if isinstance(settings, Mapping):
        return {rename(name): _renamed(value, rename) for name, value in settings.items() if value is not None}
    return [_renamed(item, rename) for item in settings] if isinstance(settings, list) else settings


def _sentence(details: Any) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in details["loc"])
    kind, context = details["type"], details.get("ctx", {})
    if kind == "union_tag_invalid":
        return f"mappers{path}: {context['tag']!r} is none of {context['expected_tags']}"
    if kind in ("missing", "union_tag_not_found"):
        lacking = context.get("discriminator", "").strip("'")
        return f"mappers{path}{'.' + lacking if lacking else ''} is missing"
    return f"mappers{path}: {details['msg'][0].lower()}{details['msg'][1:]}"
