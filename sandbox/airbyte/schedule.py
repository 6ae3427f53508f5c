"""Schedules: Quartz expressions as Airbyte validates them, and when they run next.

Fields: second minute hour day-of-month month day-of-week [year]. Exactly one of the two day fields must be ``?``, days
of the week count from 1 = Sunday. See https://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sandbox.airbyte.errors import InvalidBodyError, ProblemError, ServerFaultError
from sandbox.airbyte.wire import Body, Json

TYPES = ("manual", "basic", "cron")
TIME_UNITS = ("minutes", "hours", "days", "weeks", "months")

_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_LONGEST_SEARCH = timedelta(days=366 * 8)


class ExpressionError(ValueError):
    """A text that is no Quartz expression; the message says why."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]

    def parse(self, text: str) -> set[int]:
        """The values that a field without day specials means."""
        return {value for item in text.split(",") for value in self._item(item)}

    def _item(self, item: str) -> range:
        base, slash, step_text = item.partition("/")
        if slash and not (step_text.isdigit() and int(step_text) > 0):
            raise ExpressionError(f"'{item}' has no valid step in the field {self.name}")
        step = int(step_text) if slash else 1
        if base == "*" or (slash and base == ""):
            return range(self.low, self.high + 1, step)
        first, dash, last = base.partition("-")
        start = self.value(first)
        end = self.value(last) if dash else self.high if slash else start
        if end < start:
            raise ExpressionError(f"'{base}' runs backwards in the field {self.name}")
        return range(start, end + 1, step)

    def value(self, text: str) -> int:
        """One number or name, within the bounds."""
        number = self.names.get(text.upper(), int(text) if text.isdigit() else None)
        if number is None or not self.low <= number <= self.high:
            raise ExpressionError(f"'{text}' is not between {self.low} and {self.high} in the field {self.name}")
        return number


_SECOND = _Field("second", 0, 59, {})
_MINUTE = _Field("minute", 0, 59, {})
_HOUR = _Field("hour", 0, 23, {})
_DAY = _Field("day of month", 1, 31, {})
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of week", 1, 7, _DAYS)
_YEAR = _Field("year", 1970, 2099, {})


