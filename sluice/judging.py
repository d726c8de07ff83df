"""Which gates a dataset has, what they say of one version, and what of that stops it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from sluice.contract import rules_fingerprint_of
from sluice.errors import GateClosed
from sluice.gates.verdict import Severity
from sluice.judged import Judged
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.gates.evidence import RawEvidence, StagedEvidence
    from sluice.gates.verdict import Gate, RawGate, StagedGate, Verdict

AnyGate = TypeVar("AnyGate", bound="Gate")

CONTROLLED = frozenset({"raw_is_complete", "record_count_matches_control"})
"""Gates that wait for a marker or control file; their verdicts remember which they have seen."""

CONTROL_FACT = "control files seen"


def gates_of(contract: Contract, gates: Iterable[AnyGate]) -> tuple[AnyGate, ...]:
    """Return the gates that the dataset has and that its contract does not switch off."""
    return tuple(gate for gate in gates if gate.applies(contract) and severity_of(gate, contract) is not Severity.OFF)


def severity_of(gate: Gate, contract: Contract) -> Severity:
    return dict(contract.gates.severities).get(gate.name, gate.severity)


def judge_raw(
    gates: Iterable[RawGate], evidence: RawEvidence, version: Version, run_id: str, now: datetime
) -> tuple[Judged, ...]:
    place = (evidence.partition, version, run_id, now)
    return tuple(_judged(gate, gate.judge(evidence), evidence, *place) for gate in gates)


def judge_staged(
    gates: Iterable[StagedGate], evidence: StagedEvidence, run_id: str, now: datetime
) -> tuple[Judged, ...]:
    place = (evidence.outcome.partition, evidence.outcome.version, run_id, now)
    return tuple(_judged(gate, gate.judge(evidence), evidence, *place) for gate in gates)


def acceptance_of(judged: Judged, acceptances: Iterable[Acceptance]) -> Acceptance | None:
    """Return the acceptance that covers a verdict: given for this gate and for exactly these input data."""
    fingerprint = Version.parse(judged.version).fingerprint
    place = (judged.dataset, judged.partition, judged.gate, fingerprint)
    return next((a for a in acceptances if (a.dataset, a.partition, a.gate, a.fingerprint) == place), None)


def stopping(judged: Iterable[Judged], acceptances: Sequence[Acceptance]) -> tuple[Judged, ...]:
    """Return the verdicts that keep a partition from going on: blocking, and accepted by nobody."""
    return tuple(item for item in judged if item.blocks and acceptance_of(item, acceptances) is None)


def are_current(judged: Iterable[Judged], gates: Iterable[Gate], contract: Contract, version: Version) -> bool:
    """Whether recorded verdicts answer for a version: every gate, judged under the contract as it is now, and open.

    A verdict that blocks is never current: history, acceptances or files may have changed since, so it is asked again.
    """
    rules = rules_fingerprint_of(contract)
    answered = {
        item.gate for item in judged if item.version == str(version) and item.rules == rules and not item.blocks
    }
    return answered.issuperset(gate.name for gate in gates)


def faults(stopped_by: Iterable[Judged]) -> str:
    return "; ".join(f"{item.gate} does not hold: {item.verdict.explanation}" for item in stopped_by)


def gates_told(text: str, gates: Iterable[Gate]) -> tuple[str, ...]:
    """Return the gates that `faults` wrote of, by name: verdicts are kept of a partition's last version alone."""
    return tuple(sorted(gate.name for gate in gates if f"{gate.name} does not hold: " in text))


def closed(judged: Judged, gates: Iterable[Gate]) -> GateClosed:
    """Return the error for a verdict that stops a step."""
    return GateClosed(
        gate=judged.gate,
        dataset=judged.dataset,
        partition=judged.partition,
        explanation=judged.verdict.explanation,
        cure=next(gate.cure for gate in gates if gate.name == judged.gate),
    )


def _judged(
    gate: Gate,
    verdict: Verdict,
    evidence: RawEvidence | StagedEvidence,
    partition: str,
    version: Version,
    run_id: str,
    now: datetime,
) -> Judged:
    contract = evidence.contract
    if gate.name in CONTROLLED:
        verdict = replace(verdict, facts={**verdict.facts, CONTROL_FACT: evidence.control_etags})
    return Judged(
        dataset=contract.dataset,
        partition=partition,
        version=str(version),
        gate=gate.name,
        rules=rules_fingerprint_of(contract),
        severity=severity_of(gate, contract),
        verdict=verdict,
        run_id=run_id,
        judged_at=now,
    )
