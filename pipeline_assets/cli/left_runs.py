"""Runs that a killed process left unfinished: nothing else would ever end them, and each holds a place in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorType, SensorInstigatorData

from sensors.arrivals import SENSOR_NAME
from sensors.untold import tell_published
from sluice.healing.killed import KILLED, end_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline_assets.cli.environment import Environment

HEADLESS_TAG = {"sluice/runner": "headless"}

_WHY = "The process that executed this run was killed."
_AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def fail_left_by_headless(instance: dg.DagsterInstance, environment: Environment) -> int:
    """Fail what an earlier `sluice run` left; the caller holds its lock, so that none can be at work."""
    statuses = [dg.DagsterRunStatus.NOT_STARTED, *_AT_WORK]
    return _fail(instance.get_runs(dg.RunsFilter(tags=HEADLESS_TAG, statuses=statuses)), instance, environment)


def fail_left_by_service(instance: dg.DagsterInstance, environment: Environment) -> int:
    """Fail what an earlier `sluice up` left; the caller holds its lock. What waits in the queue goes on by itself."""
    at_work = instance.get_runs(dg.RunsFilter(statuses=_AT_WORK))
    return _fail([run for run in at_work if not HEADLESS_TAG.items() <= run.tags.items()], instance, environment)


def ask_again(instance: dg.DagsterInstance) -> None:
    """Let the arrivals sensor begin anew: it asks for whatever no table holds, failed and killed partitions too."""
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        if state.instigator_name == SENSOR_NAME and isinstance(state.instigator_data, SensorInstigatorData):
            instance.update_instigator_state(state.with_data(state.instigator_data._replace(cursor=None)))


def _fail(runs: Sequence[dg.DagsterRun], instance: dg.DagsterInstance, environment: Environment) -> int:
    for run in runs:
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, _WHY)
        else:
            instance.report_run_failed(run, _WHY)
        tell_published(instance, environment.ledger, run)
    ended = {run.run_id for run in runs}
    for attempt in environment.ledger.open_attempts() if ended else ():
        if attempt.run_id in ended:
            end_with(attempt, KILLED, environment.ledger, environment.clock.now())
    return len(runs)
