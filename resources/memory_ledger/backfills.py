"""Planned backfills in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from resources.memory_ledger.store import Store
from sluice.backfill.progress import Stage

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.backfill.progress import Backfill


class MemoryBackfills(Store):
    def __init__(self) -> None:
        super().__init__()
        self._backfills: dict[str, Backfill] = {}

    def add_backfill(self, backfill: Backfill) -> None:
        with self._lock:
            self._backfills[backfill.plan.plan_id] = backfill

    def backfill(self, plan_id: str) -> Backfill | None:
        return self._backfills.get(plan_id)

    def backfills(self, stage: Stage | None = None) -> tuple[Backfill, ...]:
        return tuple(item for item in self._backfills.values() if stage in {None, item.stage})

    def change_backfill(
        self, plan_id: str, expected: Stage, stage: Stage, changed_at: datetime, *, note: str = ""
    ) -> bool:
        with self._lock:
            found = self._backfills.get(plan_id)
            if found is None or found.stage is not expected:
                return False
            started = found.started_at or (changed_at if stage is Stage.RUNNING else None)
            changed = replace(found, stage=stage, changed_at=changed_at, started_at=started, note=note)
            self._backfills[plan_id] = changed
            return True

    def stage_of_backfill(self, plan_id: str) -> Stage | None:
        found = self._backfills.get(plan_id)
        return None if found is None else found.stage
