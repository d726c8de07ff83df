"""Building a partition took no longer than the contract allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.cost.quantile import robust_quantile
from sluice.gates.verdict import Severity, StagedGate, Verdict

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.cost.rules import Limit
    from sluice.gates.evidence import StagedEvidence

SECONDS = "seconds"
"""The metric that a learned limit is learned from."""


def judge(evidence: StagedEvidence) -> Verdict:
    """Compare the seconds of the build, whoever made it, with a fixed or a learned limit."""
    seconds, rule = evidence.outcome.seconds, evidence.contract.cost.runtime_seconds
    limit, origin = (None, "") if rule is None else _limit(rule, evidence)
    if limit is None:
        return Verdict(
            holds=True,
            explanation=f"Building took {_text(seconds)}; there is no limit yet.",
            numbers={SECONDS: seconds},
            threshold="no limit yet",
            origin=origin,
        )
    return Verdict(
        holds=seconds <= limit,
        explanation=f"Building took {_text(seconds)}, at most {_text(limit)} are allowed.",
        numbers={SECONDS: seconds, "limit_seconds": limit},
        threshold=f"at most {_text(limit)}",
        origin=origin,
    )


def _applies(contract: Contract) -> bool:
    return contract.cost.runtime_seconds is not None


RUNTIME_IS_WITHIN_BUDGET = StagedGate(
    name="runtime_is_within_budget",
    description="Building the partition took no longer than the contract allows.",
    cure="Find out what made it slow (size, engine, a busy machine), or raise cost.runtime_seconds in the contract.",
    applies=_applies,
    severity=Severity.WARN,  # the money is spent already; what was bought may as well be used
    judge=judge,
)


def _limit(rule: Limit, evidence: StagedEvidence) -> tuple[float | None, str]:
    if rule.fixed is not None:
        return rule.fixed, "contract"
    past = [value for _, value in evidence.history.get(SECONDS, ())]
    if len(past) < rule.minimum_history:
        return None, f"learned after {rule.minimum_history} partitions, {len(past)} so far"
    usual = robust_quantile(past, rule.quantile)
    origin = f"learned from {len(past)} partitions: {_text(usual)} (quantile {rule.quantile:g}) x {rule.factor:g}"
    return usual * rule.factor, origin


def _text(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{seconds:.3g} s"
