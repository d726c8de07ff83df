"""Reserved and spent money in SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.ledger_schema import SPENDS
from resources.reservations import Counted, answer, check_amount, check_settled, dollars, nanodollars
from resources.sql_ledger.database import Database, at
from sluice.cost.budget import Estimate, Purpose, Request, Spend, SpendState, Spent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sluice.cost.budget import Funding, Limits

_IS_OPEN = SPENDS.c.state == SpendState.RESERVED.value
_BUILT = (SpendState.BUILT.value, SpendState.PUBLISHED.value)
_AMOUNT = sa.func.coalesce(SPENDS.c.actual_nanodollars, SPENDS.c.estimated_nanodollars)


class SqlSpending(Database):
    def reserve(self, request: Request, limits: Limits, reserved_at: datetime, *, regardless: bool = False) -> Funding:
        row = _row(request, reserved_at)
        with self._writing(request.dataset) as connection:
            earlier = connection.execute(sa.select(SPENDS).where(*_of_run(request), _IS_OPEN)).one_or_none()
            if earlier is not None:
                granted = _read(earlier).request
                return answer(granted, limits, _counted(connection, granted, without=earlier.id), regardless=True)
            funding = answer(request, limits, _counted(connection, request), regardless=regardless)
            if funding.granted:
                connection.execute(sa.delete(SPENDS).where(*_of_run(request), SPENDS.c.actual_nanodollars == 0))
                connection.execute(sa.insert(SPENDS).values(row))
        return funding

    def settle(self, request: Request, state: SpendState, *, seconds: float, usd: float, settled_at: datetime) -> None:
        settled = sa.update(SPENDS).values(
            state=check_settled(state).value,
            actual_seconds=check_amount("seconds", seconds),
            actual_nanodollars=nanodollars(usd),
            settled_at=settled_at,
        )
        with self._writing(request.dataset) as connection:
            connection.execute(settled.where(*_of_run(request), _IS_OPEN))

    def conclude(self, dataset: str, partition: str, version: str) -> None:
        built = (
            *at(SPENDS, dataset, partition),
            SPENDS.c.version == version,
            SPENDS.c.state == SpendState.BUILT.value,
        )
        with self._writing(dataset) as connection:
            connection.execute(sa.update(SPENDS).where(*built).values(state=SpendState.PUBLISHED.value))

    def open_spends(self) -> tuple[Spend, ...]:
        return self._spends(_IS_OPEN)

    def spends(self, dataset: str | None = None, month: str | None = None) -> tuple[Spend, ...]:
        return self._spends(
            SPENDS.c.dataset == dataset if dataset is not None else sa.true(),
            SPENDS.c.month == month if month is not None else sa.true(),
        )

    def builds(self, dataset: str, most: int) -> tuple[Spend, ...]:
        query = (
            sa.select(SPENDS)
            .where(SPENDS.c.dataset == dataset, SPENDS.c.state.in_(_BUILT), SPENDS.c.actual_seconds > 0)
            .order_by(SPENDS.c.id.desc())
            .limit(most)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(_read(row) for row in reversed(rows))

    def spent_by_month(self, dataset: str) -> tuple[Spent, ...]:
        query = (
            sa.select(SPENDS.c.month, SPENDS.c.purpose, sa.func.sum(_AMOUNT).label("nanodollars"))
            .where(SPENDS.c.dataset == dataset)
            .group_by(SPENDS.c.month, SPENDS.c.purpose)
            .order_by(SPENDS.c.month, SPENDS.c.purpose)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Spent(row.month, Purpose(row.purpose), dollars(int(row.nanodollars))) for row in rows)

    def _spends(self, *conditions: sa.ColumnElement[bool]) -> tuple[Spend, ...]:
        with self._reading() as connection:
            rows = connection.execute(sa.select(SPENDS).where(*conditions).order_by(SPENDS.c.id)).all()
        return tuple(_read(row) for row in rows)


def _of_run(request: Request) -> tuple[sa.ColumnElement[bool], ...]:
    return *at(SPENDS, request.dataset, request.partition), SPENDS.c.run_id == request.run_id


def _counted(connection: sa.Connection, request: Request, without: int | None = None) -> Iterable[Counted]:
    query = (
        sa.select(SPENDS.c.purpose, _IS_OPEN.label("is_open"), sa.func.sum(_AMOUNT).label("nanodollars"))
        .where(SPENDS.c.dataset == request.dataset, SPENDS.c.month == request.month)
        .where(SPENDS.c.id != without if without is not None else sa.true())
        .group_by(SPENDS.c.purpose, _IS_OPEN)
    )
    return [Counted(Purpose(row.purpose), bool(row.is_open), int(row.nanodollars)) for row in connection.execute(query)]


def _row(request: Request, reserved_at: datetime) -> dict[str, Any]:
    estimate = request.estimate
    return {
        "dataset": request.dataset,
        "partition": request.partition,
        "version": request.version,
        "run_id": request.run_id,
        "month": request.month,
        "purpose": request.purpose.value,
        "state": SpendState.RESERVED.value,
        "estimated_seconds": check_amount("seconds", estimate.seconds),
        "bytes_in": estimate.bytes_in,
        "objects": estimate.objects,
        "estimated_nanodollars": nanodollars(estimate.usd),
        "basis": estimate.basis,
        "reserved_at": reserved_at,
    }


def _read(row: sa.Row[Any]) -> Spend:
    request = Request(
        dataset=row.dataset,
        partition=row.partition,
        version=row.version,
        run_id=row.run_id,
        month=row.month,
        purpose=Purpose(row.purpose),
        estimate=Estimate(
            row.estimated_seconds, row.bytes_in, row.objects, dollars(row.estimated_nanodollars), row.basis
        ),
    )
    spend = Spend(request, SpendState(row.state), row.reserved_at)
    if row.settled_at is None:
        return spend
    return replace(
        spend,
        settled_at=row.settled_at,
        actual_seconds=row.actual_seconds,
        actual_usd=dollars(row.actual_nanodollars),
    )
