"""Mappers of a stream: ids, required parameters, and the one secret among them, the key of AES encryption."""

from __future__ import annotations

import copy

from sandbox.airbyte.entities import new_id
from sandbox.airbyte.errors import ProblemError
from sandbox.airbyte.masking import MASK
from sandbox.airbyte.wire import Json

_REQUIRED = {
    "hashing": ("targetField", "method"),
    "field-renaming": ("originalFieldName", "newFieldName"),
    "row-filtering": ("conditions",),
    "encryption": ("algorithm", "targetField"),
    "field-filtering": ("targetField",),
}
_KEY = "key"


def canonical_mappers(sent: list[Json], hashed: list[Json], stored: list[Json]) -> list[Json]:
    """The mappers with ids, masked keys restored by id; without any, hashing mappers for the hashed fields.

    Raises:
        ProblemError: unknown type, missing parameter, or a masked key whose mapper is not stored.
    """
    if not sent:
        configurations = [
            {"targetField": field["fieldPath"][0], "method": "SHA-256", "fieldNameSuffix": "_hashed"}
            for field in hashed
        ]
        sent = [{"type": "hashing", "mapperConfiguration": configuration} for configuration in configurations]
    keys = {mapper["id"]: mapper["mapperConfiguration"].get(_KEY) for mapper in stored}
    return [_canonical(mapper, keys) for mapper in sent]


def _canonical(sent: Json, keys: dict[str, str | None]) -> Json:
    kind = str(sent.get("type", "")).lower()
    configuration = copy.deepcopy(sent.get("mapperConfiguration") or {})
    if kind not in _REQUIRED:
        raise ProblemError(
            400, "error:mapper-validation", "Invalid mapper", f"There is no mapper of the type '{kind}'."
        )
    absent = [name for name in _REQUIRED[kind] if configuration.get(name) is None]
    if absent:
        raise ProblemError(
            400,
            "error:mapper-validation/missing-required-param",
            "Mapper misses a parameter",
            f"The mapper {kind} misses {', '.join(absent)}.",
        )
    if kind == "hashing":
        configuration.setdefault("fieldNameSuffix", "_hashed")
    if configuration.get(_KEY) == MASK:
        held = keys.get(str(sent.get("id")))
        if held is None:
            raise ProblemError(
                400,
                "error:mapper-validation/secret-not-found",
                "Mapper secret not found",
                "The masked key belongs to no stored mapper of this id.",
            )
        configuration[_KEY] = held
    return {"id": sent.get("id") or new_id(), "type": kind, "mapperConfiguration": configuration}


def hashed_fields(mappers: list[Json]) -> list[Json]:
    """The older ``hashedFields``, which follow from the hashing mappers."""
    return [
        {"fieldPath": [mapper["mapperConfiguration"]["targetField"]]}
        for mapper in mappers
        if mapper["type"] == "hashing"
    ]


def masked_streams(streams: list[Json]) -> list[Json]:
    """The streams with the keys of encryption mappers masked; the same list when there is nothing to mask."""
    if not any(_KEY in m["mapperConfiguration"] for entry in streams for m in entry["config"]["mappers"]):
        return streams
    shown = copy.deepcopy(streams)
    for entry in shown:
        for mapper in entry["config"]["mappers"]:
            if _KEY in mapper["mapperConfiguration"]:
                mapper["mapperConfiguration"][_KEY] = MASK
    return shown
