"""Breakers in real Dagster runs: closed, open, held, probed, closed again, released."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.healing.breaker import BreakerState
from sluice.healing.breakers import Breakers
from sluice.healing.incident import RemedyKind
from sluice.healing.policy import BreakerPolicy, HealingPolicy
from sluice.healing.state import IncidentState, state_of
from sluice.partition_state import State
from sluice.survey import survey
from tests.world import CONTRACTS, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

    from resources.object_store import LocalObjectStore

FIRST, SECOND, THIRD, FOURTH = "2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06"
LINE = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
GATE = BREAKER_IS_CLOSED.name
POLICY = HealingPolicy(breaker=BreakerPolicy(failures=2, first=timedelta(minutes=1)))


class Buggy:
    """The real store; what is staged into it meets a bug."""

    def __init__(self, store: LocalObjectStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:  # noqa: ARG002
        raise TypeError("a bug")


def use_store(world: World, store: object) -> None:
    world.ports["store"] = store
    world.__dict__.pop("definitions", None)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    """Two failures in a row open a breaker."""
    contracts = {name: replace(contract, healing=POLICY) for name, contract in CONTRACTS.items()}
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path, instance, contracts)


@pytest.fixture
def opened(shop: World) -> World:
    """Two partitions have failed by a bug, which is mended by now."""
    use_store(shop, Buggy(shop.store))
    for day in (FIRST, SECOND):
        shop.land_orders(day, LINE)
        assert not shop.build("orders", day).success
    use_store(shop, shop.store)
    return shop


def breaker(world: World, dataset: str = "orders") -> BreakerState:
    return Breakers(world.contracts, world.ledger, world.clock.now()).of(dataset)[-1].state


def sensor(world: World, name: str) -> list[dg.RunRequest]:
    found = world.evaluate(world.definitions.get_repository_def().get_sensor_def(name), None)
    return list(found.run_requests or [])


def arrivals(world: World) -> list[dg.RunRequest]:
    """Ask the sensor, which has seen the first two partitions."""
    seen = world.ledger.latest("orders", SECOND)
    assert seen is not None
    return list(world.tick(json.dumps({"sequence": seen.sequence})).run_requests or [])


def run(world: World, asked: dg.RunRequest) -> ExecuteInProcessResult:
    job = world.definitions.get_repository_def().get_job(asked.job_name or "")
    return job.execute_in_process(
        instance=world.instance, partition_key=asked.partition_key, tags=dict(asked.tags), raise_on_error=False
    )


def states(world: World) -> dict[str, State]:
    found = survey(
        world.contracts,
        [noticed.manifest for noticed in world.ledger.noticed_after(0)],
        world.ledger.all_published(),
        world.ledger.last_attempt,
        world.ledger.blocking_verdicts(),
        world.ledger.acceptances(),
    )
    return {item.partition: item.state for item in found if item.dataset == "orders"}


def wait(world: World, **time: float) -> None:
    world.clock.instant += timedelta(**time)


def shown(world: World, zone: str, dataset: str) -> list[dg.AssetCheckEvaluation]:
    """Return what Dagster shows of the gate, the newest first."""
    key = dg.AssetCheckKey(dg.AssetKey([zone, dataset]), GATE)
    records = world.instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
    events = [record.event.dagster_event for record in records if record.event and record.event.dagster_event]
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    return [event.asset_check_evaluation_data for event in events if event.event_type is kind]


def test_a_run_by_hand_is_held_and_is_neither_an_attempt_nor_an_incident(opened: World) -> None:
    opened.land_orders(THIRD, LINE)

    held = opened.build("orders", THIRD)

    assert breaker(opened) is BreakerState.OPEN
    assert not held.success
    assert opened.ledger.last_attempt("orders", THIRD) is None
    assert {item.partition for item in opened.ledger.incidents()} == {FIRST, SECOND}
    assert states(opened) == {FIRST: State.FAILED, SECOND: State.FAILED, THIRD: State.HELD}
    (verdict, *_) = shown(opened, "raw", "orders")
    assert (verdict.passed, verdict.partition) == (False, THIRD)
    assert (verdict.description or "").startswith("dataset orders: 2 failures in a row, code")


@pytest.mark.parametrize("step", ["processed/orders", "tables/orders"])
def test_a_step_by_hand_is_held_as_well(shop: World, step: str) -> None:
    for day in (FIRST, SECOND, THIRD):
        shop.land_orders(day, LINE)
    assert shop.build("orders", THIRD, "raw/orders", "processed/orders", "quarantine/orders").success
    before = shop.ledger.last_attempt("orders", THIRD)
    use_store(shop, Buggy(shop.store))
    shop.build("orders", FIRST)
    shop.build("orders", SECOND)
    use_store(shop, shop.store)

    assert not shop.build("orders", THIRD, step, *(["quarantine/orders"] if "processed" in step else [])).success

    assert shop.ledger.last_attempt("orders", THIRD) == before
    assert shop.rows("orders", THIRD) == []


def test_what_lands_meanwhile_is_held_without_a_run(opened: World) -> None:
    opened.land_orders(THIRD, LINE)
    opened.land_customers(THIRD, "7,FR")

    asked = arrivals(opened)

    assert [(item.job_name, item.partition_key) for item in asked] == [("build_customers", THIRD)]
    assert states(opened)[THIRD] is State.HELD
    assert sensor(opened, "reopening") == []


def test_one_probes_and_when_it_succeeds_the_others_are_released(opened: World) -> None:
    opened.land_orders(THIRD, LINE)
    opened.land_orders(FOURTH, LINE)
    arrivals(opened)

    wait(opened, seconds=61)
    assert breaker(opened) is BreakerState.HALF_OPEN
    (probe,) = sensor(opened, "reopening")
    assert run(opened, probe).success
    (released,) = sensor(opened, "reopening")
    assert run(opened, released).success

    assert (probe.partition_key, released.partition_key) == (THIRD, FOURTH)
    assert breaker(opened) is BreakerState.CLOSED
    assert (states(opened)[THIRD], states(opened)[FOURTH]) == (State.PUBLISHED, State.PUBLISHED)
    assert sensor(opened, "reopening") == []


def test_while_one_probes_nobody_else_does(opened: World) -> None:
    opened.land_orders(THIRD, LINE)
    opened.land_orders(FOURTH, LINE)
    arrivals(opened)
    wait(opened, seconds=61)
    (probe,) = sensor(opened, "reopening")
    job = opened.definitions.get_repository_def().get_job("build_orders")
    opened.instance.create_run_for_job(job, tags={**probe.tags, "dagster/partition": THIRD})

    assert sensor(opened, "reopening") == []
    assert opened.build("orders", FOURTH).success  # by hand: it came to the gate first, so it is the probe
    assert not Breakers(opened.contracts, opened.ledger, opened.clock.now()).holding("orders")


def test_of_two_runs_that_come_to_the_gate_one_is_the_probe(opened: World) -> None:
    opened.land_orders(THIRD, LINE)
    opened.land_orders(FOURTH, LINE)
    wait(opened, seconds=61)

    opened.build("orders", THIRD, "raw/orders")
    held = opened.build("orders", FOURTH, "raw/orders")

    assert not held.success
    assert states(opened)[FOURTH] is State.HELD
    assert states(opened)[THIRD] is State.PENDING


def test_a_probe_that_fails_opens_it_for_twice_as_long(opened: World) -> None:
    opened.land_orders(THIRD, LINE)
    wait(opened, seconds=61)
    use_store(opened, Buggy(opened.store))
    assert not opened.build("orders", THIRD).success
    use_store(opened, opened.store)

    wait(opened, seconds=61)
    assert breaker(opened) is BreakerState.OPEN
    wait(opened, seconds=61)
    assert breaker(opened) is BreakerState.HALF_OPEN


def test_what_opened_it_is_tried_once_more_when_it_is_closed(opened: World) -> None:
    sensor(opened, "retries")
    opened.land_orders(THIRD, LINE)
    wait(opened, seconds=61)
    assert sensor(opened, "retries") == []
    assert opened.build("orders", THIRD).success

    asked = sensor(opened, "retries")

    assert [item.partition_key for item in asked] == [FIRST, SECOND]
    assert run(opened, asked[0]).success
    use_store(opened, Buggy(opened.store))
    assert not run(opened, asked[1]).success
    wait(opened, days=1)
    assert sensor(opened, "retries") == []


def test_a_person_can_force_one_partition(opened: World) -> None:
    opened.land_orders(THIRD, LINE)
    opened.build("orders", THIRD)
    (verdict,) = [item for item in opened.ledger.blocking_verdicts() if item.gate == GATE]

    opened.ledger.accept(verdict, why="the bug is mended", accepted_by="ann", accepted_at=opened.clock.now())
    (asked,) = sensor(opened, "reopening")

    assert run(opened, asked).success
    assert breaker(opened) is BreakerState.CLOSED


def test_a_corrected_contract_closes_it_and_what_failed_is_tried_once(opened: World) -> None:
    corrected = replace(opened.contracts["orders"], fingerprint="d" * 12)
    opened.contracts = {**opened.contracts, "orders": corrected}
    use_store(opened, Buggy(opened.store))

    asked = sensor(opened, "retries")
    assert [item.partition_key for item in asked] == [FIRST, SECOND]
    assert not run(opened, asked[0]).success
    again = sensor(opened, "retries")

    assert [item.partition_key for item in again] == [SECOND]
    assert breaker(opened) is BreakerState.CLOSED


def test_incidents_say_that_a_breaker_opened_and_stay_with_the_person(opened: World) -> None:
    sensor(opened, "retries")
    wait(opened, seconds=5)
    sensor(opened, "retries")

    kinds = [[remedy.kind for remedy in item.remedies] for item in opened.ledger.incidents()]
    assert [sorted(found) for found in kinds] == [sorted([RemedyKind.ESCALATE, RemedyKind.OPEN_BREAKER])] * 2
    assert {state_of(item) for item in opened.ledger.incidents()} == {IncidentState.ESCALATED}


def test_a_derived_dataset_is_held_and_automation_does_not_ask_again_and_again(shop: World) -> None:
    for day in (FIRST, SECOND, THIRD):
        shop.land_orders(day, LINE)
        shop.land_customers(day, "7,FR")
        assert shop.build("orders", day).success
        assert shop.build("customers", day).success
    use_store(shop, Buggy(shop.store))
    shop.build("revenue", FIRST)
    shop.build("revenue", SECOND)
    use_store(shop, shop.store)

    assert not shop.build("revenue", THIRD).success
    assert shop.ledger.last_attempt("revenue", THIRD) is None
    (verdict, *_) = shown(shop, "processed", "revenue")
    assert (verdict.passed, verdict.partition) == (False, THIRD)
    asked = dg.evaluate_automation_conditions(shop.definitions, shop.instance, asset_selection=dg.AssetSelection.all())
    assert asked.total_requested == 0
    wait(shop, seconds=61)
    (probe,) = sensor(shop, "reopening")
    assert run(shop, probe).success
    assert len(shop.rows("revenue", THIRD)) == 1


def test_a_held_run_is_not_mourned_as_killed(opened: World) -> None:
    opened.land_orders(THIRD, LINE)
    noticed = opened.ledger.noticed_after(0)
    job = opened.definitions.get_repository_def().get_job("build_orders")
    tags = {"sluice/dataset": "orders", "sluice/fingerprint": noticed[0].manifest.fingerprint}
    job.execute_in_process(instance=opened.instance, partition_key=THIRD, tags=tags, raise_on_error=False)

    sensor(opened, "retries")

    assert opened.ledger.last_attempt("orders", THIRD) is None
