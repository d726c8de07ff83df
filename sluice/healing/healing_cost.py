"""What the remedies of an incident cost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from sluice.cost.budget import Purpose
from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sluice.cost.budget import Spend
    from sluice.healing.incident import Incident, RemedyTaken

_STARTS_A_RUN = frozenset({RemedyKind.RETRY_LATER, RemedyKind.REOPENED, RemedyKind.BACKFILL})


def spent_on_healing(spends: Iterable[Spend]) -> tuple[Spend, ...]:
    """Return what is settled of purpose healing; what is still reserved is not spent."""
    return tuple(item for item in spends if item.request.purpose is Purpose.HEALING and item.actual_usd is not None)


def with_costs(incidents: Iterable[Incident], spends: Iterable[Spend]) -> tuple[Incident, ...]:
    """Fill in costs that are not known: to a remedy belongs what its partition spends until the next one is taken."""
    paid: defaultdict[tuple[str, str], list[Spend]] = defaultdict(list)
    for item in spent_on_healing(spends):
        paid[item.request.dataset, item.request.partition].append(item)
    return tuple(_with_costs(incident, paid[incident.dataset, incident.partition]) for incident in incidents)


def _with_costs(incident: Incident, spends: Sequence[Spend]) -> Incident:
    remedies = sorted(incident.remedies, key=lambda remedy: remedy.taken_at)
    ends = [*(remedy.taken_at for remedy in remedies[1:]), incident.resolved_at]
    priced = (_with_cost(remedy, end, spends) for remedy, end in zip(remedies, ends, strict=False))
    return replace(incident, remedies=tuple(priced))


def _with_cost(remedy: RemedyTaken, end: datetime | None, spends: Sequence[Spend]) -> RemedyTaken:
    if remedy.usd is not None or remedy.kind not in _STARTS_A_RUN:
        return remedy
    paid = [
        item.actual_usd or 0.0
        for item in spends
        if remedy.taken_at <= item.reserved_at and (end is None or item.reserved_at < end)
    ]
    return replace(remedy, usd=sum(paid)) if paid else remedy
