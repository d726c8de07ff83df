"""How values of a metric are compared: counts by ratio, shares by difference, instants by time of day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_COUNTS = frozenset({"row_count", "distinct_count", "bytes_in", "bytes_out"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_PER_DAY = 86_400
_LARGEST_EXPONENT = 700.0  # of e, below the largest double
_FOUR_DIGITS = 1_000
_UNREADABLE = 1e15


@dataclass(frozen=True, slots=True)
class Measure:
    """`by_ratio` takes logarithms (of value + `offset`, so that a count may be 0); `whole` values are whole numbers.

    A deviation is never taken as smaller than `least` (in the metric's unit) and `least_share` of the value: a history
    that never changed must not alarm at the first change. `instants` are told from midnight of the partition's date.
    """

    by_ratio: bool = False
    offset: float = 0.0
    whole: bool = False
    least: float = 0.0
    least_share: float = 0.0
    lowest: float = -math.inf
    highest: float = math.inf
    percent: bool = False
    instants: bool = False

    def forward(self, value: float, day: int) -> float:
        if self.instants:
            return value - _midnight(day)
        return math.log(value + self.offset) if self.by_ratio else value

    def backward(self, told: float, day: int) -> float:
        if self.instants:
            return told + _midnight(day)
        return math.exp(min(told, _LARGEST_EXPONENT)) - self.offset if self.by_ratio else told

    def least_deviation(self, value: float) -> float:
        return max(self.least, self.least_share * abs(value))

    def clip(self, value: float) -> float:
        return min(max(value, self.lowest), self.highest)

    def text(self, value: float) -> str:
        """Return the value as people read it."""
        if self.instants:
            return _instant_text(value)
        if self.percent:
            return f"{_digits(100 * value)} %"
        return f"{value:,.0f}" if self.whole and abs(value) < _UNREADABLE else _digits(value)


COUNT = Measure(by_ratio=True, offset=1.0, whole=True, least=1.0, least_share=0.02, lowest=0.0)
RATIO = Measure(by_ratio=True, least_share=0.02, lowest=0.0)
SHARE = Measure(percent=True, least=0.002, lowest=0.0, highest=1.0)
NUMBER = Measure(least_share=0.02)
INSTANT = Measure(instants=True, least=600.0)


def measure_of(kind: str, values: Iterable[float], *, temporal: bool = False) -> Measure:
    """Return the measure for a kind of metric; `temporal` says that its column holds dates or timestamps.

    Ratios need positive values: a mean that was ever 0 or less is compared by differences.
    """
    if temporal:
        return INSTANT
    if kind.endswith("_share"):
        return SHARE
    if kind in _COUNTS:
        return COUNT
    return RATIO if min(values, default=0.0) > 0 else NUMBER


def _midnight(day: int) -> float:
    return float((day - _EPOCH.toordinal()) * _SECONDS_PER_DAY)


def _instant_text(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(round(seconds), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):  # before year 1 or after 9999
        return f"{seconds:,.0f} s"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if _FOUR_DIGITS <= abs(value) < _UNREADABLE else f"{value:.4g}"
