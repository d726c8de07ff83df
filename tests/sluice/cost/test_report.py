"""A month's money by dataset."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluice.cost.budget import Purpose, SpendState
from sluice.cost.estimate import EstimateErrors
from sluice.cost.forecast import forecast
from sluice.cost.report import CostRow, PartitionCost, cost_report
from sluice.cost.rules import Engine, Limit
from tests.sluice.cost.prices import BOOK, contract_with, spend

NOW = datetime(2026, 11, 16, tzinfo=UTC)  # fifteen days are left
DAILY = [spend(day=f"2026-11-{day:02}", usd=2.0) for day in range(1, 17)]


def row(*spends: object, month: str = "2026-11", **rules: object) -> CostRow:
    (found,) = cost_report(spends, {"orders": contract_with(**rules)}, NOW, month, BOOK)  # type: ignore[arg-type]
    return found


def test_spent_reserved_and_left_add_up_to_the_limit() -> None:
    found = row(spend(usd=2.0), spend(state=SpendState.RESERVED, estimated_usd=3.0), monthly_usd=Limit(fixed=10))

    assert (found.spent_usd, found.reserved_usd, found.left_usd) == (2.0, 3.0, 5.0)


def test_only_the_month_counts() -> None:
    found = row(spend(day="2026-10-31", usd=7.0), spend(usd=2.0), spend(day="2026-12-01", usd=9.0))

    assert found.spent_usd == 2.0


def test_failures_are_what_nobody_can_query() -> None:
    states = (SpendState.FAILED, SpendState.KILLED, SpendState.BUILT, SpendState.PUBLISHED)

    assert row(*[spend(state=state, usd=1.0) for state in states]).failures_usd == 3.0


def test_healing_has_a_budget_of_its_own() -> None:
    healing = [
        spend(usd=1.0, purpose=Purpose.HEALING),
        spend(estimated_usd=0.5, state=SpendState.RESERVED, purpose=Purpose.HEALING),
    ]

    found = row(spend(usd=9.0), *healing, healing_monthly_usd=Limit(fixed=2))

    assert (found.healing_usd, found.healing_reserved_usd, found.healing_left_usd) == (1.0, 0.5, 0.5)


def test_without_limits_nothing_is_left_or_lacking() -> None:
    found = row(spend())

    assert (found.left_usd, found.healing_left_usd) == (None, None)


def test_the_five_dearest_partitions_come_first_over_all_their_runs() -> None:
    spends = [spend(partition=f"2026-10-{day:02}", usd=float(day)) for day in range(1, 8)]

    found = row(*spends, spend(partition="2026-10-06", usd=5.0), spend(partition="2026-10-01", usd=0.0))

    assert found.dearest[:2] == (PartitionCost("2026-10-06", 11.0, 2), PartitionCost("2026-10-07", 7.0, 1))
    assert len(found.dearest) == 5


def test_estimates_are_compared_with_what_builds_took() -> None:
    assert row(spend(estimated_seconds=3.0, seconds=2.0)).estimates == EstimateErrors(1, 0.5, 0.5)


def test_the_same_builds_are_priced_on_every_engine() -> None:
    found = row(spend(seconds=3600.0), spend(state=SpendState.FAILED))

    assert found.by_engine[Engine.LOCAL] == pytest.approx(0.36)
    assert found.by_engine[Engine.FARGATE] == pytest.approx(3.6, abs=0.02)


def test_a_dataset_that_spent_nothing_has_a_row() -> None:
    found = row()

    assert (found.spent_usd, found.forecast.usd, found.dearest) == (0, 0, ())


def test_rows_are_by_dataset_and_hold_only_their_own_money() -> None:
    contracts = {"sales": contract_with(), "orders": contract_with()}

    found = cost_report([spend(dataset="orders"), spend(dataset="gone")], contracts, NOW, "2026-11", BOOK)

    assert [item.spent_usd for item in found] == [1.0, 0]


def test_the_forecast_goes_on_as_usual() -> None:
    found = forecast(DAILY, 32.0, "2026-11", NOW)

    assert found.usd == pytest.approx(32 + 15 * 2)
    assert found.method == "so far, and for 15.0 days the usual of the last 16 days"


def test_one_dear_day_is_not_expected_every_day() -> None:
    backfill = spend(day="2026-11-09", usd=500.0)

    assert forecast([*DAILY, backfill], 532.0, "2026-11", NOW).usd == pytest.approx(532 + 15 * 2)


def test_the_first_day_of_a_month_is_foreseen_from_the_month_before() -> None:
    october = [spend(day=f"2026-10-{day:02}", usd=2.0) for day in range(1, 32)]

    found = forecast(october, 0.0, "2026-11", datetime(2026, 11, 1, 1, tzinfo=UTC))

    assert found.usd == pytest.approx(60, rel=0.05)


def test_a_dataset_that_begins_with_its_history_is_not_foreseen_to_do_so_every_day() -> None:
    history = [spend(day="2026-11-16", partition=f"2026-10-{day:02}", usd=2.0) for day in range(1, 31)]

    found = forecast(history, 60.0, "2026-11", NOW)

    assert found.usd == pytest.approx(60 + 15 * 2)
    assert found.method == "so far, and for 15.0 days one partition a day at the usual 2.00 USD"


def test_a_weekly_load_is_foreseen_as_weekly() -> None:
    weekly = [spend(day=f"2026-11-{day:02}", usd=7.0) for day in (1, 8, 15)]

    assert forecast(weekly, 21.0, "2026-11", NOW).usd == pytest.approx(21 + 15 / 16 * 21, rel=0.05)


def test_a_month_that_is_over_is_what_was_spent() -> None:
    found = forecast(DAILY, 32.0, "2026-10", NOW)

    assert (found.usd, found.method) == (32.0, "the month is over")


def test_a_month_to_come_is_foreseen_whole() -> None:
    assert forecast(DAILY, 0.0, "2026-12", NOW).usd == pytest.approx(31 * 2)
