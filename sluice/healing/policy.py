"""How often which class of failure is retried, and how many runs retries may ask for at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
class HealingPolicy:
    """The contract's `healing`, and the bound of storms: so many retry runs are asked for per `window`.

    `most` replaces the usual number of retries of a class.
    """

    most: tuple[tuple[FailureClass, int], ...] = ()
    runs_per_dataset: int = 10
    runs_in_all: int = 50
    window: timedelta = timedelta(minutes=10)

    def retries(self, failure_class: FailureClass) -> Retries | None:
        """Return how the class is retried, None where a retry cannot help."""
        usual = USUAL.get(failure_class)
        if usual is None:
            return None
        return Retries(dict(self.most).get(failure_class, usual.most), usual.first, usual.cap)
