"""Neither the dataset nor an outside system that it uses has failed so often in a row that another run is in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.gates.verdict import RawGate, Verdict
from sluice.healing.breaker import explain_breaker

if TYPE_CHECKING:
    from sluice.gates.evidence import RawEvidence


def judge(evidence: RawEvidence) -> Verdict:
    """Breakers that are not closed hold the partition, unless this run is the one that probes them."""
    waited_for = [breaker for breaker in evidence.breakers if breaker.holds_back]
    told = " ".join(explain_breaker(breaker) for breaker in waited_for)
    return Verdict(
        holds=not waited_for or evidence.is_probe,
        explanation=f"This run is the probe. {told}" if waited_for and evidence.is_probe else told or "All are closed.",
        numbers={
            "failures_in_a_row": max((len(breaker.failed) for breaker in evidence.breakers), default=0),
            "open_breakers": len(waited_for),
        },
        threshold=f"fewer than {evidence.contract.healing.breaker.failures} failures in a row",
        origin="contract or default",
        facts={breaker.key: str(breaker.state) for breaker in evidence.breakers},
    )


BREAKER_IS_CLOSED = RawGate(
    name="breaker_is_closed",
    description="Neither the dataset nor an outside system that it uses has failed too often in a row.",
    cure="Held, not failed: it is built by itself once a probe succeeds. What went wrong: sluice incidents."
    " To try this partition now: sluice accept DATASET DATE breaker_is_closed --why ...",
    judge=judge,
)
