"""Where a metric of the next partition is expected, learned from what was published before."""

from sluice.expected.judging import JudgedMetric, judge_metric
from sluice.expected.limits import Band, Limits, limits_of
from sluice.expected.measure import Measure, measure_of

__all__ = ["Band", "JudgedMetric", "Limits", "Measure", "judge_metric", "limits_of", "measure_of"]
