"""The sensor carries out a plan, from its canary to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sluice.backfill.plan import Asked, Plan, Target
from sluice.backfill.progress import Backfill, Stage
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY, CANARY = "2026-11-03", "2026-11-04"
GOOD = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
BAD = '{"order_id": 1, "customer_id": "x", "amount": 9.5, "status": "paid"}'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path, instance)


def launch(world: World) -> None:
    world.tick()
    targets = tuple(Target(dataset="orders", partition=day, why="nothing is published") for day in (CANARY, DAY))
    plan = Plan(
        plan_id="p1",
        created_at=world.clock.now(),
        asked=Asked(datasets=("orders",)),
        targets=targets,
        reaches=(),
        as_they_should_be=0,
        world="w",
    )
    world.ledger.add_backfill(Backfill(plan, Stage.PLANNED, world.clock.now()))
    world.ledger.change_backfill("p1", Stage.PLANNED, Stage.RUNNING, world.clock.now())


def tick(world: World) -> list[dg.RunRequest]:
    result = world.evaluate(world.definitions.get_repository_def().get_sensor_def("backfills"), None)
    return list(result.run_requests or [])


def run(world: World, asked: dg.RunRequest) -> None:
    job = world.definitions.get_repository_def().get_job(str(asked.job_name))
    job.execute_in_process(
        instance=world.instance, partition_key=asked.partition_key, tags=asked.tags, raise_on_error=False
    )


def stage(world: World) -> tuple[Stage, str]:
    found = world.ledger.backfill("p1")
    assert found is not None
    return found.stage, found.note


def test_without_a_launched_plan_nothing_is_asked_for(world: World) -> None:
    assert tick(world) == []


def test_the_canary_goes_first_and_then_the_rest(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.land_orders(CANARY, GOOD)
    launch(world)

    (canary,) = tick(world)
    run(world, canary)
    (rest,) = tick(world)
    run(world, rest)

    assert (canary.partition_key, rest.partition_key) == (CANARY, DAY)
    assert canary.tags["sluice/backfill"] == "p1"
    assert tick(world) == []
    assert stage(world) == (Stage.DONE, "2 published, 0 failed")


def test_a_canary_that_fails_pauses_the_plan(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.land_orders(CANARY, BAD)
    launch(world)

    (canary,) = tick(world)
    run(world, canary)

    assert tick(world) == []
    assert stage(world) == (Stage.PAUSED, f"the canary failed: orders {CANARY}")


def test_a_run_that_died_before_it_tried_is_asked_for_again_but_not_for_ever(world: World) -> None:
    world.land_orders(CANARY, GOOD)
    world.land_orders(DAY, GOOD)
    launch(world)
    keys = []
    for _ in range(4):
        (asked,) = tick(world)
        keys.append(asked.run_key)
        job = world.definitions.get_repository_def().get_job("build_orders")
        dead = world.instance.create_run_for_job(job, tags={**asked.tags, "dagster/partition": CANARY})
        world.instance.report_run_failed(dead)

    assert len(set(keys)) == 4
    assert tick(world) == []
    assert stage(world)[0] is Stage.PAUSED
