"""The last step of every dataset: make the staged partition visible in its table, and write down that it is."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key, asset_spec
from pipeline_assets.automation import together_with_upstream
from pipeline_assets.breakers import require_closed_breakers
from pipeline_assets.column_schema import same_columns_of
from pipeline_assets.drift_notes import stays_open
from pipeline_assets.incidents import resolved_by
from pipeline_assets.on_time import not_yet_result, on_time_result, on_time_spec
from pipeline_assets.ports import (
    Clock,
    ExpectationEngine,
    Failures,
    Ledger,
    Prices,
    Publication,
    Settings,
    Store,
    Tables,
)
from pipeline_assets.staged import Staged, fetch_staged
from pipeline_assets.staged_gates import StagedJudging
from pipeline_assets.work import Reported, Work
from sluice.contract import Contract
from sluice.history import Published
from sluice.outcome import Outcome
from sluice.publishing import Effect

if TYPE_CHECKING:
    from pipeline_assets.evidence import Witnesses  # heavy, see landed.py


def table_asset(
    contract: Contract, contracts: Mapping[str, Contract], partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    spec = asset_spec(
        Zone.TABLES,
        contract,
        partitions,
        deps=[asset_key(Zone.PROCESSED, contract.dataset)],
        automation=together_with_upstream() if contract.transform_sql else None,
    )

    on_time = [on_time_spec(spec.key, partitions)] if contract.freshness else []

    @dg.multi_asset(name=f"tables__{contract.dataset}", specs=[spec], check_specs=on_time)
    def table(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        tables: dg.ResourceParam[Tables],
        clock: dg.ResourceParam[Clock],
        prices: dg.ResourceParam[Prices],
        settings: dg.ResourceParam[Settings],
        expectation_engine: dg.ResourceParam[ExpectationEngine],
        failures: dg.ResourceParam[Failures],
    ) -> Iterator[Reported]:
        from pipeline_assets.evidence import Witnesses  # heavy, see landed.py

        work = Work(contract, contracts, context.partition_key, context.run, context.instance, ledger, clock, failures)
        witnesses = Witnesses(store, ledger, tables, clock, prices, settings, expectation_engine)
        staged = fetch_staged(context.instance, contract, work.partition, context.run.run_id)
        yield from publish_staged(work, staged, witnesses)

    return table


def publish_staged(
    work: Work, staged: Staged, witnesses: "Witnesses", outcome: Outcome | None = None
) -> Generator[Reported, None, Publication]:
    """Do the work of the step, and yield what it reports; the `outcome` is read from the store if it is not given."""
    from pipeline_assets.staging import fetch_outcome  # heavy, see landed.py

    contract, partition, chronicle = work.contract, work.partition, work.chronicle
    ledger, clock, tables = work.ledger, work.clock, witnesses.tables
    require_closed_breakers(work.contracts, chronicle, staged.version)
    with chronicle.attempt_at(staged.version) as attempt:
        outcome = outcome or fetch_outcome(witnesses.store, contract.dataset, partition, staged.version)
        StagedJudging(contract, witnesses, chronicle).require(outcome, work.run.run_id)
        publication = tables.publish(contract, outcome, staged.sequence)
        if publication.held.version == outcome.version:
            # The record of the publication comes last: until it is there, the partition is tried again.
            if outcome.stand_in is None:  # limits are learned from own data alone
                metrics = witnesses.fetch_profile(contract, outcome).metrics
                ledger.record_metrics(contract.dataset, partition, metrics)
                chronicle.reconcile()
            else:
                chronicle.note_stand_in(outcome)
            ledger.conclude(contract.dataset, partition, str(outcome.version))
        _record(outcome, publication, ledger, clock)
        if publication.effect is Effect.REWOUND or outcome.stand_in is not None:
            ledger.end(attempt, clock.now(), None)  # the partition is not right yet: its incident stays open
        else:
            by = resolved_by(outcome, ledger.acceptances(contract.dataset))
            chronicle.succeed(attempt, by, keep=stays_open(contract, ledger, partition))
    yield _report(contract, outcome, publication, _files(outcome, publication, witnesses))
    if contract.freshness:
        key = asset_key(Zone.TABLES, contract.dataset)
        first = ledger.first_published(contract.dataset).get(partition)
        if first is None and outcome.stand_in is not None:
            yield not_yet_result(contract.freshness, key, partition, clock.now())
        else:
            yield on_time_result(contract.freshness, key, partition, first or clock.now())
    return publication


def _record(outcome: Outcome, publication: Publication, ledger: Ledger, clock: Clock) -> None:
    """Write down what the table holds; after a crash behind the commit this is where the ledger catches up."""
    if publication.held.version != outcome.version:
        return  # superseded, or taken back: whoever changed the table records it
    before = ledger.published(outcome.dataset, outcome.partition)
    if before is None or before.outcome.version != outcome.version:
        published = Published(outcome, publication.held.snapshot_id, clock.now())
        if outcome.stand_in is None:
            ledger.record(published)
        else:
            ledger.record_stand_in(published)


def _files(outcome: Outcome, publication: Publication, witnesses: "Witnesses") -> Sequence[str]:
    """Return what the table shows; a commit of this outcome shows its files, and the table need not be read again."""
    if publication.effect is Effect.COMMITTED:
        return [witnesses.store.uri(file.key) for file in outcome.files if file.records]
    return witnesses.tables.files(outcome.dataset, outcome.partition)


def _report(
    contract: Contract, outcome: Outcome, publication: Publication, files: Sequence[str]
) -> dg.MaterializeResult[None]:
    processed = asset_key(Zone.PROCESSED, contract.dataset)
    return dg.MaterializeResult(
        asset_key=asset_key(Zone.TABLES, contract.dataset),
        data_version=dg.DataVersion(str(publication.held.version)),
        metadata={
            "effect": str(publication.effect),
            **({"stand_in": publication.held.stand_in} if publication.held.stand_in else {}),
            "rows": outcome.published,
            "dagster/partition_row_count": outcome.published,
            "bytes": outcome.bytes_out,
            "snapshot": str(publication.held.snapshot_id),  # too long for a number in a browser
            "files": dg.MetadataValue.md("\n".join(f"- `{file}`" for file in files)),
            "dagster/column_lineage": same_columns_of(processed, contract),
        },
    )
