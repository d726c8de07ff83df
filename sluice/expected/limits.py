"""The limits of one metric on one day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sluice.expected.levels import SILENT_BELOW, settle
from sluice.expected.origin import origin_of
from sluice.expected.pattern import MEDIAN_LOSS, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.expected.levels import Levels
    from sluice.expected.measure import Measure
    from sluice.expected.pattern import Pattern, Point
    from sluice.gate_rules import Expected

RUN = 5
"""A shift that is too small to see on one day is seen on so many together."""

_CAPPED = 4.0  # deviations: one outlier alone is no run
_MOST_ALIKE = 0.8  # of neighbouring residuals; more would leave no limit
_RUN_SENSITIVITY = 0.9  # a sum of capped values has no outliers, so less of it is as surprising


@dataclass(frozen=True, slots=True)
class Band:
    lower: float
    upper: float

    def holds(self, value: float) -> bool:
        return self.lower <= value <= self.upper


@dataclass(frozen=True, slots=True)
class Limits:
    """A value must lie in one of the `bands`; without any, nothing is expected yet.

    `alone` is the first band before the newest partitions narrowed it. `history` counts what was there to learn from.
    """

    bands: tuple[Band, ...]
    origin: str
    history: int
    expected: float | None = None
    alone: Band | None = None
    may_block: bool = True

    def hold(self, value: float) -> bool:
        return not self.bands or any(band.holds(value) for band in self.bands)

    @property
    def lower(self) -> float:
        return min(band.lower for band in self.bands)

    @property
    def upper(self) -> float:
        return max(band.upper for band in self.bands)


def limits_of(
    rule: Expected, measure: Measure, history: Sequence[Point], day: int, accepted: Sequence[Point] = ()
) -> Limits:
    """Return where the metric must lie on `day`; `history` and `accepted` are days before it with values, by date."""
    if rule.minimum is not None or rule.maximum is not None:
        lower = -math.inf if rule.minimum is None else rule.minimum
        upper = math.inf if rule.maximum is None else rule.maximum
        return Limits((Band(lower, upper),), "contract", len(history))
    if len(history) < min(SILENT_BELOW, rule.minimum_history):
        return Limits((), f"{_partitions(len(history))}; limits are learned from {SILENT_BELOW} on", len(history))
    levels = settle(_told(measure, history), _told(measure, accepted))
    return _learned(rule, measure, levels, fit(levels.points, day), len(history), day)


def _learned(rule: Expected, measure: Measure, levels: Levels, usual: Pattern, history: int, day: int) -> Limits:
    shifts = [(0.0, 0.0), *((shift.size, 1 / shift.seen) for shift in levels.open)]
    bands = [_band(rule, measure, usual, day, size, doubt) for size, doubt in shifts]
    alone = bands[0]
    if rule.within is None and not levels.open:
        bands = [_narrowed(alone, rule, measure, levels, day)]
    return Limits(
        bands=tuple(bands),
        origin=origin_of(rule, measure, levels, usual, history, day),
        history=history,
        expected=measure.clip(measure.backward(usual.at(day), day)),
        alone=alone,
        may_block=history >= rule.minimum_history,
    )


def _band(rule: Expected, measure: Measure, usual: Pattern, day: int, shift: float, doubt: float) -> Band:
    """`doubt` is the variance of the shift, in variances of a partition."""
    told = usual.at(day) + shift
    centre = measure.backward(told, day)
    if rule.within is not None:
        return _rounded(measure, centre - rule.within * abs(centre), centre + rule.within * abs(centre))
    reach = rule.sensitivity * math.sqrt(1 + MEDIAN_LOSS / usual.alike + doubt)
    room = rule.sensitivity * measure.least_deviation(centre)
    lower = min(measure.backward(told - reach * usual.below, day), centre - room)
    return _rounded(measure, lower, max(measure.backward(told + reach * usual.above, day), centre + room))


def _narrowed(alone: Band, rule: Expected, measure: Measure, levels: Levels, day: int) -> Band:
    """Return the band that also keeps the mean of the newest partitions and this one near the usual before them."""
    before, recent = levels.points[: 1 - RUN], levels.points[1 - RUN :]
    if len(before) < SILENT_BELOW:
        return alone
    usual = fit(before, day)
    told = usual.at(day)
    centre = measure.backward(told, day)
    least = measure.forward(centre + measure.least_deviation(centre), day) - measure.forward(centre, day)
    below, above = max(usual.below, least), max(usual.above, least)
    drift = sum(_capped(value - usual.at(at), _CAPPED * below, _CAPPED * above) for at, value in recent)
    # Each value scatters, and so does its season's median; the level's own error is in all of them.
    spread = math.sqrt(RUN * (1 + MEDIAN_LOSS / usual.alike) + RUN**2 * MEDIAN_LOSS / len(before))
    reach = _RUN_SENSITIVITY * rule.sensitivity * spread * _likeness(before, usual)
    lower, upper = min(told, told - drift - reach * below), max(told, told - drift + reach * above)
    run = _rounded(measure, measure.backward(lower, day), measure.backward(upper, day))
    return Band(max(alone.lower, min(run.lower, alone.upper)), min(alone.upper, max(run.upper, alone.lower)))


def _likeness(points: Sequence[Point], usual: Pattern) -> float:
    """Return how much wider a sum of neighbours scatters than one of strangers: rain lasts longer than a day."""
    residuals = [_capped(value - usual.at(at), _CAPPED * usual.below, _CAPPED * usual.above) for at, value in points]
    total = sum(value * value for value in residuals)
    if not total:
        return 1.0
    correlation = sum(a * b for a, b in pairwise(residuals)) / total
    alike = min(max(correlation, 0.0), _MOST_ALIKE)
    return math.sqrt((1 + alike) / (1 - alike))


def _rounded(measure: Measure, lower: float, upper: float) -> Band:
    if measure.whole:  # outward, so that a whole number always fits; a logarithm there and back is off by less
        lower, upper = float(math.floor(round(lower, 6))), float(math.ceil(round(upper, 6)))
    return Band(measure.clip(lower), measure.clip(upper))


def _capped(value: float, below: float, above: float) -> float:
    return min(max(value, -below), above)


def _told(measure: Measure, history: Sequence[Point]) -> list[Point]:
    return [(day, measure.forward(value, day)) for day, value in history]


def _partitions(count: int) -> str:
    return f"{count} published partition{'' if count == 1 else 's'} before it"
