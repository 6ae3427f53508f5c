"""Typed tables are switched on where a connector has a switch for it."""

import pytest

from components.errors import ConfigurationError
from components.normalization import configure


def test_warehouses_are_told_explicitly() -> None:
    assert configure("destination-snowflake", "4.0.33", {"a": 1}, typed=True, where="x") == {
        "a": 1,
        "disable_type_dedupe": False,
    }
    assert configure("destination-bigquery", "2.0.0", {}, typed=False, where="x") == {"disable_type_dedupe": True}


def test_json_lines_on_object_storage_get_one_column_a_field() -> None:
    config = {"format": {"format_type": "JSONL", "compression": {"compression_type": "GZIP"}}}
    done = configure("destination-s3", "1.8.0", config, typed=True, where="x")
    assert done["format"] == {**config["format"], "flattening": "Root level flattening"}


def test_parquet_is_typed_as_it_is_and_what_the_user_says_wins() -> None:
    parquet = {"format": {"format_type": "Parquet"}}
    assert configure("destination-s3", "1.8.0", parquet, typed=True, where="x") == parquet
    chosen = {"format": {"format_type": "CSV", "flattening": "No flattening"}}
    assert configure("destination-s3", "1.8.0", chosen, typed=True, where="x") == chosen


@pytest.mark.parametrize("version", ["2.1.0", "0.4.38"])
def test_a_version_that_can_not_is_refused_with_the_one_that_can(version: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"f.yaml:9: destination-snowflake {version} .* Pin 3\.0\.0"):
        configure("destination-snowflake", version, {}, typed=True, where="f.yaml:9")


def test_a_build_of_ones_own_is_trusted() -> None:
    assert configure("destination-snowflake", "dev-acme", {}, typed=True, where="x") == {"disable_type_dedupe": False}
