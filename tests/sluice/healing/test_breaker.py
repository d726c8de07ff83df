from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sluice.healing.breaker import Breaker, BreakerState, breaker_of, claims_probe, explain_breaker
from sluice.healing.failure import FailureClass
from sluice.healing.policy import BreakerPolicy
from sluice.history import Attempt

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
POLICY = BreakerPolicy(failures=3, first=timedelta(minutes=1), cap=timedelta(minutes=30))
CODE, QUALITY, COST = FailureClass.CODE, FailureClass.QUALITY, FailureClass.COST
SINK, TRANSIENT, MISSING = FailureClass.SINK_UNAVAILABLE, FailureClass.TRANSIENT, FailureClass.UPSTREAM_MISSING
SUCCESS = None


def history(*ends: FailureClass | None, lasted: float = 1) -> list[Attempt]:
    """Return attempts that ended a minute after the other, the newest first; the last one at noon."""
    first = NOON - timedelta(minutes=len(ends) - 1)
    made = [
        Attempt(
            "orders",
            f"2026-10-{number + 1:02d}",
            "v",
            1,
            f"run-{number}",
            first + timedelta(minutes=number, seconds=-lasted),
            first + timedelta(minutes=number),
            None if end is SUCCESS else "boom",
            end,
        )
        for number, end in enumerate(ends)
    ]
    return made[::-1]


def breaker(*ends: FailureClass | None, after: timedelta = timedelta(), lasted: float = 1) -> Breaker:
    return breaker_of("dataset orders", history(*ends, lasted=lasted), POLICY, NOON + after)


@pytest.mark.parametrize(
    ("ends", "holds_back"),
    [
        pytest.param((), False, id="nothing was tried"),
        pytest.param((CODE, CODE), False, id="too few"),
        pytest.param((CODE, CODE, CODE), True, id="enough"),
        pytest.param((CODE, CODE, SUCCESS, CODE), False, id="a success between"),
        pytest.param((CODE, CODE, CODE, SUCCESS), False, id="a success since"),
        pytest.param((CODE, CODE, TRANSIENT), False, id="another class between"),
        pytest.param((CODE, CODE, CODE, TRANSIENT), True, id="another class of the probe"),
        pytest.param((QUALITY, QUALITY, QUALITY), False, id="gates on data are about one partition"),
        pytest.param((COST, COST, COST), False, id="gates on money are"),
        pytest.param((MISSING, MISSING, MISSING), False, id="missing inputs are"),
        pytest.param((CODE, QUALITY, CODE, COST, CODE), True, id="gates between say nothing"),
        pytest.param((CODE, CODE, CODE, COST), True, id="a gate on money proves nothing"),
        pytest.param((CODE, CODE, CODE, QUALITY), False, id="a gate on data proves that it builds"),
        pytest.param((SINK, SINK, SINK, QUALITY), True, id="but not that it can be published"),
    ],
)
def test_failures_of_one_class_in_a_row_open_it_and_a_success_closes_it(
    ends: tuple[FailureClass | None, ...],
    holds_back: bool,  # noqa: FBT001  the expected answer
) -> None:
    assert breaker(*ends).holds_back is holds_back


def test_a_failure_that_is_older_than_classes_counts_for_nothing() -> None:
    old = Attempt("orders", "2026-10-01", "v", 1, "run", NOON, NOON, "boom", None)

    assert breaker_of("dataset orders", [old] * 3, POLICY, NOON).state is BreakerState.CLOSED


def test_it_is_open_since_the_failure_that_was_one_too_many() -> None:
    found = breaker(CODE, CODE, CODE, CODE)

    assert found.opened_at == NOON - timedelta(minutes=1)
    assert (found.failure_class, len(found.failed)) == (CODE, 4)


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        pytest.param(3, timedelta(minutes=1), id="first"),
        pytest.param(4, timedelta(minutes=2), id="doubled by a probe that failed"),
        pytest.param(6, timedelta(minutes=8), id="doubled again and again"),
        pytest.param(50, timedelta(minutes=30), id="capped"),
    ],
)
def test_the_wait_for_a_probe_doubles_with_each_probe_that_failed(failures: int, wait: timedelta) -> None:
    assert breaker(*[CODE] * failures).probe_at == NOON + wait


def test_what_was_at_work_when_it_opened_was_no_probe() -> None:
    """All of them began in the same moment, so the failures behind the third do not double the wait."""
    assert breaker(*[CODE] * 6, lasted=600).probe_at == NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("after", "state"),
    [
        pytest.param(timedelta(seconds=59), BreakerState.OPEN, id="before"),
        pytest.param(timedelta(seconds=60), BreakerState.HALF_OPEN, id="then"),
        pytest.param(timedelta(days=9), BreakerState.HALF_OPEN, id="long after"),
    ],
)
def test_it_is_half_open_when_the_probe_is_due(after: timedelta, state: BreakerState) -> None:
    assert breaker(CODE, CODE, CODE, after=after).state is state


class Notices:
    def __init__(self) -> None:
        self.keys: list[str] = []

    def first(self, key: str, noticed_at: datetime) -> bool:  # noqa: ARG002
        self.keys.append(key)
        return self.keys.count(key) == 1


def test_exactly_one_run_claims_a_probe() -> None:
    notices, due = Notices(), breaker(CODE, CODE, CODE, after=timedelta(minutes=2))
    now = NOON + timedelta(minutes=2)

    assert [claims_probe([due], notices.first, now) for _ in range(3)] == [True, False, False]


def test_a_probe_that_is_never_heard_of_again_is_followed_by_another() -> None:
    notices, due = Notices(), breaker(CODE, CODE, CODE, after=timedelta(minutes=2))

    assert claims_probe([due], notices.first, NOON + timedelta(minutes=2))
    assert not claims_probe([due], notices.first, NOON + timedelta(minutes=15))
    assert claims_probe([due], notices.first, NOON + timedelta(minutes=16))


def test_the_next_failure_makes_another_probe_possible() -> None:
    notices, later = Notices(), NOON + timedelta(hours=1)
    again = replace(history(CODE)[0], ended_at=NOON + timedelta(minutes=5))
    second = breaker_of("dataset orders", [again, *history(CODE, CODE, CODE)], POLICY, later)

    assert claims_probe([breaker(CODE, CODE, CODE, after=timedelta(hours=1))], notices.first, later)
    assert claims_probe([second], notices.first, later)


def test_one_that_waits_keeps_the_probe_of_another_unclaimed() -> None:
    notices = Notices()
    waits, due = breaker(CODE, CODE, CODE), breaker(SINK, SINK, SINK, after=timedelta(minutes=2))

    assert not claims_probe([due, waits], notices.first, NOON + timedelta(minutes=2))
    assert notices.keys == []


def test_nobody_probes_what_is_closed() -> None:
    assert not claims_probe([breaker(CODE)], Notices().first, NOON)
    with pytest.raises(ValueError, match="is closed"):
        breaker(CODE).claim(NOON)


def test_it_says_what_is_held_until_when() -> None:
    assert explain_breaker(breaker(CODE, CODE, CODE)) == (
        "dataset orders: 3 failures in a row, code, so nothing is launched since 2026-11-03 12:00:00 UTC"
        " but one probe, not before 2026-11-03 12:01:00 UTC."
    )
    assert explain_breaker(breaker(CODE)) == "dataset orders: closed."
