"""The fields of every object are those of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract import DriftPolicy
from sluice.drift_report import drift_by_field, drift_text, share_of
from sluice.gates.verdict import StagedGate, Verdict

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.gates.evidence import StagedEvidence
    from sluice.outcome import Outcome

_SAMPLE_ROWS = 10


def judge(evidence: StagedEvidence) -> Verdict:
    """It stops a partition only where every object was quarantined: what the table holds is better than nothing."""
    outcome = evidence.outcome
    keys = {item.key for item in outcome.drifted}
    nothing_left = evidence.contract.drift is DriftPolicy.QUARANTINE and _healthy(outcome, keys) == 0
    return Verdict(
        holds=not keys,
        explanation=drift_text(outcome),
        numbers={
            "drifted_objects": len(keys),
            "objects": len(outcome.objects),
            "drifted_fields": len(drift_by_field(outcome)),
        },
        threshold="no object differs",
        origin="contract",
        may_block=nothing_left,
        sample=tuple(
            {"drift": str(kind), "field": field, "objects": len(items), "share": round(share_of(outcome, items), 6)}
            for (kind, field), items in list(drift_by_field(outcome).items())[:_SAMPLE_ROWS]
        ),
    )


def _applies(contract: Contract) -> bool:
    return contract.drift is not DriftPolicy.IGNORE and contract.source is not None


def _healthy(outcome: Outcome, drifted: set[str]) -> int:
    return sum(1 for item in outcome.objects if item.records_in and item.key not in drifted)


SCHEMA_HAS_NOT_DRIFTED = StagedGate(
    name="schema_has_not_drifted",
    description="The fields of every object are those of the contract. It blocks only where every object drifted.",
    cure="See `sluice drift DATASET`; accept a contract that takes the fields in, or have them sent as before.",
    judge=judge,
    applies=_applies,
    acceptable=False,
)
