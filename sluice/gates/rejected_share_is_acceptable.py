"""Not too many of the records that came in are in quarantine."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sluice.gate_rules import GateRules
from sluice.gates.verdict import Cell, StagedGate, Verdict
from sluice.gates.wording import counted, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.gates.evidence import StagedEvidence
    from sluice.outcome import Outcome

_SAMPLE_ROWS = 10


def judge(evidence: StagedEvidence) -> Verdict:
    """An object that cannot be read counts as one record that came in, and as one rejected."""
    outcome, limit = evidence.outcome, evidence.contract.gates.max_rejected_share
    share = outcome.quarantined / outcome.records_in if outcome.records_in else 0.0
    return Verdict(
        holds=share <= limit,
        explanation=_explanation(outcome, share, limit),
        numbers={
            "rejected_share": share,
            "limit": limit,
            "rejected": outcome.quarantined,
            "records_in": outcome.records_in,
        },
        threshold=f"at most {percent(limit)} rejected",
        origin="default" if limit == GateRules().max_rejected_share else "contract",
        sample=_commonest_reasons(outcome),
    )


REJECTED_SHARE_IS_ACCEPTABLE = StagedGate(
    name="rejected_share_is_acceptable",
    description="Quarantined records are at most a share of those that came in; half of them unless the contract says.",
    cure="See `sluice quarantine show DATASET`; correct the contract, or the source and land it again.",
    judge=judge,
)


def _explanation(outcome: Outcome, share: float, limit: float) -> str:
    if not outcome.records_in:
        return "No records came in."
    verb = "was" if outcome.quarantined == 1 else "were"
    return (
        f"{outcome.quarantined:,} of {counted(outcome.records_in, 'record')} ({percent(share)}) {verb} rejected,"
        f" at most {percent(limit)} may be."
    )


def _commonest_reasons(outcome: Outcome) -> tuple[Mapping[str, Cell], ...]:
    totals: Counter[tuple[str, str | None]] = Counter()
    for reason in outcome.reasons:
        totals[reason.code, reason.column] += reason.records
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or ""))
    return tuple(
        {"code": code, "column": column, "records": records} for (code, column), records in ordered[:_SAMPLE_ROWS]
    )
