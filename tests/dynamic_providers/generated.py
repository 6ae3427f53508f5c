"""Connector specs and configurations out of thin air: nested objects, choices, arrays, secrets of every type."""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from dynamic_providers.airbyte import secrets
from sandbox.airbyte import masking

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte

Json = dict[str, Any]

NAMES = ("alpha", "beta", "gamma", "delta")
TEXT = st.text("abcdefghij0123456789", min_size=6, max_size=10)
NUMBERS = st.integers(100_000, 999_999)


@st.composite
def specs(draw: st.DrawFn, depth: int = 2) -> Json:
    """The schema of an object, as a connector's spec is one."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    return {"type": "object", "properties": {name: draw(_schemas(depth)) for name in names}}


def _schemas(depth: int) -> st.SearchStrategy[Json]:
    plain: list[Json] = [
        {"type": "string"},
        {"type": "integer"},
        {"type": "string", "airbyte_secret": True},
        {"type": "string", "airbyte_secret": True, "pattern": "^[a-z0-9]+$"},
        {"type": "string", "airbyte_secret": False},
        {"type": "integer", "airbyte_secret": True},
        {"type": "object", "airbyte_secret": True},
        {"type": "array", "items": {"type": "string", "airbyte_secret": True}},
    ]
    flat = st.sampled_from(plain).map(copy.deepcopy)
    if depth == 0:
        return flat
    items: st.SearchStrategy[Json] = specs(depth - 1).map(lambda spec: {"type": "array", "items": spec})
    nested: list[st.SearchStrategy[Json]] = [specs(depth - 1), items, _choices(depth - 1)]
    return st.one_of(flat, flat, *nested)


@st.composite
def _choices(draw: st.DrawFn, depth: int) -> Json:
    """A oneOf whose branches may call the same field a secret or not."""
    branches = [draw(specs(depth)) for _ in range(draw(st.integers(2, 3)))]
    for number, branch in enumerate(branches):
        branch["properties"]["kind"] = {"type": "string", "const": f"branch-{number}"}
        branch["required"] = ["kind"]
    keyword = draw(st.sampled_from(["oneOf", "oneOf", "oneOf", "anyOf"]))
    return {"type": "object", keyword: branches}


@st.composite
def configs(draw: st.DrawFn, spec: Json) -> Json:
    """A configuration that fulfils a spec."""
    value: Json = _value(draw, spec)
    return value


def _value(draw: st.DrawFn, schema: Json) -> Any:
    if "const" in schema:
        return schema["const"]
    branches = schema.get("oneOf") or schema.get("anyOf")
    if branches:
        return _value(draw, draw(st.sampled_from(branches)))
    if schema["type"] == "array":
        return [_value(draw, schema["items"]) for _ in range(draw(st.integers(0, 2)))]
    if schema["type"] == "object":
        if "properties" not in schema:
            return {"client": draw(TEXT), "secret": draw(TEXT)}
        required = schema.get("required", [])
        chosen = [name for name in schema["properties"] if name in required or draw(st.integers(0, 4))]
        return {name: _value(draw, schema["properties"][name]) for name in chosen}
    return draw(NUMBERS if schema["type"] == "integer" else TEXT)


@st.composite
def marked_otherwise(draw: st.DrawFn, spec: Json) -> Json:
    """The same spec, as another version has it: other fields are secret."""
    other = copy.deepcopy(spec)

    def turn(schema: Json) -> None:
        for branch in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
            turn(branch)
        for child in schema.get("properties", {}).values():
            turn(child)
        if "items" in schema:
            turn(schema["items"])
        if schema.get("type") in ("string", "integer") and "const" not in schema and draw(st.booleans()):
            if "airbyte_secret" in schema:
                del schema["airbyte_secret"]
            else:
                schema["airbyte_secret"] = True

    turn(other)
    return other


def shown(config: Json, spec: Json) -> Json:
    """What the server shows of a configuration, by the sandbox's own reading of the spec."""
    return masking.mask(config, masking.secret_paths(spec))


def secret_paths(config: Json, *specifications: Json) -> list[str]:
    """The paths that any of the specs calls secret, as a program has to name them."""
    return sorted({path for spec in specifications for path in secrets.leaves(config, secrets.spec_paths(spec))})


def publish(airbyte: Airbyte, *versions: Json) -> str:
    """Make a source connector whose versions 1.0.0, 2.0.0, … have these specs; gives its definition id."""
    tags = [f"{number}.0.0" for number in range(1, len(versions) + 1)]
    definition_id = str(uuid.uuid4())
    entry = {
        "id": definition_id,
        "kind": "source",
        "name": f"Generated {definition_id}",
        "repository": f"airbyte/source-{definition_id}",
        "defaultTag": tags[0],
        "latestTag": tags[-1],
        "tags": tags,
        "specs": [{"since": tag, "spec": spec} for tag, spec in zip(tags, versions, strict=True)],
    }
    answer = airbyte.http.post("/sandbox/v1/registry", json=entry)
    assert answer.is_success, answer.text
    return definition_id


def stored(airbyte: Airbyte, actor_id: str) -> Json:
    """An actor's configuration as its connector would get it: the secrets in the clear."""
    report = airbyte.http.get("/sandbox/v1/secrets").json()

    def hydrated(node: Any) -> Any:
        if masking.is_coordinate(node):
            return report["secrets"][node[masking.SECRET_KEY]]
        if isinstance(node, dict):
            return {key: hydrated(value) for key, value in node.items()}
        return [hydrated(value) for value in node] if isinstance(node, list) else node

    found: Json = hydrated(report["configurations"][actor_id])
    return found


def kept_at(airbyte: Airbyte, actor_id: str) -> dict[str, str]:
    """The coordinates of an actor's secrets by path, from the store and not through the API."""
    configuration = airbyte.http.get("/sandbox/v1/secrets").json()["configurations"][actor_id]
    suffix = f".{masking.SECRET_KEY}"
    return {p.removesuffix(suffix): value for p, value in secrets.scalars(configuration) if p.endswith(suffix)}
