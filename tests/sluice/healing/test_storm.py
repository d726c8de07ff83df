"""A thousand partitions that fail at once, and go on failing, over a simulated day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.healing.decide import Asked, RetryLater, choose_retries, decide
from sluice.healing.failure import FailureClass
from sluice.healing.policy import USUAL, HealingPolicy
from sluice.history import Attempt

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
TICK = timedelta(minutes=2)
POLICY = HealingPolicy()


@dataclass
class Day:
    """Every run that is asked for fails at the next tick."""

    failure_class: FailureClass
    chance: Random
    attempts: dict[tuple[str, str], list[Attempt]] = field(default_factory=dict)
    moments: dict[tuple[str, str], datetime] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def fail(self, dataset: str, partition: str, version: str, at: datetime) -> None:
        tries = self.attempts.setdefault((dataset, partition), [])
        same = [item for item in tries if item.version == version]
        tries[:] = [
            *same,
            Attempt(
                dataset, partition, version, len(same) + 1, str(self.chance.random()), at, at, "no", self.failure_class
            ),
        ]

        remedy = decide(self.failure_class, tries, POLICY, at, float(tries[-1].run_id))
        self.moments[dataset, partition] = remedy.at if isinstance(remedy, RetryLater) else NEVER

    def tick(self, now: datetime) -> None:
        due = [self.attempts[key][-1] for key, at in self.moments.items() if at <= now]
        chosen = choose_retries(due, self.asked, POLICY, now)
        self.asked.extend(Asked(item.dataset, now) for item in chosen)
        for item in chosen:
            self.fail(item.dataset, item.partition, item.version, now + timedelta(seconds=1))

    def live(self, hours: int) -> None:
        for number in range(int(timedelta(hours=hours) / TICK)):
            self.tick(BEGIN + number * TICK)


def storm(failure_class: FailureClass, datasets: int, seed: int, partitions: int) -> Day:
    day = Day(failure_class, Random(seed))
    for number in range(partitions):
        day.fail(f"d{number % datasets}", f"{number:04}", "v1", BEGIN)
    return day


def most_in_a_window(asked: list[datetime]) -> int:
    return max((sum(at - POLICY.window < item <= at for item in asked) for at in sorted(set(asked))), default=0)


def test_a_thousand_failures_ask_for_a_bounded_number_of_runs() -> None:
    day = storm(FailureClass.TRANSIENT, datasets=1, seed=1, partitions=1000)

    day.live(hours=24)

    assert 1000 < len(day.asked) <= POLICY.runs_per_dataset * 24 * 6
    assert most_in_a_window([item.asked_at for item in day.asked]) == POLICY.runs_per_dataset


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(FailureClass)), st.integers(1, 12), st.integers(0, 1000))
def test_runs_stay_within_the_bounds(failure_class: FailureClass, datasets: int, seed: int) -> None:
    day = storm(failure_class, datasets, seed, partitions=120)

    day.live(hours=4)

    times = [item.asked_at for item in day.asked]
    per_dataset = [most_in_a_window([i.asked_at for i in day.asked if i.dataset == f"d{n}"]) for n in range(datasets)]
    usual = USUAL.get(failure_class)
    assert most_in_a_window(times) <= POLICY.runs_in_all
    assert max(per_dataset) <= POLICY.runs_per_dataset
    assert max(len(tries) for tries in day.attempts.values()) <= 1 + (usual.most if usual else 0)


def test_every_partition_gets_its_retries_in_the_end() -> None:
    day = storm(FailureClass.TRANSIENT, datasets=10, seed=2, partitions=100)

    day.live(hours=24)

    assert Counter(len(tries) for tries in day.attempts.values()) == {6: 100}


def test_a_new_version_of_a_partition_that_was_given_up_starts_anew() -> None:
    day = storm(FailureClass.RESOURCE, datasets=1, seed=3, partitions=1)
    day.live(hours=2)

    day.fail("d0", "0000", "v2", BEGIN)
    day.live(hours=2)

    assert len(day.asked) == 2 * USUAL[FailureClass.RESOURCE].most
