"""A landed dataset's assets up to what is staged: raw, processed and quarantine."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Iterator

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key, asset_spec
from pipeline_assets.attempts import attempt_at
from pipeline_assets.build_report import built_numbers, quarantine_report
from pipeline_assets.ports import Clock, Ledger, Settings, Store
from pipeline_assets.staged import Staged, staged_result
from sluice.arrivals import Noticed, sweep_partition
from sluice.contract import CODE_VERSION, Contract
from sluice.errors import RawPartitionEmpty
from sluice.version import Version


def raw_asset(contract: Contract, partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset that stands for the partition's files; its data version is the manifest's fingerprint."""

    @dg.multi_asset(name=f"raw__{contract.dataset}", specs=[asset_spec(Zone.RAW, contract, partitions)])
    def raw(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> dg.MaterializeResult[None]:
        noticed = _notice(contract, context.partition_key, store, ledger, clock)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(noticed.manifest.fingerprint),
            metadata={
                "objects": len(noticed.manifest.objects),
                "bytes": noticed.manifest.size_bytes,
                "sequence": str(noticed.sequence),
            },
        )

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
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.MaterializeResult[None]]:
        from pipeline_assets.staging import build_partition  # loads pyarrow and pandas: steps need them, sensors do not

        noticed = _notice(contract, context.partition_key, store, ledger, clock)
        version = Version(noticed.manifest.fingerprint, contract.fingerprint, CODE_VERSION)
        with attempt_at(contract.dataset, context.partition_key, version, context.run.run_id, ledger, clock) as attempt:
            outcome = build_partition(
                contract=contract,
                manifest=noticed.manifest,
                store=store,
                scratch=settings.scratch,
                run_id=context.run.run_id,
                clock=clock,
            )
        numbers = built_numbers(outcome) | {"attempt": attempt.number}
        yield staged_result(contract, Staged(version, noticed.sequence), numbers)
        yield quarantine_report(outcome, store)

    return processed


def _notice(contract: Contract, partition: str, store: Store, ledger: Ledger, clock: Clock) -> Noticed:
    noticed = sweep_partition(contract, partition, store, ledger, clock.now())
    if noticed is None:
        pattern = contract.source.pattern if contract.source else ""
        raise RawPartitionEmpty(dataset=contract.dataset, partition=partition, pattern=pattern)
    return noticed
