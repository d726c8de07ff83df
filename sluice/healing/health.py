"""How well failures are noticed and healed: counts, times and money of the last days."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from sluice.cost.quantile import interpolated
from sluice.healing.healing_cost import spent_on_healing
from sluice.healing.incident import RemedyKind
from sluice.healing.state import IncidentState, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sluice.cost.budget import Spend
    from sluice.healing.incident import Incident
    from sluice.history import Published

BY_ITSELF = "sluice"

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, over all cases; `mean` is the M of MTTD and MTTR."""

    mean: timedelta
    median: timedelta
    p95: timedelta


@dataclass(frozen=True, slots=True)
class Health:
    """One dataset's, or that of all where `dataset` is None.

    `incidents` were detected in the time that is looked at, `resolved` were resolved in it; `open_now` and
    `escalated_now` are of any age. What there is nothing to divide by is None.
    """

    dataset: str | None
    incidents: int
    open_now: int
    escalated_now: int
    resolved: int
    healed: int
    time_to_detect: Times | None
    time_to_resolve: Times | None
    retries: int
    quarantined: int
    healing_usd: float

    @property
    def heal_rate(self) -> float | None:
        """The share healed without a person; one that waits for a person counts as not healed."""
        decided = self.resolved + self.escalated_now
        return self.healed / decided if decided else None


def health(
    incidents: Sequence[Incident], published: Sequence[Published], spends: Sequence[Spend], now: datetime, days: int
) -> tuple[Health, ...]:
    """Return a row for each dataset of which anything is known, by name, and a last one of all together."""
    since = now - timedelta(days=days)
    of_incidents = _by_dataset(incidents, lambda item: item.dataset)
    of_published = _by_dataset(published, lambda item: item.outcome.dataset)
    of_spends = _by_dataset(spends, lambda item: item.request.dataset)
    names = sorted({*of_incidents, *of_published, *of_spends})
    rows = (_row(name, of_incidents[name], of_published[name], of_spends[name], since) for name in names)
    return (*rows, _row(None, incidents, published, spends, since))


def _by_dataset(items: Iterable[_Item], dataset_of: Callable[[_Item], str]) -> defaultdict[str, list[_Item]]:
    found: defaultdict[str, list[_Item]] = defaultdict(list)
    for item in items:
        found[dataset_of(item)].append(item)
    return found


def _row(
    dataset: str | None,
    incidents: Sequence[Incident],
    published: Sequence[Published],
    spends: Sequence[Spend],
    since: datetime,
) -> Health:
    detected = [item for item in incidents if item.detected_at >= since]
    resolved = [item for item in incidents if item.resolved_at is not None and item.resolved_at >= since]
    remedies = [remedy for item in incidents for remedy in item.remedies if remedy.taken_at >= since]
    states = [state_of(item) for item in incidents]
    return Health(
        dataset=dataset,
        incidents=len(detected),
        open_now=len(states) - states.count(IncidentState.RESOLVED),
        escalated_now=states.count(IncidentState.ESCALATED),
        resolved=len(resolved),
        healed=sum(item.resolved_by == BY_ITSELF for item in resolved),
        time_to_detect=_times([item.detected_at - item.opened_at for item in detected]),
        time_to_resolve=_times([item.resolved_at - item.detected_at for item in resolved if item.resolved_at]),
        retries=sum(remedy.kind is RemedyKind.RETRY_LATER for remedy in remedies),
        quarantined=sum(
            item.outcome.quarantined
            for item in published
            if item.published_at >= since and item.outcome.stand_in is None
        ),
        healing_usd=sum(item.actual_usd or 0.0 for item in spent_on_healing(spends) if item.reserved_at >= since),
    )


def _times(spans: Sequence[timedelta]) -> Times | None:
    if not spans:
        return None
    seconds = [max(span.total_seconds(), 0.0) for span in spans]  # two machines may disagree about the time
    mean, median, p95 = sum(seconds) / len(seconds), interpolated(seconds, 0.5), interpolated(seconds, 0.95)
    return Times(timedelta(seconds=mean), timedelta(seconds=median), timedelta(seconds=p95))
