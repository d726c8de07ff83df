"""Incidents in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from resources.memory_ledger.store import Store
from resources.reservations import dollars, nanodollars

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.healing.failure import FailureClass
    from sluice.healing.incident import Incident, RemedyTaken


class MemoryIncidents(Store):
    def __init__(self) -> None:
        super().__init__()
        self._incidents: dict[int, Incident] = {}
        self._notices: set[str] = set()

    def open_incident(self, incident: Incident) -> Incident:
        with self._lock:
            same = next((item for item in self._incidents.values() if _is_open_of(item, incident)), None)
            recorded = (
                replace(incident, number=len(self._incidents) + 1, remedies=())
                if same is None
                else replace(
                    same,
                    version=incident.version,
                    evidence=incident.evidence,
                    run_id=incident.run_id,
                    downstream=incident.downstream,
                )
            )
            self._incidents[recorded.number] = recorded
            for remedy in incident.remedies:
                self.note_remedy(recorded.number, remedy)
            return self._incidents[recorded.number]

    def note_remedy(self, number: int, remedy: RemedyTaken) -> None:
        noted = remedy if remedy.usd is None else replace(remedy, usd=dollars(nanodollars(remedy.usd)))
        with self._lock:
            if number not in self._incidents:
                raise ValueError(f"There is no incident {number}.")
            incident = self._incidents[number]
            if any(_is_same(item, noted) for item in incident.remedies):
                remedies = tuple(_filled_in(item, noted) for item in incident.remedies)
            else:
                remedies = (*incident.remedies, noted)
            self._incidents[number] = replace(incident, remedies=remedies)

    def resolve_incidents(
        self,
        dataset: str,
        partition: str,
        resolved_at: datetime,
        resolved_by: str,
        *,
        keep: FailureClass | None = None,
    ) -> int:
        with self._lock:
            resolved = {
                number: replace(item, resolved_at=resolved_at, resolved_by=resolved_by)
                for number, item in self._incidents.items()
                if (item.dataset, item.partition, item.resolved_at) == (dataset, partition, None)
                and (keep is None or item.failure_class is not keep)
            }
            self._incidents |= resolved
        return len(resolved)

    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]:
        with self._lock:
            found = list(self._incidents.values())
        return tuple(item for item in found if dataset in {None, item.dataset} and not (open_only and item.resolved_at))

    def first_notice(self, key: str, noticed_at: datetime) -> bool:  # noqa: ARG002  # the SQL ledgers keep the time
        with self._lock:
            is_first = key not in self._notices
            self._notices.add(key)
        return is_first


def _is_open_of(item: Incident, incident: Incident) -> bool:
    wanted = (incident.dataset, incident.partition, incident.failure_class, None)
    return (item.dataset, item.partition, item.failure_class, item.resolved_at) == wanted


def _is_same(one: RemedyTaken, other: RemedyTaken) -> bool:
    return (one.kind, one.run_id) == (other.kind, other.run_id)


def _filled_in(old: RemedyTaken, new: RemedyTaken) -> RemedyTaken:
    return replace(old, usd=new.usd) if _is_same(old, new) and old.usd is None else old
