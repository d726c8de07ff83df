"""Gates on what is staged, as blocking, partitioned checks; the table step asks them again (`require_staged_gates`)."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key
from pipeline_assets.check_report import check_result, gate_spec
from pipeline_assets.incidents import Chronicle
from pipeline_assets.ports import Clock, ExpectationEngine, Failures, Ledger, Prices, Settings, Store, Tables
from pipeline_assets.staged import fetch_staged
from sluice.acceptance import Acceptance
from sluice.contract import Contract
from sluice.gates import STAGED_GATES
from sluice.judged import Judged
from sluice.judging import are_current, closed, gates_of, judge_staged, stopping
from sluice.outcome import Outcome

if TYPE_CHECKING:
    from pipeline_assets.evidence import Witnesses  # heavy, see landed.py


def staged_checks(contract: Contract, partitions: dg.DailyPartitionsDefinition) -> dg.AssetChecksDefinition:
    """Return all gates of a dataset as one step over the staged outcome."""
    processed = asset_key(Zone.PROCESSED, contract.dataset)
    gates = gates_of(contract, STAGED_GATES)

    @dg.multi_asset_check(
        name=f"gates__{contract.dataset}",
        specs=[gate_spec(gate, processed, contract, partitions) for gate in gates],
        can_subset=True,
    )
    def judge(
        context: dg.AssetCheckExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        tables: dg.ResourceParam[Tables],
        clock: dg.ResourceParam[Clock],
        prices: dg.ResourceParam[Prices],
        settings: dg.ResourceParam[Settings],
        expectation_engine: dg.ResourceParam[ExpectationEngine],
        failures: dg.ResourceParam[Failures],
    ) -> Iterator[dg.AssetCheckResult]:
        from pipeline_assets.evidence import Witnesses
        from pipeline_assets.staging import fetch_outcome  # heavy, see landed.py

        partition = context.partition_key
        staged = fetch_staged(context.instance, contract, partition, context.run.run_id)
        witnesses = Witnesses(store, ledger, tables, clock, prices, settings, expectation_engine)
        chronicle = Chronicle(contract, partition, context.run.run_id, ledger, clock, failures)
        with chronicle.failing_at(staged.version):
            outcome = fetch_outcome(store, contract.dataset, partition, staged.version)
            judgement = StagedJudging(contract, witnesses, chronicle).judge(outcome, context.run.run_id)
        yield from judgement.check_results(contract, {key.name for key in context.selected_asset_check_keys})

    return judge


@dataclass(frozen=True, slots=True)
class StagedJudgement:
    """What the gates on a staged outcome said; `stopped_by` is empty when it may be published."""

    judged: tuple[Judged, ...]
    acceptances: tuple[Acceptance, ...]

    @property
    def stopped_by(self) -> tuple[Judged, ...]:
        return stopping(self.judged, self.acceptances)

    def check_results(self, contract: Contract, asked: Collection[str] | None = None) -> Iterator[dg.AssetCheckResult]:
        """Yield the result of each gate, or of those that were `asked` for."""
        by_name = {item.gate: item for item in self.judged}
        for gate in gates_of(contract, STAGED_GATES):
            if asked is None or gate.name in asked:
                yield check_result(
                    asset_key(Zone.PROCESSED, contract.dataset), gate, by_name[gate.name], self.acceptances
                )


class StagedJudging:
    """Judges a staged outcome over the ports of one step."""

    def __init__(self, contract: Contract, witnesses: "Witnesses", chronicle: Chronicle) -> None:
        self._contract = contract
        self._witnesses = witnesses
        self._chronicle = chronicle
        self._ledger = witnesses.ledger
        self._clock = witnesses.clock
        self._gates = gates_of(contract, STAGED_GATES)

    def judge(self, outcome: Outcome, run_id: str) -> StagedJudgement:
        """Judge every gate, record the verdicts, and end the attempt if one of them stops the partition."""
        contract, ledger = self._contract, self._ledger
        evidence = self._witnesses.fetch(contract, outcome)
        judged = judge_staged(self._gates, evidence, run_id, self._clock.now())
        ledger.record_verdicts(judged)
        judgement = StagedJudgement(judged, evidence.acceptances)
        if judgement.stopped_by:
            self._chronicle.stop(outcome.version, judgement.stopped_by, self._gates)
        return judgement

    def require(self, outcome: Outcome, run_id: str) -> None:
        """Raise GateClosed unless nothing stops the outcome: tables can be materialized without their checks."""
        recorded = self._ledger.verdicts(outcome.dataset, outcome.partition)
        if are_current(recorded, self._gates, self._contract, outcome.version):
            return
        for item in self.judge(outcome, run_id).stopped_by[:1]:
            raise closed(item, self._gates)
