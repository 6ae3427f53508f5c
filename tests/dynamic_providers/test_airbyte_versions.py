"""Which version really runs: every way it can move is seen, and a breaking change is crossed on purpose only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte import breaking_changes, versions
from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.connector_version import ConnectorVersionResource
from dynamic_providers.airbyte.errors import BreakingChangeError, CheckFailedError, UnknownVersionError
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.models import BreakingChange

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

CONNECTOR = "destination-postgres"
CHANGE = {
    "message": "Version 3.0.0 loads directly, without raw tables.",
    "upgradeDeadline": "2027-01-01",
    "migrationDocumentationUrl": "https://docs.airbyte.com/migrate",
}


def running(airbyte: Airbyte, life: Life) -> str:
    kind = SOURCE if "source_name" in life.inputs else DESTINATION
    return versions.running(airbyte.session(), kind, life.id).docker_image_tag


def origins(airbyte: Airbyte) -> list[tuple[str, str]]:
    """Scope and origin of every pin."""
    return sorted((pin.scope_type, pin.origin_type) for pin in airbyte.session().inventory.pins())


def publish(airbyte: Airbyte, definition_id: str, *tags: str, changes: dict[str, Any] | None = None) -> None:
    """The registry has these versions from now on."""
    body = {"id": definition_id, "tags": list(tags), "latestTag": tags[-1], "breakingChanges": changes or {}}
    assert airbyte.http.post("/sandbox/v1/registry", json=body).is_success


def upgrade_in_the_ui(airbyte: Airbyte, kind: str, definition_id: str, tag: str) -> None:
    body = {f"{kind}DefinitionId": definition_id, "dockerImageTag": tag, "workspaceId": airbyte.session().workspace()}
    airbyte.post(f"{kind}_definitions/update", body)


def pin(airbyte: Airbyte, definition_id: str, scope_type: str, scope_id: str, tag: str) -> None:
    """As somebody else would, past the program."""
    session = airbyte.session()
    kind = next(k for k in (SOURCE, DESTINATION) if versions.resolved(session, k, definition_id, session.workspace()))
    definition = next(
        d for d in session.inventory.definitions(kind, session.workspace()) if d.definition_id == definition_id
    )
    versions.write_pin(session, definition_id, scope_type, scope_id, versions.resolve(session, definition, kind, tag))


# -- seeing what runs ------------------------------------------------------------------------------------------------


def test_an_upgrade_of_a_version_that_no_pin_holds_is_seen_and_undone_by_a_pin(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    upgrade_in_the_ui(airbyte, "source", source_inputs["definition_id"], "3.6.1")

    assert a_source.drift() == {"connector_version": ("3.7.0", "3.6.1")}
    assert a_source.up(source_inputs) == ("connector_version",)
    assert running(airbyte, a_source) == "3.7.0"
    assert a_source.refresh() == ()


def test_an_update_of_the_registry_is_seen_by_a_version_whose_pin_is_gone(airbyte: Airbyte, a_pin: Life) -> None:
    a_pin.up({"connector": CONNECTOR, "version": "2.4.7"})
    airbyte.post("scoped_configuration/delete", {"scopedConfigurationId": airbyte.session().inventory.pins()[0].id})
    publish(airbyte, a_pin.id, "2.4.7", "2.5.0")
    assert airbyte.http.post("/sandbox/v1/registry/tick").is_success

    assert a_pin.drift() == {"version": ("2.4.7", "2.5.0"), "pin": ("workspace", "none")}


@pytest.mark.parametrize("scope", ["actor", "workspace"])
def test_a_pin_of_any_scope_is_seen_by_the_source_it_moves(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties, scope: str
) -> None:
    a_source.up(source_inputs)
    scope_id = a_source.id if scope == "actor" else airbyte.session().workspace()
    pin(airbyte, source_inputs["definition_id"], scope, scope_id, "3.6.1")

    assert a_source.drift() == {"connector_version": ("3.7.0", "3.6.1")}
    a_source.up(source_inputs)
    assert running(airbyte, a_source) == "3.7.0"


def test_versions_of_any_number_of_actors_are_seen_by_the_same_few_calls(
    airbyte: Airbyte, a_source: Life, a_destination: Life, source_inputs: Properties, destination_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    a_destination.up(destination_inputs)
    pin(airbyte, source_inputs["definition_id"], "actor", a_source.id, "3.6.1")
    session = airbyte.session()
    with airbyte.counted() as calls:
        for _ in range(20):
            ActorResource(session, SOURCE).read(a_source.id, dict(a_source.outputs))
            ActorResource(session, DESTINATION).read(a_destination.id, dict(a_destination.outputs))
    assert len([call for call in calls if call != "/v1/applications/token"]) <= 6


# -- breaking changes ------------------------------------------------------------------------------------------------


@pytest.fixture
def old_destination(airbyte: Airbyte, a_pin: Life, a_destination: Life, destination_inputs: Properties) -> Properties:
    """A pinned destination whose connector has a newer, breaking version; gives the pin's program."""
    program = {"connector": CONNECTOR, "version": "2.4.7"}
    a_pin.up(program)
    a_destination.up(destination_inputs)
    publish(airbyte, destination_inputs["definition_id"], "2.4.7", "3.0.0", "3.1.0", changes={"3.0.0": CHANGE})
    return program


