"""A partition that is not published by its promised time, as an incident."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from sluice.freshness import breach_verdict, deadline_of
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sluice.contract import Contract
    from sluice.freshness import Freshness

NEW_FOR = timedelta(days=1)
"""A deadline that passed longer ago opens no incident: the history of a new dataset would open hundreds."""


class Ledger(Protocol):
    def open_incident(self, incident: Incident) -> Incident: ...


def lateness(contract: Contract, promise: Freshness, partition: str, now: datetime) -> Incident | None:
    """Return the incident of a partition of which nothing is published, None when its deadline is no news any more."""
    deadline = deadline_of(promise, partition)
    if not timedelta(0) < now - deadline <= NEW_FOR:
        return None
    verdict = breach_verdict(promise, partition, now)
    return Incident(
        number=0,  # the ledger gives it one
        dataset=contract.dataset,
        partition=partition,
        version="",
        failure_class=FailureClass.UPSTREAM_MISSING,
        opened_at=deadline,
        detected_at=now,
        evidence=f"{verdict.explanation} The contract promises {contract.dataset} {verdict.threshold}.",
        run_id="",
        downstream=contract.downstream,
    )


def open_lateness(
    contract: Contract, partition: str, open_incidents: Iterable[Incident], ledger: Ledger, now: datetime
) -> Incident | None:
    """Open it unless something is known to be wrong with the partition already; return what was opened."""
    if contract.freshness is None or any(_place(item) == (contract.dataset, partition) for item in open_incidents):
        return None
    found = lateness(contract, contract.freshness, partition, now)
    return None if found is None else ledger.open_incident(found)


def over(open_incidents: Iterable[Incident], published: Mapping[str, Mapping[str, datetime]]) -> tuple[Incident, ...]:
    """Return the incidents about nothing but lateness whose partition is published: one was opened a moment too late.

    `published` has the first publications by dataset.
    """
    known = tuple(open_incidents)
    places = [_place(item) for item in known]
    return tuple(
        item
        for item in known
        if not item.run_id
        and item.failure_class is FailureClass.UPSTREAM_MISSING
        and places.count(_place(item)) == 1
        and item.partition in published.get(item.dataset, {})
    )


def _place(incident: Incident) -> tuple[str, str]:
    return incident.dataset, incident.partition
