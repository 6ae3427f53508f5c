"""Comparing versions."""

import pytest

from airbyte_cli.connectors import versions


@pytest.mark.parametrize(
    ("old", "new", "crossed"),
    [
        ("3.9.0", "4.0.0", True),
        ("4.0.0", "4.1.0", False),  # it is behind us already
        ("4.1.0", "3.9.0", True),
        ("3.9.0", "4.0.0-rc.1", True),
        ("4.0.0-rc.1", "4.0.0", False),
        ("3.8.0", "3.9.0", False),
        ("dev", "4.1.0", False),
    ],
)
def test_a_breaking_version_is_crossed_where_it_is_reached_or_left(old: str, new: str, crossed: bool) -> None:
    assert versions.crosses(old, new, "4.0.0") is crossed


@pytest.mark.parametrize(
    ("old", "new", "risky"),
    [("1.2.3", "1.9.0", False), ("1.9.0", "2.0.0", True), ("0.2.0", "0.3.0", True), ("0.2.0", "0.2.9", False)],
)
def test_below_one_a_minor_step_may_break(old: str, new: str, risky: bool) -> None:
    assert versions.may_break(old, new) is risky


def test_versions_sort_by_number_and_what_has_none_comes_first() -> None:
    assert sorted(["10.0.0", "dev", "9.1.0", "9.0.10"], key=versions.by_number) == ["dev", "9.0.10", "9.1.0", "10.0.0"]


def test_only_the_majors_without_a_description_are_left() -> None:
    assert versions.majors_without("2.1.0", "5.2.0", ["4.0.0"]) == ["3.0.0", "5.0.0"]
    assert versions.majors_without("2.1.0", "dev", []) == ["dev"]