def test_a_breaking_change_is_told_in_the_preview_with_text_deadline_and_guide(
    airbyte: Airbyte, a_pin: Life, old_destination: Properties
) -> None:
    upgrade_in_the_ui(airbyte, "destination", a_pin.id, "3.1.0")
    program = {**old_destination, "version": "3.1.0", "origin": "connectors.yaml:1"}
    with airbyte.counted() as calls:
        failures = a_pin.resource().check(dict(a_pin.inputs), dict(program)).failures
    assert len(failures) == 1
    assert failures[0].startswith("connectors.yaml:1: destination-postgres 2.4.7 to 3.1.0 crosses")
    for told in ("without raw tables", "2027-01-01", "https://docs.airbyte.com/migrate", 'accept_breaking: ["3.0.0"]'):
        assert told in failures[0]
    assert not [call for call in calls if call.endswith(("/create", "/update", "/resolve", "/upgrade_version"))]
    with pytest.raises(BreakingChangeError):
        a_pin.resource().update(a_pin.id, dict(a_pin.outputs), {**a_pin.inputs, "version": "3.1.0"})
    assert airbyte.session().inventory.pins()[0].value_name == "2.4.7"


def test_an_accepted_breaking_change_is_crossed_by_the_actors_themselves(
    airbyte: Airbyte, a_pin: Life, a_destination: Life, destination_inputs: Properties, old_destination: Properties
) -> None:
    accepted = {**old_destination, "version": "3.1.0", "accept_breaking": ["3.0.0"]}
    assert a_pin.up(accepted) == ("version",)
    a_destination.up({**destination_inputs, "connector_version": "3.1.0"})
    assert running(airbyte, a_destination) == "3.1.0"
    assert (a_pin.refresh(), a_destination.refresh()) == ((), ())


def test_actors_that_airbyte_held_back_are_let_go(
    airbyte: Airbyte, a_pin: Life, a_destination: Life, destination_inputs: Properties, old_destination: Properties
) -> None:
    # Without a pin of the workspace, moving the default version holds the existing actors at the old one.
    a_pin.resource().delete(a_pin.id, a_pin.outputs)
    upgrade_in_the_ui(airbyte, "destination", destination_inputs["definition_id"], "3.1.0")
    assert origins(airbyte) == [("actor", "breaking_change")]
    assert a_destination.refresh() == ()

    a_pin.id, a_pin.inputs = "", {}
    wanted = {**old_destination, "version": "3.1.0"}
    assert "2.4.7 to 3.1.0" in a_pin.resource().check({}, dict(wanted)).failures[0]
    a_pin.up({**wanted, "accept_breaking": ["3.0.0"]})

    assert origins(airbyte) == [("workspace", "user")]
    assert running(airbyte, a_destination) == "3.1.0"


def test_a_destination_that_is_held_back_behind_its_program_is_drift(
    airbyte: Airbyte, a_destination: Life, destination_inputs: Properties
) -> None:
    definition_id = destination_inputs["definition_id"]
    publish(airbyte, definition_id, "2.4.7", "3.0.0", changes={"3.0.0": CHANGE})
    pin(airbyte, definition_id, "workspace", airbyte.session().workspace(), "3.0.0")
    a_destination.up({**destination_inputs, "connector_version": "3.0.0"})
    # As left by an upgrade that was not finished.
    session = airbyte.session()
    version_id = versions.resolve(
        session, versions.find_definition(session, CONNECTOR, session.workspace()), DESTINATION, "2.4.7"
    )
    airbyte.post(
        "scoped_configuration/create",
        {
            "config_key": "connector_version",
            "resource_type": "actor_definition",
            "resource_id": definition_id,
            "scope_type": "actor",
            "scope_id": a_destination.id,
            "value": version_id,
            "origin": "3.0.0",
            "origin_type": "breaking_change",
        },
    )

    assert a_destination.drift() == {"connector_version": ("3.0.0", "2.4.7")}
    with airbyte.counted() as calls:
        a_destination.up({**destination_inputs, "connector_version": "3.0.0"})
    assert "/v1/destinations/upgrade_version" in calls
    assert running(airbyte, a_destination) == "3.0.0"


