"""A landed dataset's assets up to what is staged: raw, processed and quarantine."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key, asset_spec
from pipeline_assets.build_report import built_numbers, drift_report, quarantine_report
from pipeline_assets.check_report import gate_spec
from pipeline_assets.drift_notes import note_drift
from pipeline_assets.ports import Clock, Engine, Failures, Ledger, Prices, Settings, Sources, Store
from pipeline_assets.pull import Puller, require_whole_pull
from pipeline_assets.raw_gates import judge_raw_gates, nothing_landed, require_raw_gates
from pipeline_assets.staged import Staged, staged_result
from pipeline_assets.work import Reported, Work
from sluice.arrivals import Noticed, sweep_partition
from sluice.contract import CODE_VERSION, Contract, DriftPolicy
from sluice.errors import RawPartitionEmpty
from sluice.gates import RAW_GATES
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.judged import Judged
from sluice.judging import closed, gates_of
from sluice.outcome import Outcome
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from sluice.duckdb_sessions import Connect  # loads duckdb


def raw_asset(
    contract: Contract, contracts: Mapping[str, Contract], partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
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
        settings: dg.ResourceParam[Settings],
        sources: dg.ResourceParam[Sources],
    ) -> Iterator[Reported]:
        partition, instance = context.partition_key, context.instance
        work = Work(contract, contracts, partition, context.run, instance, ledger, clock, failures)
        yield from notice_raw(work, store, prices, settings, sources)

    return raw


@dataclass(frozen=True, slots=True)
class Landed:
    """What is there of a partition, and the gates that keep it from being transformed."""

    noticed: Noticed
    version: Version
    stopped_by: tuple[Judged, ...]


def notice_raw(
    work: Work, store: Store, prices: Prices, settings: Settings, sources: Sources
) -> Generator[Reported, None, Landed]:
    """Do the work of the raw step, and yield what it reports; raises RawPartitionEmpty."""
    contract, chronicle = work.contract, work.chronicle
    key = asset_key(Zone.RAW, contract.dataset)
    with chronicle.preparing(work.meant):
        if contract.source and contract.source.pull:
            asked = work.run.asset_selection
            goes_on = asked is None or asset_key(Zone.PROCESSED, contract.dataset) in asked
            puller = Puller(work.contracts, chronicle, store, sources, settings.scratch, goes_on)
            noticed = puller.notice(work.run)
        else:
            noticed = sweep_partition(contract, work.partition, store, work.ledger, work.clock.now())
    if noticed is None:
        yield from nothing_landed(contract, work.partition, key)
        raise _nothing_landed(contract, work.partition)
    manifest = noticed.manifest
    version = _version(contract, noticed)
    with chronicle.preparing(lambda: version.fingerprint):
        purse = work.purse(prices)
        judgement = judge_raw_gates(purse, chronicle, store, manifest, version, contracts=work.contracts)
    yield dg.MaterializeResult(
        asset_key=key,
        data_version=dg.DataVersion(manifest.fingerprint),
        metadata={
            "objects": len(manifest.objects),
            "bytes": manifest.size_bytes,
            "sequence": str(noticed.sequence),
        },
    )
    yield from judgement.check_results(key)
    for item in judgement.stopped_by:
        if item.gate == BREAKER_IS_CLOSED.name:  # the others were not judged, which Dagster would call an error
            raise closed(item, (BREAKER_IS_CLOSED,))
    return Landed(noticed, version, judgement.stopped_by)


def processed_assets(
    contract: Contract, contracts: Mapping[str, Contract], partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
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
        engine: dg.ResourceParam[Engine],
    ) -> Iterator[Reported]:
        partition, instance = context.partition_key, context.instance
        work = Work(
            contract, contracts, partition, context.run, instance, ledger, clock, failures, context.op_execution_context
        )
        with work.chronicle.preparing(work.meant):
            noticed = _notice(contract, partition, store, ledger, clock)
            manifest, version = noticed.manifest, _version(contract, noticed)
            require_raw_gates(work.purse(prices), work.chronicle, store, manifest, version, contracts=contracts)
        yield from stage_landed(work, noticed, store, prices, settings, engine)

    return processed


def stage_landed(
    work: Work,
    noticed: Noticed,
    store: Store,
    prices: Prices,
    settings: Settings,
    engine: Engine,
    connect: "Connect | None" = None,
) -> Generator[Reported, None, Outcome]:
    """Do the work of the processed step on what the gates let through, and yield what it reports.

    Without `connect` the transform opens a database of its own.
    """
    from pipeline_assets.staging import build_partition  # loads pyarrow and pandas: steps need them, sensors do not
    from sluice import duckdb_sessions

    contract, version = work.contract, _version(work.contract, noticed)
    with (
        work.chronicle.attempt_at(version) as attempt,
        work.purse(prices).spending(work.partition) as bill,
    ):
        outcome = build_partition(
            contract=contract,
            manifest=noticed.manifest,
            store=store,
            scratch=settings.scratch,
            run_id=work.run.run_id,
            clock=work.clock,
            earlier=_fetch_published(contract, work.partition, work.ledger),
            connect=connect or duckdb_sessions.connect,
            spark=_spark(work, engine, noticed.manifest.size_bytes),
        )
        bill.outcome = outcome
        note_drift(contract, outcome, attempt, work.ledger, work.clock)
    numbers = {**built_numbers(outcome), **bill.numbers, "attempt": attempt.number, **drift_report(outcome)}
    if contract.drift is DriftPolicy.EVOLVE and outcome.drifted:
        from pipeline_assets.proposals import propose_from_run  # heavy, too

        numbers["proposal"] = propose_from_run(contract, noticed.manifest, outcome, store, settings.proposals)
    yield staged_result(contract, Staged(version, noticed.sequence), numbers)
    yield quarantine_report(outcome, store)
    return outcome


def _spark(work: Work, engine: Engine, bytes_in: int) -> "Callable[[str], None] | None":
    """Return what runs a job, if Spark is to build so many bytes."""
    if work.context is None or not work.contract.engine.is_spark(bytes_in):
        return None
    return partial(engine.run, work.context)


def _fetch_published(contract: Contract, partition: str, ledger: Ledger) -> Outcome | None:
    published = ledger.published(contract.dataset, partition)
    return published.outcome if published else None


def _notice(contract: Contract, partition: str, store: Store, ledger: Ledger, clock: Clock) -> Noticed:
    noticed = sweep_partition(contract, partition, store, ledger, clock.now())
    if noticed is None:
        raise _nothing_landed(contract, partition)
    require_whole_pull(store, noticed.manifest)
    return noticed


def _nothing_landed(contract: Contract, partition: str) -> RawPartitionEmpty:
    pattern = contract.source.pattern if contract.source else ""
    return RawPartitionEmpty(dataset=contract.dataset, partition=partition, pattern=pattern)


def _version(contract: Contract, noticed: Noticed) -> Version:
    return Version(noticed.manifest.fingerprint, contract.fingerprint, CODE_VERSION)
