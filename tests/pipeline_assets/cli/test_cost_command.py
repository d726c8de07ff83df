"""`sluice cost`: spent, reserved, foreseen, left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from resources.settings import Settings
from resources.sql_ledger import SqlLedger
from sluice.cost.budget import Estimate, Limits, Purpose, Request, SpendState

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command

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
    value: {{cost: {{{cost}}}}}
"""


def this_month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"


def spend(sluice: Command, partition: str, state: SpendState, *, usd: float, month: str | None = None) -> None:
    now = datetime.now(UTC)
    ledger = SqlLedger(Settings(sluice.home, ()).ledger_url)
    estimate = Estimate(3.0, 1_000_000, 2, 0.5)
    request = Request("sales", partition, "f-c-1", f"run-{partition}", month or this_month(), Purpose.BUILD, estimate)
    ledger.reserve(request, Limits(), now)
    if state is not SpendState.RESERVED:
        ledger.settle(request, state, seconds=2.0, usd=usd, settled_at=now)


@pytest.fixture
def shop(sluice: Command) -> Command:
    """Sales may spend ten dollars: of them 0.000123 are spent on failures, 2 on a build, 0.5 are reserved."""
    for dataset, cost in (("sales", "monthly_usd: 10, healing_monthly_usd: 1"), ("visits", "engine: glue")):
        (sluice.datasets / dataset).mkdir()
        (sluice.datasets / dataset / "contract.yaml").write_text(CONTRACT.format(dataset=dataset, cost=cost))
    sluice.home.mkdir(exist_ok=True)
    spend(sluice, "2026-01-01", SpendState.FAILED, usd=0.000123)
    spend(sluice, "2026-01-02", SpendState.PUBLISHED, usd=2.0)
    spend(sluice, "2026-01-03", SpendState.RESERVED, usd=0.0)
    spend(sluice, "2026-01-04", SpendState.PUBLISHED, usd=7.0, month="2025-01")
    return sluice


def test_json_has_all_numbers_of_a_dataset(shop: Command) -> None:
    (row,) = shop.rows("cost", "--dataset", "sales")

    assert {name: row[name] for name in row if not name.startswith("forecast")} == {
        "dataset": "sales",
        "month": this_month(),
        "engine": "fargate",
        "spent_usd": pytest.approx(2.000123),
        "reserved_usd": 0.5,
        "limit_usd": 10.0,
        "limit_from": "contract",
        "left_usd": pytest.approx(7.499877),
        "failures_usd": 0.000123,
        "healing_usd": 0,
        "healing_reserved_usd": 0,
        "healing_limit_usd": 1.0,
        "healing_limit_from": "contract",
        "healing_left_usd": 1.0,
        "dearest_partitions": [
            {"partition": "2026-01-02", "usd": 2.0, "runs": 1},
            {"partition": "2026-01-01", "usd": 0.000123, "runs": 1},
        ],
        "builds_estimated": 1,
        "estimate_error": 0.5,
        "estimate_bias": 0.5,
        "usd_by_engine": {
            "local": 0.0,
            "fargate": pytest.approx(0.0017, abs=0.0001),
            "glue": pytest.approx(0.0147, abs=0.0001),
        },
    }
    assert row["forecast_usd"] >= 2.5


def test_every_dataset_has_a_row(shop: Command) -> None:
    assert [(row["dataset"], row["engine"]) for row in shop.rows("cost")[-2:]] == [
        ("sales", "fargate"),
        ("visits", "glue"),
    ]


def test_another_month_can_be_asked_for(shop: Command) -> None:
    (row,) = shop.rows("cost", "--dataset", "sales", "--month", "2025-01")

    assert (row["spent_usd"], row["forecast_usd"]) == (7.0, 7.0)


def test_the_table_fits_in_a_pipe_and_shows_small_amounts(shop: Command) -> None:
    result = shop("cost", "--dataset", "sales")
    table = result.stdout.split("Forecast:")[0]

    assert result.exit_code == 0
    assert max(map(len, table.splitlines())) <= 100
    assert "0.000123" in table
    assert "7.50" in table
    assert "2026-01-02" in table
    assert "Limit: contract." in result.stdout
    assert "Priced as fargate." in result.stdout


def test_the_table_of_all_datasets_is_short(shop: Command) -> None:
    result = shop("cost")

    assert "visits" in result.stdout
    assert "Dearest" not in result.stdout


@pytest.mark.parametrize("month", ["november", "2026-13", "2026", "0000-01"])
def test_what_is_no_month_is_refused(shop: Command, month: str) -> None:
    result = shop("cost", "--month", month)

    assert result.exit_code == 2
    assert "2026-11" in result.stderr


def test_an_unknown_dataset_is_refused(shop: Command) -> None:
    result = shop("cost", "--dataset", "sale")

    assert result.exit_code == 2
    assert 'Did you mean "sales"?' in result.stderr
