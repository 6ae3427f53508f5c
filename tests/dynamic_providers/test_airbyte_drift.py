"""Every field of a source or destination, changed on the server one at a time, is exactly what a refresh shows.

What is changed follows from the connectors' specs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte import secrets
from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE, Kind
from dynamic_providers.airbyte.secrets import CHANGED_OUTSIDE
from dynamic_providers.airbyte.spec import problems
from sandbox.airbyte.registry import Connector, packaged_entries
from tests.dynamic_providers.conftest import FINGERPRINT_KEY, Life
from tests.dynamic_providers.drift import differing, seen

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Properties

CONNECTORS = [Connector.from_json(entry) for entry in packaged_entries()]


# The others' specs have no kind of field that these lack.
IN_EVERY_RUN = {"source-postgres", "destination-snowflake", "destination-s3", "source-nested-secrets"}


def parameters() -> list[Any]:
    """The connectors; most of them only where there is time."""
    names = {connector.repository.rpartition("/")[2]: connector for connector in CONNECTORS}
    assert names.keys() >= IN_EVERY_RUN
    return [
        pytest.param(connector, id=name, marks=() if name in IN_EVERY_RUN else pytest.mark.slow)
        for name, connector in names.items()
    ]


# -- sources and destinations ----------------------------------------------------------------------------------------


def sample(schema: Properties) -> Any:
    """A value that fulfils a schema: every property, the first of a choice."""
    for key in ("const", "default"):
        if schema.get(key) is not None and not problems({"x": schema[key]}, _only(schema)):
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    if "oneOf" in schema:
        return sample({"type": "object", **schema["oneOf"][0]})
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        return {name: sample(child) for name, child in schema.get("properties", {}).items()}
    if kind == "array":
        return [sample(schema.get("items", {"type": "string"}))]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1) + 1
    return False if kind == "boolean" else next(iter(_texts(schema)))


def _texts(schema: Properties) -> Iterator[str]:
    """Texts that a schema allows, among those that the patterns of real connectors ask for."""
    candidates = (
        *schema.get("examples", []),
        "some-text",
        "other-text",
        "2024-01-01T00:00:00Z",
        "2024-01-02T00:00:00Z",
        "2024-01-01T00:00:00.000000Z",
        "2024-01-02T00:00:00.000000Z",
        "2024-01-01",
        "2024-01-02",
        "offline-a.snowflakecomputing.com",
        "offline-b.snowflakecomputing.com",
        "organization/repository",
        "organization/another",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nxyz\n-----END PRIVATE KEY-----",
    )
    return (text for text in candidates if isinstance(text, str) and not problems({"x": text}, _only(schema)))


def _only(schema: Properties) -> Properties:
    return {"type": "object", "properties": {"x": schema}}


def others(schema: Properties, value: Any) -> list[Any]:
    """Other values that a schema allows; for a choice, another branch."""
    if "const" in schema:
        return []
    if "oneOf" in schema:
        branches = [sample({"type": "object", **branch}) for branch in schema["oneOf"]]
        return [branch for branch in branches if branch != value][:1]
    candidates: list[Any] = [*schema.get("enum", []), *_texts(schema)]
    if isinstance(value, bool):
        candidates = [not value]
    elif isinstance(value, int | float):
        candidates = [value + 1, value - 1]
    elif isinstance(value, list):
        candidates = [[*value, *others(schema.get("items", {"type": "string"}), value[0] if value else "")[:1]], []]
    elif isinstance(value, dict):
        candidates = []
    return [other for other in candidates if other != value and not problems({"x": other}, _only(schema))][:1]


def fields(schema: Properties, config: Any, path: str = "") -> Iterator[tuple[str, Properties]]:
    """Every field of a configuration with its schema; of a choice, the fields of the chosen branch."""
    for name, child in schema.get("properties", {}).items():
        if name not in config:
            continue
        here = f"{path}.{name}" if path else name
        yield here, child
        chosen = child["oneOf"][0] if "oneOf" in child else child
        if isinstance(config[name], dict) and "airbyte_secret" not in child:
            yield from fields(chosen, config[name], here)


class Actor:
    """A source or destination with every field of its connector's spec set."""

    def __init__(self, airbyte: Airbyte, connector: Connector) -> None:
        self.airbyte, self.connector = airbyte, connector
        self.kind: Kind = SOURCE if connector.kind == "source" else DESTINATION
        self.spec = connector.spec(connector.default_tag)
        self.config: Properties = sample(self.spec)
        self.paths = secrets.leaves(self.config, secrets.spec_paths(self.spec))
        self.program = {
            self.kind.name_input: "all of it",
            "connector": connector.repository.removeprefix("airbyte/"),
            "definition_id": connector.id,
            "connector_version": connector.default_tag,
            "config": self.config,
            "secret_paths": self.paths,
            "fingerprint_key": FINGERPRINT_KEY,
            "skip_check": "there is no such system",
        }
        self.life = Life(self._watched, airbyte)

    def _watched(self, session: Any) -> ActorResource:
        session.watch_secrets = True
        return ActorResource(session, self.kind)

    def up(self) -> None:
        """Make it, and see that a refresh has nothing to say."""
        self.life.up(self.program)
        assert self.life.refresh() == ()
        assert seen(self.life) == set()

    def write(self, config: Properties, name: str = "all of it") -> None:
        """What somebody else does."""
        body = {self.kind.id_field: self.life.id, "name": name, "connectionConfiguration": config}
        self.airbyte.post(f"{self.kind.collection}/update", body)

    def changes(self) -> Iterator[tuple[str, Properties]]:
        """Every field with another value, and every field that may be absent without it."""
        for path, schema in fields(self.spec, self.config):
            value = secrets.get(self.config, path)
            for other in others(schema, value):
                yield path, secrets.replaced(self.config, {path: other})
            without = removed(self.config, path)
            if not problems(without, self.spec):
                yield path, without


