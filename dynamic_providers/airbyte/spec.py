"""Does a configuration fulfil its connector's spec? Said by field, and never with a value that may be secret."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from dynamic_providers.airbyte.suggestions import nearest

_BRANCHES = ("oneOf", "anyOf")


def problems(config: Mapping[str, Any], spec: Mapping[str, Any]) -> list[str]:
    """What the spec objects to, a sentence each, in the order of the fields; empty where all is well."""
    return sorted({*violations(config, spec), *_unknown_keys(config, spec, "")})


def violations(config: Mapping[str, Any], spec: Mapping[str, Any]) -> list[str]:
    """What a server would refuse too: it does not mind a field that the spec does not know."""
    found = (_sentence(error) for top in Draft7Validator(spec).iter_errors(config) for error in _innermost(top))
    return sorted(set(found))


def default_at(spec: Mapping[str, Any], path: str) -> list[Any]:
    """The defaults that the spec's branches give the field at a dotted path; empty where there is none."""
    return [schema["default"] for schema in _schemas_at(spec, path.split(".")) if "default" in schema]


def knows(spec: Mapping[str, Any], path: str) -> bool:
    """Whether the spec describes a field at this dotted path."""
    return any(True for _ in _schemas_at(spec, path.split(".")))


def types_at(spec: Mapping[str, Any], path: str) -> set[str]:
    """The types that the spec's branches give the field at a dotted path; a number in it is a place in an array."""
    found: set[str] = set()
    for schema in _schemas_at(spec, path.split(".")):
        types = schema.get("type")
        found |= {types} if isinstance(types, str) else set(types or ())
    return found


def unknown_fields(config: Mapping[str, Any], spec: Mapping[str, Any]) -> list[str]:
    """Dotted paths of what no branch of the spec knows, where the spec says which fields there are."""
    return [path for path, _ in _unknown(config, spec, "")]


def _schemas_at(schema: Any, parts: list[str]) -> Iterator[Mapping[str, Any]]:
    if not isinstance(schema, Mapping):
        return
    if not parts:
        yield schema
    for key in (*_BRANCHES, "allOf"):
        for branch in schema.get(key) or ():
            yield from _schemas_at(branch, parts)
    if parts and parts[0] in (schema.get("properties") or {}):
        yield from _schemas_at(schema["properties"][parts[0]], parts[1:])
    if parts and parts[0].isdigit() and "items" in schema:
        yield from _schemas_at(schema["items"], parts[1:])


def _innermost(error: ValidationError) -> Iterator[ValidationError]:
    """Of a choice, the errors of the branch that was meant: the one whose constants fit."""
    if error.validator not in _BRANCHES or not error.context:
        yield error
        return
    branches: dict[int, list[ValidationError]] = {}
    for child in error.context:
        branches.setdefault(int(child.relative_schema_path[0]), []).append(child)
    meant = [errors for errors in branches.values() if not any(_is_discriminator(e) for e in errors)]
    if len(meant) == 1:
        for child in meant[0]:
            yield from _innermost(child)
    else:
        yield error


def _is_discriminator(error: ValidationError) -> bool:
    allowed: Any = error.validator_value
    return error.validator == "const" or (error.validator == "enum" and len(allowed) == 1)


def _sentence(error: ValidationError) -> str:
    where = _field(list(error.absolute_path))
    rule: Any = error.validator
    value: Any = error.validator_value
    instance: Any = error.instance
    schema: Any = error.schema
    if rule == "required":
        missing = [name for name in value if name not in instance]
        fields = ", ".join(_join(_prefix(error), name) for name in missing)
        return f"{fields} is missing"
    if rule == "type":
        return f"{where} must be {_article(value)}"
    if rule == "enum":
        return f"{where} must be one of {', '.join(map(str, value))}"
    if rule == "const":
        return f"{where} must be {value}"
    if rule == "pattern":
        return f"{where} does not match the pattern {value}"
    if rule == "additionalProperties":
        known = set(schema.get("properties") or {})
        extra = sorted(set(instance) - known)
        return f"{_join(_prefix(error), extra[0])} is no field of this connector. {nearest(extra[0], known)}".rstrip()
    if rule in _BRANCHES:
        return f"{where} fits none of: {', '.join(_title(branch) for branch in value)}"
    return f"{where} breaks the rule {rule}: {value}"


def _unknown_keys(config: Mapping[str, Any], spec: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """A key that no branch of the spec knows is a slip of the pen: the connector would ignore it."""
    for path, known in _unknown(config, spec, prefix):
        key = path.removeprefix(f"{prefix}.").rpartition(".")[2]
        yield f"{path} is no field of this connector. {nearest(key, known)}".rstrip()


def _unknown(config: Mapping[str, Any], spec: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, list[str]]]:
    """Path of each unknown key, with the keys known there."""
    known = _properties(spec)
    for key, value in config.items():
        path = _join(prefix, key)
        if known and key not in known:
            yield path, list(known)
        elif isinstance(value, Mapping):
            yield from _unknown(value, {"anyOf": known.get(key, [])}, path)


def _properties(schema: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for name, child in (schema.get("properties") or {}).items():
        found.setdefault(name, []).append(child)
    for key in (*_BRANCHES, "allOf"):
        for branch in schema.get(key) or ():
            for name, children in _properties(branch).items():
                found.setdefault(name, []).extend(children)
    return found


def _title(branch: Mapping[str, Any]) -> str:
    constants = [
        f"{name}: {schema['const']}" for name, schema in (branch.get("properties") or {}).items() if "const" in schema
    ]
    return constants[0] if constants else str(branch.get("title", "a variant without a name"))


def _article(types: Any) -> str:
    names = [types] if isinstance(types, str) else list(types)
    return " or ".join(f"an {name}" if name[0] in "aeiou" else f"a {name}" for name in names)


def _field(path: list[Any]) -> str:
    return ".".join(str(part) for part in path) or "the configuration"


def _prefix(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path)


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
