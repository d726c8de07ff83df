"""Which partitions a redrive builds again, and a Dagster job that does it."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import dagster as dg

from pipeline_assets.assets import job_name
from pipeline_assets.ports import Clock, Ledger, Store
from sluice.arrivals import sweep_partition
from sluice.contract import CODE_VERSION, Contract
from sluice.errors import RedriveRefused, did_you_mean
from sluice.manifest import Manifest
from sluice.outcome import Outcome
from sluice.redriving import candidates
from sluice.version import Version

TAGS: Mapping[str, str] = {"sluice/purpose": "redrive"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A published partition with records in quarantine; `is_due` if it was judged by another contract than today's."""

    earlier: Outcome
    manifest: Manifest
    is_due: bool


def fetch_candidates(
    contract: Contract, store: Store, ledger: Ledger, clock: Clock, *, date: str | None, reason: str | None
) -> tuple[Candidate, ...]:
    """Raises RedriveRefused for a derived dataset: its rows are made anew when its inputs change."""
    if contract.source is None:
        raise RedriveRefused(
            problem=f"{contract.dataset} is derived: its rows are made from tables, not from files",
            cure="Redrive its inputs, or correct its transform.sql, which builds it anew.",
        )
    outcomes = (item.outcome for item in ledger.all_published(contract.dataset))
    found = candidates(outcomes, partition=date, reason=reason)
    return tuple(_candidate(contract, outcome, store, ledger, clock) for outcome in found)


def _candidate(contract: Contract, earlier: Outcome, store: Store, ledger: Ledger, clock: Clock) -> Candidate:
    noticed = sweep_partition(contract, earlier.partition, store, ledger, clock.now())
    if noticed is None:
        raise RedriveRefused(
            problem=f"the files of {contract.dataset} {earlier.partition} are gone from the raw zone",
            cure="Put them back; what is published stays as it is.",
        )
    wanted = Version(noticed.manifest.fingerprint, contract.fingerprint, CODE_VERSION)
    return Candidate(earlier, noticed.manifest, wanted != earlier.version)


class RedriveConfig(dg.Config):
    """What the launchpad asks for."""

    dataset: str
    date: str | None = None
    reason: str | None = None


def redrive_job(contracts: Mapping[str, Contract], job_of: Callable[[str], dg.JobDefinition]) -> dg.JobDefinition:
    """Return the job that puts quarantined records through today's contract again, partition by partition.

    `job_of` gives the job that builds a dataset, with its resources; it is asked when the job runs.
    """

    @dg.op(name="redrive_records", required_resource_keys={"store", "ledger", "clock"})
    def redrive(context: dg.OpExecutionContext, config: RedriveConfig) -> None:
        contract = contracts.get(config.dataset)
        if contract is None:
            raise RedriveRefused(
                problem=f'"{config.dataset}" is no dataset', cure=did_you_mean(config.dataset, contracts)
            )
        ports = context.resources.store, context.resources.ledger, context.resources.clock
        due = [
            item.earlier.partition
            for item in fetch_candidates(contract, *ports, date=config.date, reason=config.reason)
            if item.is_due
        ]
        job = job_of(job_name(contract.dataset))
        failed = [partition for partition in due if not build_as_run(context, job, contract.dataset, partition, TAGS)]
        context.add_output_metadata({"partitions": len(due), "failed": ", ".join(failed)})
        if failed:
            raise dg.Failure(f"{contract.dataset}: {len(failed)} of {len(due)} partitions failed: {', '.join(failed)}")

    @dg.job(
        name="redrive",
        description="Puts quarantined records through today's contract again; what passes is published.",
        tags={"sluice/purpose": "redrive"},
    )
    def redriving() -> None:
        redrive()

    return redriving


def build_as_run(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    job: dg.JobDefinition,
    dataset: str,
    partition: str,
    tags: Mapping[str, str],
) -> bool:
    """Build it as a run of its own, in this process: its checks, incidents and costs are those of every build."""
    tags = {"sluice/dataset": dataset, **tags, "sluice/asked_by": context.run.run_id}
    return job.execute_in_process(
        instance=context.instance, partition_key=partition, tags=tags, raise_on_error=False
    ).success