def removed(config: Properties, path: str) -> Properties:
    result = copy.deepcopy(config)
    *parents, last = path.split(".")
    del (secrets.get(result, ".".join(parents)) if parents else result)[last]
    return result


@pytest.mark.parametrize("connector", parameters())
def test_every_field_of_a_connectors_spec_is_seen(airbyte: Airbyte, connector: Connector) -> None:
    actor = Actor(airbyte, connector)
    actor.up()
    tried = set()
    for path, config in actor.changes():
        actor.write(config)
        # The whole configuration was written anew, so that all secrets are others than the program's.
        found = {field for field in seen(actor.life) if not field.startswith("secret_fingerprints")}
        expected = {f"config.{field}" for field in differing(actor.config, config)}
        hidden = {f"config.{secret}" for secret in actor.paths if secrets.leaves(config, [secret])}
        lists = {place for secret in actor.paths if (place := secrets.array_of(secret))}
        assert found - {f"config.{p}" for p in lists} == expected - hidden - {f"config.{p}" for p in lists}, path
        tried.add(path)
    fixed = {path for path, schema in fields(actor.spec, actor.config) if "const" in schema or _single(schema)}
    groups = {path for path, _ in fields(actor.spec, actor.config) if isinstance(secrets.get(actor.config, path), dict)}
    assert {path for path, _ in fields(actor.spec, actor.config)} - fixed - groups <= tried

    actor.write(actor.config)
    told = actor.life.resource().read(actor.life.id, copy.deepcopy(actor.life.outputs))
    assert told is not None
    assert told.inputs["config"] == actor.config
    changed = {path for path, value in told.inputs.get("secret_fingerprints", {}).items() if value == CHANGED_OUTSIDE}
    assert changed == set(actor.paths)


def _single(schema: Properties) -> bool:
    return len(schema.get("enum", [])) == 1


@pytest.mark.parametrize("connector", CONNECTORS[:1] + CONNECTORS[-1:], ids=lambda connector: connector.name)
def test_a_name_is_seen(airbyte: Airbyte, connector: Connector) -> None:
    actor = Actor(airbyte, connector)
    actor.up()
    live = airbyte.read(actor.kind.collection, actor.life.id)["connectionConfiguration"]
    assert not [place for place in secrets.masks(live) if secrets.array_of(place)], "a mask in a list would be stored"
    actor.write(live, name="renamed")
    assert seen(actor.life) == {actor.kind.name_input}
    assert actor.life.refresh() == (actor.kind.name_input,)
    assert actor.life.up(actor.program) == (actor.kind.name_input,)
    assert actor.life.refresh() == ()
