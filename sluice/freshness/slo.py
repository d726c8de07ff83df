"""How well a dataset keeps its promise: which partitions were due, which were late, how many more may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING

from sluice.freshness.promise import Freshness, deadline_of, is_promised
from sluice.freshness.timeliness import Timeliness, timeliness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sluice.contract import Contract

WINDOW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Due:
    partition: str
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Slo:
    """One dataset's record over the deadlines of the last `days` days; `late` and `breached` are oldest first.

    `upcoming` is the first partition that is still to be published by its deadline.
    """

    dataset: str
    freshness: Freshness
    days: int
    due: int
    late: tuple[Due, ...]
    breached: tuple[Due, ...]
    upcoming: Due

    @property
    def on_time(self) -> int:
        return self.due - self.missed

    @property
    def missed(self) -> int:
        return len(self.late) + len(self.breached)

    @property
    def attained(self) -> float | None:
        """The share that was on time; None while nothing was due."""
        return self.on_time / self.due if self.due else None

    @property
    def is_met(self) -> bool:
        return self.budget_left >= 0

    @property
    def budget(self) -> float:
        """How many of the due partitions may miss their deadline."""
        return round((1 - self.freshness.objective) * self.due, 6)

    @property
    def budget_left(self) -> float:
        """Below zero when the objective is missed."""
        return round(self.budget - self.missed, 6)

    @property
    def budget_left_share(self) -> float | None:
        """1 when nothing is used up; None while there is no budget at all."""
        return self.budget_left / self.budget if self.budget else None


def attainment(
    contract: Contract, first_published: Mapping[str, datetime], now: datetime, days: int = WINDOW_DAYS
) -> Slo | None:
    """Return the dataset's record, None if its contract promises nothing."""
    if contract.freshness is None:
        return None
    due = _due(contract, contract.freshness, now, days)
    states = {item.partition: timeliness(item.deadline, first_published.get(item.partition), now) for item in due}
    return Slo(
        dataset=contract.dataset,
        freshness=contract.freshness,
        days=days,
        due=len(due),
        late=tuple(item for item in due if states[item.partition] is Timeliness.LATE),
        breached=tuple(item for item in due if states[item.partition] is Timeliness.BREACHED),
        upcoming=_upcoming(contract, contract.freshness, first_published, now),
    )


def breaches(
    contract: Contract, first_published: Mapping[str, datetime], now: datetime, days: int = WINDOW_DAYS
) -> tuple[Due, ...]:
    """Return the partitions whose deadline passed within `days` days and of which nothing is published."""
    if contract.freshness is None:
        return ()
    due = _due(contract, contract.freshness, now, days)
    return tuple(item for item in due if item.partition not in first_published)


def _due(contract: Contract, freshness: Freshness, now: datetime, days: int) -> tuple[Due, ...]:
    earliest = now - timedelta(days=days)
    found = []
    for item in _promised_from(contract, freshness, earliest):
        if item.deadline >= now:
            break
        if item.deadline >= earliest:
            found.append(item)
    return tuple(found)


def _upcoming(contract: Contract, freshness: Freshness, first_published: Mapping[str, datetime], now: datetime) -> Due:
    return next(
        item
        for item in _promised_from(contract, freshness, now)
        if item.deadline >= now and item.partition not in first_published
    )


def _promised_from(contract: Contract, freshness: Freshness, instant: datetime) -> Iterator[Due]:
    """Yield partitions without end, oldest first, from at latest the first one whose deadline is not before `instant`.

    A zone is less than a day away from UTC, which makes two days of margin enough.
    """
    first = max(instant.date() - timedelta(days=freshness.days_after + 2), contract.start, freshness.since or date.min)
    for offset in count():
        partition = (first + timedelta(days=offset)).isoformat()
        if is_promised(freshness, partition):
            yield Due(partition, deadline_of(freshness, partition))
