"""The job that lets something stand in for a partition that is not published in time."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from pipeline_assets.asset_specs import Zone, asset_key
from pipeline_assets.funding import Purse
from pipeline_assets.ports import Clock, Ledger, Prices, Publication, Settings, Store, Tables
from sluice.contract import CODE_VERSION, Contract
from sluice.healing.incident import RemedyKind, RemedyTaken
from sluice.healing.policy import StandIn
from sluice.history import Published
from sluice.lateness import open_lateness
from sluice.manifest import Manifest
from sluice.stand_in import (
    FALLBACK,
    fallback_manifest,
    fallback_objects,
    missing_text,
    open_at,
    placeholder_manifest,
    placeholder_text,
    previous,
    shown_text,
)
from sluice.version import Version

if TYPE_CHECKING:
    from sluice.outcome import Outcome

JOB_NAME = "stand_in"
_SEQUENCE = 0  # below that of every manifest that arrived: own data always win
_CURE = "Leave it to the sensor stand_ins, or launch it with the tags sluice/dataset and dagster/partition."


def stand_in_job(contracts: Mapping[str, Contract]) -> dg.JobDefinition:
    """Return the job; its run's tags say for which dataset and partition."""

    @dg.op(name="let_stand_in")
    def stand_in(
        context: dg.OpExecutionContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        tables: dg.ResourceParam[Tables],
        clock: dg.ResourceParam[Clock],
        prices: dg.ResourceParam[Prices],
        settings: dg.ResourceParam[Settings],
    ) -> None:
        contract = contracts.get(context.run.tags.get("sluice/dataset", ""))
        partition = context.run.tags.get("dagster/partition")
        if contract is None or contract.healing.stand_in is None or partition is None:
            raise dg.Failure(f"No stand-in is declared for this run. {_CURE}", allow_retries=False)
        if ledger.published(contract.dataset, partition) is not None:
            context.log.info("Something is published: nothing has to stand in.")
            return
        open_lateness(contract, partition, ledger.incidents(contract.dataset, open_only=True), ledger, clock.now())
        purse = Purse(contract, ledger, clock, prices, context.instance, context.run)
        made = _Maker(contract, partition, purse, store, ledger, clock, settings).make(contract.healing.stand_in)
        if isinstance(made, _Nothing):
            context.log.warning(made.why)
            _note(contract, partition, ledger, RemedyTaken(made.kind, clock.now(), made.why))
            return
        publication = tables.publish(contract, made.outcome, _SEQUENCE)
        if publication.held.version != made.outcome.version:
            context.log.info("Own data came first: nothing has to stand in.")
            return
        context.log_event(_materialization(made.outcome, publication))
        _record(contract, made, publication, ledger, clock.now())

    @dg.job(name=JOB_NAME, description="Lets something stand in for one partition that is not published in time.")
    def job() -> None:
        stand_in()

    return job


@dataclass(frozen=True, slots=True)
class _Made:
    outcome: "Outcome"
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class _Nothing:
    why: str
    kind: RemedyKind = RemedyKind.WAIT_FOR_UPSTREAM


@dataclass(frozen=True, slots=True)
class _Maker:
    contract: Contract
    partition: str
    purse: Purse
    store: Store
    ledger: Ledger
    clock: Clock
    settings: Settings

    def make(self, policy: StandIn) -> _Made | _Nothing:
        """Stage what stands in, or say why nothing can."""
        return self._placeholder() if policy.path is None else self._fallback(policy.path)

    def _placeholder(self) -> _Made | _Nothing:
        """A copy costs next to nothing, so no money is asked for; nor is it learned from, as no build is like it."""
        from pipeline_assets.staging import build_placeholder  # heavy, see landed.py

        dataset = self.contract.dataset
        base = previous(
            self.partition, self.ledger.first_published(dataset), lambda day: self.ledger.published(dataset, day)
        )
        if base is None:
            return _Nothing(missing_text(None, self.partition))
        outcome = build_placeholder(
            contract=self.contract,
            manifest=placeholder_manifest(self.partition, base),
            base=base.outcome,
            stand_in=placeholder_text(base.outcome.partition),
            store=self.store,
            scratch=self.settings.scratch,
            run_id=self.purse.run.run_id,
            clock=self.clock,
        )
        return _Made(outcome)

    def _fallback(self, path: str) -> _Made | _Nothing:
        objects = fallback_objects(path, self.partition, self.store, self.clock.now())
        manifest = fallback_manifest(self.contract.dataset, self.partition, objects, self.store)
        if not manifest.objects:
            return _Nothing(missing_text(path, self.partition))
        version = Version(manifest.fingerprint, self.contract.fingerprint, CODE_VERSION)
        funding = self.purse.reserve(
            self.partition,
            version,
            bytes_in=manifest.size_bytes,
            objects=len(manifest.objects),
            already_staged=False,
            regardless=False,
        )
        if not funding.granted:
            return _Nothing(f"The {funding.budget} budget has no room for the fallback.", RemedyKind.ESCALATE)
        made = self._built(manifest)
        if not made.outcome.published:
            return _Nothing(f"Nothing stands in: no record at {path} is valid.")
        return made

    def _built(self, manifest: Manifest) -> _Made:
        from pipeline_assets.staging import build_partition  # heavy, see landed.py

        with self.purse.spending(self.partition) as bill:
            bill.outcome = build_partition(
                contract=self.contract,
                manifest=manifest,
                store=self.store,
                scratch=self.settings.scratch,
                run_id=self.purse.run.run_id,
                clock=self.clock,
                stand_in=FALLBACK,
            )
        return _Made(bill.outcome, bill.usd)


def _materialization(outcome: "Outcome", publication: Publication) -> dg.AssetMaterialization:
    """The same report as that of a build: Dagster shows it, and what is derived from the table follows."""
    return dg.AssetMaterialization(
        asset_key(Zone.TABLES, outcome.dataset),
        partition=outcome.partition,
        tags={DATA_VERSION_TAG: str(outcome.version)},
        metadata={
            "effect": str(publication.effect),
            "stand_in": outcome.stand_in or "",
            "rows": outcome.published,
            "dagster/partition_row_count": outcome.published,
            "bytes": outcome.bytes_out,
            "snapshot": str(publication.held.snapshot_id),
        },
    )


def _record(contract: Contract, made: _Made, publication: Publication, ledger: Ledger, now: datetime) -> None:
    """The record comes last: until it is there, the sensor asks again, and all before it is done once more."""
    outcome = made.outcome
    ledger.conclude(outcome.dataset, outcome.partition, str(outcome.version))
    remedy = RemedyTaken(RemedyKind.USE_FALLBACK, now, shown_text(outcome), usd=made.usd)
    _note(contract, outcome.partition, ledger, remedy)
    ledger.record_stand_in(Published(outcome, publication.held.snapshot_id, now))


def _note(contract: Contract, partition: str, ledger: Ledger, remedy: RemedyTaken) -> None:
    for incident in open_at(ledger.incidents(contract.dataset, open_only=True), partition):
        ledger.note_remedy(incident.number, remedy)
