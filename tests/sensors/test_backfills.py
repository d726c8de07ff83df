"""The sensor carries out a plan, from its canary to its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sluice.backfill.chunk import CHUNK_TAG, Chunking
from sluice.backfill.plan import Asked, Plan, Target
from sluice.backfill.progress import Backfill, Stage
from sluice.contract import CODE_VERSION
from sluice.healing.failure import FailureClass
from sluice.version import Version
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


def launch(world: World, *days: str, most: int = 1) -> None:
    world.tick()
    days = days or (CANARY, DAY)
    targets = tuple(Target(dataset="orders", partition=day, why="nothing is published") for day in days)
    plan = Plan(
        plan_id="p1",
        created_at=world.clock.now(),
        asked=Asked(datasets=("orders",)),
        targets=targets,
        reaches=(),
        as_they_should_be=0,
        world="w",
        chunking=Chunking(partitions=most),
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


BEFORE, FIRST = "2026-11-02", "2026-11-01"


def land_four(world: World, day: str = GOOD) -> None:
    world.land_orders(CANARY, GOOD)
    world.land_orders(DAY, day)
    world.land_orders(BEFORE, GOOD)
    world.land_orders(FIRST, GOOD)


def create(world: World, asked: dg.RunRequest, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    job = world.definitions.get_repository_def().get_job(str(asked.job_name))
    return world.instance.create_run_for_job(job, tags=asked.tags, status=status)


def test_behind_the_canary_many_partitions_share_a_run(world: World) -> None:
    land_four(world, BAD)
    launch(world, CANARY, DAY, BEFORE, FIRST, most=3)

    (canary,) = tick(world)
    run(world, canary)
    (rest,) = tick(world)
    run(world, rest)

    assert (canary.job_name, canary.partition_key) == ("build_orders", CANARY)
    assert (rest.job_name, rest.tags[CHUNK_TAG]) == ("chunk_orders", f"{FIRST}..{DAY}")
    assert tick(world) == []
    assert stage(world) == (Stage.DONE, "3 published, 1 failed")


def test_what_a_chunk_has_yet_to_build_is_not_asked_for(world: World) -> None:
    land_four(world)
    earlier = world.clock.now() - timedelta(days=1)
    old = world.ledger.begin("orders", BEFORE, "old version", "another run", earlier)
    world.ledger.end(old, earlier, "it broke", FailureClass.CODE)
    launch(world, CANARY, DAY, BEFORE, FIRST, most=2)
    run(world, *tick(world))
    begun = tick(world)
    at_work = create(world, begun[0], dg.DagsterRunStatus.STARTED)

    (other,) = tick(world)

    assert [asked.tags.get(CHUNK_TAG, asked.partition_key) for asked in begun] == [f"{BEFORE}..{DAY}", FIRST]
    assert other.partition_key == FIRST
    world.instance.report_run_failed(at_work)
    again = tick(world)[0]
    assert (again.tags[CHUNK_TAG], again.run_key) == (f"{BEFORE}..{DAY}", f"backfill:p1:orders:{DAY}:2")


def test_a_failed_partition_of_a_chunk_is_retried_alone_while_the_chunk_goes_on(world: World) -> None:
    land_four(world)
    launch(world, CANARY, DAY, BEFORE, FIRST, most=3)
    run(world, *tick(world))
    (rest,) = tick(world)
    chunk = create(world, rest, dg.DagsterRunStatus.STARTED)
    for day in (DAY, BEFORE):
        noticed = world.ledger.latest("orders", day)
        assert noticed is not None
        version = Version(noticed.manifest.fingerprint, world.contracts["orders"].fingerprint, CODE_VERSION)
        other = chunk.run_id if day == DAY else "another run"
        attempt = world.ledger.begin("orders", day, str(version), other, world.clock.now())
        world.ledger.end(attempt, world.clock.now(), "it broke", FailureClass.TRANSIENT)
    world.clock.instant += timedelta(hours=1)

    retries = world.evaluate(world.definitions.get_repository_def().get_sensor_def("retries"), None)

    asked = [(item.job_name, item.partition_key) for item in retries.run_requests or ()]
    assert asked == [("build_orders", DAY)]  # the chunk has yet to come to the other


def test_what_a_killed_chunk_has_not_begun_is_asked_for_without_what_it_has_published(world: World) -> None:
    land_four(world)
    launch(world, CANARY, DAY, BEFORE, FIRST, most=3)
    run(world, *tick(world))
    (rest,) = tick(world)
    job = world.definitions.get_repository_def().get_job("build_orders")
    job.execute_in_process(instance=world.instance, partition_key=DAY)
    world.instance.report_run_failed(create(world, rest, dg.DagsterRunStatus.STARTED))

    (again,) = tick(world)

    assert again.tags[CHUNK_TAG] == f"{FIRST}..{BEFORE}"


def test_a_chunk_that_names_no_dates_holds_nobody_up(world: World) -> None:
    land_four(world)
    launch(world, CANARY, DAY)
    job = world.definitions.get_repository_def().get_job("chunk_orders")
    world.instance.create_run_for_job(job, tags={CHUNK_TAG: "soon"}, status=dg.DagsterRunStatus.STARTED)

    assert [asked.partition_key for asked in tick(world)] == [CANARY]