def test_a_major_that_the_server_does_not_describe_needs_to_be_named_too(
    a_pin: Life, old_destination: Properties
) -> None:
    # Its default version is still 2.4.7, and beyond that it tells nothing.
    program = {**old_destination, "version": "3.1.0"}
    failure = a_pin.resource().check(dict(a_pin.inputs), dict(program)).failures[0]
    assert "does not describe it" in failure
    assert "https://docs.airbyte.com/integrations/destinations/postgres-migrations" in failure
    assert a_pin.up({**program, "accept_breaking": ["3.0.0"]}) == ("version",)
    assert a_pin.up(old_destination) == ("version",), "down is never refused"


@pytest.mark.parametrize(
    ("running_", "target", "expected"),
    [
        ("2.4.7", "2.9.0", []),
        ("2.4.7", "4.0.1", ["3.0.0", "4.0.0"]),
        ("3.1.0", "2.4.7", []),
        ("2.4.7", "dev", []),
        ("dev", "3.0.0", []),
    ],
)
def test_what_is_crossed_on_the_way(running_: str, target: str, expected: list[str]) -> None:
    users = [breaking_changes.User(running_, (BreakingChange(version="3.0.0", message="text"),))]
    assert [change.version for change in breaking_changes.crossed(users, target, by_major=True)] == expected
    described = [change.version for change in breaking_changes.crossed(users, target, by_major=False)]
    assert described == [version for version in expected if version == "3.0.0"]


@pytest.fixture
def newest_airbyte(start_airbyte: Callable[..., AbstractContextManager[Airbyte]]) -> Iterator[Airbyte]:
    with start_airbyte("HEAD") as server:
        yield server


def test_a_deleted_pin_that_the_server_turns_into_its_own_is_told(
    newest_airbyte: Airbyte, destination_inputs: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    session, definition_id = newest_airbyte.session(), destination_inputs["definition_id"]
    destination = ActorResource(session, DESTINATION)
    resource = ConnectorVersionResource(session)
    pin_id, outputs = resource.create(resource.check({}, {"connector": CONNECTOR, "version": "2.4.7"}).inputs)
    _, made = destination.create(destination.check({}, dict(destination_inputs)).inputs)
    publish(newest_airbyte, definition_id, "2.4.7", "3.0.0", changes={"3.0.0": CHANGE})
    upgrade_in_the_ui(newest_airbyte, "destination", definition_id, "3.0.0")

    ConnectorVersionResource(newest_airbyte.session()).delete(pin_id, outputs)

    assert origins(newest_airbyte) == [("actor", "breaking_change")]
    told = capsys.readouterr().err
    assert "warehouse at destination-postgres 2.4.7 although its pin is gone" in told
    now = versions.running(newest_airbyte.session(), DESTINATION, made["destination_id"])
    assert now.docker_image_tag == "2.4.7"


# -- a version of an actor's own -------------------------------------------------------------------------------------


def test_a_source_may_have_a_version_of_its_own(airbyte: Airbyte, a_source: Life, source_inputs: Properties) -> None:
    a_source.up({**source_inputs, "connector_version": "3.6.1"})
    assert running(airbyte, a_source) == "3.6.1"
    assert origins(airbyte) == [("actor", "user")]
    assert a_source.refresh() == ()
    assert a_source.up({**source_inputs, "connector_version": "3.6.13"}) == ("connector_version",)
    assert running(airbyte, a_source) == "3.6.13"
    a_source.up(source_inputs)
    assert origins(airbyte) == [], "the workspace's own version needs no pin of the source's"
    assert a_source.refresh() == ()


def test_a_version_of_its_own_that_does_not_exist_is_refused_before_anything_is_written(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    with pytest.raises(UnknownVersionError):
        a_source.up({**source_inputs, "connector_version": "9.9.9"})
    assert (airbyte.ids("sources"), origins(airbyte)) == ([], [])


def test_a_source_that_fails_at_its_own_version_is_not_left_behind(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    airbyte.fault(path="connector:check:airbyte/source-postgres", skip=1, connector={"message": "not with this one"})
    with pytest.raises(CheckFailedError, match="not with this one"):
        a_source.up({**source_inputs, "connector_version": "3.6.1"})
    assert (airbyte.ids("sources"), origins(airbyte)) == ([], [])


def test_a_version_of_its_own_beyond_a_breaking_change_needs_to_be_accepted(
    airbyte: Airbyte, a_destination: Life, destination_inputs: Properties
) -> None:
    a_destination.up(destination_inputs)
    publish(airbyte, destination_inputs["definition_id"], "2.4.7", "3.0.0", changes={"3.0.0": CHANGE})
    with pytest.raises(BreakingChangeError, match=r"2\.4\.7 to 3\.0\.0"):
        a_destination.up({**destination_inputs, "connector_version": "3.0.0"})
    assert running(airbyte, a_destination) == "2.4.7"
    a_destination.up({**destination_inputs, "connector_version": "3.0.0", "accept_breaking": ["3.0.0"]})
    assert running(airbyte, a_destination) == "3.0.0"
    assert a_destination.refresh() == ()
