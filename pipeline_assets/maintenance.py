"""Maintenance as Dagster shows it: an asset per dataset, a job over all of them, a schedule."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Callable, Iterator, Mapping, Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipeline_assets.asset_specs import Zone, asset_key
from pipeline_assets.assets import job_name
from pipeline_assets.ports import Clock, Ledger, Settings, SweptStore, Upkeep
from pipeline_assets.redrive import build_as_run
from sluice.contract import Contract
from sluice.maintenance.report import Report, tell

JOB_NAME = "maintenance"
TAGS: Mapping[str, str] = {"sluice/purpose": "maintenance"}

JobOf = Callable[[str], dg.JobDefinition]


def maintenance_assets(contracts: Mapping[str, Contract], job_of: JobOf) -> tuple[dg.AssetsDefinition, ...]:
    """Return the assets; `job_of` gives the job that builds a dataset, with its resources, when one has to be."""
    return tuple(_asset(contract, contracts, job_of) for contract in contracts.values())


def maintenance_job(assets: Sequence[dg.AssetsDefinition]) -> UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        JOB_NAME,
        selection=dg.AssetSelection.assets(*assets),
        description="Compacts tables, forgets old snapshots, removes files that nothing refers to, mends lost ones.",
        tags=TAGS,
    )


def maintenance_schedule(job: UnresolvedAssetJobDefinition, cron: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name="maintenance",
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _asset(contract: Contract, contracts: Mapping[str, Contract], job_of: JobOf) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        key=dg.AssetKey(["maintenance", contract.dataset]),
        deps=[asset_key(Zone.TABLES, contract.dataset)],
        group_name="maintenance",
        kinds={"iceberg"},
        tags={"sluice/dataset": contract.dataset},
        description=f"Keeps the table `{contract.dataset}` small and whole; changes no row of it.",
    )

    @dg.multi_asset(name=f"maintenance__{contract.dataset}", specs=[spec])
    def maintenance(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[SweptStore],
        ledger: dg.ResourceParam[Ledger],
        upkeep: dg.ResourceParam[Upkeep],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.MaterializeResult[None]]:
        from pipeline_assets.maintaining import Maintenance  # loads pydantic models and more; sensors do not need it

        def rebuild(partitions: Sequence[str]) -> None:
            job = job_of(job_name(contract.dataset))
            for partition in partitions:
                build_as_run(context, job, contract.dataset, partition, TAGS)

        doing = Maintenance(store, ledger, upkeep, clock, settings.scratch)
        report = doing.perform(contract, rebuild)
        left = doing.clear_workspaces(max(item.maintenance.grace for item in contracts.values()))
        for line in tell(report):
            context.log.info(line)
        yield dg.MaterializeResult(metadata={**_numbers(report), "workspaces removed": left})
        if not report.is_whole:
            raise dg.Failure("\n".join(tell(report)), allow_retries=False)

    return maintenance


def _numbers(report: Report) -> Mapping[str, int | str]:
    return {
        "files": report.files,
        "small files compacted": report.merged_files,
        "bytes before compaction": report.merged_bytes,
        "files from compaction": report.compacted_files,
        "bytes from compaction": report.compacted_bytes,
        "snapshots forgotten": report.snapshots_expired,
        "snapshots": report.snapshots_kept,
        "metadata bytes before": report.metadata_bytes_before,
        "metadata bytes": report.metadata_bytes,
        "staged versions withdrawn": report.versions_withdrawn,
        "orphans removed": report.files_removed,
        "bytes removed": report.bytes_removed,
        "orphans in their grace": report.files_condemned,
        "partitions built anew": ", ".join(report.rebuilt),
        "partitions lost": ", ".join(report.lost),
    }
