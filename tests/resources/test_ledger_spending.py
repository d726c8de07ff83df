"""What every ledger does: money is reserved before, settled after."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sluice.cost.budget import Estimate, Limits, Purpose, Request, Spend, SpendState, Spent

if TYPE_CHECKING:
    from resources.ledger import Ledger

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-20"
ONE_DOLLAR = Limits(monthly_usd=1.0, monthly_origin="contract")


def _request(
    run_id: str = "run-1",
    usd: float = 0.4,
    *,
    partition: str = DAY,
    dataset: str = "orders",
    month: str = "2026-11",
    purpose: Purpose = Purpose.BUILD,
    version: str = "v1",
) -> Request:
    estimate = Estimate(seconds=12.5, bytes_in=2**40, objects=7, usd=usd, basis="3 runs")
    return Request(dataset, partition, version, run_id, month, purpose, estimate)


def _settle(ledger: Ledger, request: Request, usd: float, state: SpendState = SpendState.BUILT) -> None:
    ledger.settle(request, state, seconds=3.5, usd=usd, settled_at=NOON + timedelta(minutes=1))


def _reserve(ledger: Ledger, *requests: Request) -> None:
    for request in requests:
        ledger.reserve(request, Limits(), NOON)


def _is_granted(ledger: Ledger, request: Request, limits: Limits = ONE_DOLLAR) -> bool:
    return ledger.reserve(request, limits, NOON).granted


class TestReserving:
    def test_a_granted_request_is_an_open_entry(self, ledger: Ledger) -> None:
        funding = ledger.reserve(_request(), ONE_DOLLAR, NOON)

        assert funding.granted
        assert ledger.open_spends() == ledger.spends() == (Spend(_request(), SpendState.RESERVED, NOON),)

    def test_the_answer_has_the_numbers_without_the_request(self, ledger: Ledger) -> None:
        ledger.reserve(_request("run-1", 0.1), ONE_DOLLAR, NOON)
        ledger.reserve(_request("run-2", 0.3), ONE_DOLLAR, NOON)
        _settle(ledger, _request("run-1"), 0.15)

        funding = ledger.reserve(_request("run-3", 0.2), ONE_DOLLAR, NOON)

        assert (funding.request, funding.granted) == (_request("run-3", 0.2), True)
        assert (funding.budget, funding.limit_usd, funding.origin) == ("monthly", 1.0, "contract")
        assert (funding.spent_usd, funding.reserved_usd) == (0.15, 0.3)

    def test_a_request_over_the_limit_is_refused_and_leaves_nothing(self, ledger: Ledger) -> None:
        ledger.reserve(_request("run-1", 0.7), ONE_DOLLAR, NOON)

        funding = ledger.reserve(_request("run-2", 0.4), ONE_DOLLAR, NOON)

        assert not funding.granted
        assert (funding.budget, funding.spent_usd, funding.reserved_usd) == ("monthly", 0.0, 0.7)
        assert [item.request.run_id for item in ledger.spends()] == ["run-1"]

    def test_the_limit_itself_may_be_reached_to_the_last_tenth(self, ledger: Ledger) -> None:
        answers = [_is_granted(ledger, _request(f"run-{number}", 0.1)) for number in range(11)]

        assert answers == [True] * 10 + [False]

    def test_a_billionth_too_much_is_too_much(self, ledger: Ledger) -> None:
        assert not _is_granted(ledger, _request(usd=1.000000001))
        assert _is_granted(ledger, _request(usd=1.0))

    def test_requests_of_s3_add_up(self, ledger: Ledger) -> None:
        _reserve(ledger, *(_request(f"run-{number}", 0.0000004) for number in range(25)))

        assert ledger.reserve(_request("run-25"), ONE_DOLLAR, NOON).reserved_usd == 0.00001

    def test_without_limits_everything_is_granted(self, ledger: Ledger) -> None:
        funding = ledger.reserve(_request(usd=1e6), Limits(), NOON)

        assert funding.granted
        assert funding.limit_usd is None

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(_request("run-2", 1.0, dataset="payments"), id="another dataset"),
            pytest.param(_request("run-2", 1.0, month="2026-12"), id="another month"),
        ],
    )
    def test_each_dataset_has_a_budget_each_month(self, ledger: Ledger, other: Request) -> None:
        ledger.reserve(_request(usd=1.0), ONE_DOLLAR, NOON)

        assert _is_granted(ledger, other)

    def test_regardless_of_limits_everything_is_granted_and_counts(self, ledger: Ledger) -> None:
        assert ledger.reserve(_request("run-1", 2.0), ONE_DOLLAR, NOON, regardless=True).granted
        assert not _is_granted(ledger, _request("run-2", 0.1))

    def test_what_costs_nothing_is_granted_when_nothing_is_left(self, ledger: Ledger) -> None:
        ledger.reserve(_request("run-1", 1.0), ONE_DOLLAR, NOON)
        _settle(ledger, _request("run-1"), 1.5)

        assert _is_granted(ledger, _request("run-2", 0.0))

    @pytest.mark.parametrize("usd", [float("nan"), float("inf"), -0.1], ids=str)
    def test_what_is_no_amount_is_refused(self, ledger: Ledger, usd: float) -> None:
        with pytest.raises(ValueError, match="dollars cannot be recorded"):
            ledger.reserve(_request(usd=usd), Limits(), NOON)
        assert ledger.spends() == ()


class TestHealing:
    LIMITS = Limits(monthly_usd=1.0, healing_monthly_usd=0.5, monthly_origin="m", healing_origin="h")

    def test_healing_has_a_limit_of_its_own(self, ledger: Ledger) -> None:
        ledger.reserve(_request("run-1", 0.4, purpose=Purpose.HEALING), self.LIMITS, NOON)
        ledger.reserve(_request("run-2", 0.1), self.LIMITS, NOON)

        funding = ledger.reserve(_request("run-3", 0.2, purpose=Purpose.HEALING), self.LIMITS, NOON)

        assert not funding.granted
        assert (funding.budget, funding.limit_usd, funding.origin) == ("healing", 0.5, "h")
        assert funding.reserved_usd == 0.4

    def test_building_does_not_count_as_healing(self, ledger: Ledger) -> None:
        ledger.reserve(_request("run-1", 0.5), self.LIMITS, NOON)

        funding = ledger.reserve(_request("run-2", 0.5, purpose=Purpose.HEALING), self.LIMITS, NOON)

        assert (funding.granted, funding.budget, funding.reserved_usd) == (True, "monthly", 0.5)

    def test_healing_counts_against_the_monthly_limit_too(self, ledger: Ledger) -> None:
        ledger.reserve(_request("run-1", 0.4, purpose=Purpose.HEALING), self.LIMITS, NOON)

        assert not _is_granted(ledger, _request("run-2", 0.7), self.LIMITS)

    def test_the_monthly_limit_refuses_healing_first(self, ledger: Ledger) -> None:
        ledger.reserve(_request("run-1", 0.9), self.LIMITS, NOON)

        assert ledger.reserve(_request("run-2", 0.6, purpose=Purpose.HEALING), self.LIMITS, NOON).budget == "monthly"


class TestAskingAgain:
    def test_an_open_reservation_is_granted_again_as_it_stands(self, ledger: Ledger) -> None:
        first = ledger.reserve(_request(usd=0.6), ONE_DOLLAR, NOON)

        again = ledger.reserve(_request(usd=0.9, version="v2"), ONE_DOLLAR, NOON + timedelta(hours=1))

        assert again == first
        assert ledger.spends() == (Spend(_request(usd=0.6), SpendState.RESERVED, NOON),)

    def test_an_open_reservation_is_granted_again_when_nothing_is_left(self, ledger: Ledger) -> None:
        ledger.reserve(_request(usd=0.6), ONE_DOLLAR, NOON)
        ledger.reserve(_request("run-2", usd=0.9), ONE_DOLLAR, NOON, regardless=True)

        assert _is_granted(ledger, _request(usd=0.6))

    def test_an_entry_that_cost_nothing_is_replaced(self, ledger: Ledger) -> None:
        ledger.reserve(_request(usd=0.6), ONE_DOLLAR, NOON)
        _settle(ledger, _request(), 0.0, SpendState.KILLED)

        ledger.reserve(_request(usd=0.7), ONE_DOLLAR, NOON + timedelta(hours=1))

        assert ledger.spends() == (Spend(_request(usd=0.7), SpendState.RESERVED, NOON + timedelta(hours=1)),)

    def test_an_entry_that_cost_money_stays_beside_the_new_one(self, ledger: Ledger) -> None:
        ledger.reserve(_request(usd=0.6), ONE_DOLLAR, NOON)
        _settle(ledger, _request(), 0.5, SpendState.FAILED)

        assert not _is_granted(ledger, _request(usd=0.6))
        assert _is_granted(ledger, _request(usd=0.4))
        assert [item.state for item in ledger.spends()] == [SpendState.FAILED, SpendState.RESERVED]

    def test_another_partition_of_the_run_is_another_entry(self, ledger: Ledger) -> None:
        ledger.reserve(_request(usd=0.6), ONE_DOLLAR, NOON)

        assert not _is_granted(ledger, _request(usd=0.6, partition="2026-11-19"))


class TestSettling:
    def test_a_settled_entry_has_what_it_took(self, ledger: Ledger) -> None:
        ledger.reserve(_request(), ONE_DOLLAR, NOON)
        _settle(ledger, _request(), 0.123456789)

        expected = Spend(_request(), SpendState.BUILT, NOON, NOON + timedelta(minutes=1), 3.5, 0.123456789)
        assert ledger.spends() == (expected,)
        assert ledger.open_spends() == ()

    def test_what_was_not_needed_is_free_again(self, ledger: Ledger) -> None:
        ledger.reserve(_request("run-1", 0.9), ONE_DOLLAR, NOON)
        _settle(ledger, _request("run-1"), 0.2)

        assert _is_granted(ledger, _request("run-2", 0.8))

    def test_a_settled_entry_stays_as_it_is(self, ledger: Ledger) -> None:
        ledger.reserve(_request(), ONE_DOLLAR, NOON)
        _settle(ledger, _request(), 0.2)
        before = ledger.spends()

        _settle(ledger, _request(), 0.3, SpendState.KILLED)

        assert ledger.spends() == before

    def test_settling_leaves_the_other_runs_and_partitions_alone(self, ledger: Ledger) -> None:
        others = [_request("run-2", 0.1), _request("run-1", 0.1, partition="2026-11-19")]
        _reserve(ledger, _request("run-1", 0.1), *others)

        _settle(ledger, _request("run-1"), 0.1)

        assert [item.request for item in ledger.open_spends()] == others

    def test_settling_what_was_never_reserved_changes_nothing(self, ledger: Ledger) -> None:
        _settle(ledger, _request(), 0.1)

        assert ledger.spends() == ()

    def test_a_reservation_is_not_settled_by_reserving(self, ledger: Ledger) -> None:
        with pytest.raises(ValueError, match="not settled by reserving"):
            _settle(ledger, _request(), 0.1, SpendState.RESERVED)

    @pytest.mark.parametrize(("seconds", "usd"), [(float("nan"), 0.1), (1.0, float("inf")), (-1.0, 0.1), (1.0, -0.1)])
    def test_what_is_no_amount_is_refused(self, ledger: Ledger, seconds: float, usd: float) -> None:
        ledger.reserve(_request(), ONE_DOLLAR, NOON)

        with pytest.raises(ValueError, match="cannot be recorded"):
            ledger.settle(_request(), SpendState.BUILT, seconds=seconds, usd=usd, settled_at=NOON)
        assert len(ledger.open_spends()) == 1

    def test_concluding_publishes_what_was_built_of_the_version(self, ledger: Ledger) -> None:
        built = _request("run-1", 0.1)
        others = {
            "failed": _request("run-2", 0.1),
            "open": _request("run-3", 0.1),
            "version": _request("run-4", 0.1, version="v2"),
            "partition": _request("run-5", 0.1, partition="2026-11-19"),
        }
        _reserve(ledger, built, *others.values())
        _settle(ledger, others["failed"], 0.1, SpendState.FAILED)
        _settle(ledger, built, 0.1)
        _settle(ledger, others["version"], 0.1)
        _settle(ledger, others["partition"], 0.1)

        ledger.conclude("orders", DAY, "v1")

        assert {item.request.run_id: item.state.value for item in ledger.spends()} == {
            "run-1": "published",
            "run-2": "failed",
            "run-3": "reserved",
            "run-4": "built",
            "run-5": "built",
        }


def test_entries_are_found_by_dataset_and_month(ledger: Ledger) -> None:
    requests = [
        _request("run-1"),
        _request("run-2", month="2026-12"),
        _request("run-3", dataset="payments"),
        replace(_request("run-4"), purpose=Purpose.HEALING),
    ]
    _reserve(ledger, *requests)

    assert [item.request for item in ledger.spends()] == requests
    assert [item.request for item in ledger.spends("orders", "2026-11")] == [requests[0], requests[3]]
    assert [item.request for item in ledger.spends(month="2026-12")] == [requests[1]]
    assert [item.request for item in ledger.spends("payments")] == [requests[2]]


class TestHistory:
    def test_the_newest_builds_that_took_time_are_found_oldest_first(self, ledger: Ledger) -> None:
        requests = [_request(f"run-{number}") for number in range(6)]
        _reserve(ledger, *requests, _request("elsewhere", dataset="payments"))
        for request in requests[:3]:
            _settle(ledger, request, 0.1)
        ledger.conclude("orders", DAY, "v1")
        _settle(ledger, requests[3], 0.1, SpendState.FAILED)
        ledger.settle(requests[4], SpendState.BUILT, seconds=0.0, usd=0.0, settled_at=NOON)
        _settle(ledger, _request("elsewhere", dataset="payments"), 0.1)

        assert [item.request.run_id for item in ledger.builds("orders", 2)] == ["run-1", "run-2"]
        assert [item.request.run_id for item in ledger.builds("orders", 9)] == ["run-0", "run-1", "run-2"]

    def test_a_month_is_what_was_spent_and_is_reserved_for_each_purpose(self, ledger: Ledger) -> None:
        spent = _request("run-1", 0.4, month="2026-10")
        healed = _request("run-3", 0.1, purpose=Purpose.HEALING)
        _reserve(ledger, spent, _request("run-2", 0.3), healed, _request("run-4", 0.2), _request(dataset="payments"))
        _settle(ledger, spent, 0.5)

        assert ledger.spent_by_month("orders") == (
            Spent("2026-10", Purpose.BUILD, 0.5),
            Spent("2026-11", Purpose.BUILD, 0.5),
            Spent("2026-11", Purpose.HEALING, 0.1),
        )
