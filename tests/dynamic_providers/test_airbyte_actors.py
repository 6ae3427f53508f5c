"""Sources and destinations against a server: checked first, made once, and kept true."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte.errors import (
    AirbyteError,
    AlreadyExistsError,
    CheckFailedError,
    InvalidConfigError,
    OutcomeUnknownError,
)

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Database, Life, Properties

WRITES = ("create", "update", "partial_update", "delete", "upgrade_version")


def with_config(inputs: Properties, **changes: Any) -> Properties:
    return {**inputs, "config": {**inputs["config"], **changes}}


def writes(calls: list[str]) -> list[str]:
    return [call for call in calls if call.rpartition("/")[2] in WRITES]


# -- the gate --------------------------------------------------------------------------------------------------------


def test_a_source_that_does_not_pass_its_check_is_not_created(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    with airbyte.counted() as calls, pytest.raises(CheckFailedError) as caught:
        a_source.up(with_config(source_inputs, password="not-the-password"))
    assert airbyte.ids("sources") == []
    assert writes(calls) == []
    text = str(caught.value)
    assert "Source postgres_production (source-postgres 3.7.0)" in text
    assert "password authentication failed" in text
    assert "not-the-password" not in text


def test_a_missing_slot_is_said_in_the_connectors_words_with_meaning_and_fix(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    replication = {**source_inputs["config"]["replication_method"], "replication_slot": "no_such_slot"}
    program = with_config(source_inputs, replication_method=replication) | {"origin": "pipelines/production.yaml:12"}
    with pytest.raises(CheckFailedError) as caught:
        a_source.up(program)
    text = str(caught.value)
    assert text.startswith("pipelines/production.yaml:12: ")
    assert "replication slot" in text
    assert "replication_method.replication_slot" in text
    assert "\n" not in text


def test_a_check_that_breaks_down_stops_the_deployment_too(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    airbyte.fault(path="connector:check:*", connector={"message": "image not found", "crash": True})
    with pytest.raises(CheckFailedError, match="broke down"):
        a_source.up(source_inputs)
    assert airbyte.ids("sources") == []


def test_a_check_may_be_waived_with_a_reason(airbyte: Airbyte, a_source: Life, source_inputs: Properties) -> None:
    a_source.up({**with_config(source_inputs, host="not.there.example"), "skip_check": "the database comes later"})
    assert airbyte.ids("sources") == [a_source.id]
    assert a_source.outputs["skip_check"] == "the database comes later"


def test_a_config_that_breaks_the_spec_is_refused_before_anything_runs(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    program = with_config(source_inputs, port="five")
    with airbyte.counted() as calls, pytest.raises(InvalidConfigError, match="port must be an integer"):
        a_source.up(program)
    assert not [call for call in calls if "check_connection" in call or "create" in call]


def test_a_secret_that_is_not_marked_is_refused(a_source: Life, source_inputs: Properties) -> None:
    with pytest.raises(InvalidConfigError, match="password is a secret"):
        a_source.up({**source_inputs, "secret_paths": []})


def test_an_update_is_checked_before_it_is_written(airbyte: Airbyte, a_source: Life, source_inputs: Properties) -> None:
    a_source.up(source_inputs)
    with pytest.raises(CheckFailedError):
        a_source.up(with_config(source_inputs, database="no_such_database"))
    assert airbyte.read("sources", a_source.id)["connectionConfiguration"]["database"] == "production"


# -- a clean stack ---------------------------------------------------------------------------------------------------


def test_an_untouched_actor_has_no_drift_and_no_difference(
    a_source: Life, a_destination: Life, source_inputs: Properties, destination_inputs: Properties
) -> None:
    for actor, program in ((a_source, source_inputs), (a_destination, destination_inputs)):
        assert actor.up(program) == ("create",)
        assert actor.refresh() == ()
        assert actor.up(program) == ()


def test_a_refresh_writes_nothing(airbyte: Airbyte, a_source: Life, source_inputs: Properties) -> None:
    a_source.up(source_inputs)
    with airbyte.counted() as calls:
        a_source.refresh()
    assert writes(calls) == []


# -- drift -----------------------------------------------------------------------------------------------------------


def edit(airbyte: Airbyte, life: Life, **changes: Any) -> None:
    """Change a source as the UI does: everything sent, secrets as masks; None removes a field."""
    live = airbyte.read("sources", life.id)
    config = {k: v for k, v in {**live["connectionConfiguration"], **changes}.items() if v is not None}
    airbyte.post("sources/update", {"sourceId": life.id, "name": live["name"], "connectionConfiguration": config})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "elsewhere.example.com"),
        ("port", 5433),
        ("database", "staging"),
        ("username", "somebody"),
        ("schemas", ["public", "archive"]),
        ("ssl_mode", {"mode": "require"}),
        ("jdbc_url_params", "loginTimeout=5"),
        ("replication_method", {"method": "Standard"}),
        ("password", None),
    ],
)
def test_any_changed_field_is_seen_and_set_right_again(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties, field: str, value: Any
) -> None:
    a_source.up(source_inputs)
    edit(airbyte, a_source, **{field: value})

    drift = a_source.drift()

    expected = {"config", "secret_fingerprints"} if field == "password" else {"config"}
    assert set(drift) == expected
    before, now = drift["config"]
    assert {key for key in {*before, *now} if before.get(key) != now.get(key)} == {field}
    assert now.get(field) == value

    assert set(a_source.up(source_inputs)) == expected
    assert a_source.refresh() == ()
    assert airbyte.stored_secrets()[-1] == source_inputs["config"]["password"]


def test_a_changed_name_is_seen(airbyte: Airbyte, a_source: Life, source_inputs: Properties) -> None:
    a_source.up(source_inputs)
    live = airbyte.read("sources", a_source.id)
    body = {"sourceId": a_source.id, "name": "renamed", "connectionConfiguration": live["connectionConfiguration"]}
    airbyte.post("sources/update", body)
    assert a_source.drift() == {"source_name": ("postgres_production", "renamed")}
    assert a_source.up(source_inputs) == ("source_name",)
    assert airbyte.read("sources", a_source.id)["name"] == "postgres_production"


def test_a_deleted_actor_is_gone_although_the_api_still_answers_for_it(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    airbyte.post("sources/delete", {"sourceId": a_source.id})
    assert airbyte.read("sources", a_source.id)["sourceId"] == a_source.id
    assert a_source.refresh() == ("gone",)
    assert a_source.up(source_inputs) == ("create",)


def test_an_actor_held_at_a_version_of_its_own_is_drift_and_let_go(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    session = airbyte.session()
    version = session.client.post(
        "actor_definition_versions/resolve",
        {"actorDefinitionId": source_inputs["definition_id"], "actorType": "source", "dockerImageTag": "3.6.1"},
    )
    pin = {
        "config_key": "connector_version",
        "resource_type": "actor_definition",
        "resource_id": source_inputs["definition_id"],
        "scope_type": "actor",
        "scope_id": a_source.id,
        "value": version["versionId"],
        "origin": session.client.instance().default_user_id,
        "origin_type": "user",
    }
    session.client.post("scoped_configuration/create", pin)

    assert a_source.drift() == {"connector_version": ("3.7.0", "3.6.1")}
    assert a_source.up(source_inputs) == ("connector_version",)
    assert a_source.refresh() == ()
    assert airbyte.session().inventory.pins() == []


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_a_rotated_secret_is_one_fingerprint_more_and_the_only_secret_written(
    airbyte: Airbyte, a_source: Life, database: Database, source_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    before = copy.deepcopy(a_source.inputs["secret_fingerprints"])
    database.execute("ALTER ROLE airbyte PASSWORD 'rotated-password-2'")
    try:
        changed = a_source.up(with_config(source_inputs, password="rotated-password-2"))
    finally:
        database.execute(f"ALTER ROLE airbyte PASSWORD '{source_inputs['config']['password']}'")
    assert changed == ("config", "secret_fingerprints")
    assert before.keys() == a_source.inputs["secret_fingerprints"].keys()
    assert before != a_source.inputs["secret_fingerprints"]
    assert airbyte.stored_secrets() == ["rotated-password-2"]


def test_a_plain_change_leaves_the_stored_secret_alone(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    kept = airbyte.http.get("/sandbox/v1/secrets").json()["configurations"][a_source.id]["password"]
    a_source.up(with_config(source_inputs, jdbc_url_params="loginTimeout=5"))
    after = airbyte.http.get("/sandbox/v1/secrets").json()["configurations"][a_source.id]["password"]
    assert after == kept, "a mask keeps the secret's version; a real value would have made a new one"
    assert airbyte.stored_secrets() == [source_inputs["config"]["password"]]


# -- crash safety and adoption ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["after", "before"])
def test_a_create_whose_answer_is_lost_ends_with_one_object(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties, when: str
) -> None:
    airbyte.fault(path="/v1/sources/create", status=504, body="html", when=when)
    if when == "after":
        a_source.up(source_inputs)
    else:
        with pytest.raises(OutcomeUnknownError):
            a_source.up(source_inputs)
        a_source.up(source_inputs)
    assert airbyte.ids("sources") == [a_source.id]


def test_what_an_interrupted_run_made_is_taken_over_with_the_present_secret(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up({**with_config(source_inputs, password="an older one"), "skip_check": "made by an earlier run"})
    orphan, a_source.id, a_source.inputs, a_source.outputs = a_source.id, "", {}, {}
    assert a_source.up(source_inputs) == ("create",)
    assert airbyte.ids("sources") == [orphan] == [a_source.id]
    assert airbyte.stored_secrets() == [source_inputs["config"]["password"]]


def test_another_ones_object_of_that_name_is_not_touched(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up({**with_config(source_inputs, database="theirs"), "skip_check": "not ours"})
    theirs, a_source.id, a_source.inputs = a_source.id, "", {}
    with airbyte.counted() as calls, pytest.raises(AlreadyExistsError, match=f"{theirs}.* database.*adopt: true"):
        a_source.up(source_inputs)
    assert writes(calls) == []


def test_adopting_what_is_as_declared_writes_nothing_and_shows_nothing_after(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up(source_inputs)
    existing, a_source.id, a_source.inputs = a_source.id, "", {}
    with airbyte.counted() as calls:
        a_source.up({**source_inputs, "adopt": True})
    assert a_source.id == existing
    assert writes(calls) == []
    assert a_source.refresh() == ()
    assert a_source.up({**source_inputs, "adopt": True}) == ()


def test_adopting_what_differs_makes_it_as_declared(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    a_source.up({**with_config(source_inputs, database="theirs"), "skip_check": "not ours"})
    existing, a_source.id, a_source.inputs = a_source.id, "", {}
    a_source.up({**source_inputs, "adopt": True})
    assert airbyte.ids("sources") == [existing]
    assert airbyte.read("sources", existing)["connectionConfiguration"]["database"] == "production"


def test_two_objects_of_that_name_are_an_error_with_both_ids(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties
) -> None:
    session = airbyte.session()
    body = {
        "sourceDefinitionId": source_inputs["definition_id"],
        "workspaceId": session.workspace(),
        "name": source_inputs["source_name"],
        "connectionConfiguration": source_inputs["config"],
    }
    ids = [session.client.post("sources/create", body)["sourceId"] for _ in range(2)]
    with pytest.raises(AlreadyExistsError) as caught:
        a_source.up({**source_inputs, "adopt": True})
    assert all(id_ in str(caught.value) for id_ in ids)


# -- the rest of its life --------------------------------------------------------------------------------------------


def test_another_connector_or_workspace_is_another_object(a_source: Life, source_inputs: Properties) -> None:
    a_source.up(source_inputs)
    assert a_source.up({**source_inputs, "definition_id": "another"}) == ("definition_id",)
    assert a_source.up({**source_inputs, "workspace_id": "another"}) == ("workspace_id",)


def test_deleting_twice_is_fine(airbyte: Airbyte, a_source: Life, source_inputs: Properties) -> None:
    a_source.up(source_inputs)
    for _ in range(2):
        a_source.resource().delete(a_source.id, a_source.outputs)
    assert airbyte.ids("sources") == []


@pytest.mark.parametrize("operation", ["create", "update"])
def test_no_secret_is_in_an_error_even_if_the_server_quotes_it(
    airbyte: Airbyte, a_source: Life, source_inputs: Properties, operation: str
) -> None:
    secret = source_inputs["config"]["password"]
    if operation == "update":
        a_source.up(source_inputs)
    airbyte.fault(path="connector:check:*", connector={"message": f"could not log in with {secret}"})
    with pytest.raises(AirbyteError) as caught:
        a_source.up(with_config(source_inputs, jdbc_url_params="loginTimeout=5"))
    assert "could not log in with [redacted]" in str(caught.value)
    assert secret not in str(caught.value)
