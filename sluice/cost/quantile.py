"""A quantile that one wild value does not move."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WILD = 5.0
_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_LEAST_SPREAD = 0.1  # of the median: values that are all but equal may still differ a little


def robust_quantile(values: Sequence[float], quantile: float) -> float:
    """Return the quantile after pulling in values farther than five robust standard deviations above the median."""
    middle = median(values)
    spread = _MAD_TO_SIGMA * median([abs(value - middle) for value in values])
    highest = middle + _WILD * max(spread, _LEAST_SPREAD * middle)
    return interpolated([min(value, highest) for value in values], quantile)


def interpolated(values: Sequence[float], quantile: float) -> float:
    """Return the quantile with linear interpolation between neighbours."""
    ordered = sorted(values)
    below, share = divmod(quantile * (len(ordered) - 1), 1)
    low = ordered[int(below)]
    high = ordered[min(int(below) + 1, len(ordered) - 1)]
    return low + share * (high - low)
