"""A connector configuration against its specification, with messages that never repeat a value."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from jsonschema import Draft7Validator, ValidationError

from sandbox.airbyte.errors import SchemaMismatchError
from sandbox.airbyte.wire import Json


def validate(configuration: Json, spec: Json) -> None:
    """Check a configuration.

    Raises:
        SchemaMismatchError: the specification refuses it; the message ends with the whole schema, as Airbyte's does.
    """
    pretty = json.dumps(spec, indent=2)
    errors = sorted(_validator(pretty).iter_errors(configuration), key=lambda error: error.json_path)
    if errors:
        raise SchemaMismatchError(list(dict.fromkeys(_describe(error) for error in errors)), pretty)


@lru_cache(maxsize=256)
def _validator(schema_text: str) -> Draft7Validator:
    return Draft7Validator(json.loads(schema_text))


def _describe(error: ValidationError) -> str:
    place: str = error.json_path
    wanted: Any = error.validator_value
    instance: Any = error.instance
    match error.validator:
        case "required":
            absent = [name for name in wanted if name not in instance]
            return ", ".join(f"{place}.{name}: is missing but it is required" for name in absent)
        case "type":
            return f"{place}: {_type_of(instance)} found, {wanted} expected"
        case "enum":
            return f"{place}: does not have a value in the enumeration {json.dumps(wanted)}"
        case "const":
            return f"{place}: must be a constant value {json.dumps(wanted)}"
        case "pattern":
            return f"{place}: does not match the regex pattern {wanted}"
        case "oneOf":
            return f"{place}: should be valid to one and only one of the schemas"
        case "minimum" | "maximum":
            return f"{place}: must have a {error.validator} value of {wanted}"
        case _:
            return f"{place}: does not fulfil {error.validator}"


def _type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")
