"""Schedules: what is written, what Airbyte stores, and back without a difference."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_providers.airbyte import schedule
from dynamic_providers.airbyte.errors import InvalidScheduleError

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def cron(expression: str, timezone: str = "UTC") -> dict[str, Any]:
    return {"type": "cron", "expression": expression, "timezone": timezone}


def quartz(expression: str) -> str:
    return str(schedule.to_api(cron(expression))["scheduleData"]["cron"]["cronExpression"])


@pytest.mark.parametrize(
    ("unix", "expected"),
    [
        ("0 */6 * * *", "0 0 */6 * * ?"),
        ("30 2 1,15 * *", "0 30 2 1,15 * ?"),
        ("0 0 * * 1", "0 0 0 ? * MON"),
        ("0 0 * * 1-5", "0 0 0 ? * MON,TUE,WED,THU,FRI"),
        ("0 0 * * 5-7", "0 0 0 ? * SUN,FRI,SAT"),
        ("0 0 * * 0", "0 0 0 ? * SUN"),
        ("0 0 * * */2", "0 0 0 ? * SUN,TUE,THU,SAT"),
        ("0 0 * jan-mar fri", "0 0 0 ? JAN-MAR FRI"),
        ("@daily", "0 0 0 * * ?"),
        ("@weekly", "0 0 0 ? * SUN"),
    ],
)
def test_a_unix_expression_is_translated_to_quartz(unix: str, expected: str) -> None:
    assert quartz(unix) == expected


@pytest.mark.parametrize("expression", ["0 0 12 ? * 2#1", "0 15 10 L * ?", "0 0 6 ? * 6L 2027-2030", "0 0 9 15W * ?"])
def test_a_quartz_expression_is_taken_as_it_is(expression: str) -> None:
    assert quartz(expression) == expression


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (cron("0 * * *"), "4 fields"),
        (cron("61 * * * *"), "the minute of"),
        (cron("0 24 * * *"), "the hour of"),
        (cron("0 0 32 * *"), "the day-of-month of"),
        (cron("0 0 * 13 *"), "the month of"),
        (cron("0 0 * * 8"), "the day-of-week of"),
        (cron("0 0 6-2 * *"), "runs backwards"),
        (cron("0 0 1 * 1"), "both the day of the month and the day of the week"),
        (cron("* * * * * ?"), "the second of"),
        (cron("0 0 12 * * *"), "exactly one of day-of-month and day-of-week"),
        (cron("0 0 12 ? * ?"), "exactly one of day-of-month and day-of-week"),
        (cron("0 0 * * *", "Etc/UTC"), "schedule.timezone"),
        (cron("0 0 * * *", "Europe/Berln"), "Europe/Berlin"),
        ({"type": "interval", "every": "soon"}, "schedule.every"),
        ({"type": "interval", "every": "0h"}, "schedule.every"),
        ({"type": "interval", "evry": "6h"}, "Did you mean every?"),
        ({"type": "hourly"}, "schedule.type"),
    ],
)
def test_what_airbyte_would_not_take_is_refused_by_field(written: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidScheduleError, match=complaint.replace("?", r"\?")):
        schedule.canonical(written)


def test_a_manual_schedule_has_no_data_since_the_api_fails_on_any() -> None:
    assert schedule.to_api({"type": "manual"}) == {"scheduleType": "manual"}


@pytest.mark.parametrize(
    ("every", "unit", "units"),
    [("6h", "hours", 6), ("90 minutes", "minutes", 90), ("1 week", "weeks", 1), ("2mo", "months", 2)],
)
def test_an_interval_is_sent_as_a_basic_schedule(every: str, unit: str, units: int) -> None:
    sent = schedule.to_api({"type": "interval", "every": every})
    assert sent["scheduleData"] == {"basicSchedule": {"timeUnit": unit, "units": units}}


def test_the_next_runs_are_in_the_schedules_own_time_zone() -> None:
    runs = schedule.next_runs(cron("30 6 * * *", "Europe/Berlin"), count=2, start=MONDAY)
    assert [run.isoformat() for run in runs] == ["2026-11-24T06:30:00+01:00", "2026-11-25T06:30:00+01:00"]


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("0 0 12 ? * 2", "2026-11-30T12:00:00+00:00"),  # Quartz: 2 is Monday
        ("0 0 12 ? * 6L", "2026-11-27T12:00:00+00:00"),  # the last Friday
        ("0 0 12 ? * 2#1", "2026-12-07T12:00:00+00:00"),  # the first Monday
        ("0 0 12 L * ?", "2026-11-30T12:00:00+00:00"),
        ("0 0 12 ? * SUN", "2026-11-29T12:00:00+00:00"),
        ("0 0 0 1 1 ? 2030", "2030-01-01T00:00:00+00:00"),
    ],
)
def test_quartz_days_are_counted_as_quartz_counts_them(expression: str, first: str) -> None:
    assert schedule.next_runs(cron(expression), count=1, start=MONDAY)[0].isoformat() == first


def test_a_schedule_without_times_has_no_next_runs() -> None:
    assert schedule.next_runs({"type": "manual"}) == []
    assert schedule.next_runs({"type": "interval", "every": "6h"}) == []
    assert schedule.next_runs(cron("0 0 0 1 1 ? 2020"), start=MONDAY) == []


fields = st.tuples(
    st.integers(0, 59).map(str) | st.integers(1, 30).map(lambda n: f"*/{n}"),
    st.integers(0, 23).map(str) | st.just("*") | st.integers(1, 12).map(lambda n: f"*/{n}"),
)
crons = st.builds(
    lambda clock, day, zone: cron(f"{clock[0]} {clock[1]} {day}", zone),
    fields,
    st.integers(1, 28).map(lambda n: f"{n} * *") | st.integers(0, 7).map(lambda n: f"* * {n}") | st.just("* * *"),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
)
intervals = st.builds(
    lambda number, unit: {"type": "interval", "every": f"{number}{unit}"},
    st.integers(1, 99),
    st.sampled_from(["m", "h", "d", "w", "mo"]),
)
schedules = crons | intervals | st.just({"type": "manual"})


@given(schedules)
def test_what_the_server_stores_reads_back_as_what_was_declared(written: dict[str, Any]) -> None:
    declared = schedule.canonical(written)
    stored = schedule.to_api(declared)
    live = schedule.from_api(stored["scheduleType"], stored.get("scheduleData"), declared)
    assert live == declared


@given(schedules, schedules)
def test_another_schedule_on_the_server_never_reads_as_the_declared_one(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    declared, stored = schedule.canonical(one), schedule.to_api(other)
    live = schedule.from_api(stored["scheduleType"], stored.get("scheduleData"), declared)
    assert (live == declared) == (schedule.to_api(declared) == stored)
    assert schedule.to_api(live) == stored


@given(schedules)
def test_canonical_form_is_stable(written: dict[str, Any]) -> None:
    assert schedule.canonical(schedule.canonical(written)) == schedule.canonical(written)
