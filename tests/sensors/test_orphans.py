from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG

from resources.clock import ManualClock
from resources.workers import ListedWorkers
from sensors.orphans import LAUNCHER_TAG, build_orphans_sensor
from sluice.healing.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = "2026-11-03"
THROUGH_SOCKET = json.dumps({"host": "localhost", "socket": "/tmp/code.sock"})
LIVING, DEAD = os.getpid(), 4_194_305  # one more than Linux gives out
STATUS = dg.DagsterRunStatus


@dg.op
def build() -> None: ...


@dg.job
def build_orders() -> None:
    build()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run_of(instance: dg.DagsterInstance, status: STATUS, *pids: int, **tags: str) -> dg.DagsterRun:
    launched = {"dagster/partition": DAY, GRPC_INFO_TAG: THROUGH_SOCKET, **tags}
    run = instance.create_run_for_job(build_orders, tags=launched, status=status)
    for pid in pids:
        instance.report_engine_event("Started process for run", run, EngineEventData.in_process(pid))
    return run


def status_after_tick(
    instance: dg.DagsterInstance, run: dg.DagsterRun, workers: ListedWorkers | None = None, *, seconds: int = 0
) -> STATUS:
    ports = {
        "workers": workers or ListedWorkers(LIVING),
        "clock": ManualClock(datetime.now(UTC) + timedelta(0, seconds)),
    }
    with dg.build_sensor_context(instance=instance, resources=ports) as context:
        build_orphans_sensor().evaluate_tick(context)
    after = instance.get_run_by_id(run.run_id)
    assert after is not None
    return after.status


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(STATUS.STARTING, STATUS.FAILURE, id="while it started"),
        pytest.param(STATUS.STARTED, STATUS.FAILURE, id="at work"),
        pytest.param(STATUS.CANCELING, STATUS.CANCELED, id="while a person stopped it"),
    ],
)
def test_a_run_whose_process_is_dead_is_ended(instance: dg.DagsterInstance, before: STATUS, after: STATUS) -> None:
    run = run_of(instance, before, DEAD)

    assert status_after_tick(instance, run) is after


@pytest.mark.parametrize("status", [STATUS.STARTING, STATUS.STARTED, STATUS.CANCELING])
def test_a_run_whose_process_lives_is_left_alone(instance: dg.DagsterInstance, status: STATUS) -> None:
    run = run_of(instance, status, LIVING)

    assert status_after_tick(instance, run) is status


def test_a_run_of_which_one_of_two_processes_gave_up_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = run_of(instance, STATUS.STARTED, LIVING, DEAD)

    assert status_after_tick(instance, run) is STATUS.STARTED


def test_a_run_that_was_launched_over_a_network_is_left_alone(instance: dg.DagsterInstance) -> None:
    elsewhere = {GRPC_INFO_TAG: json.dumps({"host": "code-server", "port": 4000})}
    run = run_of(instance, STATUS.STARTED, DEAD, **elsewhere)

    assert status_after_tick(instance, run) is STATUS.STARTED


@pytest.mark.parametrize(
    ("worker", "after"),
    [
        pytest.param(Worker(DEAD), STATUS.FAILURE, id="dead"),
        pytest.param(Worker(LIVING), STATUS.STARTED, id="alive"),
        pytest.param(Worker(DEAD, "another"), STATUS.STARTED, id="on another host"),
    ],
)
def test_a_headless_run_names_its_own_process(instance: dg.DagsterInstance, worker: Worker, after: STATUS) -> None:
    run = run_of(instance, STATUS.STARTED, **{"sluice/worker": str(worker)})

    assert status_after_tick(instance, run) is after


def test_a_run_that_finishes_while_it_is_looked_at_keeps_its_end(instance: dg.DagsterInstance) -> None:
    run = run_of(instance, STATUS.STARTED, DEAD)

    class Finishing(ListedWorkers):
        def is_alive(self, worker: Worker) -> bool | None:
            succeeded = DagsterEvent(DagsterEventType.RUN_SUCCESS.value, run.job_name)
            instance.report_dagster_event(succeeded, run.run_id)
            return super().is_alive(worker)

    assert status_after_tick(instance, run, Finishing(LIVING)) is STATUS.SUCCESS


@pytest.mark.parametrize(
    ("waited", "after"),
    [
        pytest.param(0, STATUS.STARTING, id="a moment ago"),
        pytest.param(60, STATUS.FAILURE, id="a minute ago"),
    ],
)
def test_a_run_that_the_daemon_took_but_never_launched_fails(tmp_path: Path, waited: int, after: STATUS) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert isinstance(instance.run_launcher, DefaultRunLauncher)
        run = instance.create_run_for_job(build_orders)
        instance.report_dagster_event(DagsterEvent(DagsterEventType.RUN_STARTING.value, run.job_name), run.run_id)

        assert status_after_tick(instance, run, seconds=waited) is after


@pytest.mark.parametrize(
    ("launcher", "after"),
    [
        pytest.param(LIVING, STATUS.STARTING, id="it lives, and waits for the process that forks workers"),
        pytest.param(DEAD, STATUS.FAILURE, id="it was killed"),
    ],
)
def test_a_run_waits_for_the_launcher_that_took_it(tmp_path: Path, launcher: int, after: STATUS) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = instance.create_run_for_job(build_orders, tags={LAUNCHER_TAG: str(Worker(launcher))})
        instance.report_dagster_event(DagsterEvent(DagsterEventType.RUN_STARTING.value, run.job_name), run.run_id)

        assert status_after_tick(instance, run, seconds=60) is after
