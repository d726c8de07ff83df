"""An incident's inputs and contract are built again in a sandbox, through the real command."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline_assets.cli.conftest import Command

pytestmark = pytest.mark.long

CASES = Path(__file__).parents[2] / "cases" / "datasets"
DAY = "2026-11-03"
GOOD = '{"sale_id": 1, "shop": "north", "amount": 2.5}\n'
BROKEN = '{"sale_id": 2, "shop": null, "amount": 1}\n'
GATE = "      gates: {rejected_share_is_acceptable: {limit: 0.1}}\n"


class Shop:
    def __init__(self, sluice: Command) -> None:
        shutil.copytree(CASES, sluice.datasets, dirs_exist_ok=True)
        self.sluice = sluice
        self.contract = sluice.datasets / "sales" / "contract.yaml"
        self.lenient = self.contract.read_text()
        self.homes: list[str] = []

    def land(self, text: str) -> None:
        file = self.sluice.home.parent / "a.jsonl"
        file.write_text(text)
        done = self.sluice("land", "sales", file, "--date", DAY, "--replace")
        assert done.exit_code == 0, done.output
        landed = time.time() - 3600
        os.utime(self.sluice.home / f"raw/sales/date={DAY}/a.jsonl", (landed, landed))

    def run(self) -> None:
        self.sluice("run")

    def replay(self, number: int = 1) -> tuple[int, dict[str, Any]]:
        done = self.sluice("incident", "replay", number, "--json")
        (row,) = json.loads(done.stdout)
        self.homes.append(row["home"])
        return done.exit_code, row

    def state(self) -> tuple[list[tuple[str, int, int]], list[str]]:
        """Return the files of the home with their times, and all that its ledger says."""
        files = [
            (str(path), path.stat().st_mtime_ns, path.stat().st_ctime_ns)
            for path in sorted(self.sluice.home.rglob("*"))
            if path.is_file() and "ledger.db" not in path.name
        ]
        with sqlite3.connect(self.sluice.home / "ledger.db") as ledger:
            return files, list(ledger.iterdump())


@pytest.fixture
def shop(sluice: Command) -> Iterator[Shop]:
    """A day that a gate stopped; contract and file are corrected since, and it is published."""
    shop = Shop(sluice)
    shop.contract.write_text(shop.lenient + GATE)
    shop.land(GOOD + BROKEN)
    shop.run()
    shop.contract.write_text(shop.lenient.replace("version: 1.0.0", "version: 1.0.1"))
    shop.land(GOOD)
    shop.run()
    yield shop
    for home in shop.homes:
        shutil.rmtree(home)


def test_the_same_failure_comes_again_from_the_file_and_the_contract_of_then(shop: Shop) -> None:
    exit_code, row = shop.replay()

    assert (exit_code, row["same"]) == (0, True)
    assert row["again"]["class"] == "quality"
    assert row["again"]["gates"] == ["rejected_share_is_acceptable"]
    assert row["again"]["rejected"] == row["then"]["rejected"] == ["required shop: 1"]
    assert (row["contract"], row["notes"]) == ("1.0.0", [])
    assert (Path(row["home"]) / f"raw/sales/date={DAY}/a.jsonl").read_text() == GOOD + BROKEN


def test_the_users_home_is_not_changed(shop: Shop) -> None:
    before = shop.state()

    shop.replay()

    assert shop.state() == before


def test_the_command_says_how_to_look_into_the_sandbox(shop: Shop) -> None:
    said = shop.sluice("incident", "replay", 1).stdout
    home = said.rpartition("rm -r ")[2].strip()
    shop.homes.append(home)

    assert "The same failure came again." in said
    assert f"export SLUICE_HOME={home} SLUICE_PROJECT_DATASETS={home}/datasets" in said


def test_without_the_contract_of_then_it_goes_on_with_todays_and_says_so(shop: Shop) -> None:
    with sqlite3.connect(shop.sluice.home / "ledger.db") as ledger:
        ledger.execute("DELETE FROM contract_texts")
    ledger.close()

    exit_code, row = shop.replay()

    assert (exit_code, row["same"], row["again"]["class"]) == (1, False, None)
    assert "was not kept" in row["notes"][0]


def test_bytes_that_nobody_kept_are_named(shop: Shop) -> None:
    shutil.rmtree(shop.sluice.home / f"raw/sales/date={DAY}/_replaced")

    refused = shop.sluice("incident", "replay", 1)

    assert refused.exit_code == 2
    assert f"raw/sales/date={DAY}/a.jsonl" in refused.stderr.replace("\n", "")


def test_an_unknown_incident_is_refused(shop: Shop) -> None:
    assert shop.sluice("incident", "replay", 99).exit_code == 2


def test_an_incident_of_a_derived_dataset_is_replayed_from_the_tables_of_then(sluice: Command) -> None:
    shop = Shop(sluice)
    query = sluice.datasets / "sales_totals" / "transform.sql"
    correct = query.read_text()
    shop.land(GOOD)
    query.write_text(correct.replace("sum(amount)", "NULL"))
    shop.run()
    query.write_text(correct)
    shop.land(GOOD.replace("2.5", "7"))
    shop.run()

    exit_code, row = shop.replay()
    shutil.rmtree(row["home"])

    assert (exit_code, row["dataset"], row["again"]["class"]) == (0, "sales_totals", "quality")
    assert row["again"]["rejected"] == ["required total: 1"]
