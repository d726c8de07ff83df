"""Attempts in SQL."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.ledger_schema import ATTEMPTS
from resources.sql_ledger.database import Database, at
from sluice.history import Attempt

if TYPE_CHECKING:
    from datetime import datetime


class SqlAttempts(Database):
    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt:
        same = (*at(ATTEMPTS, dataset, partition), ATTEMPTS.c.version == version)
        with self._writing(dataset) as connection:
            found = connection.execute(sa.select(ATTEMPTS).where(*same, ATTEMPTS.c.run_id == run_id)).one_or_none()
            if found is not None:
                return _read(found)
            before = connection.execute(sa.select(sa.func.max(ATTEMPTS.c.number)).where(*same)).scalar()
            attempt = Attempt(dataset, partition, version, (before or 0) + 1, run_id, started_at)
            connection.execute(sa.insert(ATTEMPTS).values(**asdict(attempt)))
        return attempt

    def end(self, attempt: Attempt, ended_at: datetime, error: str | None) -> None:
        this = (
            *at(ATTEMPTS, attempt.dataset, attempt.partition),
            ATTEMPTS.c.version == attempt.version,
            ATTEMPTS.c.number == attempt.number,
        )
        with self._writing(attempt.dataset) as connection:
            connection.execute(sa.update(ATTEMPTS).where(*this).values(ended_at=ended_at, error=error))

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:
        newest = sa.select(ATTEMPTS).where(*at(ATTEMPTS, dataset, partition)).order_by(ATTEMPTS.c.id.desc()).limit(1)
        with self._reading() as connection:
            found = connection.execute(newest).one_or_none()
        return None if found is None else _read(found)


def _read(row: sa.Row[Any]) -> Attempt:
    return Attempt(
        row.dataset,
        row.partition,
        row.version,
        row.number,
        row.run_id,
        row.started_at,
        row.ended_at,
        row.error,
    )
