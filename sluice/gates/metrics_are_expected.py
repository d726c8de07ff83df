"""Every metric that the contract names lies where its limits, fixed or learned, expect it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from sluice.expected import judge_metric
from sluice.gates.verdict import Cell, StagedGate, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluice.contract import Contract
    from sluice.expected import JudgedMetric
    from sluice.gates.evidence import StagedEvidence

_SHOWN = 10


def judge(evidence: StagedEvidence) -> Verdict:
    """One verdict for all metrics; it may block if one that breaks has history enough."""
    rules = evidence.contract.gates.metrics
    keys = _keys(str(rule.metric) for rule in rules)
    judged = [judge_metric(rule, evidence, _accepted(evidence, keys[str(rule.metric)])) for rule in rules]
    broken = [item for item in judged if not item.holds]
    shown = broken or judged
    return Verdict(
        holds=not broken,
        explanation=" ".join(item.explanation for item in broken) or _all_hold(judged),
        numbers={name: value for item in judged for name, value in _numbers(keys[str(item.metric)], item)},
        threshold="; ".join(f"{item.metric}: {item.threshold}" for item in shown if item.threshold),
        origin="; ".join(f"{item.metric}: {item.limits.origin}" for item in shown),
        may_block=any(item.may_block for item in broken) if broken else True,
        sample=tuple(_row(item) for item in sorted(judged, key=lambda item: item.holds))[:_SHOWN],
    )


def _applies(contract: Contract) -> bool:
    return bool(contract.gates.metrics)


_NAME = "metrics_are_expected"

METRICS_ARE_EXPECTED = StagedGate(
    name=_NAME,
    description="The contract's metrics lie within its limits, or within those learned from earlier partitions.",
    cure="Correct the data and land them again; if the values are right, accept them: limits learn from it.",
    applies=_applies,
    judge=judge,
)


def _keys(metrics: Iterable[str]) -> Mapping[str, str]:
    """Return for each metric a name of letters, digits and `_`: `mean(amount)` is `mean_amount`."""
    keys: dict[str, str] = {}
    for metric in metrics:
        key = re.sub(r"[^a-z0-9]+", "_", metric.lower()).strip("_")
        keys[metric] = f"{key}_{len(keys) + 1}" if key in keys.values() else key
    return keys


def _accepted(evidence: StagedEvidence, key: str) -> Mapping[str, float]:
    """Return the values that were accepted, by partition: of this metric, where it was this one that broke."""
    return {
        item.partition: float(item.numbers[key])
        for item in evidence.acceptances
        if (item.dataset, item.gate) == (evidence.contract.dataset, _NAME)
        and key in item.numbers
        and item.numbers.get(f"breaks_{key}")
    }


def _all_hold(judged: list[JudgedMetric]) -> str:
    if len(judged) == 1:
        return judged[0].explanation
    return f"All {len(judged)} metrics are where they are expected."


def _numbers(key: str, item: JudgedMetric) -> Iterable[tuple[str, int | float]]:
    limits = item.limits
    known = {
        key: item.value,
        f"expected_{key}": limits.expected,
        f"lower_{key}": limits.lower if limits.bands else None,
        f"upper_{key}": limits.upper if limits.bands else None,
        f"history_{key}": limits.history,
        f"breaks_{key}": int(not item.holds),
    }
    return [(name, value) for name, value in known.items() if value is not None and math.isfinite(value)]


def _row(item: JudgedMetric) -> Mapping[str, Cell]:
    limits = item.limits
    return {
        "metric": str(item.metric),
        "value": item.value,
        "lower": limits.lower if limits.bands and math.isfinite(limits.lower) else None,
        "upper": limits.upper if limits.bands and math.isfinite(limits.upper) else None,
        "holds": "yes" if item.holds else "no",
    }
