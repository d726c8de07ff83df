"""A derived dataset's first step: its transform.sql over published tables; its rows pass the same checks as files."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Generator, Iterator, Mapping

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key, asset_spec
from pipeline_assets.automation import derived_from_tables
from pipeline_assets.build_report import built_numbers, quarantine_report
from pipeline_assets.check_report import gate_spec
from pipeline_assets.column_schema import lineage_of
from pipeline_assets.ports import Clock, Failures, Ledger, Prices, Settings, Store, Tables
from pipeline_assets.raw_gates import judge_raw_gates
from pipeline_assets.staged import Staged, staged_result
from pipeline_assets.work import Reported, Work
from sluice.contract import CODE_VERSION, Contract
from sluice.derivation import column_inputs, derived_manifest, inputs_of
from sluice.errors import InputNotPublished
from sluice.gates import RAW_GATES
from sluice.judging import closed, gates_of
from sluice.outcome import Outcome
from sluice.publishing import Held
from sluice.stand_in import of_inputs
from sluice.version import Version


def derived_assets(
    contract: Contract, contracts: Mapping[str, Contract], partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    inputs = inputs_of(contract, contracts)
    processed, gates = asset_key(Zone.PROCESSED, contract.dataset), gates_of(contract, RAW_GATES)
    tables_read = [asset_key(Zone.TABLES, name) for name in inputs]

    @dg.multi_asset(
        name=f"processed__{contract.dataset}",
        specs=[
            asset_spec(zone, contract, partitions, deps=tables_read, automation=derived_from_tables())
            for zone in (Zone.PROCESSED, Zone.QUARANTINE)
        ],
        check_specs=[gate_spec(gate, processed, contract, partitions) for gate in gates],
    )
    def derived(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        tables: dg.ResourceParam[Tables],
        clock: dg.ResourceParam[Clock],
        prices: dg.ResourceParam[Prices],
        settings: dg.ResourceParam[Settings],
        failures: dg.ResourceParam[Failures],
    ) -> Iterator[Reported]:
        work = Work(contract, contracts, context.partition_key, context.run, context.instance, ledger, clock, failures)
        yield from stage_derived(work, store, tables, prices, settings)

    return derived


def stage_derived(
    work: Work, store: Store, tables: Tables, prices: Prices, settings: Settings
) -> Generator[Reported, None, tuple[Staged, Outcome]]:
    """Do the work of the step, and yield what it reports; raises InputNotPublished and GateClosed."""
    from pipeline_assets.staging import build_derived  # heavy, see landed.py

    contract, contracts, partition, ledger = work.contract, work.contracts, work.partition, work.ledger
    inputs = inputs_of(contract, contracts)
    chronicle, purse = work.chronicle, work.purse(prices)
    with chronicle.preparing(work.meant):
        held = {name: _fetch_held(contract, name, partition, tables) for name in inputs}
        versions = {name: item.version for name, item in held.items()}
        manifest = derived_manifest(contract.dataset, partition, versions)
        version = Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION)
        size = sum(_fetch_size(name, partition, ledger) for name in inputs)
        judgement = judge_raw_gates(purse, chronicle, store, manifest, version, contracts=contracts, bytes_in=size)
    yield from judgement.check_results(asset_key(Zone.PROCESSED, contract.dataset))
    for item in judgement.stopped_by[:1]:
        raise closed(item, gates_of(contract, RAW_GATES))
    with (
        chronicle.attempt_at(version) as attempt,
        purse.spending(partition) as bill,
    ):
        outcome = build_derived(
            contract=contract,
            manifest=manifest,
            inputs={name: (contracts[name], tables.files(name, partition)) for name in inputs},
            store=store,
            scratch=settings.scratch,
            run_id=work.run.run_id,
            clock=work.clock,
            stand_in=of_inputs({name: item.stand_in for name, item in held.items()}),
        )
        bill.outcome = outcome
    metadata = {
        **built_numbers(outcome),
        **bill.numbers,
        "attempt": attempt.number,
        "dagster/column_lineage": _column_lineage(contract, contracts),
    }
    staged = Staged(version, _sequence(held))
    yield staged_result(contract, staged, metadata)
    yield quarantine_report(outcome, store)
    return staged, outcome


def _fetch_held(contract: Contract, name: str, partition: str, tables: Tables) -> Held:
    held = tables.held(name, partition)
    if held is None:
        raise InputNotPublished(dataset=contract.dataset, partition=partition, missing=name)
    return held


def _sequence(held: Mapping[str, Held]) -> int:
    """Sequences grow over all datasets, so any newer input makes a larger maximum.

    What is made of a stand-in gets the stand-in's own, which is below all others: it never replaces own data.
    """
    stand_ins = [item.sequence for item in held.values() if item.stand_in is not None]
    return min(stand_ins) if stand_ins else max(item.sequence for item in held.values())


def _fetch_size(name: str, partition: str, ledger: Ledger) -> int:
    published = ledger.published(name, partition)
    return published.outcome.bytes_out if published else 0


def _column_lineage(contract: Contract, contracts: Mapping[str, Contract]) -> dg.TableColumnLineage:
    return lineage_of(
        {
            column: [(asset_key(Zone.TABLES, dataset), name) for dataset, name in sources]
            for column, sources in column_inputs(contract, contracts).items()
        }
    )
