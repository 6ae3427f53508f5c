"""The list of known-bad versions."""

import pytest
from semver import Version

from dynamic_providers.airbyte import known_bad


def test_every_entry_is_exact_cited_and_said_once() -> None:
    entries = known_bad.entries()
    versions = [(entry.connector, version) for entry in entries for version in entry.versions]
    assert len(versions) == len(set(versions)) > 0
    assert all(Version.is_valid(version) for _, version in versions)
    assert all(entry.reason.endswith(".") for entry in entries)


def test_a_listed_version_has_a_reason_with_its_source() -> None:
    said = known_bad.reason("source-mongodb-v2", "1.5.18")
    assert said is not None
    assert "https://github.com/airbytehq/airbyte/pull/59134" in said
    assert known_bad.reason("airbyte/source-mongodb-v2", "1.5.18") == said


@pytest.mark.parametrize(
    ("connector", "version"),
    [("source-mongodb-v2", "1.5.17"), ("source-mysql", "1.5.18"), ("example/source-mongodb-v2", "1.5.18")],
)
def test_nothing_is_said_against_other_versions(connector: str, version: str) -> None:
    assert known_bad.reason(connector, version) is None
    known_bad.refuse(connector, version)


def test_refusing_names_the_place_the_reason_and_the_way_out() -> None:
    with pytest.raises(known_bad.KnownBadVersionError) as caught:
        known_bad.refuse("source-mssql", "4.4.4", "connectors.yaml:2")
    assert str(caught.value).startswith("connectors.yaml:2: source-mssql 4.4.4 is known to be bad. ")
    assert "https://github.com/airbytehq/airbyte/pull/77843" in str(caught.value)
    assert "airbyte-cli connectors upgrade" in str(caught.value)
