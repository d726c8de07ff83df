"""Gates on what is staged, as blocking, partitioned checks; the table step asks them again (`require_staged_gates`)."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Iterator
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
        staged = fetch_staged(context.instance, contract, partition)
        witnesses = Witnesses(store, ledger, tables, clock, prices, settings, expectation_engine)
        chronicle = Chronicle(contract, partition, context.run.run_id, ledger, clock, failures)
        judging = StagedJudging(contract, witnesses, chronicle)
        with chronicle.failing_at(staged.version):
            outcome = fetch_outcome(store, contract.dataset, partition, staged.version)
            judged, acceptances = judging.judge(outcome, context.run.run_id)
        asked = {key.name for key in context.selected_asset_check_keys}
        by_name = {item.gate: item for item in judged}
        for gate in gates:
            if gate.name in asked:
                yield check_result(processed, gate, by_name[gate.name], acceptances)

    return judge


class StagedJudging:
    """Judges a staged outcome over the ports of one step."""

    def __init__(self, contract: Contract, witnesses: "Witnesses", chronicle: Chronicle) -> None:
        self._contract = contract
        self._witnesses = witnesses
        self._chronicle = chronicle
        self._ledger = witnesses.ledger
        self._clock = witnesses.clock
        self._gates = gates_of(contract, STAGED_GATES)

    def judge(self, outcome: Outcome, run_id: str) -> tuple[tuple[Judged, ...], tuple[Acceptance, ...]]:
        """Judge every gate, record the verdicts, and end the attempt if one of them stops the partition."""
        contract, ledger = self._contract, self._ledger
        evidence = self._witnesses.fetch(contract, outcome)
        judged = judge_staged(self._gates, evidence, run_id, self._clock.now())
        ledger.record_verdicts(judged)
        if stopped_by := stopping(judged, evidence.acceptances):
            self._chronicle.stop(outcome.version, stopped_by, self._gates)
        return judged, evidence.acceptances

    def require(self, outcome: Outcome, run_id: str) -> None:
        """Raise GateClosed unless nothing stops the outcome: tables can be materialized without their checks."""
        recorded = self._ledger.verdicts(outcome.dataset, outcome.partition)
        if are_current(recorded, self._gates, self._contract, outcome.version):
            return
        judged, acceptances = self.judge(outcome, run_id)
        for item in stopping(judged, acceptances)[:1]:
            raise closed(item, self._gates)
