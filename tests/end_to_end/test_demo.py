"""The demo as a newcomer runs it, in a process of its own, far away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluice.landing_demo import DATASETS, DAYS, expected

SLUICE = Path(sys.executable).with_name("sluice")

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("demo")]  # it runs once, for all of them


@dataclass(frozen=True)
class Demo:
    folder: Path
    output: str

    def sluice(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return call(self.folder, *arguments)

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.sluice(*arguments, "--json").stdout)
        return rows


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SLUICE_", "DAGSTER_"))}
    return subprocess.run([SLUICE, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    result = call(folder, "demo")
    assert result.returncode == 0, result.stdout + result.stderr
    return Demo(folder, result.stdout)


def test_every_partition_comes_to_what_was_generated(demo: Demo) -> None:
    found = {
        (row["dataset"], row["partition"]): (row["records_in"], row["published"], row["quarantined"], row["duplicates"])
        for row in demo.rows("status")
        if row["dataset"] in DATASETS
    }

    wanted = {(name, day.isoformat()): expected(name, day.isoformat(), late=True) for name in DATASETS for day in DAYS}
    assert found == {
        place: (item.records_in, item.published, item.quarantined, item.duplicates) for place, item in wanted.items()
    }


def test_every_partition_is_published(demo: Demo) -> None:
    rows = demo.rows("status")

    assert len(rows) == 4 * len(DAYS)
    assert {row["state"] for row in rows} == {"published"}


def test_only_the_date_of_the_late_file_is_built_again(demo: Demo) -> None:
    late = demo.output.partition("arrives late")[2].partition("Where every record went")[0]

    assert "2 runs: 2 partitions changed, 0 failed." in late
    assert "orders 2026-11-03" in late
    assert "daily_revenue 2026-11-03" in late


def test_the_summary_is_readable_at_a_hundred_columns(demo: Demo) -> None:
    table = demo.output.partition("Where every record went")[2].partition("records in =")[0]

    assert "2026-11-07" in table
    assert max(len(line) for line in table.splitlines()) <= 100


def test_the_truncated_file_is_named(demo: Demo) -> None:
    assert "payments-2.csv.gz could not be read to its end (truncated_gzip)" in demo.output


def test_a_second_run_changes_nothing_and_says_so(demo: Demo) -> None:
    before = demo.sluice("status", "--json").stdout

    again = demo.sluice("run")

    assert (again.returncode, again.stdout) == (0, "Nothing to do: nothing new in 21 landed partitions.\n")
    assert demo.sluice("status", "--json").stdout == before


def test_the_demo_can_be_repeated(demo: Demo) -> None:
    again = demo.sluice("demo")

    assert again.returncode == 0
    assert "0 files landed" in again.stdout
    assert again.stdout.count("Nothing to do") == 2


def test_published_and_rejected_records_add_up_in_sql(demo: Demo) -> None:
    (row,) = demo.rows(
        "query", "SELECT (SELECT count(*) FROM orders) AS kept, count(*) AS rejected FROM quarantine.orders"
    )

    wanted = [expected("orders", day.isoformat(), late=True) for day in DAYS]
    assert row["kept"] == sum(item.published for item in wanted)
    assert row["rejected"] == sum(item.quarantined for item in wanted)
