"""When automation asks for derived datasets; evaluated by Dagster itself, tick by tick."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sluice.gate_rules import Expected, GateRules, Metric
from tests.world import CONTRACTS, REVENUE, World

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2026-11-03"
NEXT_DAY = "2026-11-04"
GOOD = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
NEWER = '{"order_id": 1, "customer_id": 7, "amount": 12.25, "status": "paid"}'
ALL = {"processed/revenue", "quarantine/revenue", "tables/revenue"}


class Automation:
    """The automation sensor's evaluations, one after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._cursor: dg.AssetDaemonCursor | None = None

    def tick(self) -> dict[str, set[str]]:
        """Return what is asked for: partition -> assets."""
        result = dg.evaluate_automation_conditions(
            self._world.definitions,
            self._world.instance,
            asset_selection=dg.AssetSelection.all(),
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        asked: dict[str, set[str]] = {}
        for evaluation in result.results:
            for partition in evaluation.true_subset.expensively_compute_partition_keys():
                asked.setdefault(partition, set()).add(evaluation.key.to_user_string())
        return asked


@pytest.fixture
def automation(world: World) -> Automation:
    return Automation(world)


def build_inputs(world: World, day: str = DAY, order: str = GOOD) -> None:
    world.land_orders(day, order)
    world.land_customers(day, "7,FR")
    world.build("orders", day)
    world.build("customers", day)


def test_history_that_was_missing_at_the_first_tick_is_asked_for(world: World, automation: Automation) -> None:
    build_inputs(world, DAY)
    build_inputs(world, NEXT_DAY)

    assert automation.tick() == {DAY: ALL, NEXT_DAY: ALL}


def test_nothing_is_asked_for_before_all_inputs_are_there(world: World, automation: Automation) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY)

    assert automation.tick() == {}


def test_inputs_that_come_later_are_enough(world: World, automation: Automation) -> None:
    automation.tick()
    build_inputs(world)

    assert automation.tick() == {DAY: ALL}


def test_what_is_built_is_not_asked_for_again(world: World, automation: Automation) -> None:
    build_inputs(world)
    automation.tick()
    world.build("revenue", DAY)

    assert automation.tick() == {}
    assert automation.tick() == {}


def test_a_changed_input_asks_for_its_partition_alone(world: World, automation: Automation) -> None:
    build_inputs(world, DAY)
    build_inputs(world, NEXT_DAY)
    world.build("revenue", DAY)
    world.build("revenue", NEXT_DAY)
    automation.tick()
    world.land_orders(DAY, NEWER)
    world.build("orders", DAY)

    assert automation.tick() == {DAY: ALL}


def test_an_input_that_is_built_again_from_the_same_files_asks_for_nothing(
    world: World, automation: Automation
) -> None:
    build_inputs(world)
    world.build("revenue", DAY)
    automation.tick()
    world.build("orders", DAY)

    assert automation.tick() == {}


def test_a_failure_is_not_tried_again_until_an_input_changes(world: World, automation: Automation) -> None:
    build_inputs(world)
    automation.tick()
    tables = world.home / "tables"
    tables.rename(world.home / "away")
    failed = world.build("revenue", DAY)
    (world.home / "away").rename(tables)

    quiet = automation.tick()
    world.land_orders(DAY, NEWER)
    world.build("orders", DAY)

    assert not failed.success
    assert quiet == {}
    assert automation.tick() == {DAY: ALL}


def test_a_change_right_after_the_build_is_not_lost_between_two_ticks(world: World, automation: Automation) -> None:
    """Both happen before the next tick, so that it sees the build and the change at once."""
    build_inputs(world)
    automation.tick()
    world.build("revenue", DAY)
    world.land_orders(DAY, NEWER)
    world.build("orders", DAY)

    assert automation.tick() == {DAY: ALL}


def test_a_change_during_the_build_is_seen_when_it_has_ended(world: World, automation: Automation) -> None:
    build_inputs(world)
    automation.tick()
    world.build("revenue", DAY)
    world.land_orders(DAY, NEWER)
    world.build("orders", DAY)
    automation.tick()
    world.build("revenue", DAY)
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY)

    assert automation.tick() == {DAY: ALL}


def test_a_change_while_nobody_looked_is_seen_at_the_next_tick(world: World, automation: Automation) -> None:
    build_inputs(world)
    world.build("revenue", DAY)
    automation.tick()
    world.land_orders(DAY, NEWER)
    world.build("orders", DAY)
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY)
    world.land_orders(DAY, NEWER)
    world.build("orders", DAY)

    assert automation.tick() == {DAY: ALL}


def test_a_derived_partition_that_a_gate_blocks_is_not_published_later(tmp_path: Path) -> None:
    strict = replace(REVENUE, gates=GateRules(row_count=Expected(Metric("row_count"), minimum=2)))
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, {**CONTRACTS, "revenue": strict})
        automation = Automation(world)
        build_inputs(world)
        assert automation.tick() == {DAY: ALL}
        assert not world.build("revenue", DAY).success

        assert automation.tick() == {}
        assert automation.tick() == {}
        assert world.rows("revenue", DAY) == []


def test_a_blocked_derived_partition_is_asked_for_again_when_its_input_changes(tmp_path: Path) -> None:
    strict = replace(REVENUE, gates=GateRules(metrics=(Expected(Metric("sum", "revenue"), minimum=10),)))
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, {**CONTRACTS, "revenue": strict})
        automation = Automation(world)
        build_inputs(world)
        automation.tick()
        assert not world.build("revenue", DAY).success
        automation.tick()

        world.land_orders(DAY, NEWER)
        world.build("orders", DAY)

        assert automation.tick() == {DAY: ALL}
        assert world.build("revenue", DAY).success
        assert len(world.rows("revenue", DAY)) == 1
