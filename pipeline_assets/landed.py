"""A landed dataset's assets up to what is staged: raw, processed and quarantine."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Iterator

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key, asset_spec
from pipeline_assets.build_report import built_numbers, quarantine_report
from pipeline_assets.check_report import gate_spec
from pipeline_assets.funding import Purse
from pipeline_assets.incidents import Chronicle
from pipeline_assets.ports import Clock, Failures, Ledger, Prices, Settings, Store
from pipeline_assets.raw_gates import judge_raw_gates, nothing_landed, require_raw_gates
from pipeline_assets.staged import Staged, staged_result
from sluice.arrivals import Noticed, sweep_partition
from sluice.contract import CODE_VERSION, Contract
from sluice.errors import RawPartitionEmpty
from sluice.gates import RAW_GATES
from sluice.judging import gates_of
from sluice.outcome import Outcome
from sluice.version import Version


def raw_asset(contract: Contract, partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset that stands for the partition's files; its data version is the manifest's fingerprint."""
    key = asset_key(Zone.RAW, contract.dataset)

    @dg.multi_asset(
        name=f"raw__{contract.dataset}",
        specs=[asset_spec(Zone.RAW, contract, partitions)],
        # In the step itself: a step of their own would cost every run its overhead.
        check_specs=[gate_spec(gate, key, contract, partitions) for gate in gates_of(contract, RAW_GATES)],
    )
    def raw(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
        prices: dg.ResourceParam[Prices],
        failures: dg.ResourceParam[Failures],
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        noticed = sweep_partition(contract, context.partition_key, store, ledger, clock.now())
        if noticed is None:
            yield from nothing_landed(contract, context.partition_key, key)
            raise _nothing_landed(contract, context.partition_key)
        manifest = noticed.manifest
        purse = Purse(contract, ledger, clock, prices, context.instance, context.run)
        chronicle = Chronicle(contract.dataset, context.partition_key, context.run.run_id, ledger, clock, failures)
        judgement = judge_raw_gates(purse, chronicle, store, manifest, _version(contract, noticed))
        yield dg.MaterializeResult(
            data_version=dg.DataVersion(manifest.fingerprint),
            metadata={
                "objects": len(manifest.objects),
                "bytes": manifest.size_bytes,
                "sequence": str(noticed.sequence),
            },
        )
        yield from judgement.check_results(key)

    return raw


def processed_assets(contract: Contract, partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Return the one step that turns a partition's files into staged Parquet and quarantined records."""
    raw_key = asset_key(Zone.RAW, contract.dataset)

    @dg.multi_asset(
        name=f"processed__{contract.dataset}",
        specs=[asset_spec(zone, contract, partitions, deps=[raw_key]) for zone in (Zone.PROCESSED, Zone.QUARANTINE)],
    )
    def processed(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
        prices: dg.ResourceParam[Prices],
        settings: dg.ResourceParam[Settings],
        failures: dg.ResourceParam[Failures],
    ) -> Iterator[dg.MaterializeResult[None]]:
        from pipeline_assets.staging import build_partition  # loads pyarrow and pandas: steps need them, sensors do not

        partition, run_id = context.partition_key, context.run.run_id
        noticed = _notice(contract, partition, store, ledger, clock)
        version = _version(contract, noticed)
        purse = Purse(contract, ledger, clock, prices, context.instance, context.run)
        chronicle = Chronicle(contract.dataset, partition, run_id, ledger, clock, failures)
        require_raw_gates(purse, chronicle, store, noticed.manifest, version)
        with (
            chronicle.attempt_at(version) as attempt,
            purse.spending(partition) as bill,
        ):
            outcome = build_partition(
                contract=contract,
                manifest=noticed.manifest,
                store=store,
                scratch=settings.scratch,
                run_id=run_id,
                clock=clock,
                earlier=_fetch_published(contract, partition, ledger),
            )
            bill.outcome = outcome
        numbers = {**built_numbers(outcome), **bill.numbers, "attempt": attempt.number}
        yield staged_result(contract, Staged(version, noticed.sequence), numbers)
        yield quarantine_report(outcome, store)

    return processed


def _fetch_published(contract: Contract, partition: str, ledger: Ledger) -> Outcome | None:
    published = ledger.published(contract.dataset, partition)
    return published.outcome if published else None


def _notice(contract: Contract, partition: str, store: Store, ledger: Ledger, clock: Clock) -> Noticed:
    noticed = sweep_partition(contract, partition, store, ledger, clock.now())
    if noticed is None:
        raise _nothing_landed(contract, partition)
    return noticed


def _nothing_landed(contract: Contract, partition: str) -> RawPartitionEmpty:
    pattern = contract.source.pattern if contract.source else ""
    return RawPartitionEmpty(dataset=contract.dataset, partition=partition, pattern=pattern)


def _version(contract: Contract, noticed: Noticed) -> Version:
    return Version(noticed.manifest.fingerprint, contract.fingerprint, CODE_VERSION)
