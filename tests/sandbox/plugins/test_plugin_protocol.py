"""What follows from a kind's table of fields, seen from the engine's side, on a server made of a dictionary."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import status_pb2

from sandbox.plugins.provider import Provider
from sandbox.plugins.resource import Field, PluginError, Resource
from sandbox.plugins.values import UNKNOWN, Properties, decode, encode

Refusal = Callable[[Callable[[], object]], str]

if TYPE_CHECKING:
    from tests.sandbox.plugins.conftest import Engine

LAMP = "house:index/lamp:Lamp"
Lamps = dict[str, Properties]


class Lamp(Resource[Lamps]):
    """One field for each thing that a field can be."""

    token = LAMP
    noun = "lamp"
    fields = (
        Field(name="name", required=True),
        Field(name="room", replace=True),
        Field(name="watts", type="integer", default=40),
        Field(name="colour", canonical=str.lower),
        Field(name="tags", type="strings", unordered=True),
        Field(name="owner", server_set=True),
        Field(name="pin", secret=True, readable=False),
        Field(name="onAtFirst", type="boolean", readable=False, compared=False),
        Field(name="dimmable", type="boolean", default=False),
        Field(name="serial", output=True, server_set=True),
    )
    broken = ""

    def identity(self, properties: Properties) -> str:
        return f"{properties.get('room')}/{properties['name']}"

    def locate(self, identifier: str) -> Properties:
        room, slash, name = identifier.partition("/")
        if not slash:
            raise ValueError("the form is ROOM/NAME")
        return {"room": room, "name": name}

    def create(self, session: Lamps, inputs: Properties) -> None:
        if inputs["name"] in session:
            raise PluginError(f"there is one with the pin {inputs.get('pin')}. Use another name")
        session[inputs["name"]] = {"owner": "me", "serial": "1", "watts": 40, "dimmable": False, **inputs}

    def read(self, session: Lamps, state: Properties) -> Properties | None:
        if self.broken:
            raise PluginError(self.broken)
        live = session.get(state["name"])
        return live and {name: value for name, value in live.items() if name not in ("pin", "onAtFirst")}

    def update(self, session: Lamps, state: Properties, inputs: Properties, changed: Collection[str]) -> None:
        session[inputs["name"]].update({name: inputs.get(name) for name in changed})

    def delete(self, session: Lamps, state: Properties) -> None:
        session.pop(state["name"], None)


class House(Provider[Lamps]):
    package = "house"
    version = "1.2.3"
    config = (
        Field(name="street", default="Main"),
        Field(name="number", type="integer", default=1),
        Field(name="alarm", secret=True),
    )
    environment = {"street": "HOUSE_STREET"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.lamp = Lamp()
        self.resources = [self.lamp]
        self.lamps: Lamps = {}
        self.opened: list[Properties] = []

    def open(self, configuration: Properties) -> Lamps:
        self.opened.append(dict(configuration))
        return self.lamps

    def close(self, session: Lamps) -> None:
        session.clear()


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def engine(house: House, engine_of: Callable[[Provider[Any]], Engine]) -> Engine:
    engine = engine_of(house)
    engine.configure()
    return engine


# -- configuration


def test_configuration_comes_as_json_in_strings_then_from_the_environment_then_by_default(
    house: House, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_STREET", "High")
    engine.configure(number="7")
    engine.create(LAMP, name="a")
    assert house.opened == [{"street": "High", "number": 7, "alarm": None}]


def test_the_server_is_reached_once_and_only_for_a_resource(house: House, engine: Engine) -> None:
    engine.inputs(LAMP, {"name": "a"})
    assert house.opened == []
    for name in "abc":
        engine.create(LAMP, name=name)
    assert len(house.opened) == 1


def test_a_configuration_that_is_not_known_yet_is_an_error_only_for_what_needs_the_server(
    engine: Engine, refusal: Refusal
) -> None:
    engine.configure(street=UNKNOWN)
    assert not engine.check(LAMP, {"name": "a"}).failures
    assert "street" in refusal(lambda: engine.create(LAMP, name="a"))


def test_configuration_that_would_be_passed_over_is_refused(engine: Engine) -> None:
    declared = {"number": "many", "version": "1.2.3", "colour": "red", "heating": "false"}
    checked = engine.stub.CheckConfig(proto.CheckRequest(news=encode(declared)))
    assert [failure.property for failure in checked.failures] == ["colour", "number"]


def test_a_changed_configuration_updates_the_provider_and_never_replaces_it(engine: Engine) -> None:
    request = proto.DiffRequest(olds=encode({"number": "1"}), news=encode({"number": "2"}))
    answer = engine.stub.DiffConfig(request)
    assert (answer.changes, list(answer.diffs), list(answer.replaces)) == (answer.DIFF_SOME, ["number"], [])


# -- check


def test_values_are_taken_in_the_type_of_the_field(engine: Engine) -> None:
    assert engine.inputs(LAMP, {"name": 7, "watts": "60", "dimmable": "true", "room": True}) == {
        "name": "7",
        "watts": 60,
        "dimmable": True,
        "room": "true",
    }


def test_what_is_wrong_is_told_by_property(engine: Engine) -> None:
    checked = engine.check(LAMP, {"watts": "many", "tags": "x", "shade": "red", "serial": "2", "name": "a"})
    failures = {failure.property: failure.reason for failure in checked.failures}
    assert failures.keys() == {"watts", "tags", "shade", "serial"}
    assert "whole number" in failures["watts"]
    assert "It covers: name, room" in failures["shade"]


def test_a_value_not_known_yet_passes_and_stays_unknown(engine: Engine) -> None:
    assert engine.inputs(LAMP, {"name": "a", "watts": UNKNOWN, "tags": [UNKNOWN]}) == {
        "name": "a",
        "watts": UNKNOWN,
        "tags": [UNKNOWN],
    }


def test_declared_secrets_and_secret_fields_stay_secret(engine: Engine) -> None:
    checked = engine.check(LAMP, {"name": "a", "colour": "red", "pin": "1234"}, secrets=("colour",))
    assert decode(checked.inputs)[1] == {"colour", "pin"}


def test_a_resource_without_name_is_named_after_its_urn_and_keeps_that_name(engine: Engine) -> None:
    first = engine.inputs(LAMP, {})["name"]
    assert first.startswith("thing-")
    request = proto.CheckRequest(urn=engine.urn(LAMP), olds=encode({"name": first}), randomSeed=b"another")
    assert decode(engine.stub.Check(request).inputs)[0] == {"name": first}


def test_an_uncovered_type_is_refused_with_the_list_of_those_covered(engine: Engine, refusal: Refusal) -> None:
    said = refusal(lambda: engine.check("house:index/door:Door", {}))
    assert "house:index/door:Door is not covered" in said
    assert LAMP in said
    assert "pulumi plugin install resource house 1.2.3" in said


# -- diff


def test_nothing_changed_is_no_diff(engine: Engine) -> None:
    made = engine.create(LAMP, name="a", tags=["x", "y"], colour="Red", pin="1234", onAtFirst=True)
    assert engine.diff(made).changes == proto.DiffResponse.DIFF_NONE


@pytest.mark.parametrize(
    ("declared", "changes"),
    [
        ({"watts": 60}, {"watts": "UPDATE"}),
        ({"watts": 40}, {}),  # the default
        ({"tags": ["y", "x"], "colour": "RED"}, {}),  # another spelling of the same
        ({"tags": None}, {"tags": "DELETE"}),
        ({"owner": "you"}, {"owner": "UPDATE"}),
        ({"room": "hall"}, {"room": "ADD_REPLACE"}),
        ({"pin": "4321"}, {"pin": "UPDATE"}),
        ({"onAtFirst": False}, {}),  # matters at creation only
        ({"watts": UNKNOWN}, {"watts": "UPDATE"}),
        ({"room": UNKNOWN}, {"room": "ADD_REPLACE"}),
    ],
)
def test_a_diff_is_told_property_by_property(engine: Engine, declared: Properties, changes: dict[str, str]) -> None:
    base = {"name": "a", "tags": ["x", "y"], "colour": "red", "pin": "1234", "onAtFirst": True}
    made = engine.create(LAMP, **base)
    assert engine.changes(made, **{**base, **declared}) == changes


def test_a_replacement_in_the_same_place_removes_the_old_one_first(engine: Engine) -> None:
    made = engine.create(LAMP, name="a", room="hall")
    assert not engine.diff(made, name="a", room="attic").deleteBeforeReplace
    made.outputs["room"], made.inputs["room"] = "None", "None"
    assert engine.diff(made, name="a").deleteBeforeReplace


def test_ignored_properties_are_not_compared(engine: Engine) -> None:
    made = engine.create(LAMP, name="a")
    request = proto.DiffRequest(
        urn=engine.urn(LAMP),
        olds=encode({**made.outputs, "watts": 99}),
        news=encode(made.inputs),
        ignoreChanges=["watts"],
    )
    assert engine.stub.Diff(request).changes == proto.DiffResponse.DIFF_NONE


# -- preview


def test_a_preview_changes_nothing_and_leaves_unknown_what_only_the_server_tells(house: House, engine: Engine) -> None:
    request = proto.CreateRequest(
        urn=engine.urn(LAMP), preview=True, properties=encode({"name": "a", "colour": UNKNOWN, "pin": "1"}, {"pin"})
    )
    answer = engine.stub.Create(request)
    properties, secrets = decode(answer.properties)
    assert answer.id == ""
    assert house.opened == []
    assert properties == {
        "name": "a",
        "colour": UNKNOWN,
        "pin": "1",
        "watts": 40,
        "dimmable": False,
        "owner": UNKNOWN,
        "serial": UNKNOWN,
    }
    assert secrets == {"pin"}


def test_the_preview_of_an_update_keeps_what_does_not_change(house: House, engine: Engine) -> None:
    made = engine.create(LAMP, name="a")
    request = proto.UpdateRequest(
        urn=engine.urn(LAMP), preview=True, olds=encode(made.outputs), news=encode({"name": "a", "watts": UNKNOWN})
    )
    properties, _ = decode(engine.stub.Update(request).properties)
    assert properties == {**made.outputs, "watts": UNKNOWN}
    assert house.lamps["a"]["watts"] == 40


# -- read


def test_an_untouched_resource_reads_as_state_has_it(engine: Engine) -> None:
    made = engine.create(LAMP, name="a", room="hall", colour="Red", tags=["y", "x"], pin="1234", onAtFirst=True)
    assert engine.refresh(made) == made


def test_drift_shows_in_inputs_and_outputs_whether_or_not_it_was_declared(house: House, engine: Engine) -> None:
    made = engine.create(LAMP, name="a", colour="red")
    house.lamps["a"].update(colour="blue", dimmable=True, owner="a burglar")
    found = engine.refresh(made)
    assert found is not None
    assert found.inputs == {"name": "a", "colour": "blue", "dimmable": True}
    assert found.outputs["owner"] == "a burglar"
    assert engine.changes(found, **made.inputs) == {"colour": "UPDATE", "dimmable": "DELETE"}


def test_a_resource_that_is_gone_reads_as_nothing(house: House, engine: Engine) -> None:
    made = engine.create(LAMP, name="a")
    house.lamps.clear()
    assert engine.refresh(made) is None


def test_an_import_brings_all_that_is_not_at_its_default(house: House, engine: Engine) -> None:
    engine.create(LAMP, name="a", room="hall", colour="red", pin="1234")
    found = engine.read_by_id(LAMP, "hall/a")
    assert found is not None
    assert found.id == "hall/a"
    assert found.inputs == {"name": "a", "room": "hall", "colour": "red", "owner": "me"}
    assert engine.changes(found, name="a", room="hall", colour="red") == {}


def test_an_id_of_another_form_is_refused_with_the_form(engine: Engine, refusal: Refusal) -> None:
    assert "the form is ROOM/NAME" in refusal(lambda: engine.read_by_id(LAMP, "hall"))


# -- errors


def test_an_error_says_what_was_done_to_which_resource_and_shows_no_secret(engine: Engine, refusal: Refusal) -> None:
    engine.create(LAMP, name="a")
    request = proto.CreateRequest(urn=engine.urn(LAMP), properties=encode({"name": "a", "pin": "98765"}, {"pin"}))
    said = refusal(lambda: engine.stub.Create(request))
    assert said == "The lamp None/a could not be created: there is one with the pin [secret]. Use another name."


def test_secrets_of_the_configuration_are_not_shown_either(house: House, engine: Engine, refusal: Refusal) -> None:
    engine.configure(alarm="open sesame")
    house.lamp.broken = "the alarm open sesame went off"
    assert "open sesame" not in refusal(lambda: engine.read_by_id(LAMP, "hall/a"))


def test_a_resource_that_was_made_but_can_not_be_read_is_kept_in_state(house: House, engine: Engine) -> None:
    house.lamp.broken = "the light is off"
    with pytest.raises(grpc.RpcError) as refused:
        engine.create(LAMP, name="a")
    metadata = {entry.key: entry.value for entry in refused.value.trailing_metadata()}
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    detail = proto.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert detail.id == "None/a"
    assert "the light is off" in detail.reasons[0]


def test_functions_are_refused_by_name(engine: Engine, refusal: Refusal) -> None:
    request = proto.InvokeRequest(tok="house:index/getLamp:getLamp")
    assert "house:index/getLamp:getLamp is not covered" in refusal(lambda: engine.stub.Invoke(request))


def test_the_schema_lists_what_is_covered(engine: Engine) -> None:
    schema = json.loads(engine.stub.GetSchema(proto.GetSchemaRequest()).schema)
    lamp = schema["resources"][LAMP]
    assert lamp["requiredInputs"] == ["name"]
    assert lamp["inputProperties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert "serial" in lamp["properties"]
    assert "serial" not in lamp["inputProperties"]
