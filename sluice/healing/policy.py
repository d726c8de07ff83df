"""What a contract says about healing: retries, the bound of storms, the breaker, and what stands in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Retries:
    """`most` runs after the one that failed first; the wait before each doubles from `first` up to `cap`."""

    most: int
    first: timedelta
    cap: timedelta


USUAL: Mapping[FailureClass, Retries] = {
    FailureClass.TRANSIENT: Retries(5, timedelta(seconds=10), timedelta(minutes=10)),
    FailureClass.UPSTREAM_UNAVAILABLE: Retries(8, timedelta(seconds=30), timedelta(hours=1)),
    FailureClass.SINK_UNAVAILABLE: Retries(8, timedelta(seconds=30), timedelta(minutes=30)),
    FailureClass.RESOURCE: Retries(2, timedelta(minutes=1), timedelta(minutes=10)),
}
"""A class that is not here fails again on the same input, however long one waits."""


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """A breaker opens after so many failures in a row; the wait for each probe doubles from `first` up to `cap`."""

    failures: int = 5
    first: timedelta = timedelta(minutes=1)
    cap: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class StandIn:
    """What is shown of a partition that is not published in time: files at `path`, or the partition before it."""

    path: str | None = None


class Audit(StrEnum):
    """What becomes of published partitions when gates are added or changed."""

    WARN = "warn"  # they are judged again, and what fails is shown
    REWIND = "rewind"  # what fails goes back to the newest version that was shown before


@dataclass(frozen=True, slots=True)
class HealingPolicy:
    """The contract's `healing`, and the bound of storms: so many retry runs are asked for per `window`.

    `changed` replaces what is usual for a class.
    """

    changed: tuple[tuple[FailureClass, Retries], ...] = ()
    breaker: BreakerPolicy = BreakerPolicy()
    stand_in: StandIn | None = None
    audit: Audit | None = None
    runs_per_dataset: int = 10
    runs_in_all: int = 50
    window: timedelta = timedelta(minutes=10)

    def retries(self, failure_class: FailureClass) -> Retries | None:
        """Return how the class is retried, None where a retry cannot help."""
        return dict(self.changed).get(failure_class) or USUAL.get(failure_class)
