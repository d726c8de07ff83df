"""Incidents in DynamoDB, and which of them is the open one of its partition and class."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from resources.dynamo_ledger.items import number as written
from resources.dynamo_ledger.items import read_time, read_time_or_none, write_time, write_time_or_none
from resources.dynamo_ledger.store import Store
from resources.reservations import dollars, nanodollars
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken

if TYPE_CHECKING:
    from datetime import datetime

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item, Key

NOTICES_LAST = timedelta(days=400)
"""How long a notice counts as given. What it speaks of (an incident, a partition's lateness) is long over by then."""

_ALL, _OPEN = "INCIDENTS", "OPEN_INCIDENTS"


class DynamoIncidents(Store):
    def open_incident(self, incident: Incident) -> Incident:
        order = cache(lambda: self._table.count_up("incidents"))
        slot = (_OPEN, f"{incident.dataset}#{incident.partition}#{incident.failure_class.value}")

        def work(draft: Draft) -> Incident:
            taken = draft.read(slot)
            known = None if taken is None else self._read_guarded(draft, taken["number"])
            if known is None:
                opened = replace(incident, number=order(), remedies=())
                if incident.resolved_at is None:
                    draft.put(slot, {"number": opened.number})
            else:
                opened = replace(
                    known,
                    version=incident.version,
                    evidence=incident.evidence,
                    run_id=incident.run_id,
                    downstream=incident.downstream,
                )
            for remedy in incident.remedies:
                opened = _noted(opened, remedy)
            _put(draft, opened)
            return opened

        return self._change(incident.dataset, work)

    def note_remedy(self, number: int, remedy: RemedyTaken) -> None:
        def work(draft: Draft) -> None:
            known = self._read_guarded(draft, number)
            if known is None:
                raise ValueError(f"There is no incident {number}.")
            _put(draft, _noted(known, remedy))

        self._change(None, work)

    def resolve_incidents(
        self,
        dataset: str,
        partition: str,
        resolved_at: datetime,
        resolved_by: str,
        *,
        keep: FailureClass | None = None,
    ) -> int:
        def work(draft: Draft) -> int:
            slots = [(_OPEN, item["sk"]) for item in self._table.query(_OPEN, begins=f"{dataset}#{partition}#")]
            found = [(slot, taken) for slot in slots if (taken := draft.read(slot)) is not None]
            closed = 0
            for slot, taken in found:
                known = self._read_guarded(draft, taken["number"])
                if known is not None and (keep is None or known.failure_class is not keep):
                    _put(draft, replace(known, resolved_at=resolved_at, resolved_by=resolved_by))
                    draft.delete(slot)
                    closed += 1
            return closed

        return self._change(dataset, work)

    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]:
        if open_only:
            numbers = [item["number"] for item in self._table.query(_OPEN)]
            found = self._table.fetch(_key(number) for number in numbers)
            items = [found[key] for key in sorted(found)]
        else:
            items = list(self._table.query(_ALL))
        read = (self._read_incident(item) for item in items if dataset in {None, item["dataset"]})
        return tuple(item for item in read if not (open_only and item.resolved_at))

    def first_notice(self, key: str, noticed_at: datetime) -> bool:
        mark = (f"NOTICE#{hashlib.sha256(key.encode()).hexdigest()}", "NOTICE")
        noticed = {"noticed_at": write_time(noticed_at), "claim": uuid4().hex}

        def work(draft: Draft) -> bool:
            if (known := draft.read(mark)) is not None:
                return bool(known["claim"] == noticed["claim"])  # an earlier try of this call, whose fate was not known
            # A clock that is behind must not make it expire at once.
            until = max(time.time(), noticed_at.timestamp()) + NOTICES_LAST.total_seconds()
            draft.put(mark, {**noticed, "expires_at": int(until)}, body=key)
            return True

        return self._change(None, work)

    def _read_guarded(self, draft: Draft, number: int) -> Incident | None:
        found = draft.read(_key(number))
        return None if found is None else self._read_incident(found)

    def _read_incident(self, item: Item) -> Incident:
        body = self._table.body(item)
        return Incident(
            number=int(item["sk"]),
            dataset=item["dataset"],
            partition=item["partition"],
            version=body["version"],
            failure_class=FailureClass(item["failure_class"]),
            opened_at=read_time(item["opened_at"]),
            detected_at=read_time(item["detected_at"]),
            evidence=body["evidence"],
            run_id=body["run_id"],
            remedies=tuple(_read_remedy(remedy) for remedy in body["remedies"]),
            downstream=tuple(body["downstream"]),
            resolved_at=read_time_or_none(item.get("resolved_at")),
            resolved_by=body["resolved_by"],
        )


def _put(draft: Draft, incident: Incident) -> None:
    key = _key(incident.number)
    draft.read(key)
    item = {
        "dataset": incident.dataset,
        "partition": incident.partition,
        "failure_class": incident.failure_class.value,
        "opened_at": write_time(incident.opened_at),
        "detected_at": write_time(incident.detected_at),
        "resolved_at": write_time_or_none(incident.resolved_at),
    }
    body = {
        "version": incident.version,
        "evidence": incident.evidence,
        "run_id": incident.run_id,
        "downstream": incident.downstream,
        "resolved_by": incident.resolved_by,
        "remedies": [_written_remedy(remedy) for remedy in incident.remedies],
    }
    draft.put(key, item, body=body)


def _noted(incident: Incident, remedy: RemedyTaken) -> Incident:
    noted = replace(
        remedy, run_id=remedy.run_id or None, usd=None if remedy.usd is None else dollars(nanodollars(remedy.usd))
    )
    if not any(_is_same(item, noted) for item in incident.remedies):
        return replace(incident, remedies=(*incident.remedies, noted))
    filled = (
        replace(item, usd=noted.usd) if _is_same(item, noted) and item.usd is None else item
        for item in incident.remedies
    )
    return replace(incident, remedies=tuple(filled))


def _is_same(one: RemedyTaken, other: RemedyTaken) -> bool:
    return (one.kind, one.run_id) == (other.kind, other.run_id)


def _written_remedy(remedy: RemedyTaken) -> dict[str, Any]:
    return {
        "kind": remedy.kind.value,
        "taken_at": write_time(remedy.taken_at),
        "note": remedy.note,
        "run_id": remedy.run_id,
        "nanodollars": None if remedy.usd is None else nanodollars(remedy.usd),
    }


def _read_remedy(remedy: Item) -> RemedyTaken:
    amount = remedy["nanodollars"]
    usd = None if amount is None else dollars(amount)
    return RemedyTaken(RemedyKind(remedy["kind"]), read_time(remedy["taken_at"]), remedy["note"], remedy["run_id"], usd)


def _key(number: int) -> Key:
    return _ALL, written(number)
