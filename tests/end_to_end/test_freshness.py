"""A deadline passes under a real daemon while nothing lands: Dagster shows it within a minute, without any run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_assets.cli.environment import Environment
from resources.clock import SystemClock
from resources.settings import Settings
from sluice.freshness import CHECK_NAME
from tests.end_to_end.test_service import CHECKOUT, RUNS, Service, free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.daemon, pytest.mark.xdist_group("freshness")]  # its tests follow each other

STARTING_UP = timedelta(seconds=75)
"""A quiet machine needs ten of them; if this was too short, four times as long is tried."""
PROMISED = timedelta(seconds=60)

EXECUTIONS = """
query Executions($name: String!, $partition: String!) {
  assetCheckExecutions(assetKey: {path: ["tables", "sales"]}, checkName: $name, partition: $partition, limit: 10) {
    status
    timestamp
    evaluation { success partition description }
  }
}"""

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: sales
version: 1.0.0
servers:
  - {{type: local, path: "sales/date={{date}}/*.jsonl", format: jsonl}}
schema:
  - name: sales
    properties:
      - {{name: sale_id, logicalType: integer, required: true, primaryKey: true}}
      - {{name: shop, logicalType: string, required: true}}
      - {{name: amount, logicalType: number}}
slaProperties:
  - {{property: timeOfAvailability, value: "{at}"}}
customProperties:
  - property: sluice
    value: {{start: {start}}}
"""


class Shop(Service):
    """A service of one dataset, whose partition `missing` is due in a moment, and `older` was due a day before that."""

    def __init__(self, folder: Path, starting_up: timedelta) -> None:
        self.deadline = datetime.now(UTC).replace(microsecond=0) + starting_up
        self.missing = f"{self.deadline - timedelta(days=1):%Y-%m-%d}"
        self.older = f"{self.deadline - timedelta(days=2):%Y-%m-%d}"
        datasets, self.home = folder / "datasets", folder / "home"
        (datasets / "sales").mkdir(parents=True)
        (datasets / "sales" / "contract.yaml").write_text(
            CONTRACT.format(at=f"{self.deadline:%H:%M:%S}", start=self.older)
        )
        self.port = free_port()
        self.environment = Environment(Settings(self.home, (datasets,)), SystemClock(), folder)
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from pipeline_assets.cli import main; main()", "up", "--port", str(self.port)],
            cwd=CHECKOUT,
            env={**os.environ, "SLUICE_HOME": str(self.home), "SLUICE_DATASETS": str(datasets)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def checked(self, partition: str) -> list[Any]:
        """Return what was reported of a partition, newest first; a run that is at work has not reported yet."""
        found = self.ask(EXECUTIONS, name=CHECK_NAME, partition=partition)["assetCheckExecutions"]
        return [item for item in found if item["evaluation"]]

    def wait_past(self, instant: datetime) -> None:
        time.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    for starting_up in (STARTING_UP, 4 * STARTING_UP):
        with Shop(tmp_path_factory.mktemp("shop"), starting_up) as shop:
            shop.wait_until_up()
            if datetime.now(UTC) < shop.deadline - timedelta(seconds=10):
                yield shop
                return
    pytest.fail("the service took too long to start, twice")


def test_a_missed_deadline_fails_the_check_within_a_minute_though_no_run_ever_started(shop: Shop) -> None:
    before = shop.checked(shop.missing)
    is_early = datetime.now(UTC) < shop.deadline
    shop.wait_past(shop.deadline)

    (found,) = wait_for(lambda: shop.checked(shop.missing), 2 * PROMISED.total_seconds())
    seen_at = datetime.fromtimestamp(found["timestamp"], UTC)

    assert is_early, "the service took too long to start; nothing was measured"
    assert before == []
    assert (found["status"], found["evaluation"]["partition"]) == ("FAILED", shop.missing)
    assert shop.deadline < seen_at <= shop.deadline + PROMISED
    assert shop.ask(RUNS)["runsOrError"]["results"] == []


def test_publishing_an_older_date_does_not_change_it(shop: Shop) -> None:
    shop.wait_past(shop.deadline)
    assert wait_for(lambda: shop.checked(shop.missing), PROMISED.total_seconds())
    shop.land(shop.older, (1, "north", 2.5))

    (found,) = wait_for(lambda: shop.checked(shop.older)[:-1], 120)

    assert found["status"] == "FAILED"
    assert "after its deadline" in found["evaluation"]["description"]
    assert [item["status"] for item in shop.checked(shop.missing)] == ["FAILED"]


def test_a_breach_is_reported_once(shop: Shop) -> None:
    """Two ticks later there is still one report."""
    shop.wait_past(shop.deadline + 2 * timedelta(seconds=40))

    assert len(shop.checked(shop.missing)) == 1


def test_the_late_partition_keeps_its_failed_check_when_it_comes(shop: Shop) -> None:
    shop.land(shop.missing, (2, "north", 1.0))

    (found,) = wait_for(lambda: shop.checked(shop.missing)[:-1], 120)

    assert found["status"] == "FAILED"
    assert "after its deadline" in found["evaluation"]["description"]
