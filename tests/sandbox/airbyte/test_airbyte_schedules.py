"""Schedules of connections, and Quartz expressions."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from sandbox.airbyte.schedule import ExpressionError, Quartz
from tests.sandbox.airbyte.harness import Api, Json


def cron(expression: str, zone: str = "UTC") -> Json:
    return {"cron": {"cronExpression": expression, "cronTimeZone": zone}}


def test_a_cron_and_a_basic_schedule_read_back_as_written(api: Api) -> None:
    connection = api.connection(scheduleType="cron", scheduleData=cron("0 0 */6 * * ?", "Europe/Berlin"))
    assert connection["scheduleData"] == cron("0 0 */6 * * ?", "Europe/Berlin")
    assert "schedule" not in connection
    basic = {"timeUnit": "hours", "units": 24}
    body = {
        "connectionId": connection["connectionId"],
        "scheduleType": "basic",
        "scheduleData": {"basicSchedule": basic},
    }
    changed = api.post("connections/update", **body)
    assert changed["scheduleData"] == {"basicSchedule": basic}
    assert changed["schedule"] == basic  # the legacy mirror
    manual = api.post("connections/update", connectionId=connection["connectionId"], scheduleType="manual")
    assert "scheduleData" not in manual


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (cron("0 */6 * * *"), "invalid-expression"),  # Unix cron
        (cron("0 0 0 * * *"), "invalid-expression"),  # neither day field is ?
        (cron("0 0 0 ? * ?"), "invalid-expression"),  # both are
        (cron("* * * * * ?"), "invalid-expression"),  # every second
        (cron("0 60 * * * ?"), "invalid-expression"),
        (cron("0 0 0 * * ?", "Etc/UTC"), "invalid-timezone"),
        (cron("0 0 0 * * ?", "etc/gmt"), "invalid-timezone"),
        (cron("0 0 0 * * ?", "Mars/Olympus"), "invalid-timezone"),
        (cron("0 0 0 * * *", "Etc/UTC"), "invalid-expression"),  # the expression is looked at first
        ({"cron": {"cronExpression": "0 0 0 * * ?"}}, "missing-component"),
        ({}, "missing-cron-data"),
    ],
)
def test_a_cron_schedule_that_does_not_work_is_a_problem(api: Api, data: Json, kind: str) -> None:
    connection = api.connection()
    body = {"connectionId": connection["connectionId"], "scheduleType": "cron", "scheduleData": data}
    answer = api.call("connections/update", **body)
    assert (answer.status_code, answer.json()["type"]) == (400, f"error:cron-validation/{kind}")


AFTER = datetime(2024, 2, 28, 12, 0, tzinfo=UTC)  # a Wednesday in a leap year


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("0 0 */6 * * ?", ["02-28 18:00", "02-29 00:00", "02-29 06:00"]),
        ("0 15,45 9-10 ? * MON-FRI", ["02-29 09:15", "02-29 09:45", "02-29 10:15"]),
        ("0 0 0 L * ?", ["02-29 00:00", "03-31 00:00", "04-30 00:00"]),
        ("0 0 0 LW * ?", ["02-29 00:00", "03-29 00:00", "04-30 00:00"]),
        ("0 0 0 L-2 * ?", ["03-29 00:00", "04-28 00:00", "05-29 00:00"]),
        ("0 0 0 2W * ?", ["03-01 00:00", "04-02 00:00", "05-02 00:00"]),
        ("0 0 0 ? * 6L", ["03-29 00:00", "04-26 00:00", "05-31 00:00"]),
        ("0 0 0 ? * FRI#2", ["03-08 00:00", "04-12 00:00", "05-10 00:00"]),
        ("0 0 0 ? * 1", ["03-03 00:00", "03-10 00:00", "03-17 00:00"]),  # 1 is Sunday
        ("0 30 8 1 JAN ? 2025-2026", ["01-01 08:30", "01-01 08:30"]),
        ("0 0 0 1 1 ? 2020", []),
    ],
)
def test_quartz_expressions_run_when_quartz_would(expression: str, runs: list[str]) -> None:
    found = islice(Quartz.parse(expression).runs(AFTER), 3)
    assert [run.strftime("%m-%d %H:%M") for run in found] == runs


@pytest.mark.parametrize("expression", ["", "0 0 0 * *", "0 0 0 32 * ?", "0 0 0 ? * 8", "0 a * * * ?", "0 0/0 * * * ?"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        Quartz.parse(expression)


def test_an_expression_can_be_described(api: Api) -> None:
    good = api.post("web_backend/describe_cron_expression", cronExpression="0 0 0 * * ?")
    assert good["isValid"] is True
    assert len(good["nextExecutions"]) == 3
    assert all(moment % 86400 == 0 for moment in good["nextExecutions"])
    bad = api.post("web_backend/describe_cron_expression", cronExpression="0 */6 * * *")
    assert bad["isValid"] is False
    assert "6 or 7 fields" in bad["validationErrorMessage"]
