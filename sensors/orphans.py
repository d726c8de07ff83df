"""Ends runs that nobody executes any more and nobody else would end; what failed so is retried by `retries`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import dagster as dg
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG

from sluice.healing.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

SENSOR_NAME = "orphans"
WORKER_TAG = "sluice/worker"
LAUNCHER_TAG = "sluice/launcher"
_AT_WORK = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_LAUNCH_SECONDS = 30.0
"""The daemon says STARTING, and at once names the code server it asks: a run without one is not being launched."""


class Workers(Protocol):
    def is_alive(self, worker: Worker) -> bool | None: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_orphans_sensor(*, launch_seconds: float = _LAUNCH_SECONDS) -> dg.SensorDefinition:
    @dg.sensor(
        name=SENSOR_NAME,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process was killed together with whoever would have noticed.",
    )
    def orphans(
        context: dg.SensorEvaluationContext, workers: dg.ResourceParam[Workers], clock: dg.ResourceParam[Clock]
    ) -> dg.SkipReason:
        finder = _Finder(context.instance, workers, clock.now().timestamp() - launch_seconds)
        runs = context.instance.get_runs(dg.RunsFilter(statuses=_AT_WORK))
        ended = [run.run_id for run in runs if finder.end_if_orphaned(run)]
        for run_id in ended:
            context.log.warning("Run %s had no process any more, and was ended.", run_id)
        return dg.SkipReason(f"Runs at work: {len(runs):,}; ended, because nobody executes them: {len(ended):,}.")

    return orphans


@dataclass(frozen=True, slots=True)
class _Finder:
    instance: dg.DagsterInstance
    workers: Workers
    launched_before: float

    def end_if_orphaned(self, run: dg.DagsterRun) -> bool:
        why = self._why(run)
        if why is None:
            return False
        # Once more: it may have finished, and its process ended, since it was listed. A dead process writes no more.
        now = self.instance.get_run_by_id(run.run_id)
        if now is None or now.is_finished:
            return False
        if now.status is dg.DagsterRunStatus.CANCELING:
            self.instance.report_run_canceled(now, why)
        else:
            self.instance.report_run_failed(now, why)
        return True

    def _why(self, run: dg.DagsterRun) -> str | None:
        workers = list(self._workers_of(run))
        if workers and all(self.workers.is_alive(worker) is False for worker in workers):
            return "The process that executed this run was killed."
        if not workers and self._was_never_launched(run):
            return "The daemon was killed while it launched this run."
        return None

    def _workers_of(self, run: dg.DagsterRun) -> Iterable[Worker]:
        """Return every process that began to execute the run; of two that were launched, one works and one gives up."""
        if WORKER_TAG in run.tags:
            return [Worker.parse(run.tags[WORKER_TAG])]
        # What was launched through a socket file is on this machine; of any other run nothing can be seen from here.
        if "socket" not in json.loads(run.tags.get(GRPC_INFO_TAG, "{}")):
            return []
        records = self.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
        events = [record.event_log_entry.dagster_event for record in records]
        told = [event.engine_event_data.metadata.get("pid") for event in events if event]
        return [Worker(int(item.value)) for item in told if isinstance(item, dg.TextMetadataValue) and item.value]

    def _was_never_launched(self, run: dg.DagsterRun) -> bool:
        if run.status is not dg.DagsterRunStatus.STARTING or GRPC_INFO_TAG in run.tags:
            return False
        if not isinstance(self.instance.run_launcher, DefaultRunLauncher):
            return False  # others name no code server
        if LAUNCHER_TAG in run.tags and self.workers.is_alive(Worker.parse(run.tags[LAUNCHER_TAG])) is not False:
            return False  # it may be starting the process that workers are forked from
        launched = self.instance.get_run_stats(run.run_id).launch_time
        return launched is not None and launched < self.launched_before
