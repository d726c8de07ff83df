"""`kill -9` at any point, then `sluice run`: the same table as without the kill, and nothing left at work."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.headless import RunSummary, run_until_quiet
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings
from sluice.cost.budget import SpendState

if TYPE_CHECKING:
    from sluice.outcome import Outcome

pytestmark = pytest.mark.long

DATASETS = Path(__file__).parents[1] / "cases" / "datasets"
DAY = "2026-11-03"

KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.headless import run_until_quiet
from resources.clock import SystemClock
from resources.settings import Settings

home, datasets, point = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
environment = Environment(Settings(home, (datasets,)), SystemClock(), home)

class Killing:
    '''A port that kills its process before or after one of its methods.'''
    def __init__(self, port, method, when):
        self._port, self._method, self._when = port, method, when
    def __getattr__(self, name):
        found = getattr(self._port, name)
        return found if name != self._method else self._deadly(found)
    def _deadly(self, method):
        def call(*arguments, **keywords):
            if self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            method(*arguments, **keywords)
            os.kill(os.getpid(), signal.SIGKILL)
        return call

port, method, when = point.split(".")
environment.__dict__[port] = Killing(getattr(environment, port), method, when)
run_until_quiet(environment, on_progress=lambda progress: None)
"""


def environment_at(home: Path) -> Environment:
    return Environment(Settings(home, (DATASETS,)), SystemClock(), home)


def land(home: Path) -> None:
    folder = home / f"raw/sales/date={DAY}"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text(
        "".join(f'{{"sale_id": {n}, "shop": "s{n % 3}", "amount": {n}}}\n' for n in range(50))
    )


def run(home: Path) -> RunSummary:
    return run_until_quiet(environment_at(home), on_progress=lambda _: None)


def run_killed(home: Path, point: str) -> int:
    command = [sys.executable, "-c", KILLED_RUN, str(home), str(DATASETS), point]
    return subprocess.run(command, check=False, capture_output=True, cwd=Path(__file__).parents[2]).returncode


def shown(home: Path, dataset: str) -> tuple[list[tuple[object, ...]], int, Outcome | None]:
    """Return the table's rows, the number of its files, and what the ledger says of it."""
    import duckdb

    environment = environment_at(home)
    files = environment.tables.files(dataset)
    published = environment.ledger.published(dataset, DAY)
    with duckdb.connect() as connection:
        published_rows = f"read_parquet({list(files)}, hive_partitioning = false)"
        rows = connection.execute(f"SELECT * FROM {published_rows} ORDER BY ALL").fetchall()
    if published is None:
        return rows, len(files), None
    return (
        rows,
        len(files),
        published.outcome.model_copy(update={"seconds": 0, "run_id": "", "files": (), "fragments": ()}),
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("undisturbed")
    land(home)
    run(home)
    return home


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("ledger.notice.after", id="after noticing"),
        pytest.param("ledger.begin.after", id="after the attempt began"),
        pytest.param("ledger.reserve.before", id="before the reservation"),
        pytest.param("ledger.reserve.after", id="after the reservation"),
        pytest.param("ledger.record_verdicts.after", id="after the first verdicts"),
        pytest.param("ledger.settle.before", id="before the reservation is settled"),
        pytest.param("ledger.settle.after", id="after the reservation is settled"),
        pytest.param("store.put.before", id="before staging"),
        pytest.param("store.put.after", id="while staging"),
        pytest.param("tables.publish.before", id="after staging, before the commit"),
        pytest.param("tables.publish.after", id="after the commit"),
        pytest.param("ledger.record.before", id="before the ledger's record"),
        pytest.param("ledger.record.after", id="after the ledger's record"),
        pytest.param("ledger.record_metrics.after", id="after the metrics"),
        pytest.param("ledger.conclude.before", id="before the spend is concluded"),
    ],
)
def test_a_killed_run_is_finished_by_the_next(tmp_path: Path, undisturbed: Path, point: str) -> None:
    land(tmp_path)
    code = run_killed(tmp_path, point)

    summary = run(tmp_path)

    assert code == -signal.SIGKILL
    assert summary.failed == ()
    assert shown(tmp_path, "sales") == shown(undisturbed, "sales")
    assert shown(tmp_path, "sales_totals") == shown(undisturbed, "sales_totals")
    ledger = environment_at(tmp_path).ledger
    assert ledger.history("sales", "2026-11-04", 9)["row_count"] == ((DAY, 50.0),)
    assert ledger.open_spends() == ()
    assert {spend.state for spend in ledger.spends("sales", None)} <= {SpendState.PUBLISHED, SpendState.KILLED}
    assert run(tmp_path).runs == ()


def test_a_killed_run_is_marked_as_failed(tmp_path: Path) -> None:
    land(tmp_path)
    run_killed(tmp_path, "tables.publish.before")

    summary = run(tmp_path)

    with open_dagster(tmp_path / "dagster") as instance:
        statuses = sorted(str(item.status.value) for item in instance.get_runs())
    assert summary.killed == 1
    assert statuses == ["FAILURE", "SUCCESS", "SUCCESS"]


def test_a_killed_attempt_is_ended(tmp_path: Path) -> None:
    land(tmp_path)
    run_killed(tmp_path, "tables.publish.before")
    run(tmp_path)

    last = environment_at(tmp_path).ledger.last_attempt("sales", DAY)

    assert last is not None
    assert (last.number, last.error) == (2, None)
