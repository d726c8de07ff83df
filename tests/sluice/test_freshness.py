"""When partitions are due, whether they came in time, and what is left of the error budget."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from sluice.contract import Contract
from sluice.freshness import (
    Freshness,
    Slo,
    Timeliness,
    attainment,
    breach_verdict,
    breaches,
    deadline_of,
    instant_text,
    is_promised,
    percent_text,
    publication_verdict,
    span_text,
    timeliness,
)

KOLKATA = Freshness(1, time(7), "Asia/Kolkata")
WORKDAYS = Freshness(1, time(7), weekdays=(0, 1, 2, 3, 4))
NOON = Freshness(1, time(12), objective=0.9)
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}Z")


def orders(freshness: Freshness | None = NOON, start: str = "2026-11-01") -> Contract:
    return Contract("orders", "1.0.0", (), start=date.fromisoformat(start), freshness=freshness)


def published(**days: str) -> dict[str, datetime]:
    """`d02="2026-11-03T11:00"` says when 2026-11-02 was first published."""
    return {f"2026-11-{name[1:]}": utc(instant) for name, instant in days.items()}


def record(first_published: dict[str, datetime], now: str, *, contract: Contract | None = None, days: int = 30) -> Slo:
    found = attainment(contract or orders(), first_published, utc(now), days)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("freshness", "partition", "deadline"),
    [
        pytest.param(KOLKATA, "2026-11-03", "2026-11-04T01:30", id="zone"),
        pytest.param(Freshness(1, time(7), "+05:30"), "2026-11-03", "2026-11-04T01:30", id="offset"),
        pytest.param(Freshness(1, time(7), "-08:00"), "2026-11-03", "2026-11-04T15:00", id="offset west"),
        pytest.param(Freshness(0, time(23)), "2026-11-03", "2026-11-03T23:00", id="same day"),
        pytest.param(Freshness(2, time(0)), "2026-12-31", "2027-01-02T00:00", id="over a year's end"),
        pytest.param(Freshness(1, time(7), "Europe/Berlin"), "2026-03-27", "2026-03-28T06:00", id="winter time"),
        pytest.param(Freshness(1, time(7), "Europe/Berlin"), "2026-03-28", "2026-03-29T05:00", id="summer time"),
        pytest.param(Freshness(1, time(2, 30), "Europe/Berlin"), "2026-03-28", "2026-03-29T01:30", id="skipped time"),
        pytest.param(Freshness(1, time(2, 30), "Europe/Berlin"), "2026-10-24", "2026-10-25T00:30", id="repeated time"),
        pytest.param(Freshness(1, time(7), "Pacific/Kiritimati"), "2026-11-03", "2026-11-03T17:00", id="far east"),
    ],
)
def test_a_deadline_is_one_instant(freshness: Freshness, partition: str, deadline: str) -> None:
    assert deadline_of(freshness, partition) == utc(deadline)
    assert deadline_of(freshness, partition).tzinfo is UTC


@pytest.mark.parametrize(
    ("published_at", "now", "state"),
    [
        pytest.param(None, "12:00", Timeliness.NOT_YET_DUE, id="at the deadline"),
        pytest.param(None, "12:01", Timeliness.BREACHED, id="after the deadline"),
        pytest.param("11:00", "11:30", Timeliness.ON_TIME, id="early"),
        pytest.param("12:00", "13:00", Timeliness.ON_TIME, id="published at the deadline"),
        pytest.param("12:01", "13:00", Timeliness.LATE, id="published after it"),
    ],
)
def test_the_deadline_itself_is_in_time(published_at: str | None, now: str, state: Timeliness) -> None:
    first = utc(f"2026-11-04T{published_at}") if published_at else None

    assert timeliness(deadline_of(NOON, "2026-11-03"), first, utc(f"2026-11-04T{now}")) is state


@pytest.mark.parametrize(
    ("freshness", "partition", "promised"),
    [
        pytest.param(WORKDAYS, "2026-11-06", True, id="friday"),
        pytest.param(WORKDAYS, "2026-11-07", False, id="saturday"),
        pytest.param(Freshness(1, time(7), since=date(2026, 11, 5)), "2026-11-04", False, id="before since"),
        pytest.param(Freshness(1, time(7), since=date(2026, 11, 5)), "2026-11-05", True, id="since"),
    ],
)
def test_some_days_are_not_promised(freshness: Freshness, partition: str, promised: bool) -> None:  # noqa: FBT001
    assert is_promised(freshness, partition) is promised


def test_a_publication_in_time_holds_and_says_how_much_time_was_left() -> None:
    verdict = publication_verdict(KOLKATA, "2026-11-03", utc("2026-11-04T01:02"))

    assert verdict.holds
    assert verdict.explanation == (
        "Published at 2026-11-04 01:02 UTC, 28 min before its deadline 2026-11-04 01:30 UTC."
    )
    assert verdict.numbers == {"seconds_late": 0, "seconds_to_spare": 28 * 60}
    assert verdict.threshold == "by D+1 07:00 Asia/Kolkata"
    assert verdict.origin == "contract"


def test_a_late_publication_does_not_hold_and_says_how_late_it_was() -> None:
    verdict = publication_verdict(KOLKATA, "2026-11-03", utc("2026-11-05T03:30:20"))

    assert not verdict.holds
    assert verdict.explanation == (
        "Published at 2026-11-05 03:30:20 UTC, 1 d 2 h after its deadline 2026-11-04 01:30 UTC."
    )
    assert verdict.numbers == {"seconds_late": 26 * 3600 + 20, "seconds_to_spare": 0}


def test_a_publication_that_was_not_promised_holds_whenever_it_comes() -> None:
    verdict = publication_verdict(WORKDAYS, "2026-11-07", utc("2027-01-01T00:00"))

    assert verdict.holds
    assert verdict.explanation == "Nothing is promised for 2026-11-07."


def test_a_breach_says_what_is_missing_and_for_how_long() -> None:
    verdict = breach_verdict(KOLKATA, "2026-11-03", utc("2026-11-04T01:30:40"))

    assert not verdict.holds
    assert verdict.explanation == "Nothing is published 40 s after the deadline 2026-11-04 01:30 UTC."
    assert verdict.numbers["seconds_late"] == 40
    assert verdict.facts == {"deadline": "2026-11-04 01:30 UTC", "objective": "95 %"}


def test_every_due_partition_is_on_time_late_or_breached() -> None:
    first = published(d01="2026-11-02T11:00", d02="2026-11-03T12:01")

    found = record(first, "2026-11-04T12:01")

    assert (found.due, found.on_time) == (3, 1)
    assert [item.partition for item in found.late] == ["2026-11-02"]
    assert [item.partition for item in found.breached] == ["2026-11-03"]
    assert found.breached[0].deadline == utc("2026-11-04T12:00")
    assert found.attained == pytest.approx(1 / 3)


def test_a_backfill_of_an_old_date_does_not_make_today_fresh() -> None:
    now = utc("2026-11-04T12:01")
    before = published(d01="2026-11-02T11:00")
    after = before | {"2026-11-02": now - MINUTE}

    assert [item.partition for item in breaches(orders(), before, now)] == ["2026-11-02", "2026-11-03"]
    assert [item.partition for item in breaches(orders(), after, now)] == ["2026-11-03"]


def test_a_partition_before_the_dataset_starts_is_never_due() -> None:
    found = record({}, "2026-11-04T12:01", contract=orders(start="2026-11-03"))

    assert [item.partition for item in found.breached] == ["2026-11-03"]


def test_history_before_since_is_never_due() -> None:
    promise = Freshness(1, time(12), since=date(2026, 11, 3))

    found = record({}, "2026-11-04T12:01", contract=orders(promise))

    assert [item.partition for item in found.breached] == ["2026-11-03"]


def test_a_dataset_with_a_long_history_is_judged_by_the_deadlines_of_the_last_days_only() -> None:
    found = record({}, "2026-11-04T12:01", contract=orders(start="2010-01-01"))

    assert found.due == 30
    assert found.breached[0].partition == "2026-10-05"
    assert found.breached[-1].partition == "2026-11-03"


def test_a_deadline_many_days_after_its_partition_counts_by_the_deadline() -> None:
    found = record({}, "2026-11-04T12:01", contract=orders(Freshness(60, time(12)), start="2010-01-01"), days=2)

    assert [item.partition for item in found.breached] == ["2026-09-04", "2026-09-05"]


def test_a_dataset_that_has_not_begun_has_no_record_but_a_next_deadline() -> None:
    found = record({}, "2026-11-04T12:01", contract=orders(start="2026-12-24"))

    assert (found.due, found.attained, found.budget_left_share) == (0, None, None)
    assert found.is_met
    assert (found.upcoming.partition, found.upcoming.deadline) == ("2026-12-24", utc("2026-12-25T12:00"))


def test_the_next_deadline_is_that_of_a_promised_partition_which_is_not_published_yet() -> None:
    early = {"2026-11-05": utc("2026-11-06T06:00")}

    found = record(early, "2026-11-06T06:30", contract=orders(WORKDAYS))

    assert (found.upcoming.partition, found.upcoming.deadline) == ("2026-11-06", utc("2026-11-07T07:00"))


def test_weekdays_that_are_not_promised_are_not_due() -> None:
    found = record({}, "2026-11-10T07:01", contract=orders(WORKDAYS, start="2026-11-06"))

    assert [item.partition for item in found.breached] == ["2026-11-06", "2026-11-09"]


def test_the_error_budget_is_what_may_miss_and_it_can_be_overdrawn() -> None:
    now, contract = "2026-11-04T12:01", orders(Freshness(1, time(12), objective=0.9), start="2010-01-01")
    days = [date(2026, 10, 5) + timedelta(days=number) for number in range(30)]
    all_on_time = {day.isoformat(): utc(f"{day}T23:00") for day in days}
    one_missing = {day: at for day, at in all_on_time.items() if day != "2026-11-01"}
    six_missing = {day: at for day, at in all_on_time.items() if day < "2026-10-29"}

    full, less, overdrawn = (record(first, now, contract=contract) for first in (all_on_time, one_missing, six_missing))

    assert (full.budget, full.budget_left, full.budget_left_share, full.is_met) == (3, 3, 1, True)
    assert (less.budget_left, less.is_met) == (2, True)
    assert less.budget_left_share == pytest.approx(2 / 3)
    assert (overdrawn.budget_left, overdrawn.budget_left_share, overdrawn.is_met) == (-3, -1, False)


def test_an_objective_of_all_has_no_budget() -> None:
    found = record({}, "2026-11-02T12:01", contract=orders(Freshness(1, time(12), objective=1.0)))

    assert (found.budget, found.budget_left, found.budget_left_share, found.is_met) == (0, -1, None, False)


def test_a_contract_without_a_promise_has_no_record_and_no_breaches() -> None:
    assert attainment(orders(None), {}, utc("2026-11-04T12:01")) is None
    assert breaches(orders(None), {}, utc("2026-11-04T12:01")) == ()


@pytest.mark.parametrize(
    ("freshness", "text"),
    [
        pytest.param(KOLKATA, "D+1 07:00 Asia/Kolkata", id="zone"),
        pytest.param(Freshness(0, time(23, 59, 30), "+05:30"), "D+0 23:59:30 +05:30", id="seconds and offset"),
    ],
)
def test_a_promise_reads_as_people_say_it(freshness: Freshness, text: str) -> None:
    assert freshness.text == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        pytest.param(timedelta(0), "0 s", id="nothing"),
        pytest.param(timedelta(seconds=59.9), "59 s", id="seconds"),
        pytest.param(timedelta(hours=2, seconds=59), "2 h", id="hours"),
        pytest.param(timedelta(days=3, hours=2, minutes=59), "3 d 2 h", id="two units"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(span: timedelta, text: str) -> None:
    assert span_text(span) == text


def test_instants_and_shares_are_short() -> None:
    assert instant_text(datetime.fromisoformat("2026-11-04T07:00+05:30")) == "2026-11-04 01:30 UTC"
    assert percent_text(0.999) == "99.9 %"
