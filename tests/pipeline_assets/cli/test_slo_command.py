"""`sluice slo`: what is promised, how often it was kept, what is overdue."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.settings import Settings
from resources.sql_ledger import SqlLedger
from sluice.history import Published
from sluice.outcome import Outcome

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: {dataset}
version: 1.0.0
servers:
  - {{type: local, path: "{dataset}/{{date}}/*", format: jsonl}}
schema:
  - name: {dataset}
    properties:
      - {{name: id, logicalType: integer}}
customProperties:
  - property: sluice
    value: {{start: {start}{settings}}}
"""
MIDNIGHT = "slaProperties: [{property: latency, value: 0, unit: h}]\n"  # D is due when D is over


def today() -> datetime:
    """Not taken once for all tests: the command asks the time itself, perhaps minutes after this was imported."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def declare(sluice: Command, dataset: str, *, settings: str = "", sla: str = MIDNIGHT) -> None:
    folder = sluice.datasets / dataset
    folder.mkdir()
    text = CONTRACT.format(dataset=dataset, start=partition(3), settings=settings)
    (folder / "contract.yaml").write_text(f"{text}{sla}")


def partition(days_ago: int) -> str:
    return f"{today() - days_ago * DAY:%Y-%m-%d}"


def publish(sluice: Command, dataset: str, days_ago: int, published_at: datetime) -> None:
    outcome = Outcome(
        dataset=dataset,
        partition=partition(days_ago),
        fingerprint="f" * 16,
        contract_version="1.0.0",
        contract_fingerprint="c" * 12,
        code_version="1",
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
    )
    sluice.home.mkdir(exist_ok=True)
    SqlLedger(Settings(sluice.home, ()).ledger_url).record(Published(outcome, 1, published_at))


@pytest.fixture
def shop(sluice: Command) -> Command:
    """Of three due partitions of sales one was on time, one was late, one is missing; visits promises nothing."""
    declare(sluice, "sales", settings=", freshness: {objective: 50 %}")
    declare(sluice, "visits", sla="")
    publish(sluice, "sales", 3, today() - 3 * DAY + 20 * HOUR)
    publish(sluice, "sales", 2, today() - DAY + 8 * HOUR)
    return sluice


def test_json_has_the_record_of_every_dataset_that_promises_a_time(shop: Command) -> None:
    rows = [row for row in shop.rows("slo") if row["dataset"] == "sales"]

    assert rows == [
        {
            "dataset": "sales",
            "promise": "D+1 00:00 UTC",
            "objective": 0.5,
            "days": 30,
            "due": 3,
            "on_time": 1,
            "late": [partition(2)],
            "breached": [partition(1)],
            "attained": pytest.approx(1 / 3),
            "budget": 1.5,
            "budget_left": -0.5,
            "budget_left_share": pytest.approx(-1 / 3),
            "next_partition": partition(0),
            "next_deadline": (today() + DAY).isoformat(),
        }
    ]


def test_the_table_fits_in_a_pipe_and_names_what_is_overdue(shop: Command) -> None:
    result = shop("slo", "--dataset", "sales")
    lines = result.stdout.splitlines()

    assert result.exit_code == 0
    assert max(map(len, lines[:-1])) <= 100
    assert "33.3 %" in result.stdout
    assert "-0.5 of 1.5" in result.stdout
    assert lines[-1].startswith(f"sales {partition(1)} is not published; it was due {today():%Y-%m-%d} 00:00 UTC, ")


def test_a_correction_of_a_partition_that_was_on_time_stays_on_time(shop: Command) -> None:
    publish(shop, "sales", 3, today())

    assert [row["on_time"] for row in shop.rows("slo", "--dataset", "sales")] == [1]


def test_days_says_how_far_back_it_looks(shop: Command) -> None:
    (row,) = shop.rows("slo", "--dataset", "sales", "--days", 1)

    assert (row["due"], row["late"], row["breached"]) == (1, [], [partition(1)])


@pytest.mark.parametrize("days", ["0", "-1", "often"])
def test_days_that_make_no_window_are_refused(shop: Command, days: str) -> None:
    assert shop("slo", "--days", days).exit_code == 2


def test_a_dataset_without_a_promise_has_no_row_and_is_told_how_to_get_one(shop: Command) -> None:
    result = shop("slo", "--dataset", "visits")

    assert result.exit_code == 0
    assert result.stdout == "Nothing is promised. Add slaProperties to a contract: docs/freshness.md\n"
    assert json.loads(shop("slo", "--dataset", "visits", "--json").stdout) == []


def test_an_unknown_dataset_is_refused(shop: Command) -> None:
    result = shop("slo", "--dataset", "sale")

    assert result.exit_code == 2
    assert 'Did you mean "sales"?' in result.stderr
