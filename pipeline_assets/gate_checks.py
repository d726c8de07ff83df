"""Gates as blocking, partitioned Dagster asset checks; the table step asks them again (`require_gates`)."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

import warnings
from collections.abc import Iterator

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key
from pipeline_assets.ports import Clock, Ledger, Store
from pipeline_assets.staged import fetch_staged
from sluice.contract import Contract
from sluice.errors import GateClosed
from sluice.gates import GATES, Gate, Verdict
from sluice.outcome import Outcome


def gate_checks(contract: Contract, partitions: dg.DailyPartitionsDefinition) -> dg.AssetChecksDefinition:
    """Return all gates of a dataset as one step over the staged outcome."""
    processed = asset_key(Zone.PROCESSED, contract.dataset)

    @dg.multi_asset_check(
        name=f"gates__{contract.dataset}",
        specs=[_check_spec(gate, processed, partitions) for gate in GATES],
        can_subset=True,
    )
    def gates(
        context: dg.AssetCheckExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetCheckResult]:
        from pipeline_assets.staging import fetch_outcome  # heavy, see landed.py

        partition = context.partition_key
        staged = fetch_staged(context.instance, contract, partition)
        outcome = fetch_outcome(store, contract.dataset, partition, staged.version)
        asked = {key.name for key in context.selected_asset_check_keys}
        verdicts = [(gate, gate.judge(outcome)) for gate in GATES if gate.name in asked]
        faults = [_fault(gate, verdict) for gate, verdict in verdicts if not verdict.holds]
        if faults:
            attempt = ledger.begin(contract.dataset, partition, str(staged.version), context.run.run_id, clock.now())
            ledger.end(attempt, clock.now(), "; ".join(faults))
        for gate, verdict in verdicts:
            yield _check_result(processed, gate, verdict)

    return gates


def require_gates(outcome: Outcome) -> None:
    """Raise GateClosed unless every gate holds: tables can be materialized without their checks, say by hand."""
    for gate in GATES:
        verdict = gate.judge(outcome)
        if not verdict.holds:
            raise GateClosed(
                gate=gate.name,
                dataset=outcome.dataset,
                partition=outcome.partition,
                explanation=verdict.explanation,
                cure=gate.cure,
            )


def _check_spec(gate: Gate, asset: dg.AssetKey, partitions: dg.DailyPartitionsDefinition) -> dg.AssetCheckSpec:
    """With unpartitioned checks a later pass would release partitions whose own check failed.

    Partitioned ones are a preview in Dagster 1.13; tests hold what is relied on, so the warning would only be noise.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            gate.name, asset=asset, description=gate.description, blocking=True, partitions_def=partitions
        )


def _fault(gate: Gate, verdict: Verdict) -> str:
    return f"{gate.name} does not hold: {verdict.explanation}"


def _check_result(asset: dg.AssetKey, gate: Gate, verdict: Verdict) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=gate.name,
        passed=verdict.holds,
        description=verdict.explanation if verdict.holds else f"{verdict.explanation} {gate.cure}",
        metadata=dict(verdict.numbers),
    )
