"""Carries out planned backfills: the canary first, then the rest in portions, inputs before what reads them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import dagster as dg

from sensors.runs import UNDER_WAY, places_of
from sluice.backfill.chunk import CHUNK_TAG, PLAN_TAG, chunk_text
from sluice.backfill.progress import Stage, decide_next, progress_of
from sluice.survey import survey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.acceptance import Acceptance
    from sluice.arrivals import Noticed
    from sluice.backfill.plan import Target
    from sluice.backfill.progress import Backfill
    from sluice.contract import Contract
    from sluice.history import Attempt, Published
    from sluice.judged import Judged
    from sluice.partition_state import PartitionStatus

SENSOR_NAME = "backfills"
_MOST_AT_WORK = 10
_MOST_DEATHS = 3


class Ledger(Protocol):
    def backfills(self, stage: Stage | None = None) -> tuple[Backfill, ...]: ...
    def change_backfill(
        self, plan_id: str, expected: Stage, stage: Stage, changed_at: datetime, *, note: str = ""
    ) -> bool: ...
    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]: ...
    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]: ...
    def last_attempt(self, dataset: str, partition: str) -> Attempt | None: ...
    def blocking_verdicts(self) -> tuple[Judged, ...]: ...
    def acceptances(self, dataset: str | None = None) -> tuple[Acceptance, ...]: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_backfills_sensor(
    contracts: Mapping[str, Contract],
    jobs: Mapping[str, UnresolvedAssetJobDefinition],
    chunk_jobs: Mapping[str, dg.JobDefinition],
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of every dataset, `chunk_jobs` the one for many of its partitions."""

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=[*jobs.values(), *chunk_jobs.values()],
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Builds the partitions of planned backfills: a canary first, then the rest in portions.",
    )
    def backfills(
        context: dg.SensorEvaluationContext, ledger: dg.ResourceParam[Ledger], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult:
        running = ledger.backfills(Stage.RUNNING)
        if not running:
            return dg.SensorResult(skip_reason=dg.SkipReason("No planned backfill is running."))
        driver = _Driver(contracts, jobs, chunk_jobs, ledger, context.instance, clock.now())
        asked = [request for backfill in running for request in driver.advance(backfill)]
        return dg.SensorResult(
            run_requests=asked,
            skip_reason=None if asked else dg.SkipReason(f"Planned backfills at work: {len(running)}; none may begin."),
        )

    return backfills


@dataclass(frozen=True, slots=True)
class _Driver:
    contracts: Mapping[str, Contract]
    jobs: Mapping[str, UnresolvedAssetJobDefinition]
    chunk_jobs: Mapping[str, dg.JobDefinition]
    ledger: Ledger
    instance: dg.DagsterInstance
    now: datetime

    def advance(self, backfill: Backfill) -> Sequence[dg.RunRequest]:
        plan = backfill.plan
        mine = self.instance.get_runs(dg.RunsFilter(tags={PLAN_TAG: plan.plan_id}))
        # A chunk tries its partitions in order: only where it died before the first of them, nothing has come of it.
        asked = Counter(places_of(run)[0] for run in mine)
        died = Counter(places_of(run)[0] for run in mine if run.is_failure_or_canceled)
        given_up = frozenset(place for place, runs in died.items() if runs > _MOST_DEATHS)
        progress = progress_of(backfill, self._survey(), self.ledger.last_attempt, self._at_work(), given_up)
        under_way = [places_of(run)[0][0] for run in mine if run.status in UNDER_WAY]
        decided = decide_next(backfill, progress, self.contracts, _MOST_AT_WORK, under_way)
        if decided.stage is not None:
            self.ledger.change_backfill(plan.plan_id, Stage.RUNNING, decided.stage, self.now, note=decided.note)
        return [self._request(plan.plan_id, targets, asked[targets[0].place] + 1) for targets in decided.runs]

    def _survey(self) -> Sequence[PartitionStatus]:
        ledger = self.ledger
        return survey(
            self.contracts,
            [noticed.manifest for noticed in ledger.noticed_after(0)],
            ledger.all_published(),
            ledger.last_attempt,
            ledger.blocking_verdicts(),
            ledger.acceptances(),
        )

    def _at_work(self) -> frozenset[tuple[str, str]]:
        """Return what runs are queued or running for; of a chunk, what it has still to try."""
        runs = self.instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        return frozenset(place for run in runs for place in places_of(run) if not self._is_through(run, place))

    def _is_through(self, run: dg.DagsterRun, place: tuple[str, str]) -> bool:
        if CHUNK_TAG not in run.tags:
            return False
        last = self.ledger.last_attempt(*place)
        return last is not None and last.run_id == run.run_id and last.ended_at is not None

    def _request(self, plan_id: str, targets: Sequence[Target], number: int) -> dg.RunRequest:
        """Runs that died before they could try are asked for again, under a key of their own."""
        first = targets[0]
        tags = {"sluice/dataset": first.dataset, PLAN_TAG: plan_id}
        key = f"backfill:{plan_id}:{first.dataset}:{first.partition}:{number}"
        if len(targets) == 1:
            job = self.jobs[first.dataset].name
            return dg.RunRequest(run_key=key, job_name=job, partition_key=first.partition, tags=tags)
        chunk = chunk_text(item.partition for item in targets)
        return dg.RunRequest(run_key=key, job_name=self.chunk_jobs[first.dataset].name, tags={**tags, CHUNK_TAG: chunk})
