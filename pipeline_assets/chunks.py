"""The job that builds many partitions of a dataset in one run, one after the other, each as in a run of its own."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.chunk_events import Reporter
from pipeline_assets.derived import stage_derived
from pipeline_assets.landed import notice_raw, stage_landed
from pipeline_assets.ports import (
    Clock,
    Engine,
    ExpectationEngine,
    Failures,
    Ledger,
    Prices,
    Settings,
    Sources,
    Store,
    Tables,
)
from pipeline_assets.staged import Staged
from pipeline_assets.staged_gates import StagedJudging
from pipeline_assets.tables import publish_staged
from pipeline_assets.work import Work
from sluice.backfill.chunk import CHUNK_TAG, PLAN_TAG, read_chunk
from sluice.backfill.progress import Stage
from sluice.contract import CODE_VERSION, Contract
from sluice.derivation import derived_manifest, inputs_of
from sluice.errors import BackfillRefused
from sluice.gates import RAW_GATES, STAGED_GATES
from sluice.judging import closed, gates_of
from sluice.outcome import Outcome
from sluice.version import Version
from sluice.wording import counted

if TYPE_CHECKING:
    from pipeline_assets.evidence import Witnesses  # heavy, see landed.py

_SHOWN = 5
_CURE = f"Leave it to the sensor backfills, or launch it with the tag {CHUNK_TAG}, like 2026-11-01..2026-11-30."


def chunk_job_name(dataset: str) -> str:
    return f"chunk_{dataset}"


def chunk_job(contract: Contract, contracts: Mapping[str, Contract], ports: Mapping[str, object]) -> dg.JobDefinition:
    """Return the job; its run's tag `sluice/chunk` says which partitions. Doing it again builds what is missing.

    It is given its `ports` here: Dagster would copy a sensor that asks for a job without, and warn of its own copy.
    """

    @dg.op(name=f"build_chunk__{contract.dataset}")
    def build_chunk(  # noqa: PLR0913, PLR0917  one port each
        context: dg.OpExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        tables: dg.ResourceParam[Tables],
        clock: dg.ResourceParam[Clock],
        prices: dg.ResourceParam[Prices],
        settings: dg.ResourceParam[Settings],
        failures: dg.ResourceParam[Failures],
        sources: dg.ResourceParam[Sources],
        expectation_engine: dg.ResourceParam[ExpectationEngine],
        engine: dg.ResourceParam[Engine],
    ) -> None:
        from pipeline_assets.evidence import Witnesses  # heavy, see landed.py
        from sluice.duckdb_sessions import SharedDatabase

        partitions, inputs = _partitions(context.run.tags), inputs_of(contract, contracts)
        settings.scratch.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(dir=settings.scratch, prefix="chunk-") as workspace,
            SharedDatabase(Path(workspace)) as database,
        ):
            witnesses = Witnesses(
                store, ledger, tables, clock, prices, settings, expectation_engine, connect=database.connect
            )
            chunk = _Chunk(context, contract, contracts, witnesses, failures, sources, engine, inputs)
            chunk.build(partitions)
        chunk.report(partitions)

    @dg.job(
        name=chunk_job_name(contract.dataset),
        description=f"Builds many partitions of {contract.dataset} in one run; a bad one leaves the others alone.",
        tags={"sluice/dataset": contract.dataset},
        resource_defs=ports,
    )
    def job() -> None:
        build_chunk()

    return job


def _partitions(tags: Mapping[str, str]) -> tuple[str, ...]:
    try:
        partitions = read_chunk(tags.get(CHUNK_TAG, ""))
    except ValueError as error:
        problem = f'the tag {CHUNK_TAG} of this run is "{tags[CHUNK_TAG]}", which names no dates'
        raise BackfillRefused(problem=problem, cure=_CURE) from error
    if not partitions:
        raise BackfillRefused(problem=f"this run has no tag {CHUNK_TAG} that says what to build", cure=_CURE)
    return partitions


@dataclass(frozen=True, slots=True)
class _Chunk:
    context: dg.OpExecutionContext
    contract: Contract
    contracts: Mapping[str, Contract]
    witnesses: "Witnesses"
    failures: Failures
    sources: Sources
    engine: Engine
    inputs: tuple[str, ...]
    built: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def build(self, partitions: Sequence[str]) -> None:
        for partition in partitions:
            if self._is_paused():
                self.context.log.info("The backfill is paused; the partitions from %s on are left.", partition)
                return
            if (why := self._why_not(partition)) is not None:
                self.context.log.info("%s is left alone: %s.", partition, why)
                continue
            try:
                self._build_one(partition)
            except Exception as error:  # it is on record; its neighbours can do nothing for it
                self.failed[partition] = str(error) or type(error).__name__
                self.context.log.exception("%s %s failed.", self.contract.dataset, partition)
            else:
                self.built.append(partition)

    def report(self, partitions: Sequence[str]) -> None:
        """Raise dg.Failure if a partition failed: Dagster shows those without a result as failed only with the run."""
        left = len(partitions) - len(self.built) - len(self.failed)
        self.context.add_output_metadata({"built": len(self.built), "failed": len(self.failed), "left alone": left})
        if self.failed:
            first = "; ".join(f"{day}: {why}" for day, why in list(self.failed.items())[:_SHOWN])
            more = f"; and {len(self.failed) - _SHOWN:,} more" if len(self.failed) > _SHOWN else ""
            raise dg.Failure(
                f"{self.contract.dataset}: {len(self.failed):,} of {counted(len(partitions), 'partition')} failed,"
                f" {len(self.built):,} were built. {first}{more}",
                metadata={day: dg.MetadataValue.text(why) for day, why in self.failed.items()},
                allow_retries=False,  # the sensor `retries` does it, partition by partition
            )

    def _is_paused(self) -> bool:
        plan_id = self.context.run.tags.get(PLAN_TAG)
        return plan_id is not None and self.witnesses.ledger.stage_of_backfill(plan_id) is Stage.PAUSED

    def _why_not(self, partition: str) -> str | None:
        """Say why there is nothing to do: what an earlier chunk has published, it has published for this one, too."""
        ledger, place = self.witnesses.ledger, (self.contract.dataset, partition)
        published = ledger.published(*place)
        if published is not None and published.outcome.version == self._wanted(partition):
            return "it is published"
        last = ledger.last_attempt(*place)
        if last is not None and last.ended_at is None and last.run_id != self.context.run_id:
            run = self.context.instance.get_run_by_id(last.run_id)
            if run is not None and not run.is_finished:
                return f"run {last.run_id} is at work on it"
        return None

    def _wanted(self, partition: str) -> Version | None:
        """Return the version that files or inputs ask for, as far as they have been noticed."""
        ledger, contract = self.witnesses.ledger, self.contract
        if contract.source:
            noticed = ledger.latest(contract.dataset, partition)
            manifest = noticed.manifest if noticed else None
        else:
            held = {name: item for name in self.inputs if (item := ledger.published(name, partition))}
            versions = {name: item.outcome.version for name, item in held.items()}
            whole = len(versions) == len(self.inputs)
            manifest = derived_manifest(contract.dataset, partition, versions) if whole else None
        return Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION) if manifest else None

    def _build_one(self, partition: str) -> None:
        witnesses, context = self.witnesses, self.context
        work = Work(
            self.contract,
            self.contracts,
            partition,
            context.run,
            context.instance,
            witnesses.ledger,
            witnesses.clock,
            self.failures,
            context,
        )
        reporter = Reporter(context, self.contract, partition, self.inputs)
        reporter.plan()
        try:
            staged, outcome = self._stage(work, reporter)
            self._judge(work, outcome, reporter)
            reporter.flush()  # before anything becomes visible, as with steps
            reporter.take(publish_staged(work, staged, witnesses, outcome))
        finally:
            reporter.flush()

    def _stage(self, work: Work, reporter: Reporter) -> tuple[Staged, Outcome]:
        ports = self.witnesses
        if not self.contract.source:
            return reporter.take(stage_derived(work, ports.store, ports.tables, ports.prices, ports.settings))
        landed = reporter.take(notice_raw(work, ports.store, ports.prices, ports.settings, self.sources))
        for item in landed.stopped_by[:1]:
            raise closed(item, gates_of(self.contract, RAW_GATES))
        outcome = reporter.take(
            stage_landed(work, landed.noticed, ports.store, ports.prices, ports.settings, self.engine, ports.connect)
        )
        return Staged(landed.version, landed.noticed.sequence), outcome

    def _judge(self, work: Work, outcome: Outcome, reporter: Reporter) -> None:
        chronicle = work.chronicle
        with chronicle.failing_at(outcome.version):
            judgement = StagedJudging(self.contract, self.witnesses, chronicle).judge(outcome, work.run.run_id)
        reporter.take_all(judgement.check_results(self.contract))
        for item in judgement.stopped_by[:1]:
            raise closed(item, gates_of(self.contract, STAGED_GATES))
