"""A run's process is killed in the middle of its work."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from pipeline_assets.cli.drills.actions import has_incident, is_published, land, sales, sales_contract
from pipeline_assets.cli.drills.busy_catalog import BusyCatalog
from pipeline_assets.cli.drills.scene import Ask, Do, Drill, Expect, Scene, StepFailed
from resources.dagster_home import open_dagster
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from contextlib import ExitStack
    from datetime import datetime

    from pipeline_assets.cli.drills.stage import Stage

DATASET = "drill_sales"
RECORDS = 100_000

CONTRACT = sales_contract(DATASET, "healing: { retries: { transient: { most: 5, first: 2 s, cap: 10 s } } }")
ANSWER = f"SELECT count(*), count(DISTINCT sale_id) FROM {DATASET}"


def build(stack: ExitStack, now: datetime) -> Scene:
    day = now.date().isoformat()
    busy = BusyCatalog(stack)  # so that the run is at work until it is killed, however fast the machine is
    return Scene(
        {DATASET: CONTRACT},
        (
            Do("somebody else's write to the catalog keeps ours waiting", busy.begin),
            Do(f"a file of {RECORDS:,} records lands", land(DATASET, day, {"a.jsonl": sales(range(RECORDS))})),
            Expect("a run is at work on it", _is_at_work),
            Do("the run's process is killed (kill -9)", _kill_worker),
            Do("the other write is over", busy.end),
            Expect(
                "the death is noticed, and a retry decided",
                has_incident(DATASET, FailureClass.TRANSIENT, RemedyKind.RETRY_LATER),
            ),
            Expect("the partition is published", is_published(DATASET, day, RECORDS)),
            Ask("every record once (records, different keys)", ANSWER, [(RECORDS, RECORDS)]),
        ),
    )


def _is_at_work(stage: Stage) -> bool:
    return _worker(stage) is not None


def _kill_worker(stage: Stage) -> str:
    pid = _worker(stage)
    if pid is None:
        raise StepFailed("the run had ended before it could be killed")
    os.kill(pid, signal.SIGKILL)
    return f"process {pid}, which executes the run, is killed (kill -9)"


def _worker(stage: Stage) -> int | None:
    """Return the process of the run that has an attempt open."""
    import dagster as dg

    attempts = stage.environment.ledger.open_attempts()
    if not attempts:
        return None
    with open_dagster(stage.environment.settings.dagster_home) as instance:
        logs = instance.all_logs(attempts[0].run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    pids = [
        entry.dagster_event.engine_event_data.metadata["pid"].value
        for entry in logs
        if entry.dagster_event is not None and "pid" in entry.dagster_event.engine_event_data.metadata
    ]
    return int(str(pids[-1])) if pids else None


DRILL = Drill("crash", "A run's process is killed in the middle of its work", build)
