"""Property values between the engine's wire form and plain Python.

The engine sends a resource's properties as a protobuf ``Struct`` in which secrets, assets and values that are
not known yet are marked by well-known keys and strings. Here a value is plain JSON-like Python, with
:data:`UNKNOWN` for what is not known yet; which top-level properties held a secret is told beside it.

Wire form: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto and
https://www.pulumi.com/docs/iac/packages-and-automation/plugins/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2  # type: ignore[import-untyped]

_UNKNOWN_MARK: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the wire's marker of a secret, not one
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


class Unknown(Enum):
    """The type of :data:`UNKNOWN`: a value that only a later step of the update will tell."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

Value: TypeAlias = Any
"""None, bool, int, float, str, list, dict or :data:`UNKNOWN`."""

Properties: TypeAlias = dict[str, Value]

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: the keys and indices that lead to it."""


class UnsupportedValueError(ValueError):
    """A property holds something that no resource of these providers takes: an asset, an archive."""


def decode(struct: struct_pb2.Struct) -> tuple[Properties, frozenset[str]]:
    """Plain properties, and the names of those that held a secret anywhere inside.

    Raises :class:`UnsupportedValueError` on assets and archives.
    """
    secrets: set[str] = set()
    properties: Properties = {}
    for name, value in struct.fields.items():
        plain, secret = _decode(name, value)
        properties[name] = plain
        if secret:
            secrets.add(name)
    return properties, frozenset(secrets)


def decode_deeply(struct: struct_pb2.Struct) -> tuple[Properties, frozenset[Path]]:
    """Plain properties, and the paths of what was marked as a secret.

    A secret inside a list makes the whole list one: elements move, and what moved must not be told.
    Raises :class:`UnsupportedValueError` on assets and archives.
    """
    properties, _ = decode(struct)
    return properties, frozenset(
        path for name, value in struct.fields.items() for path in _secret_paths((name,), value)
    )


def _secret_paths(path: Path, value: struct_pb2.Value) -> Iterable[Path]:
    if value.WhichOneof("kind") == "struct_value":
        fields = value.struct_value.fields
        if _SIGNATURE_KEY not in fields:
            for key, item in fields.items():
                yield from _secret_paths((*path, key), item)
            return
    if _decode(str(path[-1]), value)[1]:
        yield path


def _decode(name: str, value: struct_pb2.Value) -> tuple[Value, bool]:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _decode_struct(name, value.struct_value)
    if kind == "list_value":
        items = [_decode(name, item) for item in value.list_value.values]
        return [item for item, _ in items], any(secret for _, secret in items)
    if kind == "number_value":
        number = value.number_value
        return (int(number) if number.is_integer() else number), False
    if kind == "string_value":
        return (UNKNOWN if value.string_value == _UNKNOWN_MARK else value.string_value), False
    if kind == "bool_value":
        return value.bool_value, False
    return None, False


def _decode_struct(name: str, struct: struct_pb2.Struct) -> tuple[Value, bool]:
    fields = struct.fields
    signature = fields[_SIGNATURE_KEY].string_value if _SIGNATURE_KEY in fields else ""
    if signature == _SECRET:
        return _decode(name, fields["value"])[0], True
    if signature == _OUTPUT:
        plain, secret = _decode(name, fields["value"]) if "value" in fields else (UNKNOWN, False)
        return plain, secret or ("secret" in fields and fields["secret"].bool_value)
    if signature == _RESOURCE:
        return _decode(name, fields["id"])[0] if "id" in fields else fields["urn"].string_value, False
    if signature:
        raise UnsupportedValueError(f"{name} holds a file or archive, which no resource of this provider takes")
    inner = {key: _decode(name, value) for key, value in fields.items()}
    return {key: plain for key, (plain, _) in inner.items()}, any(secret for _, secret in inner.values())


def encode(
    properties: Mapping[str, Value], secrets: Iterable[str | Path] = (), *, nulls: bool = False
) -> struct_pb2.Struct:
    """The wire form of `properties`; what `secrets` name is marked as such.

    None is left out unless `nulls`, for which it says something.
    """
    marked = frozenset((secret,) if isinstance(secret, str) else secret for secret in secrets)
    struct = struct_pb2.Struct()
    for name, value in properties.items():
        if value is not None or nulls:
            _encode(value, struct.fields[name], (name,), marked, nulls)
    return struct


def _encode(value: Value, target: struct_pb2.Value, path: Path, marked: frozenset[Path], nulls: bool) -> None:
    if path in marked:
        target.struct_value.fields[_SIGNATURE_KEY].string_value = _SECRET
        target = target.struct_value.fields["value"]
    if value is None:
        target.null_value = 0
    elif value is UNKNOWN:
        target.string_value = _UNKNOWN_MARK
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        for key, item in value.items():
            if item is not None or nulls:
                _encode(item, target.struct_value.fields[key], (*path, key), marked, nulls)
    else:
        target.list_value.SetInParent()
        for index, item in enumerate(value):
            _encode(item, target.list_value.values.add(), (*path, index), marked, nulls)


def is_known(value: Value) -> bool:
    """Whether `value` holds no :data:`UNKNOWN` at any depth."""
    if isinstance(value, Mapping):
        return all(map(is_known, value.values()))
    if isinstance(value, list):
        return all(map(is_known, value))
    return value is not UNKNOWN


def secret_texts(struct: struct_pb2.Struct) -> list[str]:
    """Every string that `struct` holds under the mark of a secret: what no message may show."""
    return [text for value in struct.fields.values() for text in _texts(value, secret=False)]


def _texts(value: struct_pb2.Value, *, secret: bool) -> list[str]:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return [value.string_value] if secret else []
    if kind == "list_value":
        return [text for item in value.list_value.values for text in _texts(item, secret=secret)]
    if kind == "struct_value":
        fields = value.struct_value.fields
        marked = _SIGNATURE_KEY in fields and fields[_SIGNATURE_KEY].string_value == _SECRET
        return [text for item in fields.values() for text in _texts(item, secret=secret or marked)]
    return []
