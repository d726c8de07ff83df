"""What every ledger does with planned backfills."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sluice.backfill.plan import Asked, Plan, Target
from sluice.backfill.progress import Backfill, Stage

if TYPE_CHECKING:
    from resources.ledger import Ledger

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def planned(plan_id: str = "abc") -> Backfill:
    target = Target(dataset="orders", partition="2026-11-20", why="nothing is published", bytes_in=5, usd=0.25)
    plan = Plan(
        plan_id=plan_id,
        created_at=NOON,
        asked=Asked(datasets=("orders",)),
        targets=(target,),
        reaches=(),
        as_they_should_be=3,
        world="w",
    )
    return Backfill(plan, Stage.PLANNED, NOON)


def test_a_plan_is_kept_as_it_was_made(ledger: Ledger) -> None:
    ledger.add_backfill(planned())

    assert ledger.backfill("abc") == planned()
    assert ledger.backfill("other") is None


def test_plans_come_in_the_order_in_which_they_were_made(ledger: Ledger) -> None:
    ledger.add_backfill(planned("b"))
    ledger.add_backfill(planned("a"))
    ledger.change_backfill("a", Stage.PLANNED, Stage.RUNNING, NOON)

    assert [item.plan.plan_id for item in ledger.backfills()] == ["b", "a"]
    assert [item.plan.plan_id for item in ledger.backfills(Stage.RUNNING)] == ["a"]


def test_a_plan_moves_on_from_where_it_was_expected_to_be(ledger: Ledger) -> None:
    ledger.add_backfill(planned())

    assert ledger.change_backfill("abc", Stage.PLANNED, Stage.RUNNING, LATER)
    assert not ledger.change_backfill("abc", Stage.PLANNED, Stage.RUNNING, LATER)
    assert not ledger.change_backfill("other", Stage.PLANNED, Stage.RUNNING, LATER)

    assert ledger.backfill("abc") == replace(planned(), stage=Stage.RUNNING, changed_at=LATER, started_at=LATER)


def test_it_was_started_when_it_ran_for_the_first_time(ledger: Ledger) -> None:
    ledger.add_backfill(planned())
    ledger.change_backfill("abc", Stage.PLANNED, Stage.RUNNING, NOON)
    ledger.change_backfill("abc", Stage.RUNNING, Stage.PAUSED, LATER, note="the canary failed")
    paused = ledger.backfill("abc")
    ledger.change_backfill("abc", Stage.PAUSED, Stage.RUNNING, LATER)

    assert paused is not None
    assert (paused.started_at, paused.note) == (NOON, "the canary failed")
    assert ledger.backfill("abc") == replace(planned(), stage=Stage.RUNNING, changed_at=LATER, started_at=NOON)


def test_where_a_plan_stands_is_told_without_the_plan(ledger: Ledger) -> None:
    ledger.add_backfill(planned())
    ledger.change_backfill("abc", Stage.PLANNED, Stage.RUNNING, NOON)

    assert ledger.stage_of_backfill("abc") is Stage.RUNNING
    assert ledger.stage_of_backfill("other") is None
