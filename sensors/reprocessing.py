"""Asks for partitions again that a new contract may make whole: to accept a contract is enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import dagster as dg

from sensors.runs import UNDER_WAY, places_of
from sluice.contract import CODE_VERSION
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind, RemedyTaken
from sluice.reprocessing import Ledger as ReprocessingLedger
from sluice.reprocessing import reprocessings
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.contract import Contract
    from sluice.healing.incident import Incident
    from sluice.history import Attempt
    from sluice.reprocessing import Reprocessing

SENSOR_NAME = "reprocessing"
REPROCESSED_FOR = "sluice/reprocessed_for"
MOST_UNDER_WAY = 25
"""Of one dataset: a contract that is accepted after a year must not leave what lands today waiting behind it."""
_MOST_DEATHS = 3


class Ledger(ReprocessingLedger, Protocol):
    def failed_attempts(self) -> tuple[Attempt, ...]: ...
    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]: ...
    def note_remedy(self, number: int, remedy: RemedyTaken) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_reprocessing_sensor(
    contracts: Mapping[str, Contract], jobs: Mapping[str, UnresolvedAssetJobDefinition]
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of every landed dataset."""

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=list(jobs.values()),
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Builds again, under a new contract, what an older one had quarantined or kept out for its fields.",
    )
    def reprocessing(
        context: dg.SensorEvaluationContext, ledger: dg.ResourceParam[Ledger], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult:
        failed = ledger.failed_attempts()
        landed = [contract for name, contract in contracts.items() if name in jobs]
        wanted = reprocessings(landed, failed, ledger)
        asking = _Asking(contracts, jobs, context.instance)
        asked = asking.requests(wanted) if wanted else {}
        _note(tuple(asked), contracts, ledger, clock.now())
        return dg.SensorResult(
            run_requests=list(asked.values()),
            skip_reason=None if asked else dg.SkipReason(f"{len(wanted):,} partitions wait to be built again."),
        )

    return reprocessing


@dataclass(frozen=True, slots=True)
class _Asking:
    contracts: Mapping[str, Contract]
    jobs: Mapping[str, UnresolvedAssetJobDefinition]
    instance: dg.DagsterInstance

    def requests(self, wanted: Sequence[Reprocessing]) -> dict[Reprocessing, dg.RunRequest]:
        """Return a request for each of the wanted that may run now; the others are wanted again at the next tick."""
        runs = self.instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        at_work = {place for run in runs for place in places_of(run)}
        under_way = Counter(run.tags["sluice/dataset"] for run in runs if REPROCESSED_FOR in run.tags)
        asked: dict[Reprocessing, dg.RunRequest] = {}
        for item in wanted:
            if under_way[item.dataset] >= MOST_UNDER_WAY or (item.dataset, item.partition) in at_work:
                continue
            if (request := self._request(item)) is not None:
                asked[item] = request
                under_way[item.dataset] += 1
        return asked

    def _request(self, item: Reprocessing) -> dg.RunRequest | None:
        """Return the request; runs that died before they could try are asked for again, but not for ever."""
        version = Version(item.before.fingerprint, self.contracts[item.dataset].fingerprint, CODE_VERSION)
        tags = {"sluice/dataset": item.dataset, REPROCESSED_FOR: str(version)}
        earlier = self.instance.get_runs_count(
            dg.RunsFilter(tags={**tags, "dagster/partition": item.partition}, statuses=_ENDED)
        )
        if earlier > _MOST_DEATHS:
            return None
        return dg.RunRequest(
            run_key=f"{item.dataset}:{item.partition}:{version}:reprocess:{earlier + 1}",
            job_name=self.jobs[item.dataset].name,
            partition_key=item.partition,
            tags={**tags, "sluice/fingerprint": item.before.fingerprint, "sluice/purpose": "healing"},
        )


_ENDED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.SUCCESS]


def _note(asked: Sequence[Reprocessing], contracts: Mapping[str, Contract], ledger: Ledger, now: datetime) -> None:
    """Keep it with the incident, once for each version that is built again; what was built before names it."""
    if not asked:
        return
    found = {
        (item.dataset, item.partition): item
        for item in ledger.incidents(open_only=True)
        if item.failure_class is FailureClass.SCHEMA_DRIFT
    }
    for item in asked:
        if (incident := found.get((item.dataset, item.partition))) is not None:
            note = f"Built again under contract {contracts[item.dataset].version}."
            ledger.note_remedy(incident.number, RemedyTaken(RemedyKind.BACKFILL, now, note, item.run_id))
