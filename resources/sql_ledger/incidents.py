"""Incidents in SQL."""

from __future__ import annotations

import json
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from resources.ledger_schema import INCIDENTS, NOTICES, REMEDIES
from resources.reservations import dollars, nanodollars
from resources.sql_ledger.database import Database, at
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_IS_OPEN = INCIDENTS.c.resolved_at.is_(None)
_REMEDY = tuple(
    REMEDIES.c[name].label(f"remedy_{name}") for name in ("id", "kind", "run_id", "taken_at", "note", "nanodollars")
)


class SqlIncidents(Database):
    def open_incident(self, incident: Incident) -> Incident:
        same = (
            *at(INCIDENTS, incident.dataset, incident.partition),
            INCIDENTS.c.failure_class == incident.failure_class.value,
            _IS_OPEN,
        )
        with self._writing(incident.dataset) as connection:
            number = connection.execute(sa.select(INCIDENTS.c.number).where(*same)).scalar_one_or_none()
            if number is None:
                new = sa.insert(INCIDENTS).values(_first(incident) | _latest(incident)).returning(INCIDENTS.c.number)
                number = connection.execute(new).scalar_one()
            else:
                this = INCIDENTS.c.number == number
                connection.execute(sa.update(INCIDENTS).where(this).values(_latest(incident)))
            for remedy in incident.remedies:
                _note(connection, number, remedy)
            return _fetch(connection, INCIDENTS.c.number == number)[0]

    def note_remedy(self, number: int, remedy: RemedyTaken) -> None:
        this = sa.select(INCIDENTS.c.number).where(INCIDENTS.c.number == number).with_for_update()
        with self._writing(None) as connection:
            if connection.execute(this).one_or_none() is None:
                raise ValueError(f"There is no incident {number}.")
            _note(connection, number, remedy)

    def resolve_incidents(
        self,
        dataset: str,
        partition: str,
        resolved_at: datetime,
        resolved_by: str,
        *,
        keep: FailureClass | None = None,
    ) -> int:
        resolved = sa.update(INCIDENTS).values(resolved_at=resolved_at, resolved_by=resolved_by)
        others = sa.true() if keep is None else INCIDENTS.c.failure_class != keep.value
        with self._writing(dataset) as connection:
            return connection.execute(resolved.where(*at(INCIDENTS, dataset, partition), _IS_OPEN, others)).rowcount

    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]:
        of_dataset = INCIDENTS.c.dataset == dataset if dataset is not None else sa.true()
        with self._reading() as connection:
            return _fetch(connection, of_dataset, _IS_OPEN if open_only else sa.true())

    def first_notice(self, key: str, noticed_at: datetime) -> bool:
        with self._writing(None) as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            # Of two at once, the second waits for the first to commit and then inserts nothing.
            new = insert(NOTICES).values(key=key, noticed_at=noticed_at).on_conflict_do_nothing()
            return connection.execute(new).rowcount == 1


def _first(incident: Incident) -> dict[str, Any]:
    return {
        "dataset": incident.dataset,
        "partition": incident.partition,
        "failure_class": incident.failure_class.value,
        "opened_at": incident.opened_at,
        "detected_at": incident.detected_at,
        "resolved_at": incident.resolved_at,
        "resolved_by": incident.resolved_by,
    }


def _latest(incident: Incident) -> dict[str, Any]:
    return {
        "version": incident.version,
        "evidence": incident.evidence,
        "run_id": incident.run_id,
        "downstream": json.dumps(incident.downstream),
    }


def _note(connection: sa.Connection, number: int, remedy: RemedyTaken) -> None:
    run_id, amount = remedy.run_id or "", None if remedy.usd is None else nanodollars(remedy.usd)
    same = (REMEDIES.c.incident == number, REMEDIES.c.kind == remedy.kind.value, REMEDIES.c.run_id == run_id)
    if connection.execute(sa.select(REMEDIES.c.id).where(*same)).one_or_none() is not None:
        unknown = sa.update(REMEDIES).where(*same, REMEDIES.c.nanodollars.is_(None))
        connection.execute(unknown.values(nanodollars=amount))
        return
    connection.execute(
        sa.insert(REMEDIES).values(
            incident=number,
            kind=remedy.kind.value,
            run_id=run_id,
            taken_at=remedy.taken_at,
            note=remedy.note,
            nanodollars=amount,
        )
    )


def _fetch(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> tuple[Incident, ...]:
    query = (
        sa.select(INCIDENTS, *_REMEDY)
        .join_from(INCIDENTS, REMEDIES, REMEDIES.c.incident == INCIDENTS.c.number, isouter=True)
        .where(*conditions)
        .order_by(INCIDENTS.c.number, REMEDIES.c.id)
    )
    rows = connection.execute(query).all()
    return tuple(_read(list(group)) for _, group in groupby(rows, key=attrgetter("number")))


def _read(rows: Sequence[sa.Row[Any]]) -> Incident:
    first = rows[0]
    return Incident(
        number=first.number,
        dataset=first.dataset,
        partition=first.partition,
        version=first.version,
        failure_class=FailureClass(first.failure_class),
        opened_at=first.opened_at,
        detected_at=first.detected_at,
        evidence=first.evidence,
        run_id=first.run_id,
        remedies=tuple(_read_remedy(row) for row in rows if row.remedy_id is not None),
        downstream=tuple(json.loads(first.downstream)),
        resolved_at=first.resolved_at,
        resolved_by=first.resolved_by,
    )


def _read_remedy(row: sa.Row[Any]) -> RemedyTaken:
    amount = row.remedy_nanodollars
    return RemedyTaken(
        RemedyKind(row.remedy_kind),
        row.remedy_taken_at,
        row.remedy_note,
        row.remedy_run_id or None,
        None if amount is None else dollars(amount),
    )
