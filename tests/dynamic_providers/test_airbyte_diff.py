"""What differs is exactly what was changed, whatever was changed; and what is not known yet is told apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.connection import ConnectionResource
from dynamic_providers.airbyte.connector_version import ConnectorVersionResource
from dynamic_providers.airbyte.kinds import SOURCE
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.settings import Settings
from dynamic_providers.crud import Resource
from dynamic_providers.values import UNKNOWN, contains_unknown

# Nobody listens there: a diff that asked the server would fail.
SESSION = Session(Client(Settings("http://127.0.0.1:9"), sleep=lambda _: pytest.fail("a diff asks nobody")))
STREAM = {"sync_mode": "incremental", "destination_sync_mode": "append", "cursor_field": ["updated_at"]}

SOURCE_INPUTS: dict[str, Any] = {
    "source_name": "name",
    "connector": "source-postgres",
    "definition_id": "definition",
    "connector_version": "3.6.1",
    "workspace_id": "workspace",
    "config": {"host": "h", "password": "p"},
    "secret_paths": ["password"],
    "fingerprint_key": "key",
    "skip_check": "a reason",
}
SOURCE_CHANGES: dict[str, Any] = {
    "source_name": "another",
    "definition_id": "another",
    "connector_version": "3.7.0",
    "workspace_id": "another",
    "config": {"host": "h2", "password": "p"},
    "skip_check": "another reason",
}
CONNECTION_INPUTS: dict[str, Any] = {
    "connection_name": "name",
    "source_id": "source",
    "destination_id": "destination",
    "streams": {"orders": STREAM, "users": STREAM},
    "schedule": {"type": "cron", "expression": "0 */6 * * *"},
    "namespace_definition": "destination",
    "prefix": "",
    "schema_changes": "ignore",
    "status": "active",
    "resources": None,
    "tags": ["a"],
    "allow_state_loss": "tests",
}
CONNECTION_CHANGES: dict[str, Any] = {
    "connection_name": "another",
    "source_id": "another",
    "destination_id": "another",
    "streams": {"orders": STREAM},
    "schedule": {"type": "manual"},
    "namespace_definition": "source",
    "prefix": "raw_",
    "schema_changes": "disable",
    "status": "inactive",
    "resources": {"cpu_limit": "2"},
    "tags": ["a", "b"],
}
PIN_INPUTS: dict[str, Any] = {"connector": "source-postgres", "version": "3.6.1", "workspace_id": "workspace"}
PIN_CHANGES: dict[str, Any] = {"connector": "source-mysql", "version": "3.7.0", "workspace_id": "another"}

KINDS: list[tuple[Resource, dict[str, Any], dict[str, Any]]] = [
    (ActorResource(SESSION, SOURCE), SOURCE_INPUTS, SOURCE_CHANGES),
    (ConnectionResource(SESSION), CONNECTION_INPUTS, CONNECTION_CHANGES),
]
REPLACING = {"definition_id", "workspace_id", "source_id", "destination_id"}


def canonical(resource: Resource, inputs: dict[str, Any]) -> dict[str, Any]:
    checked = resource.check({}, dict(inputs))
    assert not checked.failures
    return checked.inputs


@pytest.mark.parametrize(("resource", "inputs", "changes"), KINDS, ids=["actor", "connection"])
@given(data=st.data())
def test_a_diff_reports_exactly_what_was_changed(
    resource: Resource, inputs: dict[str, Any], changes: dict[str, Any], data: st.DataObject
) -> None:
    chosen = data.draw(st.sets(st.sampled_from(sorted(changes))))
    olds = canonical(resource, inputs)
    news = canonical(resource, {**inputs, **{key: changes[key] for key in chosen}})
    for before, after in ((olds, news), (news, olds)):
        difference = resource.diff("id", before, after)
        assert set(difference.changed) == chosen
        assert set(difference.replaces) == chosen & REPLACING


@given(data=st.data())
def test_a_pins_diff_reports_exactly_what_was_changed(data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.sampled_from(sorted(PIN_CHANGES))))
    resource = ConnectorVersionResource(SESSION)
    difference = resource.diff("id", PIN_INPUTS, {**PIN_INPUTS, **{key: PIN_CHANGES[key] for key in chosen}})
    assert set(difference.changed) == chosen
    assert set(difference.replaces) == chosen - {"version"}


def test_a_rotated_secret_shows_in_its_fingerprint() -> None:
    resource = ActorResource(SESSION, SOURCE)
    rotated = {**SOURCE_INPUTS, "config": {"host": "h", "password": "rotated"}}
    olds, news = canonical(resource, SOURCE_INPUTS), canonical(resource, rotated)
    assert resource.diff("id", olds, news).changed == ("config", "secret_fingerprints")
    assert olds["secret_fingerprints"].keys() == news["secret_fingerprints"].keys()


def test_a_first_preview_where_nothing_is_known_yet_passes() -> None:
    unknown = {
        **SOURCE_INPUTS,
        "definition_id": UNKNOWN,
        "connector_version": UNKNOWN,
        "workspace_id": UNKNOWN,
        "fingerprint_key": UNKNOWN,
        "config": {"host": UNKNOWN, "password": UNKNOWN},
    }
    checked = canonical(ActorResource(SESSION, SOURCE), unknown)
    assert checked["config"] == {"host": UNKNOWN, "password": UNKNOWN}
    assert contains_unknown(checked["secret_fingerprints"])
    ends = {**CONNECTION_INPUTS, "source_id": UNKNOWN, "destination_id": UNKNOWN}
    assert canonical(ConnectionResource(SESSION), ends)["source_id"] is UNKNOWN


def test_an_unknown_pin_replaces_no_source_but_an_unknown_source_replaces_its_connection() -> None:
    source, connection = ActorResource(SESSION, SOURCE), ConnectionResource(SESSION)
    news = {**canonical(source, SOURCE_INPUTS), "definition_id": UNKNOWN, "workspace_id": UNKNOWN}
    assert source.diff("id", canonical(source, SOURCE_INPUTS), news).changed == ()
    olds = canonical(connection, CONNECTION_INPUTS)
    assert connection.diff("id", olds, {**olds, "source_id": UNKNOWN}).replaces == ("source_id",)