@dataclass(frozen=True)
class Quartz:
    """A parsed Quartz expression."""

    seconds: set[int]
    minutes: set[int]
    hours: set[int]
    day: str
    months: set[int]
    weekday: str
    years: set[int] | None

    @classmethod
    def parse(cls, expression: str) -> Quartz:
        """Read an expression.

        Raises:
            ExpressionError: it is none; five-field Unix cron, for example.
        """
        parts = expression.split()
        if len(parts) not in (6, 7):
            raise ExpressionError(f"a Quartz expression has 6 or 7 fields, this one has {len(parts)}")
        day, weekday = parts[3], parts[5]
        if (day == "?") == (weekday == "?"):
            raise ExpressionError("exactly one of day of month and day of week must be '?'")
        parsed = cls(
            _SECOND.parse(parts[0]),
            _MINUTE.parse(parts[1]),
            _HOUR.parse(parts[2]),
            day,
            _MONTH.parse(parts[4]),
            weekday,
            _YEAR.parse(parts[6]) if len(parts) == 7 else None,
        )
        parsed.matches_day(date(2024, 2, 29))  # reads the day fields
        if len(parsed.seconds) > 1:
            raise ExpressionError("it would run more often than once a minute")
        return parsed

    def matches_day(self, day: date) -> bool:
        """Whether it runs on a day of a month and year that fit.

        Raises:
            ExpressionError: a day field that cannot be read.
        """
        last = calendar.monthrange(day.year, day.month)[1]
        if self.weekday == "?":
            return any(_matches_day_of_month(item, day, last) for item in self.day.upper().split(","))
        return any(_matches_weekday(item, day, last) for item in self.weekday.upper().split(","))

    def runs(self, after: datetime) -> Iterator[datetime]:
        """The coming runs, in the zone of ``after``; none when the expression lies in the past."""
        day, end = after.date(), after.date() + _LONGEST_SEARCH
        while day <= end:
            if day.month in self.months and (self.years is None or day.year in self.years) and self.matches_day(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        run = datetime.combine(day, time(hour, minute, min(self.seconds)), after.tzinfo)
                        if run > after:
                            yield run
            day += timedelta(days=1)


def _matches_day_of_month(item: str, day: date, last: int) -> bool:
    if match := re.fullmatch(r"L(?:-(\d+))?", item):
        return day.day == last - int(match[1] or 0)
    if match := re.fullmatch(r"(\d+|L)W", item):
        return day.day == _nearest_weekday(day, last if match[1] == "L" else _DAY.value(match[1]), last)
    return day.day in _DAY.parse(item)


def _nearest_weekday(day: date, wanted: int, last: int) -> int:
    wanted = min(wanted, last)
    weekday = date(day.year, day.month, wanted).weekday()
    if weekday == 5:  # Saturday: the Friday before, within the month
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 6:  # Sunday: the Monday after, within the month
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def _matches_weekday(item: str, day: date, last: int) -> bool:
    number = day.isoweekday() % 7 + 1
    if item == "L":
        return number == 7
    if match := re.fullmatch(r"(\w+)L", item):
        return number == _WEEKDAY.value(match[1]) and day.day + 7 > last
    if match := re.fullmatch(r"(\w+)#([1-5])", item):
        return number == _WEEKDAY.value(match[1]) and (day.day - 1) // 7 + 1 == int(match[2])
    return number in _WEEKDAY.parse(item)


def _cron_problem(kind: str, detail: str, cron: Json) -> ProblemError:
    return ProblemError(400, f"error:cron-validation/{kind}", "Invalid cron expression", detail, cron)


def validate_cron(cron: Json) -> None:
    """Check ``{cronExpression, cronTimeZone}``: the expression first, then the zone.

    Raises:
        ProblemError: ``error:cron-validation/…``.
    """
    expression, zone = cron.get("cronExpression"), cron.get("cronTimeZone")
    if not expression or not zone:
        raise _cron_problem("missing-component", "A cron schedule needs an expression and a time zone.", cron)
    try:
        Quartz.parse(expression)
    except ExpressionError as error:
        raise _cron_problem("invalid-expression", f"The cron expression is invalid: {error}.", cron) from error
    if zone.lower().startswith("etc") or not _is_zone(zone):
        raise _cron_problem("invalid-timezone", "The cron time zone is invalid.", cron)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def read_schedule(body: Body) -> tuple[str, Json | None] | None:
    """The ``scheduleType`` and ``scheduleData`` of a request; None when it says nothing of a schedule.

    Raises:
        ServerFaultError: data without a type, or data of a manual schedule.
        ProblemError: a cron schedule that does not work.
    """
    kind, data = body.optional_choice("scheduleType", TYPES), body.optional_object("scheduleData")
    if kind is None:
        if data is not None:
            raise ServerFaultError("schedule type must be set when schedule data is set")
        return None
    if kind == "manual":
        if data is not None:
            raise ServerFaultError("schedule data must not be set for manual schedules")
        return kind, None
    if kind == "cron":
        cron = (data or {}).get("cron")
        if cron is None:
            raise _cron_problem("missing-cron-data", "A cron schedule needs cron data.", {})
        validate_cron(cron)
        return kind, {"cron": {key: cron[key] for key in ("cronExpression", "cronTimeZone")}}
    basic = (data or {}).get("basicSchedule")
    if basic is None:
        raise ServerFaultError("a basic schedule needs basicSchedule")
    units = basic.get("units")
    if str(basic.get("timeUnit")).lower() not in TIME_UNITS or isinstance(units, bool) or not isinstance(units, int):
        raise InvalidBodyError("basicSchedule needs a timeUnit and units.")
    return kind, {"basicSchedule": {"timeUnit": str(basic["timeUnit"]).lower(), "units": units}}


def describe(expression: str, zone: str = "UTC", count: int = 3) -> Json:
    """The next executions of an expression, in epoch seconds.

    Raises:
        ExpressionError: it is none.
    """
    start = datetime.now(UTC).astimezone(ZoneInfo(zone))
    return {"nextExecutions": [int(run.timestamp()) for run in islice(Quartz.parse(expression).runs(start), count)]}
