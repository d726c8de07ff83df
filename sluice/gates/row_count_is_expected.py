"""A partition has about as many rows as the dataset's others; by default the limits are learned from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sluice.expected import judge_metric
from sluice.gates.verdict import StagedGate, Verdict

if TYPE_CHECKING:
    from sluice.expected import JudgedMetric
    from sluice.gates.evidence import StagedEvidence


def judge(evidence: StagedEvidence) -> Verdict:
    """Only warn while the history is short; what a person accepted is a level beside the old one until it settles."""
    accepted = {
        item.partition: float(item.numbers["value"])
        for item in evidence.acceptances
        if (item.dataset, item.gate) == (evidence.contract.dataset, _NAME) and "value" in item.numbers
    }
    judged = judge_metric(evidence.contract.gates.row_count, evidence, accepted)
    return Verdict(
        holds=judged.holds,
        explanation=judged.explanation,
        numbers=_numbers(judged),
        threshold=judged.threshold,
        origin=judged.limits.origin,
        may_block=judged.may_block,
    )


_NAME = "row_count_is_expected"

ROW_COUNT_IS_EXPECTED = StagedGate(
    name=_NAME,
    description="The number of rows lies within limits of the contract, or learned from earlier partitions.",
    cure="Land what is missing, or correct it; if the number is right, accept it: the limits learn from it.",
    judge=judge,
)


def _numbers(judged: JudgedMetric) -> dict[str, int | float]:
    """Keys are stable: an acceptance keeps them, and `value` is the level that it accepts."""
    limits = judged.limits
    known = {
        "value": judged.value,
        "expected": limits.expected,
        "lower": limits.lower if limits.bands else None,
        "upper": limits.upper if limits.bands else None,
        "history": limits.history,
    }
    return {name: value for name, value in known.items() if value is not None and math.isfinite(value)}
