"""Not too many of the records that came in are in quarantine."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sluice.contract import DriftPolicy
from sluice.gate_rules import GateRules
from sluice.gates.verdict import Cell, StagedGate, Verdict
from sluice.gates.wording import percent
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.gates.evidence import StagedEvidence
    from sluice.outcome import ObjectBalance, Outcome

_SAMPLE_ROWS = 10


def judge(evidence: StagedEvidence) -> Verdict:
    """An object that cannot be read counts as one record that came in, and as one rejected."""
    outcome, limit = evidence.outcome, evidence.contract.gates.max_rejected_share
    judged = _judged_records(evidence)
    rejected, records_in = sum(item.quarantined for item in judged), sum(item.records_in for item in judged)
    share = rejected / records_in if records_in else 0.0
    return Verdict(
        holds=share <= limit,
        explanation=_explanation(rejected, records_in, limit),
        numbers={"rejected_share": share, "limit": limit, "rejected": rejected, "records_in": records_in},
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


def _judged_records(evidence: StagedEvidence) -> Sequence[ObjectBalance]:
    """Objects that are quarantined whole for drift say nothing about the others; another gate judges them."""
    objects = evidence.outcome.objects
    if evidence.contract.drift is not DriftPolicy.QUARANTINE:
        return objects
    drifted = {item.key for item in evidence.outcome.drifted}
    return [item for item in objects if item.key not in drifted]


def _explanation(rejected: int, records_in: int, limit: float) -> str:
    if not records_in:
        return "No records came in."
    verb = "was" if rejected == 1 else "were"
    return (
        f"{rejected:,} of {counted(records_in, 'record')} ({percent(rejected / records_in)}) {verb} rejected,"
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
