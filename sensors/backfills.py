"""Carries out planned backfills: the canary first, then the rest in portions, inputs before what reads them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import dagster as dg

from sensors.runs import UNDER_WAY
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
PLAN_TAG = "sluice/backfill"
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
    contracts: Mapping[str, Contract], jobs: Mapping[str, UnresolvedAssetJobDefinition]
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of every dataset."""

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=list(jobs.values()),
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
        driver = _Driver(contracts, jobs, ledger, context.instance, clock.now())
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
    ledger: Ledger
    instance: dg.DagsterInstance
    now: datetime

    def advance(self, backfill: Backfill) -> Sequence[dg.RunRequest]:
        plan = backfill.plan
        asked = Counter(self._places(dg.RunsFilter(tags={PLAN_TAG: plan.plan_id})))
        given_up = frozenset(place for place, runs in asked.items() if runs > _MOST_DEATHS)
        at_work = frozenset(self._places(dg.RunsFilter(statuses=UNDER_WAY)))
        progress = progress_of(backfill, self._survey(), self.ledger.last_attempt, at_work, given_up)
        decided = decide_next(backfill, progress, self.contracts, _MOST_AT_WORK)
        if decided.stage is not None:
            self.ledger.change_backfill(plan.plan_id, Stage.RUNNING, decided.stage, self.now, note=decided.note)
        return [self._request(plan.plan_id, target, asked[target.place] + 1) for target in decided.targets]

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

    def _places(self, runs: dg.RunsFilter) -> list[tuple[str, str]]:
        found = self.instance.get_runs(runs)
        return [(run.tags.get("sluice/dataset", ""), run.tags.get("dagster/partition", "")) for run in found]

    def _request(self, plan_id: str, target: Target, number: int) -> dg.RunRequest:
        """Runs that died before they could try are asked for again, under a key of their own."""
        return dg.RunRequest(
            run_key=f"backfill:{plan_id}:{target.dataset}:{target.partition}:{number}",
            job_name=self.jobs[target.dataset].name,
            partition_key=target.partition,
            tags={"sluice/dataset": target.dataset, PLAN_TAG: plan_id},
        )
