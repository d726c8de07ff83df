"""What is done about a failure; a shell performs it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from sluice.healing.backoff import backoff
from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sluice.healing.policy import HealingPolicy
    from sluice.history import Attempt

LONGEST_WAIT = timedelta(days=1)
"""Who asks for more has no outage that passes by itself."""


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Run the partition again, not before `at`; `retry` counts from 1."""

    at: datetime
    retry: int
    most: int


@dataclass(frozen=True, slots=True)
class WaitForUpstream:
    """Nothing to do but wait: what is missing starts the partition itself when it comes."""


@dataclass(frozen=True, slots=True)
class ServeLastGood:
    """Publish nothing: the table keeps what it holds until `until`."""

    until: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """A person has to look."""

    why: str


Remedy: TypeAlias = RetryLater | WaitForUpstream | ServeLastGood | Escalate


@dataclass(frozen=True, slots=True)
class Asked:
    """A retry run that was asked for."""

    dataset: str
    asked_at: datetime


_LAST_GOOD = {
    FailureClass.QUALITY: "the data is corrected, or a person accepts it",
    FailureClass.COST: "the budget has room again, or a person accepts it",
    FailureClass.SCHEMA_DRIFT: "contract and data agree again",
}
_PERSON = {
    FailureClass.PERMISSION: "it was not allowed, and will not be until somebody allows it",
    FailureClass.CODE: "the same input would fail in the same way again",
    FailureClass.UNKNOWN: "nobody has said yet what to do about such an error",
}


def decide(
    failure_class: FailureClass,
    attempts: Sequence[Attempt],
    policy: HealingPolicy,
    now: datetime,
    jitter: float,
    retry_after: timedelta | None = None,
) -> Remedy:
    """Return the remedy for the last of `attempts`, which are those of one version, oldest first.

    The moment of a retry is counted from the end of that attempt, so that asking again gives the same moment, given the
    same `jitter`; `now` stands in for an end that is not known.
    """
    retries = policy.retries(failure_class)
    if retries is None:
        return _without_retry(failure_class)
    retried = max(_failed(attempts, failure_class) - 1, 0)
    if retried >= retries.most:
        return Escalate(_used_up(failure_class, retried))
    if retry_after is not None and retry_after > LONGEST_WAIT:
        return Escalate(f"the other side asks to wait for {retry_after}, and no outage is waited for so long")
    ended_at = (attempts[-1].ended_at if attempts else None) or now
    return RetryLater(ended_at + backoff(retries, retried, jitter, retry_after), retried + 1, retries.most)


def choose_retries(
    candidates: Iterable[Attempt],
    asked: Iterable[Asked],
    policy: HealingPolicy,
    now: datetime,
    bounds: Mapping[str, int] | None = None,
) -> tuple[Attempt, ...]:
    """Return which failed attempts are retried now, oldest first, so that runs stay within the bound of storms.

    `candidates` are those whose moment has come; who is not chosen is a candidate again at the next tick. `bounds` has
    the runs per window of datasets that have a bound of their own.
    """
    recent = [item.dataset for item in asked if item.asked_at > now - policy.window]
    runs, per_dataset = len(recent), Counter(recent)
    chosen: list[Attempt] = []
    for attempt in sorted(candidates, key=lambda item: (item.ended_at or now, item.dataset, item.partition)):
        if runs < policy.runs_in_all and per_dataset[attempt.dataset] < _bound(attempt, policy, bounds):
            chosen.append(attempt)
            runs += 1
            per_dataset[attempt.dataset] += 1
    return tuple(chosen)


def _bound(attempt: Attempt, policy: HealingPolicy, bounds: Mapping[str, int] | None) -> int:
    return (bounds or {}).get(attempt.dataset, policy.runs_per_dataset)


def _without_retry(failure_class: FailureClass) -> Remedy:
    if failure_class is FailureClass.UPSTREAM_MISSING:
        return WaitForUpstream()
    if failure_class in _LAST_GOOD:
        return ServeLastGood(_LAST_GOOD[failure_class])
    return Escalate(_PERSON[failure_class])


def _failed(attempts: Sequence[Attempt], failure_class: FailureClass) -> int:
    """Count tries that failed like this; one without a class is older than classes and counts for each."""
    failed = [attempt for attempt in attempts if attempt.error is not None]
    return sum(attempt.failure_class in {failure_class, None} for attempt in failed)


def _used_up(failure_class: FailureClass, retried: int) -> str:
    if not retried:
        return f"{failure_class} failures of this dataset are not retried"
    return f"it is {failure_class}, but still fails after {retried} {'retry' if retried == 1 else 'retries'}"
