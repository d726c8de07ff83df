"""What may be spent in a month."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.cost.budget import Limits, Purpose, SpendState, Spent
from sluice.cost.limits import limits, purpose_of, spent
from sluice.cost.rules import Limit
from tests.sluice.cost.prices import contract_with, spend


def spent_on(**fields: Any) -> Spent:  # Any: as `spend` takes them
    return spent(spend(**fields))


LEARNED = Limit(quantile=1.0, factor=1.5)
MONTHS = [spent_on(day=f"2026-{month:02}-10", usd=usd) for month, usd in ((6, 10.0), (7, 11.0), (8, 12.0))]


def test_a_contract_without_budgets_has_no_limits() -> None:
    assert limits(contract_with(), MONTHS, "2026-11") == Limits()


def test_a_fixed_limit_is_the_contracts() -> None:
    contract = contract_with(monthly_usd=Limit(fixed=25), healing_monthly_usd=Limit(fixed=5))

    assert limits(contract, MONTHS, "2026-11") == Limits(25, 5, "contract", "contract")


def test_a_learned_limit_follows_the_earlier_months() -> None:
    found = limits(contract_with(monthly_usd=LEARNED), MONTHS, "2026-11")

    assert found.monthly_usd == pytest.approx(18.0)
    assert found.monthly_origin == "learned from 3 months: 12.00 USD (quantile 1) x 1.5"


def test_the_present_month_and_later_ones_teach_nothing() -> None:
    later = [spent_on(day="2026-11-01", usd=900), spent_on(day="2026-12-01", usd=900)]

    found = limits(contract_with(monthly_usd=LEARNED), [*MONTHS, *later], "2026-11")

    assert found.monthly_usd == pytest.approx(18.0)


def test_the_spends_of_a_month_are_added_up() -> None:
    more = spent_on(day="2026-08-20", usd=None, estimated_usd=3.0, state=SpendState.RESERVED)

    assert limits(contract_with(monthly_usd=LEARNED), [*MONTHS, more], "2026-11").monthly_usd == pytest.approx(22.5)


def test_a_month_of_disaster_does_not_become_the_limit() -> None:
    disaster = spent_on(day="2026-09-10", usd=4_000.0)

    assert (limits(contract_with(monthly_usd=LEARNED), [*MONTHS, disaster], "2026-11").monthly_usd or 0) < 40


def test_before_three_months_there_is_no_learned_limit_and_the_origin_says_so() -> None:
    found = limits(contract_with(monthly_usd=LEARNED), MONTHS[:2], "2026-11")

    assert found.monthly_usd is None
    assert found.monthly_origin == "no limit yet: learned after 3 months with spending, 2 so far"


def test_a_contract_may_be_content_with_fewer_months() -> None:
    rule = Limit(quantile=1.0, factor=2.0, minimum_history=1)

    assert limits(contract_with(monthly_usd=rule), MONTHS[:1], "2026-11").monthly_usd == pytest.approx(20.0)


def test_healing_is_learned_from_healing() -> None:
    healing = [spent_on(day=f"2026-{month:02}-11", usd=2.0, purpose=Purpose.HEALING) for month in (6, 7, 8)]

    found = limits(contract_with(healing_monthly_usd=LEARNED), [*MONTHS, *healing], "2026-11")

    assert found.healing_monthly_usd == pytest.approx(3.0)


def test_months_without_spending_teach_no_limit_of_zero() -> None:
    free = [spent_on(day=f"2026-{month:02}-10", usd=0.0) for month in (6, 7, 8)]

    assert limits(contract_with(monthly_usd=LEARNED), free, "2026-11").monthly_usd is None


@pytest.mark.parametrize(
    ("tags", "failed", "purpose"),
    [
        pytest.param({}, False, Purpose.BUILD, id="first try"),
        pytest.param({}, True, Purpose.HEALING, id="another try"),
        pytest.param({"sluice/purpose": "healing"}, False, Purpose.HEALING, id="a run that repairs"),
        pytest.param({"sluice/purpose": "build"}, False, Purpose.BUILD, id="a run that says build"),
    ],
)
def test_another_try_and_a_repair_are_healing(tags: dict[str, str], failed: bool, purpose: Purpose) -> None:  # noqa: FBT001
    assert purpose_of(tags, failed) is purpose
