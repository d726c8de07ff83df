"""The job that judges a published partition by today's gates, and takes it back if the contract says so."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key
from pipeline_assets.check_report import check_result
from pipeline_assets.ports import Clock, ExpectationEngine, Ledger, Prices, RewindableTables, Settings, Store
from sluice.acceptance import Acceptance
from sluice.contract import Contract
from sluice.gates import STAGED_GATES
from sluice.healing.policy import Audit
from sluice.judged import Judged
from sluice.judging import faults, gates_of, judge_staged, stopping
from sluice.outcome import Outcome
from sluice.rewinding import BeforeRun, downstream

if TYPE_CHECKING:
    from pipeline_assets.evidence import Witnesses  # heavy, see landed.py

JOB_NAME = "audit"
BY_POLICY = "sluice, as the contract's healing.audit says"
_CURE = "Leave it to the sensor audits, or launch it with the tags sluice/dataset and dagster/partition."


def audit_job(contracts: Mapping[str, Contract]) -> dg.JobDefinition:
    """Return the job; its run's tags say which dataset and partition. Doing it again changes nothing."""

    @dg.op(name="judge_again")
    def judge_again(
        context: dg.OpExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        tables: dg.ResourceParam[RewindableTables],
        clock: dg.ResourceParam[Clock],
        prices: dg.ResourceParam[Prices],
        settings: dg.ResourceParam[Settings],
        expectation_engine: dg.ResourceParam[ExpectationEngine],
    ) -> None:
        from pipeline_assets.evidence import Witnesses  # heavy, see landed.py

        contract = contracts.get(context.run.tags.get("sluice/dataset", ""))
        partition = context.run.tags.get("dagster/partition")
        if contract is None or contract.healing.audit is None or partition is None:
            raise dg.Failure(f"No audit is declared for this run. {_CURE}", allow_retries=False)
        published = ledger.published(contract.dataset, partition)
        if published is None or published.outcome.contract_fingerprint != contract.fingerprint:
            context.log.info("Nothing that this contract built is published.")
            return
        ports = Witnesses(store, ledger, tables, clock, prices, settings, expectation_engine)
        judged, acceptances = _judge(contract, published.outcome, ports, context.run.run_id)
        stopped_by = stopping(judged, acceptances)
        if stopped_by and contract.healing.audit is Audit.REWIND:
            _take_back(contracts, published.outcome, faults(stopped_by), tables, ports, context.instance)
        # Last, for it says that this version is audited.
        ledger.record_verdicts(judged)
        _report(context, contract, partition, judged, acceptances)

    @dg.job(name=JOB_NAME, description="Judges one published partition by gates that were added or changed since.")
    def job() -> None:
        judge_again()

    return job


def _judge(
    contract: Contract, outcome: Outcome, ports: "Witnesses", run_id: str
) -> tuple[tuple[Judged, ...], tuple[Acceptance, ...]]:
    evidence = ports.fetch(contract, outcome)
    judged = judge_staged(gates_of(contract, STAGED_GATES), evidence, run_id, ports.clock.now())
    return judged, evidence.acceptances


def _take_back(
    contracts: Mapping[str, Contract],
    outcome: Outcome,
    why: str,
    tables: RewindableTables,
    ports: "Witnesses",
    instance: dg.DagsterInstance,
) -> None:
    """Go back to what the table showed before; if that fails too, its own audit takes it back further."""
    from pipeline_assets.rewind_record import Reason, RewindRecord, fetch_outcomes

    point = BeforeRun(outcome.run_id)
    outcomes = fetch_outcomes(ports.store, tables.plan_rewind(outcome.dataset, point, outcome.partition))
    done = tables.rewind(outcome.dataset, point, outcome.partition, why=why, rewound_by=BY_POLICY)
    reached = downstream(done, contracts, [item.outcome for item in ports.ledger.all_published()])
    reason = Reason(why, BY_POLICY, tuple(dict.fromkeys(name for name, _ in reached)))
    RewindRecord(contracts[outcome.dataset], ports, instance).write(done, outcomes, reason)


def _report(
    context: dg.OpExecutionContext,
    contract: Contract,
    partition: str,
    judged: Sequence[Judged],
    acceptances: Sequence[Acceptance],
) -> None:
    gates = {gate.name: gate for gate in STAGED_GATES}
    for item in judged:
        shown = check_result(asset_key(Zone.PROCESSED, contract.dataset), gates[item.gate], item, acceptances)
        evaluation = dg.AssetCheckEvaluation(
            asset_key=asset_key(Zone.PROCESSED, contract.dataset),
            check_name=item.gate,
            passed=shown.passed,
            severity=shown.severity,
            description=shown.description,
            metadata=shown.metadata,
            partition=partition,
            blocking=item.blocks,
        )
        context.log_event(evaluation)  # type: ignore[arg-type]  # it takes one, but does not say so
