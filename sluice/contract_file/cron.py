"""Cron as people write it, also as EventBridge has it, in the five fields that Dagster's schedules have."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sluice.contract_file.place import Problem

_AWS = re.compile(r"cron\((.*)\)", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ITEM = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", re.ASCII)
_NTH = re.compile(r"(\w+)#([1-5])", re.ASCII)
_FIVE, _SIX = 5, 6
_CURE = 'Write five fields, such as "15 2 * * *", or EventBridge\'s six, such as "cron(15 2 * * ? *)".'


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()

    def number(self, text: str) -> int | None:
        """Return the number of a number or name; names count from the least."""
        if text.upper() in self.words:
            return self.words.index(text.upper()) + self.least
        return int(text) if text.isdecimal() and self.least <= int(text) <= self.most else None


_MINUTE, _HOUR = _Field("minute", 0, 59), _Field("hour", 0, 23)
_DAY, _MONTH = _Field("day of the month", 1, 31), _Field("month", 1, 12, _MONTHS)
_WEEKDAY, _AWS_WEEKDAY = _Field("day of the week", 0, 7, _WEEKDAYS), _Field("day of the week", 1, 7, _WEEKDAYS)


def read_cron(text: str) -> str | Problem:
    """Return five fields with every number written out, or what is wrong."""
    written = _AWS.fullmatch(text.strip())
    fields = (written[1] if written else text).split()
    if len(fields) != (_SIX if written else _FIVE):
        return Problem("is no cron expression", _CURE)
    return _translated(fields) if written else _joined(fields, _WEEKDAY)


def _translated(fields: list[str]) -> str | Problem:
    """EventBridge counts weekdays from Sunday = 1, has a year, and wants `?` in one of the two fields of days."""
    *five, year = fields
    if year != "*":
        return Problem(f'names the year "{year}", which a schedule of Dagster cannot', "Write * for the year.")
    days = (five[2], five[4])
    if days.count("?") != 1:
        return Problem("names both kinds of day, or neither", "Write ? for the day of the month or of the week.")
    five[2], five[4] = ("*" if day == "?" else day for day in days)
    return _joined(five, _AWS_WEEKDAY)


def _joined(fields: list[str], weekday: _Field) -> str | Problem:
    minute, hour, day, month, on = fields
    last = day.upper() == "L"
    nth = _nth(on, weekday)
    found = [
        _numbers(minute, _MINUTE),
        _numbers(hour, _HOUR),
        frozenset({1}) if last else _numbers(day, _DAY),
        _numbers(month, _MONTH),
        frozenset({0}) if nth else _numbers(on, weekday),
    ]
    for numbers in found:
        if isinstance(numbers, Problem):
            return numbers
    sets = [numbers for numbers in found if not isinstance(numbers, Problem)]
    if min(sets[2]) > max(_LENGTHS[number - 1] for number in sets[3]):
        return Problem("names a day that no such month has", "Write L for the last day of a month.")
    days = frozenset((number - weekday.least) % 7 for number in sets[4])
    texts = [_text(numbers, field) for numbers, field in zip(sets, (_MINUTE, _HOUR, _DAY, _MONTH), strict=False)]
    return " ".join([*texts[:2], "L" if last else texts[2], texts[3], nth or _weekdays(days)])


def _nth(text: str, weekday: _Field) -> str:
    """Return `2#1`, the first Tuesday, with weekdays counted from Sunday = 0."""
    written = _NTH.fullmatch(text)
    number = weekday.number(written[1]) if written else None
    return f"{(number - weekday.least) % 7}#{written[2]}" if written and number is not None else ""


def _numbers(text: str, field: _Field) -> frozenset[int] | Problem:
    found: set[int] = set()
    for item in text.split(","):
        numbers = _item(item, field)
        if not numbers:
            return Problem(f'has "{item}" for the {field.name}', f"Numbers go from {field.least} to {field.most}.")
        found |= numbers
    return frozenset(found)


def _item(text: str, field: _Field) -> set[int]:
    """Return what an item stands for; empty if it means nothing."""
    written = _ITEM.fullmatch(text)
    if written is None:
        return set()
    first, last, step = written.groups()
    if first == "*":
        start, end = (field.least, field.most) if last is None else (None, None)
    else:
        start = field.number(first)
        end = field.number(last) if last else field.most if step else start
    if start is None or end is None or start > end or (step and not int(step)):
        return set()
    return set(range(start, end + 1, int(step or 1)))


def _text(numbers: frozenset[int], field: _Field) -> str:
    is_all = len(numbers) == field.most - field.least + 1
    return "*" if is_all else ",".join(str(number) for number in sorted(numbers))


def _weekdays(numbers: frozenset[int]) -> str:
    return "*" if len(numbers) == len(_WEEKDAYS) else ",".join(str(number) for number in sorted(numbers))
