from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sluice.gate_rules import Expected, GateRules, Metric
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = "2026-11-03"
LINE = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'


@pytest.fixture
def blocked(tmp_path: Path) -> Iterator[World]:
    """A partition with one row of at least two."""
    strict = replace(ORDERS, gates=GateRules(row_count=Expected(Metric("row_count"), minimum=2)))
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, {**CONTRACTS, "orders": strict})
        world.land_orders(DAY, LINE)
        assert not world.build("orders", DAY).success
        yield world


def tick(world: World) -> dg.SensorResult:
    return world.evaluate(world.definitions.get_repository_def().get_sensor_def("reopening"), None)


def accept(world: World) -> None:
    (verdict,) = world.ledger.blocking_verdicts()
    world.ledger.accept(verdict, why="holiday", accepted_by="ann", accepted_at=world.clock.now())


def run(world: World, asked: dg.RunRequest, *, judges: bool) -> None:
    """Leave a finished run of a request; one that `judges` ran the job, another died before its first step."""
    tags = {**asked.tags, "dagster/partition": DAY}
    if judges:
        job = world.definitions.get_repository_def().get_job("build_orders")
        job.execute_in_process(instance=world.instance, partition_key=DAY, tags=tags, raise_on_error=False)
    else:
        dead = world.instance.create_run_for_job(
            world.definitions.get_repository_def().get_job("build_orders"), tags=tags
        )
        world.instance.report_run_failed(dead)


def test_without_news_nothing_is_asked_for(blocked: World) -> None:
    result = tick(blocked)

    assert not result.run_requests
    assert isinstance(result.skip_reason, dg.SkipReason)
    assert result.skip_reason.skip_message == "Nothing has changed for 1 blocked partitions."


def test_an_acceptance_asks_for_its_partition(blocked: World) -> None:
    accept(blocked)

    (asked,) = tick(blocked).run_requests or []

    assert (asked.job_name, asked.partition_key) == ("build_orders", DAY)
    assert asked.tags["sluice/reopened"] == "acceptance 1"


def test_a_run_that_has_judged_is_not_asked_for_again(blocked: World) -> None:
    accept(blocked)
    (asked,) = tick(blocked).run_requests or []

    run(blocked, asked, judges=True)

    assert blocked.rows("orders", DAY)
    assert not tick(blocked).run_requests


def test_a_run_that_died_before_it_judged_is_asked_for_again_but_not_for_ever(blocked: World) -> None:
    accept(blocked)
    keys = []
    for _ in range(4):
        (asked,) = tick(blocked).run_requests or []
        keys.append(asked.run_key)
        run(blocked, asked, judges=False)

    assert len(set(keys)) == 4
    assert not tick(blocked).run_requests
