"""Adopting what exists: written to only where it differs, its secrets tried, and told from others of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte.errors import AlreadyExistsError, CheckFailedError

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

WRITES = ("create", "update", "delete", "upgrade_version")


def writes(calls: list[str]) -> list[str]:
    return [call for call in calls if call.rpartition("/")[2] in WRITES]


def by_hand(airbyte: Airbyte, inputs: Properties, **changes: Any) -> str:
    """The object that the inputs describe, made by a person."""
    kind = "source" if "source_name" in inputs else "destination"
    made = airbyte.post(
        f"{kind}s/create",
        {
            f"{kind}DefinitionId": inputs["definition_id"],
            "workspaceId": airbyte.session().workspace(),
            "name": inputs[f"{kind}_name"],
            "connectionConfiguration": {**inputs["config"], **changes},
        },
    )
    return str(made[f"{kind}Id"])


def test_an_object_as_declared_is_checked_and_not_written_to(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    made = by_hand(airbyte, source_inputs)
    with airbyte.counted() as calls:
        a_source.up({**source_inputs, "adopt": True})
    assert a_source.id == made
    assert writes(calls) == []
    assert calls.count("/v1/scheduler/sources/check_connection") == 1
    assert a_source.outputs["adopted_secrets"] == "verified"
    assert a_source.refresh() == ()
    assert a_source.up({**source_inputs, "adopt": True}) == ()


def test_a_declared_secret_that_is_wrong_is_found_at_adoption(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    by_hand(airbyte, source_inputs)
    wrong = {**source_inputs, "config": {**source_inputs["config"], "password": "not-the-password"}, "adopt": True}
    with airbyte.counted() as calls, pytest.raises(CheckFailedError, match="password authentication failed"):
        a_source.up(wrong)
    assert writes(calls) == []


def test_a_waived_check_adopts_unverified_and_a_later_change_of_the_secret_is_pushed(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    by_hand(airbyte, source_inputs)
    waived = {**source_inputs, "adopt": True, "skip_check": "no route from Airbyte yet"}
    unknown = {**waived, "config": {**source_inputs["config"], "password": "somebody-forgot-it"}}
    with airbyte.counted() as calls:
        a_source.up(unknown)
    assert not [call for call in calls if "check_connection" in call]
    assert writes(calls) == []
    assert a_source.outputs["adopted_secrets"] == "unverified"
    assert "somebody-forgot-it" not in airbyte.stored_secrets()
    assert a_source.refresh() == ()

    assert a_source.up({**waived, "config": {**source_inputs["config"], "password": "rotated"}}) != ()

    assert "rotated" in airbyte.stored_secrets()
    assert "adopted_secrets" not in a_source.outputs


def test_an_object_that_differs_is_made_as_declared(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    made = by_hand(airbyte, source_inputs, jdbc_url_params="loginTimeout=5")
    with airbyte.counted() as calls:
        a_source.up({**source_inputs, "adopt": True})
    assert writes(calls) == ["/v1/sources/update"]
    assert "jdbc_url_params" not in airbyte.read("sources", made)["connectionConfiguration"]


def test_a_declared_default_that_the_object_lacks_is_no_difference(
    airbyte: Airbyte, a_destination: Life, destination_inputs: Properties
) -> None:
    by_hand(airbyte, destination_inputs)
    declared = {**destination_inputs, "adopt": True}
    declared["config"] = {**destination_inputs["config"], "disable_type_dedupe": False}
    with airbyte.counted() as calls:
        a_destination.up(declared)
    assert writes(calls) == []
    assert a_destination.refresh() == ()
    assert a_destination.up(declared) == ()

    live = airbyte.read("destinations", a_destination.id)["connectionConfiguration"]
    config = {**live, "disable_type_dedupe": True}
    body = {"destinationId": a_destination.id, "name": "warehouse", "connectionConfiguration": config}
    airbyte.post("destinations/update", body)
    assert a_destination.drift()["config"][1]["disable_type_dedupe"] is True


def test_two_of_one_name_are_listed_and_an_id_picks_one(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    twins = [by_hand(airbyte, source_inputs) for _ in range(2)]
    with pytest.raises(AlreadyExistsError) as error:
        a_source.up({**source_inputs, "adopt": True})
    assert all(twin in str(error.value) for twin in twins)
    with airbyte.counted() as calls:
        a_source.up({**source_inputs, "adopt": twins[1]})
    assert a_source.id == twins[1]
    assert writes(calls) == []


def test_an_id_picks_an_object_of_another_name_and_renames_it(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    made = by_hand(airbyte, {**source_inputs, "source_name": "former"})
    a_source.up({**source_inputs, "adopt": made})
    assert a_source.id == made
    assert airbyte.read("sources", made)["name"] == source_inputs["source_name"]


@pytest.mark.parametrize("id_", ["3f1ec4d6-0000-4000-8000-000000000000", "nonsense"])
def test_an_id_that_is_none_is_an_error_and_makes_nothing(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties, id_: str
) -> None:
    with pytest.raises(AlreadyExistsError, match=f"adopt names {id_}"):
        a_source.up({**source_inputs, "adopt": id_})
    assert airbyte.ids("sources") == []


def test_an_id_picks_one_of_two_connections_of_one_name(
    airbyte: Airbyte, a_connection: Life, connection_inputs: Properties
) -> None:
    a_connection.up(connection_inputs)
    live = airbyte.read("connections", a_connection.id)
    second = airbyte.post("connections/create", {key: value for key, value in live.items() if key != "schedule"})
    a_connection.id = ""
    with pytest.raises(AlreadyExistsError, match=second["connectionId"]):
        a_connection.up({**connection_inputs, "adopt": True})
    with airbyte.counted() as calls:
        a_connection.up({**connection_inputs, "adopt": second["connectionId"]})
    assert a_connection.id == second["connectionId"]
    assert writes(calls) == []


def test_a_version_that_runs_already_is_adopted_without_a_pin_and_its_moving_is_seen(
    airbyte: Airbyte, a_pin: Life, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    declared = {"connector": "source-postgres", "version": "3.7.0", "adopt": True}
    with airbyte.counted() as calls:
        a_pin.up(declared)
    assert writes(calls) == []
    assert airbyte.session().inventory.pins() == []
    assert a_pin.refresh() == ()
    assert a_pin.up(declared) == ()

    airbyte.post(
        "source_definitions/update",
        {
            "sourceDefinitionId": source_inputs["definition_id"],
            "workspaceId": airbyte.session().workspace(),
            "dockerImageTag": "3.6.1",
        },
    )
    assert a_pin.drift()["version"] == ("3.7.0", "3.6.1")
    a_pin.up(declared)
    assert len(airbyte.session().inventory.pins()) == 1


def test_without_adopt_an_adopted_version_is_pinned(airbyte: Airbyte, a_pin: Life) -> None:
    declared = {"connector": "source-postgres", "version": "3.7.0"}
    a_pin.up({**declared, "adopt": True})
    assert a_pin.up(declared) == ("pin",)
    assert len(airbyte.session().inventory.pins()) == 1
    assert a_pin.refresh() == ()
