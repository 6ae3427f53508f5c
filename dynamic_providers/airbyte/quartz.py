"""Cron expressions: unix to Quartz, Quartz checked offline, Quartz to what croniter understands.

Quartz has six or seven fields, seconds first; days of the week count from 1 = Sunday, and exactly one of
day-of-month and day-of-week is `?`. Airbyte adds that a connection never runs more than once a minute.
See http://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html
"""

import re

from dynamic_providers.airbyte.errors import InvalidScheduleError

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = ("second", "minute", "hour", "day-of-month", "month", "day-of-week", "year")
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2099))
_UNIX_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_TERM = re.compile(r"(\*|[0-9A-Z]+)(?:-([0-9A-Z]+))?(?:/(\d+))?")
_DAY_OF_MONTH_WORDS = re.compile(r"L(-\d{1,2})?|LW|\d{1,2}W")
_DAY_OF_WEEK_WORDS = re.compile(r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])")


def from_unix(expression: str) -> str:
    """A five-field unix expression (or @daily and its kin) as Quartz; six or seven fields are left alone.

    Raises InvalidScheduleError for any other number of fields, and for a restricted day of the month together with a
    restricted day of the week, which unix reads as "either" and Quartz can't say.
    """
    fields = _MACROS.get(expression.lower(), expression).upper().split()
    if len(fields) in (6, 7):
        return " ".join(fields)
    if len(fields) != 5:
        raise InvalidScheduleError(
            f"schedule.expression: {expression!r} has {len(fields)} fields",
            fix="Write five (unix: minute hour day-of-month month day-of-week) or six or seven (Quartz).",
        )
    minute, hour, day, month, weekday = fields
    if "?" in (minute, hour, month):
        raise InvalidScheduleError(f"schedule.expression: `?` is not for the minute, hour or month: {expression!r}")
    if weekday in ("*", "?"):
        weekday, day = "?", "*" if day == "?" else day
    elif day in ("*", "?"):
        weekday, day = _quartz_weekdays(weekday, expression), "?"
    else:
        raise InvalidScheduleError(
            f"schedule.expression: {expression!r} restricts both the day of the month and the day of the week",
            fix="Airbyte's cron can restrict one of them: put `*` in the other.",
        )
    return f"0 {minute} {hour} {day} {month} {weekday}"


def validate(expression: str, *, as_written: str) -> None:
    """Check a Quartz expression field by field; raises InvalidScheduleError that names the field."""
    fields = expression.split()
    unix = len(as_written.split()) == 5 or as_written.startswith("@")
    for name, field, bounds in zip(_FIELDS, fields, _RANGES, strict=False):
        _check_field(name, field, bounds, as_written, unix)
    if not fields[0].isdigit():
        raise InvalidScheduleError(
            f"schedule.expression: the second of {as_written!r} must be one number",
            fix="Airbyte runs a connection at most once a minute: use 0.",
        )
    if (fields[3] == "?") == (fields[5] == "?"):
        raise InvalidScheduleError(
            f"schedule.expression: in {as_written!r} exactly one of day-of-month and day-of-week must be `?`",
            fix="Quartz can't restrict both: put `?` in the one that does not matter.",
        )


def to_croniter(expression: str) -> str | None:
    """The Quartz expression in croniter's words; None where it has no words for it (`W`, `L-3`)."""
    fields = expression.split()
    if "W" in fields[3] or "L-" in fields[3]:
        return None
    fields[3] = fields[3].replace("?", "*")
    fields[5] = ",".join(_croniter_weekday(term) for term in fields[5].split(","))
    return " ".join(fields)


