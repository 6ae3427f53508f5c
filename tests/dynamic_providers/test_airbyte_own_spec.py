"""A source or destination with a version of its own is judged by the spec of that version, not of its workspace's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynamic_providers.airbyte.errors import InvalidConfigError

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

# number_data_type is there since 5.0.0, cdc_deletion_mode since 4.0.0; the workspace runs 4.0.33.
OLD, NEW = "3.14.0", "5.0.0"


@pytest.fixture
def lake(destination_inputs: Properties) -> Properties:
    return {
        **destination_inputs,
        "destination_name": "lake",
        "connector": "destination-snowflake",
        "definition_id": "424892c4-daac-4491-b35d-c6688ba547ba",
        "connector_version": NEW,
        "config": {
            **dict.fromkeys(("role", "warehouse", "database", "schema", "username"), "X"),
            "host": "acme.snowflakecomputing.com",
            "credentials": {"auth_type": "Key Pair Authentication", "private_key": "key-of-the-lake"},
            "number_data_type": "NUMBER",
        },
        "secret_paths": ["credentials.private_key"],
        "skip_check": "the account can't be reached from here",
        "accept_breaking": ["4.0.0", "5.0.0"],
    }


def with_config(inputs: Properties, **changes: str | None) -> Properties:
    config = {**inputs["config"], **changes}
    return {**inputs, "config": {key: value for key, value in config.items() if value is not None}}


def test_a_field_that_only_its_own_version_knows_is_taken(
    airbyte: Airbyte, a_destination: Life, lake: Properties
) -> None:
    a_destination.up(lake)
    assert airbyte.read("destinations", a_destination.id)["connectionConfiguration"]["number_data_type"] == "NUMBER"
    assert a_destination.refresh() == ()
    assert a_destination.up(with_config(lake, number_data_type="FLOAT")) == ("config",)
    assert a_destination.refresh() == ()


@pytest.mark.parametrize(
    ("version", "changes", "words"),
    [
        (NEW, {"number_data_type": "DECIMAL"}, "number_data_type must be one of FLOAT, NUMBER"),
        (OLD, {"number_data_type": None, "cdc_deletion_mode": "Hard delete"}, "cdc_deletion_mode is no field of this"),
    ],
)
def test_what_its_own_spec_does_not_allow_leaves_nothing_behind(
    airbyte: Airbyte, a_destination: Life, lake: Properties, version: str, changes: Properties, words: str
) -> None:
    with pytest.raises(InvalidConfigError, match=words):
        a_destination.up(with_config({**lake, "connector_version": version}, **changes))
    assert airbyte.ids("destinations") == []
    assert airbyte.session().inventory.pins() == []


def test_an_update_is_judged_by_its_own_spec(airbyte: Airbyte, a_destination: Life, lake: Properties) -> None:
    a_destination.up(lake)
    with pytest.raises(InvalidConfigError, match="must be one of FLOAT, NUMBER"):
        a_destination.up(with_config(lake, number_data_type="DECIMAL"))
    assert airbyte.read("destinations", a_destination.id)["connectionConfiguration"]["number_data_type"] == "NUMBER"


def test_adopting_one_with_its_own_version_judges_by_that(
    airbyte: Airbyte, a_destination: Life, lake: Properties
) -> None:
    a_destination.up(lake)
    made, a_destination.id = a_destination.id, ""
    assert a_destination.up({**lake, "adopt": True}) == ("create",)
    assert a_destination.id == made


def test_back_at_the_workspaces_version_its_spec_counts_again(a_destination: Life, lake: Properties) -> None:
    a_destination.up(lake)
    with pytest.raises(InvalidConfigError, match="number_data_type is no field of this connector"):
        a_destination.up({**lake, "connector_version": "4.0.33"})
    a_destination.up(with_config({**lake, "connector_version": "4.0.33"}, number_data_type=None))
    assert a_destination.refresh() == ()
