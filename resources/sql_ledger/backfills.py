"""Planned backfills in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.ledger_schema import BACKFILLS
from resources.sql_ledger.database import Database
from sluice.backfill.plan import Plan
from sluice.backfill.progress import Backfill, Stage

if TYPE_CHECKING:
    from datetime import datetime


class SqlBackfills(Database):
    def add_backfill(self, backfill: Backfill) -> None:
        with self._writing(None) as connection:
            connection.execute(
                sa.insert(BACKFILLS).values(
                    plan_id=backfill.plan.plan_id,
                    plan=backfill.plan.model_dump_json(),
                    stage=backfill.stage.value,
                    changed_at=backfill.changed_at,
                    started_at=backfill.started_at,
                    note=backfill.note,
                )
            )

    def backfill(self, plan_id: str) -> Backfill | None:
        query = sa.select(BACKFILLS).where(BACKFILLS.c.plan_id == plan_id)
        with self._reading() as connection:
            found = connection.execute(query).one_or_none()
        return None if found is None else _read(found)

    def backfills(self, stage: Stage | None = None) -> tuple[Backfill, ...]:
        these = sa.true() if stage is None else BACKFILLS.c.stage == stage.value
        with self._reading() as connection:
            rows = connection.execute(sa.select(BACKFILLS).where(these).order_by(BACKFILLS.c.number))
            return tuple(_read(row) for row in rows)

    def change_backfill(
        self, plan_id: str, expected: Stage, stage: Stage, changed_at: datetime, *, note: str = ""
    ) -> bool:
        this = (BACKFILLS.c.plan_id == plan_id, BACKFILLS.c.stage == expected.value)
        new: dict[str, Any] = {"stage": stage.value, "changed_at": changed_at, "note": note}
        if stage is Stage.RUNNING:
            new["started_at"] = sa.func.coalesce(BACKFILLS.c.started_at, sa.bindparam("now", changed_at))
        with self._writing(None) as connection:
            return connection.execute(sa.update(BACKFILLS).where(*this).values(new)).rowcount == 1

    def stage_of_backfill(self, plan_id: str) -> Stage | None:
        with self._reading() as connection:
            found = connection.execute(sa.select(BACKFILLS.c.stage).where(BACKFILLS.c.plan_id == plan_id)).scalar()
        return None if found is None else Stage(found)


def _read(row: sa.Row[Any]) -> Backfill:
    return Backfill(
        plan=Plan.model_validate_json(row.plan),
        stage=Stage(row.stage),
        changed_at=row.changed_at,
        started_at=row.started_at,
        note=row.note,
    )
