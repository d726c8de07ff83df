"""Publications in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from resources.ledger_schema import FIRST_PUBLICATIONS, PUBLICATIONS
from resources.sql_ledger.database import Database, at
from sluice.history import Published
from sluice.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class SqlPublications(Database):
    def record(self, published: Published) -> None:
        outcome = published.outcome
        with self._writing(outcome.dataset) as connection:
            _replace(connection, published)
            if outcome.stand_in is None:
                place = {"dataset": outcome.dataset, "partition": outcome.partition}
                first = sa.select(FIRST_PUBLICATIONS).where(*at(FIRST_PUBLICATIONS, **place))
                if connection.execute(first).one_or_none() is None:
                    published_at = published.published_at
                    connection.execute(sa.insert(FIRST_PUBLICATIONS).values(**place, published_at=published_at))

    def record_stand_in(self, published: Published) -> bool:
        outcome = published.outcome
        with self._writing(outcome.dataset) as connection:
            query = sa.select(PUBLICATIONS.c.outcome).where(*at(PUBLICATIONS, outcome.dataset, outcome.partition))
            known = connection.execute(query).scalar()
            if known is not None and Outcome.model_validate_json(known).stand_in is None:
                return False
            _replace(connection, published)
        return True

    def amend(self, before: Published, after: Published) -> bool:
        outcome = before.outcome
        with self._writing(outcome.dataset) as connection:
            query = sa.select(PUBLICATIONS.c.outcome).where(*at(PUBLICATIONS, outcome.dataset, outcome.partition))
            known = connection.execute(query).scalar()
            if known is None or Outcome.model_validate_json(known) != outcome:
                return False
            _replace(connection, after)
        return True

    def published(self, dataset: str, partition: str) -> Published | None:
        return next(iter(self._publications(*at(PUBLICATIONS, dataset, partition))), None)

    def published_under_others(self, dataset: str, contract: str) -> tuple[Published, ...]:
        version = PUBLICATIONS.c.version
        other = sa.or_(version.is_(None), version.not_like(f"%-{contract}-%"))
        return self._publications(PUBLICATIONS.c.dataset == dataset, other)

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        return self._publications(PUBLICATIONS.c.dataset == dataset if dataset is not None else sa.true())

    def first_published(self, dataset: str) -> Mapping[str, datetime]:
        query = sa.select(FIRST_PUBLICATIONS).where(FIRST_PUBLICATIONS.c.dataset == dataset)
        with self._reading() as connection:
            return {row.partition: row.published_at for row in connection.execute(query)}

    def _publications(self, *conditions: sa.ColumnElement[bool]) -> tuple[Published, ...]:
        query = sa.select(PUBLICATIONS).where(*conditions).order_by(PUBLICATIONS.c.dataset, PUBLICATIONS.c.partition)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Published(Outcome.model_validate_json(row.outcome), row.snapshot_id, row.published_at) for row in rows
        )


def _replace(connection: sa.Connection, published: Published) -> None:
    outcome = published.outcome
    place = {"dataset": outcome.dataset, "partition": outcome.partition}
    connection.execute(sa.delete(PUBLICATIONS).where(*at(PUBLICATIONS, **place)))
    connection.execute(
        sa.insert(PUBLICATIONS).values(
            **place,
            outcome=outcome.model_dump_json(),
            snapshot_id=published.snapshot_id,
            published_at=published.published_at,
            version=str(outcome.version),
        )
    )
