"""What is done about a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sluice.healing.decide import (
    Asked,
    Escalate,
    RetryLater,
    ServeLastGood,
    WaitForUpstream,
    choose_retries,
    decide,
)
from sluice.healing.explain import explain
from sluice.healing.failure import FailureClass
from sluice.healing.policy import USUAL, HealingPolicy
from sluice.history import Attempt

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
POLICY = HealingPolicy()
MINUTE = timedelta(minutes=1)


def attempt(
    number: int = 1,
    failure_class: FailureClass | None = FailureClass.TRANSIENT,
    *,
    dataset: str = "orders",
    partition: str = "2026-11-01",
    ended_at: datetime | None = NOW,
    error: str | None = "words",
) -> Attempt:
    return Attempt(dataset, partition, "a-b-1", number, f"run-{number}", NOW, ended_at, error, failure_class)


def failed(times: int, failure_class: FailureClass | None = FailureClass.TRANSIENT) -> list[Attempt]:
    return [attempt(number, failure_class) for number in range(1, times + 1)]


@pytest.mark.parametrize("failure_class", USUAL)
def test_what_time_may_heal_is_retried(failure_class: FailureClass) -> None:
    remedy = decide(failure_class, failed(1, failure_class), POLICY, NOW, 1.0)

    assert remedy == RetryLater(NOW + USUAL[failure_class].first, 1, USUAL[failure_class].most)


@pytest.mark.parametrize("failure_class", USUAL)
def test_retries_come_to_an_end(failure_class: FailureClass) -> None:
    most = USUAL[failure_class].most

    last = decide(failure_class, failed(most, failure_class), POLICY, NOW, 0.5)
    over = decide(failure_class, failed(most + 1, failure_class), POLICY, NOW, 0.5)

    assert isinstance(last, RetryLater)
    assert last.retry == most
    assert isinstance(over, Escalate)


@pytest.mark.parametrize(
    ("failure_class", "kind"),
    [
        (FailureClass.UPSTREAM_MISSING, WaitForUpstream),
        (FailureClass.QUALITY, ServeLastGood),
        (FailureClass.COST, ServeLastGood),
        (FailureClass.SCHEMA_DRIFT, ServeLastGood),
        (FailureClass.PERMISSION, Escalate),
        (FailureClass.CODE, Escalate),
        (FailureClass.UNKNOWN, Escalate),
    ],
)
def test_what_would_fail_again_is_not_retried(failure_class: FailureClass, kind: type) -> None:
    assert isinstance(decide(failure_class, failed(1, failure_class), POLICY, NOW, 0.5), kind)


@pytest.mark.parametrize("failure_class", FailureClass)
def test_every_class_has_a_remedy_that_can_be_explained(failure_class: FailureClass) -> None:
    assert explain(decide(failure_class, failed(1, failure_class), POLICY, NOW, 0.5)).endswith(".")


def test_the_moment_is_the_same_at_every_tick() -> None:
    later = NOW + timedelta(hours=1)

    assert decide(FailureClass.TRANSIENT, failed(2), POLICY, later, 0.5) == decide(
        FailureClass.TRANSIENT, failed(2), POLICY, NOW, 0.5
    )


def test_an_end_that_is_not_known_is_now() -> None:
    remedy = decide(FailureClass.TRANSIENT, [attempt(ended_at=None)], POLICY, NOW + MINUTE, 0.0)

    assert remedy == RetryLater(NOW + MINUTE, 1, 5)


def test_a_new_version_starts_anew() -> None:
    assert decide(FailureClass.TRANSIENT, failed(1), POLICY, NOW, 1.0) == RetryLater(NOW + timedelta(seconds=10), 1, 5)


def test_failures_of_another_class_are_not_counted() -> None:
    tries = [*failed(5, FailureClass.TRANSIENT), attempt(6, FailureClass.RESOURCE)]

    assert decide(FailureClass.RESOURCE, tries, POLICY, NOW, 1.0) == RetryLater(NOW + MINUTE, 1, 2)


def test_a_failure_of_no_class_counts_for_each() -> None:
    assert isinstance(decide(FailureClass.RESOURCE, failed(3, None), POLICY, NOW, 1.0), Escalate)


def test_a_try_that_succeeded_is_not_counted() -> None:
    tries = [attempt(1, None, error=None), attempt(2)]

    assert decide(FailureClass.TRANSIENT, tries, POLICY, NOW, 0.0) == RetryLater(NOW, 1, 5)


def test_what_the_other_side_asks_for_is_waited_for() -> None:
    remedy = decide(
        FailureClass.UPSTREAM_UNAVAILABLE,
        failed(1, FailureClass.UPSTREAM_UNAVAILABLE),
        POLICY,
        NOW,
        0.5,
        timedelta(hours=2),
    )

    assert remedy == RetryLater(NOW + timedelta(hours=2, seconds=15), 1, 8)


def test_who_asks_for_more_than_a_day_gets_a_person() -> None:
    assert isinstance(decide(FailureClass.TRANSIENT, failed(1), POLICY, NOW, 0.5, timedelta(days=2)), Escalate)


def test_a_contract_may_ask_for_fewer_retries() -> None:
    policy = HealingPolicy(changed=((FailureClass.TRANSIENT, replace(USUAL[FailureClass.TRANSIENT], most=1)),))

    assert isinstance(decide(FailureClass.TRANSIENT, failed(2), policy, NOW, 0.5), Escalate)


def test_a_contract_may_ask_for_none() -> None:
    policy = HealingPolicy(changed=((FailureClass.TRANSIENT, replace(USUAL[FailureClass.TRANSIENT], most=0)),))

    assert explain(decide(FailureClass.TRANSIENT, failed(1), policy, NOW, 0.5)) == (
        "A person has to look: transient failures of this dataset are not retried."
    )


@pytest.mark.parametrize(
    ("remedy", "text"),
    [
        (RetryLater(NOW, 2, 5), "Retry 2 of 5, not before 2026-11-02 03:00:00 UTC."),
        (WaitForUpstream(), "Wait for the input: the partition is built by itself when it comes."),
        (ServeLastGood("it is right"), "The table keeps what it holds until it is right."),
        (Escalate("it is not right"), "A person has to look: it is not right."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_remedy_is_explained(remedy: RetryLater | WaitForUpstream | ServeLastGood | Escalate, text: str) -> None:
    assert explain(remedy) == text


def test_the_oldest_are_retried_first() -> None:
    young, old = attempt(partition="2026-11-01"), attempt(partition="2026-11-02", ended_at=NOW - MINUTE)

    assert choose_retries([young, old], [], POLICY, NOW) == (old, young)


def test_one_dataset_leaves_room_for_others() -> None:
    storm = [attempt(partition=f"{n:03}", ended_at=NOW - MINUTE) for n in range(100)]
    other = attempt(dataset="clicks")

    chosen = choose_retries([*storm, other], [], POLICY, NOW)

    assert len(chosen) == 11
    assert other in chosen


def test_all_datasets_together_are_bounded() -> None:
    storm = [attempt(dataset=f"d{n % 20}", partition=f"{n:03}") for n in range(200)]

    assert len(choose_retries(storm, [], POLICY, NOW)) == 50


def test_runs_asked_for_lately_count() -> None:
    lately = [Asked("orders", NOW - 9 * MINUTE)] * 9
    storm = [attempt(partition=f"{n:03}") for n in range(5)]

    assert len(choose_retries(storm, lately, POLICY, NOW)) == 1


def test_runs_asked_for_earlier_do_not_count() -> None:
    earlier = [Asked("orders", NOW - 10 * MINUTE)] * 50

    assert choose_retries([attempt()], earlier, POLICY, NOW) == (attempt(),)