def _check_field(name: str, field: str, bounds: tuple[int, int], as_written: str, unix: bool) -> None:
    if field == "?" and name in ("day-of-month", "day-of-week"):
        return
    for term in field.split(","):
        if name == "day-of-month" and _DAY_OF_MONTH_WORDS.fullmatch(term):
            continue
        if name == "day-of-week" and _DAY_OF_WEEK_WORDS.fullmatch(term):
            continue
        problem = _problem(name, term, bounds)
        if problem:
            low, high = (0, 7) if unix and name == "day-of-week" else bounds
            raise InvalidScheduleError(
                f"schedule.expression: the {name} of {as_written!r} is wrong: {problem}",
                fix=f"It takes {low} to {high}, `*`, lists `a,b`, ranges `a-b` and steps `*/n`.",
            )


def _problem(name: str, term: str, bounds: tuple[int, int]) -> str:
    match = _TERM.fullmatch(term)
    if not match:
        return f"{term!r} is no value"
    first, last, step = match.groups()
    if first == "*":
        low = high = bounds[0]
        if last is not None:
            return f"{term!r} is no range"
    else:
        numbers = [_number(name, text) for text in (first, last) if text is not None]
        if any(number is None or not bounds[0] <= number <= bounds[1] for number in numbers):
            return f"{term!r} is outside {bounds[0]} to {bounds[1]}"
        low, high = numbers[0] or 0, numbers[-1] or 0
    if low > high:
        return f"{term!r} runs backwards"
    if step is not None and not 1 <= int(step) <= bounds[1]:
        return f"a step of {step} is outside 1 to {bounds[1]}"
    return ""


def _number(name: str, text: str) -> int | None:
    names = {"month": _MONTHS, "day-of-week": _DAYS}.get(name, ())
    if text in names:
        return names.index(text) + 1
    return int(text) if text.isdigit() else None


def _quartz_weekdays(field: str, expression: str) -> str:
    """Unix days (0 or 7 = Sunday) as Quartz days by name, ranges written out since 5-7 would run backwards."""
    days: set[int] = set()
    for term in field.split(","):
        match = _TERM.fullmatch(term)
        ends = match.groups()[:2] if match else ("",)
        numbers: list[int | None] = [_unix_day(text) for text in ends if text is not None]
        if match and match[1] == "*":
            numbers = [0, 6]
        if match is None or None in numbers or match[3] == "0":
            raise InvalidScheduleError(
                f"schedule.expression: the day-of-week of {expression!r} is wrong: {term!r} is no day",
                fix="It takes 0 to 7 (0 and 7 are Sunday), SUN to SAT, lists, ranges and steps.",
            )
        first = numbers[0] or 0
        last = numbers[-1] or 0
        if match[2] is None and match[3] is not None:
            last = 6  # `2/2` is every second day from Tuesday on
        if match[2] == "7":
            last = 7
        if first > last:
            raise InvalidScheduleError(
                f"schedule.expression: the day-of-week of {expression!r} is wrong: {term!r} runs backwards"
            )
        days.update(day % 7 for day in range(first, last + 1, int(match[3] or 1)))
    return ",".join(_DAYS[day] for day in sorted(days))


def _unix_day(text: str) -> int | None:
    if text in _DAYS:
        return _DAYS.index(text)
    if text == "*":
        return 0
    return int(text) % 7 if text.isdigit() and int(text) <= 7 else None


def _croniter_weekday(term: str) -> str:
    """Quartz counts from 1 = Sunday, croniter from 0; names mean the same to both."""
    if term == "?":
        return "*"
    if term == "L":
        return "SAT"
    if term.endswith("L") or "#" in term:
        day, rest = (term[:-1], "L") if term.endswith("L") else term.split("#")
        number = _DAYS.index(day) if day in _DAYS else int(day) - 1
        return f"L{number}" if rest == "L" else f"{number}#{rest}"
    body, _, step = term.partition("/")
    parts = [str(_DAYS.index(p)) if p in _DAYS else p if p == "*" else str(int(p) - 1) for p in body.split("-")]
    if step and len(parts) == 1 and parts[0] != "*":
        parts.append("6")
    return "-".join(parts) + (f"/{step}" if step else "")
