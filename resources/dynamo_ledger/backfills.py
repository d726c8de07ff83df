"""Planned backfills in DynamoDB: the plan, which stays, and where it stands, which runs often ask for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from resources.dynamo_ledger.items import read_time, read_time_or_none, write_time, write_time_or_none
from resources.dynamo_ledger.store import Store
from sluice.backfill.plan import Plan
from sluice.backfill.progress import Backfill, Stage

if TYPE_CHECKING:
    from datetime import datetime

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item

_PLANS, _STAGES = "PLANS", "BACKFILLS"


class DynamoBackfills(Store):
    def add_backfill(self, backfill: Backfill) -> None:
        """Raises ValueError where there is a plan of that id."""
        order, plan = cache(lambda: self._table.count_up("backfills")), backfill.plan
        state = {
            "stage": backfill.stage.value,
            "changed_at": write_time(backfill.changed_at),
            "started_at": write_time_or_none(backfill.started_at),
        }

        def work(draft: Draft) -> None:
            if draft.read((_STAGES, plan.plan_id)) is not None:
                raise ValueError(f"There is a backfill {plan.plan_id} already.")
            draft.put((_PLANS, plan.plan_id), body=plan.model_dump(mode="json"))
            draft.put((_STAGES, plan.plan_id), {"number": order(), **state}, body=backfill.note)

        self._change(None, work)

    def backfill(self, plan_id: str) -> Backfill | None:
        found = self._table.get((_STAGES, plan_id))
        return None if found is None else self._read_backfill(found)

    def backfills(self, stage: Stage | None = None) -> tuple[Backfill, ...]:
        found = list(self._table.query(_STAGES, where={} if stage is None else {"stage": stage.value}))
        return tuple(self._read_backfill(item) for item in sorted(found, key=_number))

    def change_backfill(
        self, plan_id: str, expected: Stage, stage: Stage, changed_at: datetime, *, note: str = ""
    ) -> bool:
        now = write_time(changed_at)

        def work(draft: Draft) -> bool:
            found = draft.read((_STAGES, plan_id))
            if found is None or found["stage"] != expected.value:
                return False
            started = found.get("started_at") or (now if stage is Stage.RUNNING else None)
            moved = {"number": found["number"], "stage": stage.value, "changed_at": now, "started_at": started}
            draft.put((_STAGES, plan_id), moved, body=note)
            return True

        return self._change(None, work)

    def stage_of_backfill(self, plan_id: str) -> Stage | None:
        found = self._table.get((_STAGES, plan_id))
        return None if found is None else Stage(found["stage"])

    def _read_backfill(self, item: Item) -> Backfill:
        plan = self._table.get((_PLANS, item["sk"]))
        if plan is None:
            raise ValueError(f"The plan of the backfill {item['sk']} is gone.")
        return Backfill(
            plan=Plan.model_validate_json(self._table.json(plan)),
            stage=Stage(item["stage"]),
            changed_at=read_time(item["changed_at"]),
            started_at=read_time_or_none(item.get("started_at")),
            note=self._table.body(item),
        )


def _number(item: Item) -> int:
    return int(item["number"])
