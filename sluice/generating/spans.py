"""Which numbers, dates and instants a column may hold, as whole steps: cents, days, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR
from decimal import Decimal as Number
from typing import TYPE_CHECKING

from sluice.datatypes import DataType, Date, Decimal, Double, Integer, Timestamp

if TYPE_CHECKING:
    from sluice.contract import Column, Rules

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_EXACT = 2**53
_DAYS_BACK = 30
_DOUBLE_SCALE = 2

Stepped = Integer | Decimal | Double | Date | Timestamp


@dataclass(frozen=True, slots=True)
class Span:
    """The steps from `low` to `high`; both are allowed."""

    low: int
    high: int

    @property
    def size(self) -> int:
        return max(self.high - self.low + 1, 0)


def allowed_span(column: Column, datatype: Stepped) -> Span:
    """Everything that type and rules allow."""
    rules, widest = column.rules, _widest(datatype)
    lows = [
        _steps(rules.minimum, datatype, ROUND_CEILING),
        _next(_steps(rules.exclusive_minimum, datatype, ROUND_FLOOR), 1),
    ]
    highs = [
        _steps(rules.maximum, datatype, ROUND_FLOOR),
        _next(_steps(rules.exclusive_maximum, datatype, ROUND_CEILING), -1),
    ]
    return Span(
        max([widest.low, *(low for low in lows if low is not None)]),
        min([widest.high, *(high for high in highs if high is not None)]),
    )


def usual_span(column: Column, datatype: Stepped, day: date) -> Span:
    """What ordinary values are taken from: around the day, or from 1 on, as far as the rules allow."""
    allowed, usual = allowed_span(column, datatype), _usual(datatype, day)
    low = min(max(usual.low, allowed.low), allowed.high)
    return Span(low, min(max(usual.high, low), allowed.high))


def value_at(step: int, datatype: Stepped) -> object:
    match datatype:
        case Integer():
            return step
        case Decimal(_, scale):
            return Number(step).scaleb(-scale)
        case Double():
            return step / 10**_DOUBLE_SCALE
        case Date():
            return _EPOCH.date() + timedelta(days=step)
        case Timestamp():
            return _EPOCH + timedelta(seconds=step)


def outside(rules: Rules, datatype: Stepped) -> tuple[tuple[str, int], ...]:
    """Reason code and step of values just outside the rules, where the type can hold such values."""
    widest = _widest(datatype)
    found = (
        ("below_minimum", _next(_steps(rules.minimum, datatype, ROUND_CEILING), -1)),
        ("below_minimum", _steps(rules.exclusive_minimum, datatype, ROUND_FLOOR)),
        ("above_maximum", _next(_steps(rules.maximum, datatype, ROUND_FLOOR), 1)),
        ("above_maximum", _steps(rules.exclusive_maximum, datatype, ROUND_CEILING)),
    )
    return tuple((code, step) for code, step in found if step is not None and widest.low <= step <= widest.high)


def is_stepped(datatype: DataType) -> bool:
    return isinstance(datatype, Integer | Decimal | Double | Date | Timestamp)


def _widest(datatype: Stepped) -> Span:
    match datatype:
        case Integer(bits):
            return Span(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        case Decimal(precision, _):
            return Span(1 - 10**precision, 10**precision - 1)
        case Double():
            return Span(-_MOST_EXACT, _MOST_EXACT)
        case Date():
            return Span(_days(date(1900, 1, 1)), _days(date(2200, 1, 1)))
        case Timestamp():
            return Span(_seconds(datetime(1900, 1, 1, tzinfo=UTC)), _seconds(datetime(2200, 1, 1, tzinfo=UTC)))


def _usual(datatype: Stepped, day: date) -> Span:
    match datatype:
        case Integer():
            return Span(1, 10_000)
        case Decimal(_, scale):
            return Span(10**scale, 1000 * 10**scale)
        case Double():
            return Span(10**_DOUBLE_SCALE, 1000 * 10**_DOUBLE_SCALE)
        case Date():
            return Span(_days(day) - _DAYS_BACK, _days(day))
        case Timestamp():
            start = _seconds(datetime.combine(day, time(), UTC))
            return Span(start, start + 24 * 3600 - 1)


def _steps(limit: Number | str | None, datatype: Stepped, rounding: str) -> int | None:
    """A limit in steps; one between two steps is rounded to the side that is asked for."""
    match datatype:
        case _ if limit is None:
            return None
        case Date():
            return _days(date.fromisoformat(str(limit)))
        case Timestamp():
            return _seconds(datetime.fromisoformat(str(limit)))
        case Integer():
            return _scaled(limit, 0, rounding)
        case Decimal(_, scale):
            return _scaled(limit, scale, rounding)
        case Double():
            return _scaled(limit, _DOUBLE_SCALE, rounding)


def _scaled(limit: Number | str, scale: int, rounding: str) -> int:
    return int(Number(limit).scaleb(scale).to_integral_value(rounding))


def _next(step: int | None, by: int) -> int | None:
    return None if step is None else step + by


def _days(day: date) -> int:
    return (day - _EPOCH.date()).days


def _seconds(instant: datetime) -> int:
    return int((instant - _EPOCH).total_seconds())
