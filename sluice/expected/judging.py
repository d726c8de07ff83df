"""One metric of one staged partition against its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sluice.datatypes import Date, Timestamp
from sluice.expected.limits import RUN, limits_of
from sluice.expected.measure import measure_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract import Contract
    from sluice.expected.limits import Limits
    from sluice.expected.measure import Measure
    from sluice.gate_rules import Expected, Metric
    from sluice.gates.evidence import StagedEvidence


@dataclass(frozen=True, slots=True)
class JudgedMetric:
    """`threshold` is empty while nothing is expected."""

    metric: Metric
    value: float | None
    limits: Limits
    holds: bool
    may_block: bool
    explanation: str
    threshold: str


def judge_metric(rule: Expected, evidence: StagedEvidence, accepted: Mapping[str, float]) -> JudgedMetric:
    """Judge by the dataset's history; `accepted` has the values, by partition, that a person accepted as right."""
    metric, partition = rule.metric, evidence.outcome.partition
    history = _points(dict(evidence.history.get(str(metric), ())), partition)
    levels = _points(accepted, partition)
    temporal = metric.kind in {"minimum", "maximum"} and _is_temporal(evidence.contract, metric.column)
    measure = measure_of(metric.kind, [value for _, value in (*history, *levels)], temporal=temporal)
    limits = limits_of(rule, measure, history, date.fromisoformat(partition).toordinal(), levels)
    value = evidence.profile.metrics.get(str(metric))
    if value is None or not math.isfinite(value):
        return _without_value(rule, limits, rows=evidence.profile.metrics.get("row_count", 0.0))
    holds = limits.hold(value)
    threshold = _threshold(limits, measure)
    explanation = f"{_named(metric, measure.text(value), value)}; {_expectation(limits, value, threshold)}."
    return JudgedMetric(metric, value, limits, holds, holds or limits.may_block, explanation, threshold)


def _without_value(rule: Expected, limits: Limits, *, rows: float) -> JudgedMetric:
    """Without rows no column has a value, and that is for the row count to judge."""
    holds = not limits.history or not rows
    known = f", though {limits.history:,} partitions before it have one" if limits.history else ""
    explanation = f"{rule.metric} has no value{known}{'' if rows else ': there are no rows'}."
    may_block = holds or limits.history >= rule.minimum_history
    return JudgedMetric(rule.metric, None, limits, holds, may_block, explanation, "")


def _points(values: Mapping[str, float], partition: str) -> list[tuple[int, float]]:
    return sorted(
        (date.fromisoformat(at).toordinal(), value)
        for at, value in values.items()
        if at < partition and math.isfinite(value)
    )


def _is_temporal(contract: Contract, column: str | None) -> bool:
    return any(item.name == column and isinstance(item.type, Date | Timestamp) for item in contract.columns)


def _named(metric: Metric, text: str, value: float) -> str:
    if metric.kind == "row_count":
        return f"{text} row{'' if value == 1 else 's'}"
    return f"{metric} is {text}"


def _expectation(limits: Limits, value: float, threshold: str) -> str:
    if not limits.bands:
        return f"nothing is expected yet: {limits.origin}"
    if not limits.hold(value) and limits.alone is not None and limits.alone.holds(value):
        return f"{threshold} were expected, for the {RUN - 1} partitions before it are off to the same side"
    return f"{threshold} were expected"


def _threshold(limits: Limits, measure: Measure) -> str:
    bands = sorted(limits.bands, key=lambda band: band.lower)
    return " or ".join(_band_text(band.lower, band.upper, measure) for band in bands)


def _band_text(lower: float, upper: float, measure: Measure) -> str:
    if math.isinf(lower):
        return f"at most {measure.text(upper)}"
    if math.isinf(upper):
        return f"at least {measure.text(lower)}"
    return measure.text(lower) if lower == upper else f"{measure.text(lower)} to {measure.text(upper)}"
