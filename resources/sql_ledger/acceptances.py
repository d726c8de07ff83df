"""Acceptances in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.ledger_schema import ACCEPTANCES
from resources.sql_ledger.database import Database, at
from resources.verdict_json import read_numbers, write_numbers
from sluice.acceptance import Acceptance
from sluice.version import Version

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.judged import Judged


class SqlAcceptances(Database):
    def accept(self, judged: Judged, *, why: str, accepted_by: str, accepted_at: datetime) -> Acceptance:
        fingerprint = Version.parse(judged.version).fingerprint
        same = (
            *at(ACCEPTANCES, judged.dataset, judged.partition),
            ACCEPTANCES.c.gate == judged.gate,
            ACCEPTANCES.c.fingerprint == fingerprint,
        )
        new = sa.insert(ACCEPTANCES).values(
            dataset=judged.dataset,
            partition=judged.partition,
            gate=judged.gate,
            fingerprint=fingerprint,
            numbers=write_numbers(judged.verdict.numbers),
            why=why,
            accepted_by=accepted_by,
            accepted_at=accepted_at,
        )
        this = sa.select(ACCEPTANCES).where(*same)
        with self._writing(judged.dataset) as connection:
            if connection.execute(this).one_or_none() is None:
                connection.execute(new)
            return _read(connection.execute(this).one())

    def acceptances(self, dataset: str | None = None) -> tuple[Acceptance, ...]:
        these = ACCEPTANCES.c.dataset == dataset if dataset is not None else sa.true()
        with self._reading() as connection:
            rows = connection.execute(sa.select(ACCEPTANCES).where(these).order_by(ACCEPTANCES.c.number))
            return tuple(_read(row) for row in rows)


def _read(row: sa.Row[Any]) -> Acceptance:
    return Acceptance(
        number=row.number,
        dataset=row.dataset,
        partition=row.partition,
        gate=row.gate,
        fingerprint=row.fingerprint,
        numbers=read_numbers(row.numbers),
        why=row.why,
        accepted_by=row.accepted_by,
        accepted_at=row.accepted_at,
    )
