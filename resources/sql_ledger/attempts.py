"""Attempts in SQL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.ledger_schema import ATTEMPTS, PUBLICATIONS
from resources.sql_ledger.database import Database, at
from sluice.healing.failure import FailureClass
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
            connection.execute(
                sa.insert(ATTEMPTS).values(
                    dataset=dataset,
                    partition=partition,
                    version=version,
                    number=attempt.number,
                    run_id=run_id,
                    started_at=started_at,
                )
            )
        return attempt

    def end(
        self,
        attempt: Attempt,
        ended_at: datetime,
        error: str | None,
        failure_class: FailureClass | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        this = (
            *at(ATTEMPTS, attempt.dataset, attempt.partition),
            ATTEMPTS.c.version == attempt.version,
            ATTEMPTS.c.number == attempt.number,
        )
        end = {
            "ended_at": ended_at,
            "error": error,
            "failure_class": failure_class and failure_class.value,
            "retry_after_seconds": None if retry_after is None else retry_after.total_seconds(),
        }
        with self._writing(attempt.dataset) as connection:
            connection.execute(sa.update(ATTEMPTS).where(*this).values(end))

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:
        newest = sa.select(ATTEMPTS).where(*at(ATTEMPTS, dataset, partition)).order_by(ATTEMPTS.c.id.desc()).limit(1)
        with self._reading() as connection:
            found = connection.execute(newest).one_or_none()
        return None if found is None else _read(found)

    def attempts(self, dataset: str, partition: str, version: str) -> tuple[Attempt, ...]:
        same = (*at(ATTEMPTS, dataset, partition), ATTEMPTS.c.version == version)
        with self._reading() as connection:
            rows = connection.execute(sa.select(ATTEMPTS).where(*same).order_by(ATTEMPTS.c.id))
            return tuple(_read(row) for row in rows)

    def open_attempts(self) -> tuple[Attempt, ...]:
        with self._reading() as connection:
            rows = connection.execute(sa.select(ATTEMPTS).where(ATTEMPTS.c.ended_at.is_(None)).order_by(ATTEMPTS.c.id))
            return tuple(_read(row) for row in rows)

    def ended_attempts(
        self, most: int, *, dataset: str | None = None, failure_class: FailureClass | None = None
    ) -> tuple[Attempt, ...]:
        query = sa.select(ATTEMPTS).where(ATTEMPTS.c.ended_at.is_not(None))
        if dataset is not None:
            query = query.where(ATTEMPTS.c.dataset == dataset)
        if failure_class is not None:
            query = query.where(ATTEMPTS.c.error.is_(None) | (ATTEMPTS.c.failure_class == failure_class.value))
        newest = query.order_by(ATTEMPTS.c.ended_at.desc(), ATTEMPTS.c.id.desc()).limit(most)
        with self._reading() as connection:
            return tuple(_read(row) for row in connection.execute(newest))

    def failed_attempts(self) -> tuple[Attempt, ...]:
        newest = sa.select(sa.func.max(ATTEMPTS.c.id)).group_by(ATTEMPTS.c.dataset, ATTEMPTS.c.partition)
        place = (PUBLICATIONS.c.dataset == ATTEMPTS.c.dataset) & (PUBLICATIONS.c.partition == ATTEMPTS.c.partition)
        query = (
            sa.select(ATTEMPTS)
            .join_from(ATTEMPTS, PUBLICATIONS, place, isouter=True)
            .where(ATTEMPTS.c.id.in_(newest), ATTEMPTS.c.error.is_not(None))
            .where(PUBLICATIONS.c.version.is_distinct_from(ATTEMPTS.c.version))
            .order_by(ATTEMPTS.c.dataset, ATTEMPTS.c.partition)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(_read(row) for row in rows)


def _read(row: sa.Row[Any]) -> Attempt:
    values: tuple[Any, ...] = tuple(row)  # by place: a reading of thousands takes half the time
    failure_class, waits = values[-2:]
    retry_after = None if waits is None else timedelta(seconds=waits)
    fields = (*values[1:-2], failure_class and FailureClass(failure_class), retry_after)
    return Attempt(*fields)
