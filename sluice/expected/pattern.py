"""The usual course of a metric: a robust level, with weekdays (or months) and a slope where they clearly help."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Point = tuple[int, float]
"""A day as `date.toordinal` and a value on the measure's scale."""

WINDOW = 56
"""Eight weeks: long enough for a median per weekday, short enough to forget the last season."""

MEDIAN_LOSS = math.pi / 2
"""The variance of a median relative to that of a mean, for normal values."""

_RECENT = 28  # the level follows the newest half of the window
_LEAST = 14  # points for anything but a level
_LEAST_ALIKE = 2
_MONTHLY_GAP = 25  # days
_CLEARLY = 1.15  # what each refinement must save of the deviation
_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_TAIL = 0.9
_TAIL_TO_SIGMA = 1.645  # nine of ten normal values lie within so many deviations of the centre


@dataclass(frozen=True, slots=True)
class Pattern:
    """`level` is that of day `last`; `seasons` are offsets by weekday (0 is Monday), for monthly partitions by month.

    `below` and `above` are robust standard deviations to either side: bad days are often worse than good ones are good.
    `alike` counts the points that the judged day's centre rests on.
    """

    level: float
    last: int
    span: int
    below: float
    above: float
    alike: int
    slope: float = 0.0
    seasons: Mapping[int, float] = field(default_factory=dict)
    monthly: bool = False

    @property
    def deviation(self) -> float:
        return (self.below + self.above) / 2

    def at(self, day: int) -> float:
        # A slope is not trusted further ahead than a quarter of the time that it was learned from.
        ahead = min(day - self.last, self.span // 4)
        season = self.seasons.get(_month(day) if self.monthly else _weekday(day), 0.0)
        return self.level + self.slope * ahead + season


def fit(points: Sequence[Point], day: int) -> Pattern:
    """Return the pattern for judging `day`: of all that fit, the simplest that no other beats clearly."""
    newest = points[-WINDOW:]
    monthly = _is_monthly(newest)
    season_of = _month if monthly else _weekday
    alike = sum(1 for at, _ in newest if season_of(at) == season_of(day))
    shapes = [(False, False)]
    if len(newest) >= _LEAST:
        shapes += [(False, True), *([(True, False), (True, True)] if alike >= _LEAST_ALIKE else [])]
    patterns = [
        _fit(newest, season_of, alike if seasonal else min(len(newest), _RECENT), seasonal=seasonal, sloped=sloped)
        for seasonal, sloped in shapes
    ]
    return min(patterns, key=lambda item: item.deviation * _CLEARLY ** (bool(item.seasons) + bool(item.slope)))


def _fit(
    points: Sequence[Point], season_of: Callable[[int], int], alike: int, *, seasonal: bool, sloped: bool
) -> Pattern:
    slope = _slope(points, season_of if seasonal else _always_alike) if sloped else 0.0
    last = points[-1][0]
    flat = [(at, value - slope * (at - last)) for at, value in points]
    seasons = _seasons(flat, season_of) if seasonal else {}
    smooth = [value - seasons.get(season_of(at), 0.0) for at, value in flat]
    level = median(smooth[-_RECENT:])
    below, above = _deviations([value - level for value in smooth], fitted=1 + len(seasons) + sloped)
    return Pattern(
        level=level,
        last=last,
        span=last - points[0][0],
        below=below,
        above=above,
        alike=alike,
        slope=slope,
        seasons=seasons,
        monthly=season_of is _month,
    )


def _is_monthly(points: Sequence[Point]) -> bool:
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(points)]
    return bool(gaps) and median(gaps) >= _MONTHLY_GAP


def _weekday(day: int) -> int:
    return (day - 1) % 7


def _month(day: int) -> int:
    return date.fromordinal(day).month


def _always_alike(_: int) -> int:
    return 0


def _seasons(points: Sequence[Point], season_of: Callable[[int], int]) -> Mapping[int, float]:
    centre = median(value for _, value in points)
    groups = defaultdict(list)
    for at, value in points:
        groups[season_of(at)].append(value)
    return {season: median(values) - centre for season, values in groups.items()}


def _slope(points: Sequence[Point], season_of: Callable[[int], int]) -> float:
    """Theil-Sen: the median of the slopes between all pairs of points of one season."""
    days = np.array([at for at, _ in points], dtype=float)
    values = np.array([value for _, value in points])
    seasons = np.array([season_of(at) for at, _ in points])
    first, second = np.triu_indices(len(points), 1)
    alike = seasons[first] == seasons[second]
    first, second = first[alike], second[alike]
    return float(np.median((values[second] - values[first]) / (days[second] - days[first]))) if len(first) else 0.0


def _deviations(residuals: Sequence[float], *, fitted: int) -> tuple[float, float]:
    """The median tells of half of the days; a side's tail sees what two days of a week do, and leaves outliers out."""
    middle = _MAD_TO_SIGMA * median(abs(value) for value in residuals)
    below = max(middle, _tail([-value for value in residuals if value < 0]))
    above = max(middle, _tail([value for value in residuals if value > 0]))
    free = max(len(residuals) - fitted, 1)
    # What was fitted is missing from the residuals; and few residuals may be small by luck, as Student's t knows.
    doubt = math.sqrt(len(residuals) / free) * (1 + 2 / free)
    return below * doubt, above * doubt


def _tail(sizes: Sequence[float]) -> float:
    return sorted(sizes)[int(_TAIL * (len(sizes) - 1))] / _TAIL_TO_SIGMA if sizes else 0.0
