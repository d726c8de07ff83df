"""Breakers in a run: a run that was started by hand is held by them as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.gates.evidence import RawEvidence
from sluice.healing.breaker import claims_probe
from sluice.healing.breakers import Breakers
from sluice.judging import closed, gates_of, judge_raw, stopping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_assets.incidents import Chronicle
    from sluice.contract import Contract
    from sluice.judged import Judged
    from sluice.version import Version


def judge_breakers(contracts: Mapping[str, Contract], chronicle: Chronicle, version: Version) -> tuple[Judged, ...]:
    """Judge the breakers that the partition depends on, and claim the probe that is due; empty if switched off.

    A run that was let through once goes on: what opened since was seen by others, and a probe is claimed only once.
    """
    contract, ledger, now = chronicle.contract, chronicle.ledger, chronicle.clock.now()
    gates = gates_of(contract, (BREAKER_IS_CLOSED,))
    if not gates:
        return ()
    if passed := _passed(chronicle, version):
        return passed
    breakers = Breakers(contracts, ledger, now).of(contract.dataset)
    evidence = RawEvidence(
        contract,
        chronicle.partition,
        objects=(),
        breakers=breakers,
        is_probe=_has_begun(chronicle) or claims_probe(breakers, ledger.first_notice, now),
    )
    return judge_raw(gates, evidence, version, chronicle.run_id, now)


def require_closed_breakers(contracts: Mapping[str, Contract], chronicle: Chronicle, version: Version) -> None:
    """Raise GateClosed if the partition is held; it is no attempt, and no incident of its own."""
    judged = judge_breakers(contracts, chronicle, version)
    chronicle.ledger.record_verdicts(judged)
    for item in stopping(judged, chronicle.ledger.acceptances(chronicle.dataset)):
        raise closed(item, (BREAKER_IS_CLOSED,))


def _has_begun(chronicle: Chronicle) -> bool:
    """Whether this run has pulled already: it was let through before it did."""
    last = chronicle.ledger.last_attempt(chronicle.dataset, chronicle.partition)
    return last is not None and last.run_id == chronicle.run_id and last.error is None


def _passed(chronicle: Chronicle, version: Version) -> tuple[Judged, ...]:
    recorded = chronicle.ledger.verdicts(chronicle.dataset, chronicle.partition)
    wanted = (BREAKER_IS_CLOSED.name, chronicle.run_id, str(version), True)
    return tuple(item for item in recorded if (item.gate, item.run_id, item.version, item.verdict.holds) == wanted)
