"""When a day is pulled, and as what tries are counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from sluice.healing.failure import FailureClass
from sluice.history import Attempt
from sluice.pulling.pull import Pull
from sluice.pulling.schedule import due, is_pull, moment_of, pull_fingerprint, window

DAY = "2026-11-03"
DAILY = Pull("https://shop.example/orders/{date}", at=time(6), days=2)
OFTEN = replace(DAILY, every=timedelta(minutes=15))
START = date(2026, 1, 1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("pull", "now", "moment"),
    [
        pytest.param(DAILY, "03 23:59", None, id="the day itself"),
        pytest.param(DAILY, "04 05:59", None, id="before its time"),
        pytest.param(DAILY, "04 06:00", "04 06:00", id="its time"),
        pytest.param(DAILY, "05 05:59", "04 06:00", id="before the second time"),
        pytest.param(DAILY, "05 06:00", "05 06:00", id="the second time"),
        pytest.param(DAILY, "09 12:00", "05 06:00", id="no third time"),
        pytest.param(OFTEN, "03 00:14", None, id="too early in the day"),
        pytest.param(OFTEN, "03 00:15", "03 00:15", id="the first interval"),
        pytest.param(OFTEN, "03 12:44", "03 12:30", id="an interval"),
        pytest.param(OFTEN, "04 00:01", "04 00:00", id="the day's end"),
        pytest.param(OFTEN, "04 07:00", "04 06:00", id="after the day"),
    ],
)
def test_a_day_has_its_moments(pull: Pull, now: str, moment: str | None) -> None:
    assert moment_of(pull, DAY, at(now)) == (at(moment) if moment else None)


@pytest.mark.parametrize(
    ("pull", "start", "days"),
    [
        pytest.param(DAILY, START, ["2026-11-01", "2026-11-02"], id="days that are over"),
        pytest.param(OFTEN, START, ["2026-11-01", "2026-11-02", "2026-11-03"], id="and today"),
        pytest.param(OFTEN, date(2026, 11, 3), ["2026-11-03"], id="none before the start"),
    ],
)
def test_only_recent_days_are_pulled_by_themselves(pull: Pull, start: date, days: list[str]) -> None:
    assert window(pull, start, at("03 12:00")) == tuple(days)


def tried(failure_class: FailureClass | None, ended: str | None, error: str | None = "no") -> Attempt:
    return Attempt("orders", DAY, "v", 1, "r", at("04 06:00"), at(ended) if ended else None, error, failure_class)


@pytest.mark.parametrize(
    ("pulled", "tries", "is_due"),
    [
        pytest.param(None, [], True, id="never pulled"),
        pytest.param("04 05:00", [], True, id="pulled too early"),
        pytest.param("04 06:00", [], False, id="pulled in time"),
        pytest.param(None, [tried(None, None, None)], False, id="under way"),
        pytest.param(None, [tried(FailureClass.UPSTREAM_UNAVAILABLE, "04 06:01")], False, id="left to the retries"),
        pytest.param(None, [tried(FailureClass.PERMISSION, "04 06:01")], False, id="left to a person"),
        pytest.param(None, [tried(FailureClass.UPSTREAM_MISSING, "04 08:01")], False, id="there was nothing just now"),
        pytest.param(
            None, [tried(FailureClass.UPSTREAM_MISSING, "04 07:59")], True, id="there was nothing an hour ago"
        ),
    ],
)
def test_a_day_is_due_once_for_each_moment(pulled: str | None, tries: list[Attempt], is_due: bool) -> None:  # noqa: FBT001
    found = due(DAILY, DAY, at("04 09:00"), at(pulled) if pulled else None, tries)

    assert found == (at("04 06:00") if is_due else None)


def test_nothing_yet_is_asked_for_as_often_as_all_else() -> None:
    tries = [tried(FailureClass.UPSTREAM_MISSING, "04 08:40")]

    assert due(OFTEN, DAY, at("04 09:00"), None, tries) == at("04 06:00")


def test_each_moment_and_each_way_of_asking_has_its_own_tries() -> None:
    names = {
        pull_fingerprint(DAILY, at("04 06:00")),
        pull_fingerprint(DAILY, at("05 06:00")),
        pull_fingerprint(replace(DAILY, location="https://shop.example/v2/{date}"), at("04 06:00")),
    }

    assert len(names) == 3
    assert all(is_pull(name) and len(name) == 16 for name in names)
    assert pull_fingerprint(DAILY, at("04 06:00")) in names
