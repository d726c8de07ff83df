"""`kill -9` in the middle of a chunk, then the plan goes on: what was published stays, the rest is built once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline_assets.cli.environment import Environment
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings
from sluice.backfill.progress import Stage
from sluice.cost.budget import SpendState

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.long

CHECKOUT = Path(__file__).parents[2]
DATASETS = CHECKOUT / "tests" / "cases" / "datasets"
DAYS = tuple((date(2026, 11, 1) + timedelta(days=number)).isoformat() for number in range(6))
CANARY, KILLED = DAYS[-1], DAYS[2]  # newest first: the canary, two of the chunk, then the kill

COMMAND = "from pipeline_assets.cli import main; main()"
KILLING = """
import os, signal, sys
from pipeline_assets.cli import main
from pipeline_assets.cli.environment import Environment

port, method, when, partition = sys.argv.pop(1).split()

class Killing:
    '''A port that kills its process before or after one of its methods, when it comes to one partition.'''
    def __init__(self, port):
        self._port = port
    def __getattr__(self, name):
        found = getattr(self._port, name)
        return found if name != method else self._deadly(found)
    def _deadly(self, method):
        def call(*arguments, **keywords):
            is_it = partition in repr(arguments)
            if is_it and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            done = method(*arguments, **keywords)
            if is_it:
                os.kill(os.getpid(), signal.SIGKILL)
            return done
        return call

opened = getattr(Environment, port).func
found = property(lambda self: Killing(opened(self)))
setattr(Environment, port, found)
main()
"""


def sluice(home: Path, *arguments: str, script: str = COMMAND, first: tuple[str, ...] = ()) -> tuple[int, str]:
    variables = {**os.environ, "SLUICE_HOME": str(home), "SLUICE_DATASETS": str(DATASETS)}
    command = [sys.executable, "-c", script, *first, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=CHECKOUT, env=variables)
    return done.returncode, done.stdout + done.stderr


def land(home: Path) -> None:
    landed = time.time() - 3600
    for day in DAYS:
        folder = home / f"raw/sales/date={day}"
        folder.mkdir(parents=True)
        file = folder / "a.jsonl"
        file.write_text("".join(f'{{"sale_id": {n}, "shop": "s{n % 3}", "amount": {n}}}\n' for n in range(20)))
        os.utime(file, (landed, landed))


def environment_at(home: Path) -> Environment:
    return Environment(Settings(home, (DATASETS,)), SystemClock(), home)


def snapshots(home: Path) -> Mapping[str, int | None]:
    """Return partition -> the snapshot by which the ledger says it was published."""
    return {item.outcome.partition: item.snapshot_id for item in environment_at(home).ledger.all_published("sales")}


def materialized(home: Path) -> set[str]:
    import dagster as dg

    with open_dagster(home / "dagster") as instance:
        return set(instance.get_materialized_partitions(dg.AssetKey(["tables", "sales"])))


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("ledger notice before", id="before it is noticed"),
        pytest.param("ledger begin after", id="after the attempt began"),
        pytest.param("ledger record_verdicts after", id="after its first verdicts"),
        pytest.param("tables publish before", id="before the commit"),
        pytest.param("tables publish after", id="after the commit"),
        pytest.param("ledger record after", id="after the ledger's record"),
        pytest.param("ledger end after", id="after the attempt ended"),
    ],
)
def test_a_killed_chunk_is_finished_by_who_resumes_the_plan(tmp_path: Path, point: str) -> None:
    land(tmp_path)
    sluice(tmp_path, "plan", "backfill", "sales")
    (planned,) = environment_at(tmp_path).ledger.backfills()
    plan_id = planned.plan.plan_id

    code, _ = sluice(tmp_path, "backfill", "start", plan_id, "--here", script=KILLING, first=(f"{point} {KILLED}",))
    before = snapshots(tmp_path)
    resumed, said = sluice(tmp_path, "backfill", "resume", plan_id, "--here")

    after = snapshots(tmp_path)
    assert code == -signal.SIGKILL
    assert {CANARY, DAYS[4], DAYS[3]} <= set(before) <= {CANARY, DAYS[4], DAYS[3], KILLED}
    assert resumed == 0, said
    assert set(after) == set(DAYS)
    assert {day: after[day] for day in before} == dict(before)
    ledger = environment_at(tmp_path).ledger
    assert ledger.stage_of_backfill(plan_id) is Stage.DONE
    assert ledger.open_spends() == ()
    assert {spend.state for spend in ledger.spends("sales")} <= {SpendState.PUBLISHED, SpendState.KILLED}
    assert ledger.open_attempts() == ()
    assert ledger.incidents(open_only=True) == ()
    files = environment_at(tmp_path).tables.files("sales")
    assert len(files) == len(set(files)) == len(DAYS)
    assert set(DAYS) == materialized(tmp_path)
