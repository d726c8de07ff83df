"""A circuit breaker: after so many failures in a row nothing more is launched, until one probe succeeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sluice.healing.policy import BreakerPolicy
    from sluice.history import Attempt

ABOUT_ONE_PARTITION = frozenset({FailureClass.UPSTREAM_MISSING, FailureClass.QUALITY, FailureClass.COST})
"""Gates said so of one partition; it says nothing about the next one, so no breaker counts it."""

_SLICE = timedelta(minutes=15)
"""A probe that has neither failed nor succeeded by then may have died without a word: another one may go."""

_MOST_DOUBLINGS = 32  # far above every cap, and far below what a timedelta can hold


class BreakerState(StrEnum):
    CLOSED = "closed"  # runs go on
    OPEN = "open"  # what would run is held
    HALF_OPEN = "half_open"  # one run may probe


@dataclass(frozen=True, slots=True)
class Breaker:
    """`key` is `dataset NAME`, `warehouse` or `source NAME`; `failed` are the failures in a row, oldest first."""

    key: str
    state: BreakerState = BreakerState.CLOSED
    failed: tuple[Attempt, ...] = ()
    opened_at: datetime | None = None
    probe_at: datetime | None = None

    @property
    def holds_back(self) -> bool:
        return self.state is not BreakerState.CLOSED

    @property
    def failure_class(self) -> FailureClass | None:
        return self.failed[-1].failure_class if self.failed else None

    def claim(self, now: datetime) -> str:
        """Return the text that exactly one run may claim to be the probe that is due."""
        if self.probe_at is None:
            raise ValueError(f"the breaker of {self.key} is closed, so nothing probes it")
        last = self.failed[-1].ended_at
        return f"probe {self.key} {last.isoformat() if last else ''} {max(now - self.probe_at, timedelta()) // _SLICE}"


def breaker_of(key: str, ended: Sequence[Attempt], policy: BreakerPolicy, now: datetime) -> Breaker:
    """Return the breaker that follows from the attempts that ended last, the newest first.

    It is derived and stored nowhere, so nothing can be lost between a failure and the breaker that it opens.
    """
    failed: list[Attempt] = []
    opened_at: datetime | None = None
    probes = 0
    for attempt in reversed(ended):
        if _closes(attempt, failed, is_open=opened_at is not None):
            failed, opened_at, probes = [], None, 0
        elif _counts(attempt):
            if opened_at is None and failed and failed[-1].failure_class is not attempt.failure_class:
                failed = []  # another class is another trouble; what is open already stays open
            failed.append(attempt)
            if opened_at is not None:
                probes += attempt.started_at >= opened_at  # others were at work when it opened
            elif len(failed) >= policy.failures:
                opened_at = attempt.ended_at
    if opened_at is None:
        return Breaker(key, failed=tuple(failed))
    probe_at = (failed[-1].ended_at or now) + min(policy.cap, policy.first * (1 << min(probes, _MOST_DOUBLINGS)))
    state = BreakerState.HALF_OPEN if probe_at <= now else BreakerState.OPEN
    return Breaker(key, state, tuple(failed), opened_at, probe_at)


def claims_probe(breakers: Iterable[Breaker], first_notice: Callable[[str, datetime], bool], now: datetime) -> bool:
    """Whether the caller is the one run that may probe all of these that are not closed; asking claims it."""
    waited_for = [breaker for breaker in breakers if breaker.holds_back]
    if any(breaker.state is BreakerState.OPEN for breaker in waited_for):
        return False
    return bool(waited_for) and all(first_notice(breaker.claim(now), now) for breaker in waited_for)


def explain_breaker(breaker: Breaker) -> str:
    if breaker.opened_at is None or breaker.probe_at is None:
        return f"{breaker.key}: closed."
    since, probe = f"{breaker.opened_at:%Y-%m-%d %H:%M:%S}", f"{breaker.probe_at:%Y-%m-%d %H:%M:%S}"
    return (
        f"{breaker.key}: {len(breaker.failed):,} failures in a row, {breaker.failure_class}, so nothing is launched"
        f" since {since} UTC but one probe, not before {probe} UTC."
    )


def _closes(attempt: Attempt, failed: Sequence[Attempt], *, is_open: bool) -> bool:
    """A gate on data is reached by a build that works; only the table has not been written to by then."""
    if attempt.error is None:
        return True
    built = attempt.failure_class is FailureClass.QUALITY
    return is_open and built and failed[-1].failure_class is not FailureClass.SINK_UNAVAILABLE


def _counts(attempt: Attempt) -> bool:
    """One without a class is older than classes."""
    return attempt.failure_class is not None and attempt.failure_class not in ABOUT_ONE_PARTITION
