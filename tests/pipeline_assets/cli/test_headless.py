"""`run_until_quiet`: the same sensor, jobs and automation rules as the daemon's, in one process."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.headless import Event, Progress, RunSummary, run_until_quiet
from resources.clock import Clock, ManualClock, SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings
from sluice.publishing import Effect

DATASETS = Path(__file__).parents[2] / "cases" / "datasets"
DAY = "2026-11-03"
NEXT_DAY = "2026-11-04"
SALE = '{"sale_id": 1, "shop": "north", "amount": 2.5}\n'
OTHER = '{"sale_id": 2, "shop": "north", "amount": 1}\n'


class Shop:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.progress: list[Progress] = []
        self.environment = Environment(Settings(home, (DATASETS,)), SystemClock(), home)

    def land(self, day: str, text: str, *, name: str = "a", age_seconds: float = 3600) -> datetime:
        """Return the time that the file tells."""
        path = self.home / f"raw/sales/date={day}/{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        modified = time.time() - age_seconds
        os.utime(path, (modified, modified))
        return datetime.fromtimestamp(modified, UTC)

    def run(self, clock: Clock | None = None) -> RunSummary:
        self.progress.clear()
        environment = Environment(self.environment.settings, clock or SystemClock(), self.home)
        return run_until_quiet(environment, on_progress=self.progress.append)


@dataclass(frozen=True)
class ToldClock:
    """Shows `first` until something is told, and two seconds more each time: however slow the machine is."""

    first: datetime
    told: list[Progress]

    def now(self) -> datetime:
        return self.first + len(self.told) * timedelta(seconds=2)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def effects(summary: RunSummary) -> list[tuple[str, str, Effect | None]]:
    return [(run.dataset, run.partition, run.effect) for run in summary.runs]


def test_everything_that_landed_is_built_and_then_what_is_derived(shop: Shop) -> None:
    shop.land(DAY, SALE)
    shop.land(NEXT_DAY, SALE)

    summary = shop.run()

    assert effects(summary) == [
        ("sales", DAY, Effect.COMMITTED),
        ("sales", NEXT_DAY, Effect.COMMITTED),
        ("sales_totals", DAY, Effect.COMMITTED),
        ("sales_totals", NEXT_DAY, Effect.COMMITTED),
    ]
    assert summary.failed == ()
    assert len(summary.changed) == 4


def test_a_second_call_starts_no_run(shop: Shop) -> None:
    shop.land(DAY, SALE)
    shop.run()

    assert shop.run().runs == ()


def test_an_empty_landing_zone_is_quiet(shop: Shop) -> None:
    assert shop.run().runs == ()


def test_a_late_file_rebuilds_its_partition_and_what_is_derived_from_it(shop: Shop) -> None:
    shop.land(DAY, SALE)
    shop.land(NEXT_DAY, SALE)
    shop.run()
    shop.land(DAY, OTHER, name="late")

    assert effects(shop.run()) == [("sales", DAY, Effect.COMMITTED), ("sales_totals", DAY, Effect.COMMITTED)]


def test_a_file_written_this_moment_is_waited_for(shop: Shop) -> None:
    written_at = shop.land(DAY, SALE, age_seconds=0)

    summary = shop.run(ToldClock(written_at, shop.progress))

    assert [run.dataset for run in summary.runs] == ["sales", "sales_totals"]
    assert [item.event for item in shop.progress][:2] == [Event.WAITING, Event.STARTED]


def test_a_run_is_announced_and_counted(shop: Shop) -> None:
    shop.land(DAY, SALE)

    shop.run()

    told = [(item.event, item.dataset, item.number, item.total) for item in shop.progress]
    assert told == [
        (Event.STARTED, "sales", 1, 1),
        (Event.SUCCEEDED, "sales", 1, 1),
        (Event.STARTED, "sales_totals", 2, 2),
        (Event.SUCCEEDED, "sales_totals", 2, 2),
    ]


def test_a_failure_is_told_plainly_and_the_neighbour_goes_on(shop: Shop) -> None:
    shop.land(DAY, SALE)
    shop.land(NEXT_DAY, SALE)
    block_staging(shop, DAY)

    summary = shop.run()

    (failed,) = summary.failed
    assert (failed.dataset, failed.partition, failed.effect) == ("sales", DAY, None)
    assert failed.error is not None
    assert "Dagster" not in failed.error
    assert ("sales_totals", NEXT_DAY, Effect.COMMITTED) in effects(summary)


def test_a_failed_partition_is_tried_once_per_call(shop: Shop) -> None:
    shop.land(DAY, SALE)
    block_staging(shop, DAY)
    first, second = shop.run(), shop.run()
    (shop.home / f"processed/sales/date={DAY}").unlink()

    third = shop.run()

    assert len(first.runs) == len(second.runs) == 1
    assert effects(third) == [("sales", DAY, Effect.COMMITTED), ("sales_totals", DAY, Effect.COMMITTED)]


def block_staging(shop: Shop, day: str) -> None:
    """Put a file where the partition's folder would have to be."""
    place = shop.home / f"processed/sales/date={day}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("in the way")


def test_a_changed_contract_rebuilds_its_partitions_once(shop: Shop, tmp_path: Path) -> None:
    shop.land(DAY, SALE)
    shop.run()
    shop.environment = Environment(Settings(shop.home, (changed_datasets(tmp_path),)), SystemClock(), shop.home)

    first, second = shop.run(), shop.run()

    assert effects(first) == [("sales", DAY, Effect.COMMITTED), ("sales_totals", DAY, Effect.COMMITTED)]
    assert second.runs == ()


def changed_datasets(folder: Path) -> Path:
    """Return a copy of the datasets in which a sale has a lowest amount."""
    copy = folder / "changed"
    shutil.copytree(DATASETS, copy)
    contract = copy / "sales" / "contract.yaml"
    old = 'physicalType: "decimal(12,2)", required: true'
    contract.write_text(contract.read_text().replace(old, f"{old}, logicalTypeOptions: {{ minimum: 0 }}"))
    return copy


def test_runs_are_dagster_runs_with_their_partition(shop: Shop) -> None:
    shop.land(DAY, SALE)
    shop.run()

    with open_dagster(shop.environment.settings.dagster_home) as instance:
        runs = instance.get_runs()

    assert {run.job_name for run in runs} == {"build_sales", "build_sales_totals"}
    assert {run.tags["dagster/partition"] for run in runs} == {DAY}


def test_files_of_no_dataset_and_of_no_date_in_range_are_told(shop: Shop) -> None:
    shop.land("2026-10-31", SALE)
    (shop.home / "raw/readme.txt").write_text("?")

    summary = shop.run()

    assert summary.runs == ()
    assert summary.seen.outside == (("sales", "2026-10-31"),)
    assert summary.seen.strays == ("raw/readme.txt",)


def test_a_file_overwritten_in_place_while_others_are_built_is_built_as_well(shop: Shop) -> None:
    shop.land(DAY, SALE)
    time.sleep(2.1)  # its folder is trusted by then, and does not change when a file is overwritten in place
    stopped = ManualClock(datetime.now(UTC))  # so that no sweep is due by itself

    def overwrite(progress: Progress) -> None:
        shop.progress.append(progress)
        derived = [item for item in shop.progress if item.event is Event.SUCCEEDED and item.dataset != "sales"]
        if derived == [progress]:
            shop.land(DAY, OTHER)

    summary = run_until_quiet(Environment(shop.environment.settings, stopped, shop.home), on_progress=overwrite)

    assert [run.partition for run in summary.runs if run.dataset == "sales"] == [DAY, DAY]
