"""Quarantined records find their way back, through the real command: run, correct the contract, redrive."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.definitions import build_definitions, lazy_ports
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "datasets"
DAY, NEXT_DAY = "2026-11-03", "2026-11-04"
GOOD = '{"sale_id": 1, "shop": "north", "amount": 2.5}'
ONCE_MORE = '{"sale_id": 2, "shop": "north", "amount": 12345678901.25}'  # too large for the first contract
NEVER = '{"sale_id": 3, "shop": null, "amount": 12345678901.25}'  # passes neither
COUNTS = ("in_quarantine", "returned", "rejected_again", "superseded", "newly_rejected")


class Shop:
    def __init__(self, sluice: Command) -> None:
        shutil.copytree(CASES, sluice.datasets, dirs_exist_ok=True)
        self.sluice = sluice
        self.home = sluice.home

    @property
    def environment(self) -> Environment:
        return Environment(Settings(self.home, (self.sluice.datasets,)), SystemClock(), self.home)

    def land(self, day: str, *lines: str) -> None:
        path = self.home / f"raw/sales/date={day}/a.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
        landed = time.time() - 3600
        os.utime(path, (landed, landed))

    def correct_contract(self) -> None:
        path = self.sluice.datasets / "sales" / "contract.yaml"
        text = path.read_text().replace("decimal(12,2)", "decimal(14,2)").replace("version: 1.0.0", "version: 1.1.0")
        path.write_text(text)

    def sales(self) -> list[int]:
        return [row["sale_id"] for row in self.sluice.rows("query", "SELECT sale_id FROM sales ORDER BY sale_id")]

    def redrive(self, *options: str) -> list[dict[str, Any]]:
        return self.sluice.rows("redrive", "sales", *options)


@pytest.fixture
def shop(sluice: Command) -> Shop:
    """A day with two records in quarantine, of which the corrected contract takes one."""
    shop = Shop(sluice)
    shop.land(DAY, GOOD, GOOD.replace("1", "4"), GOOD.replace("1", "5"), ONCE_MORE, NEVER)
    shop.land(NEXT_DAY, GOOD.replace("1", "6"))
    sluice.rows("run")
    return shop


def counts(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[name] for name in COUNTS)


def test_what_passes_now_is_published_and_the_rest_stays(shop: Shop) -> None:
    shop.correct_contract()

    (row,) = shop.redrive()

    assert (row["partition"], row["rejected_by_contract"], row["contract"]) == (DAY, "1.0.0", "1.1.0")
    assert counts(row) == (2, 1, 1, 0, 0)
    assert shop.sales() == [1, 2, 4, 5, 6]


def test_a_dry_run_says_the_same_and_changes_nothing(shop: Shop) -> None:
    shop.correct_contract()

    (row,) = shop.redrive("--dry-run")

    assert counts(row) == (2, 1, 1, 0, 0)
    assert shop.sales() == [1, 4, 5, 6]
    assert not list((shop.home / "scratch").glob("transform-*"))


def test_redriving_again_changes_nothing(shop: Shop) -> None:
    shop.correct_contract()
    shop.redrive()

    (again,) = shop.redrive()

    assert again["result"] == "unchanged: same contract and files"
    assert shop.sales() == [1, 2, 4, 5, 6]


def test_both_reasons_of_what_stays_are_shown(shop: Shop) -> None:
    shop.correct_contract()
    shop.redrive()

    (stayed,) = shop.sluice.rows("quarantine", "show", "sales")

    assert [(item["code"], item["column"]) for item in stayed["reasons"]] == [("required", "shop")]
    earlier = {(item["code"], item["column"]) for item in stayed["earlier_reasons"]}
    assert earlier == {("required", "shop"), ("out_of_range", "amount")}
    assert stayed["earlier_contract"] == "1.0.0"


def test_a_corrected_file_closes_what_it_replaces(shop: Shop) -> None:
    shop.land(DAY, GOOD, ONCE_MORE.replace("12345678901.25", "2.12"))

    (row,) = shop.redrive()

    assert counts(row) == (2, 0, 0, 2, 0)
    assert shop.sales() == [1, 2, 6]


def test_records_that_a_corrected_file_closed_are_found_with_the_object_that_did(shop: Shop) -> None:
    shop.land(DAY, GOOD, NEVER)
    shop.sluice.rows("run")
    shop.land(DAY, GOOD)
    shop.sluice.rows("run")

    newest, before = shop.sluice.rows("quarantine", "closed", "--dataset", "sales")
    shown = shop.sluice("quarantine", "list").stdout

    key = f"raw/sales/date={DAY}/a.jsonl"
    store = shop.environment.store
    assert (newest["returned"], newest["stayed"], newest["superseded"]) == (0, 0, 1)
    assert [(item["key"], item["records"], item["by"]) for item in newest["closed_by"]] == [(key, 1, store.etag(key))]
    assert [(item["records"], item["by"]) for item in before["closed_by"]] == [(2, newest["closed_by"][0]["etag"])]
    assert "1 record of earlier versions returned or were superseded: sluice quarantine closed" in shown


def test_only_partitions_with_the_reason_are_redriven(shop: Shop) -> None:
    shop.correct_contract()

    assert shop.redrive("--reason", "not_json") == []
    assert shop.redrive("--date", NEXT_DAY) == []
    assert [row["partition"] for row in shop.redrive("--reason", "required", "--date", DAY)] == [DAY]


def test_another_version_of_the_contract_than_named_is_refused(shop: Shop) -> None:
    refused = shop.sluice("redrive", "sales", "--with", "1.1.0")

    assert refused.exit_code == 2
    assert "has version 1.0.0, not 1.1.0" in refused.output


def test_a_derived_dataset_has_nothing_to_redrive(shop: Shop) -> None:
    refused = shop.sluice("redrive", "sales_totals")

    assert refused.exit_code == 2
    assert "Redrive its inputs" in refused.output


def test_the_dagster_job_does_the_same(shop: Shop) -> None:
    shop.correct_contract()
    environment = shop.environment
    repository = build_definitions(environment.contracts, lazy_ports(environment)).get_repository_def()

    with open_dagster(shop.home / "dagster") as instance:
        result = repository.get_job("redrive").execute_in_process(
            instance=instance, run_config={"ops": {"redrive_records": {"config": {"dataset": "sales"}}}}
        )

    assert result.success
    assert shop.sales() == [1, 2, 4, 5, 6]


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline_assets.cli import environment as door, redrive
from resources.clock import SystemClock
from resources.settings import Settings

environment = door.Environment(Settings(Path(sys.argv[1]), (Path(sys.argv[2]),)), SystemClock(), Path(sys.argv[1]))
redrive.open_environment = lambda: environment
name, method = sys.argv[3].split(".")
port = getattr(environment, name)
found = getattr(port, method)
def deadly(*arguments, **keywords):
    found(*arguments, **keywords)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(port, method, deadly)
redrive.redrive("sales", with_version=None)
"""


@pytest.mark.parametrize("point", ["ledger.begin", "store.put", "tables.publish", "ledger.record"])
def test_killed_and_repeated_it_publishes_once(shop: Shop, point: str) -> None:
    shop.correct_contract()
    command = [sys.executable, "-c", KILLED, str(shop.home), str(shop.sluice.datasets), point]

    killed = subprocess.run(command, check=False, capture_output=True, cwd=ROOT)
    shop.redrive()

    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert shop.sales() == [1, 2, 4, 5, 6]
    published = shop.environment.ledger.published("sales", DAY)
    assert published is not None
    assert published.outcome.redriven is not None
    assert (published.outcome.redriven.returned, published.outcome.redriven.stayed) == (1, 1)
