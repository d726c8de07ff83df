"""What building a partition is estimated to cost is left in the dataset's budget of the month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.cost.budget import EPSILON_USD
from sluice.cost.money import usd_text
from sluice.gates.verdict import RawGate, Verdict

if TYPE_CHECKING:
    from sluice.cost.budget import Funding
    from sluice.gates.evidence import RawEvidence


def judge(evidence: RawEvidence) -> Verdict:
    """The ledger has answered already: what it granted is reserved, what it refused is not."""
    funding = evidence.funding
    if funding is None:
        return Verdict(holds=True, explanation="No cost is known.", numbers={})
    return Verdict(
        holds=funding.granted and not _exceeds(funding),
        explanation=_explanation(funding),
        numbers=_numbers(funding),
        threshold=_threshold(funding),
        origin=funding.origin,
        facts={"estimated_from": funding.request.estimate.basis, "purpose": str(funding.request.purpose)},
    )


ESTIMATED_COST_IS_WITHIN_BUDGET = RawGate(
    name="estimated_cost_is_within_budget",
    description="The estimated cost of building the partition is left in the dataset's budget of the month.",
    cure="Raise the budget in the contract, wait for the next month, or accept the cost of this partition.",
    judge=judge,
)


def _exceeds(funding: Funding) -> bool:
    """Whether it was granted regardless of its limit: accepted, or a contract that only warns."""
    return bool(funding.request.estimate.usd) and _left(funding) < funding.request.estimate.usd - EPSILON_USD


def _left(funding: Funding) -> float:
    if funding.limit_usd is None:
        return float("inf")
    return funding.limit_usd - funding.spent_usd - funding.reserved_usd


def _explanation(funding: Funding) -> str:
    wanted = usd_text(funding.request.estimate.usd)
    used = usd_text(funding.spent_usd + funding.reserved_usd)
    if funding.limit_usd is None:
        return f"{wanted} USD would be spent; {used} USD are spent or reserved this month, and there is no limit."
    budget = f"of the {funding.budget} budget of {usd_text(funding.limit_usd)} USD {used} are spent or reserved"
    left = f"{usd_text(max(0.0, _left(funding)))} are left."
    joined = "but" if not funding.granted or _exceeds(funding) else "and"
    return f"{wanted} USD would be spent, {joined} {budget}; {left}"


def _threshold(funding: Funding) -> str:
    if funding.limit_usd is None:
        return "no limit"
    return f"{usd_text(funding.limit_usd)} USD in {funding.request.month} ({funding.budget} budget)"


def _numbers(funding: Funding) -> dict[str, int | float]:
    expected = funding.request.estimate
    numbers: dict[str, int | float] = {
        "estimated_usd": expected.usd,
        "estimated_seconds": expected.seconds,
        "spent_usd": funding.spent_usd,
        "reserved_usd": funding.reserved_usd,
    }
    if funding.limit_usd is not None:
        numbers |= {"limit_usd": funding.limit_usd, "left_usd": max(0.0, _left(funding))}
    return numbers
