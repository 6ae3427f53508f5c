"""When a connection runs: what a person writes, what Airbyte stores, and back again.

A schedule is a mapping in one of three shapes::

    {"type": "manual"}
    {"type": "interval", "every": "6h"}
    {"type": "cron", "expression": "0 */6 * * *", "timezone": "UTC"}

Airbyte's cron is Quartz (seconds first, six or seven fields); a five-field unix expression is translated.
See https://docs.airbyte.com/platform/using-airbyte/core-concepts/sync-schedules
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from croniter import CroniterError, croniter

from dynamic_providers.airbyte.errors import InvalidScheduleError
from dynamic_providers.airbyte.quartz import from_unix, to_croniter, validate
from dynamic_providers.airbyte.suggestions import nearest

Schedule = Mapping[str, Any]

_KEYS = {"manual": set[str](), "interval": {"every"}, "cron": {"expression", "timezone"}}
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks", "mo": "months"}
_LETTERS = {unit: letter for letter, unit in _UNITS.items()}
_EVERY = re.compile(r"(\d+)\s*([a-z]+)")


def canonical(schedule: Schedule) -> dict[str, Any]:
    """The schedule with its defaults and without accidental spaces; raises InvalidScheduleError naming the field.

    Two schedules that run alike may still differ (``0 6 * * *`` and ``0 0 6 * * ?``): what was written stays.
    """
    kind = schedule.get("type")
    if kind not in _KEYS:
        raise InvalidScheduleError(
            f"schedule.type: {kind!r} is no kind of schedule", fix="Use manual, interval or cron."
        )
    for key in schedule:
        if key != "type" and key not in _KEYS[kind]:
            hint = nearest(key, _KEYS[kind])
            raise InvalidScheduleError(f"schedule.{key} has no meaning for a schedule of type {kind}", fix=hint)
    if kind == "manual":
        return {"type": "manual"}
    if kind == "interval":
        units, unit = _parse_every(schedule.get("every"))
        return {"type": "interval", "every": f"{units}{_LETTERS[unit]}"}
    expression = " ".join(str(schedule.get("expression") or "").split())
    result = {"type": "cron", "expression": expression, "timezone": _timezone(schedule.get("timezone"))}
    _quartz(expression)
    return result


def to_api(schedule: Schedule) -> dict[str, Any]:
    """`scheduleType` and `scheduleData` as the Config API takes them. Manual has no data: the API refuses any."""
    declared = canonical(schedule)
    if declared["type"] == "manual":
        return {"scheduleType": "manual"}
    if declared["type"] == "interval":
        units, unit = _parse_every(declared["every"])
        return {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": unit, "units": units}}}
    cron = {"cronExpression": _quartz(declared["expression"]), "cronTimeZone": declared["timezone"]}
    return {"scheduleType": "cron", "scheduleData": {"cron": cron}}


def from_api(schedule_type: str | None, data: Mapping[str, Any] | None, declared: Schedule | None) -> dict[str, Any]:
    """What the server stores, in the declared words where these mean the same, so that no difference shows."""
    live: dict[str, Any]
    if schedule_type == "cron" and data and data.get("cron"):
        cron = data["cron"]
        live = {
            "type": "cron",
            "expression": " ".join(cron["cronExpression"].split()),
            "timezone": cron["cronTimeZone"],
        }
        stored: dict[str, Any] = {
            "scheduleType": "cron",
            "scheduleData": {"cron": {"cronExpression": live["expression"], "cronTimeZone": live["timezone"]}},
        }
    elif schedule_type == "basic" and data and data.get("basicSchedule"):
        basic = data["basicSchedule"]
        unit, units = str(basic["timeUnit"]).lower(), int(basic["units"])
        live = {"type": "interval", "every": f"{units}{_LETTERS.get(unit, unit)}"}
        stored = {
            "scheduleType": "basic",
            "scheduleData": {"basicSchedule": {"timeUnit": unit, "units": units}},
        }
    else:
        live, stored = {"type": "manual"}, {"scheduleType": "manual"}
    if declared and declared.get("type") == live["type"] == "cron":
        # In another time zone the expression is still the declared one.
        moved = {**declared, "timezone": live["timezone"]}
        return moved if _quartz(declared["expression"]) == live["expression"] else live
    return dict(declared) if declared and to_api(declared) == stored else live


def next_runs(schedule: Schedule, count: int = 3, start: datetime | None = None) -> list[datetime]:
    """The next `count` times a cron schedule fires after `start` (default: now), in its own time zone.

    Empty for the other kinds: a manual schedule has no times, and an interval counts from the last run.
    Empty too for the rare Quartz words the calculation does not know (`W`, `LW`), which are valid all the same.
    """
    declared = canonical(schedule)
    if declared["type"] != "cron":
        return []
    expression = to_croniter(_quartz(declared["expression"]))
    if expression is None:
        return []
    begin = (start or datetime.now(UTC)).astimezone(ZoneInfo(declared["timezone"]))
    try:
        times = croniter(expression, begin, ret_type=datetime, second_at_beginning=True)
        return [times.get_next(datetime) for _ in range(count)]
    except CroniterError:  # no further run, as with a year that has passed
        return []


def _parse_every(every: Any) -> tuple[int, str]:
    match = _EVERY.fullmatch(str(every or "").strip().lower())
    if match:
        number, word = int(match[1]), match[2]
        unit = _UNITS.get(word) or next((u for u in _LETTERS if word in (u, u.removesuffix("s"))), None)
        if unit and number > 0:
            return number, unit
    raise InvalidScheduleError(
        f"schedule.every: {every!r} is no interval",
        fix="Write a number and a unit: 30m, 6h, 1d, 2w or 1mo.",
    )


def _timezone(name: Any) -> str:
    zone = str(name or "UTC").strip()
    if zone.lower().startswith("etc"):
        raise InvalidScheduleError(
            f"schedule.timezone: Airbyte does not take {zone!r} nor any other Etc/ zone", fix="Use UTC."
        )
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidScheduleError(
            f"schedule.timezone: {zone!r} is no IANA time zone", fix=nearest(zone, available_timezones())
        ) from None
    return zone


def _quartz(expression: str) -> str:
    """The expression as Quartz, validated; raises InvalidScheduleError."""
    quartz = from_unix(expression)
    validate(quartz, as_written=expression)
    return quartz
