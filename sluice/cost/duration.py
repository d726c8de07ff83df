"""How long building a partition takes, learned from the builds of its dataset."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING

from sluice.cost.budget import SpendState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sluice.cost.budget import Spend

_MINIMUM_BUILDS = 3
NEWEST_BUILDS = 60
"""As many are looked at; what was built before them teaches nothing."""
_NARROW = 2.0  # sizes within a factor of two say little about what a byte takes

_DEFAULT_FIXED = 0.3
_DEFAULT_PER_MB = 0.07
"""Measured on two cores: 2,000,000 records of 265 bytes, 49 MB as gzip, in 3.6 s. Uncompressed files take less."""

_SPARK_FIXED = 20.0
_SPARK_PER_MB = 0.25
"""A guess on the careful side, for two cores: a session, and records handed to the JVM and back. Not measured yet."""

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Duration:
    """`fixed` seconds and so many `per_mb`; `basis` says what they were learned from."""

    fixed: float
    per_mb: float
    basis: str

    def seconds(self, bytes_in: int) -> float:
        return self.fixed + self.per_mb * bytes_in / _MB


def learn_duration(spends: Iterable[Spend], *, is_spark: bool = False) -> Duration:
    """Return a robust line through the newest 60 builds, or what was measured elsewhere before there are three."""
    builds = [
        (item.request.estimate.bytes_in / _MB, item.actual_seconds) for item in built(spends) if item.actual_seconds
    ][-NEWEST_BUILDS:]
    if len(builds) < _MINIMUM_BUILDS:
        usual = (_SPARK_FIXED, _SPARK_PER_MB) if is_spark else (_DEFAULT_FIXED, _DEFAULT_PER_MB)
        return _named(*usual, f"no history yet ({len(builds)} of {_MINIMUM_BUILDS} builds)")
    return _named(*_line(builds), f"{len(builds)} builds of this dataset")


def built(spends: Iterable[Spend]) -> Sequence[Spend]:
    """Return the builds that were carried to their end and really took time; a failed one took only a part of it."""
    ended = (SpendState.BUILT, SpendState.PUBLISHED)
    return [item for item in spends if item.state in ended and item.actual_seconds]


def _named(fixed: float, per_mb: float, source: str) -> Duration:
    return Duration(fixed, per_mb, f"{source}: {fixed:.3g} s + {per_mb:.3g} s per MB")


def _line(builds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Theil-Sen: the median of all slopes, then the median of what it leaves."""
    sizes = [size for size, _ in builds]
    if max(sizes) <= _NARROW * min(sizes):
        return _proportional(builds)
    slopes = [(t2 - t1) / (s2 - s1) for (s1, t1), (s2, t2) in combinations(builds, 2) if s1 != s2]
    slope = median(slopes)
    if slope <= 0:
        return _proportional(builds)
    return max(0.0, median([seconds - slope * size for size, seconds in builds])), slope


def _proportional(builds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Beyond the fixed part, time grows with size; a line through a cloud of equal sizes would say anything."""
    fixed = min(_DEFAULT_FIXED, *(seconds for _, seconds in builds))
    rates = [(seconds - fixed) / size for size, seconds in builds if size]
    if not rates:  # empty files only
        return median([seconds for _, seconds in builds]), _DEFAULT_PER_MB
    return fixed, median(rates)
