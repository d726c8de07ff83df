from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from pipeline_assets.assets import build_datasets
from sensors.arrivals import build_arrivals_sensor
from sluice.sweeping import AT_LEAST_EVERY

if TYPE_CHECKING:
    from tests.world import World

DAY = "2026-11-03"
ORDER = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
OTHER = '{"order_id": 2, "customer_id": 7, "amount": 1, "status": "paid"}'


def asked(tick: dg.SensorResult) -> list[tuple[str | None, str | None]]:
    return [(request.job_name, request.partition_key) for request in tick.run_requests or ()]


def run_keys(tick: dg.SensorResult) -> list[str | None]:
    return [request.run_key for request in tick.run_requests or ()]


def test_each_new_partition_is_asked_for_once(world: World) -> None:
    world.land_orders(DAY, ORDER)
    world.land_orders("2026-11-04", ORDER)
    world.land_customers(DAY, "7,FR")

    first = world.tick()
    second = world.tick(first.cursor)

    assert asked(first) == [("build_customers", DAY), ("build_orders", DAY), ("build_orders", "2026-11-04")]
    assert asked(second) == []


def test_a_request_says_what_it_is_for(world: World) -> None:
    world.land_orders(DAY, ORDER)

    (request,) = world.tick().run_requests or ()
    noticed = world.ledger.latest("orders", DAY)

    assert noticed is not None
    assert request.run_key == f"orders:{DAY}:{noticed.manifest.fingerprint}:{noticed.sequence}:1"
    assert request.tags["sluice/dataset"] == "orders"
    assert request.tags["sluice/fingerprint"] == noticed.manifest.fingerprint


@pytest.mark.parametrize("name", [pytest.param("a", id="overwritten"), pytest.param("late", id="late")])
def test_an_overwritten_or_late_file_asks_for_its_partition_alone(world: World, name: str) -> None:
    world.land_orders(DAY, ORDER)
    world.land_orders("2026-11-04", ORDER)
    cursor = world.tick().cursor
    world.land_orders(DAY, OTHER, name=name)

    assert asked(world.tick(cursor)) == [("build_orders", DAY)]


@pytest.mark.parametrize(
    ("status", "requests"),
    [
        pytest.param(dg.DagsterRunStatus.QUEUED, [], id="it reads all that is there when it begins"),
        pytest.param(dg.DagsterRunStatus.STARTED, [("build_orders", DAY)], id="it may have read already"),
    ],
)
def test_a_partition_whose_run_waits_in_the_queue_is_not_asked_for_again(
    world: World, status: dg.DagsterRunStatus, requests: list[tuple[str, str]]
) -> None:
    world.land_orders(DAY, ORDER)
    cursor = world.tick().cursor
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("sluice"), "shop"), "build_orders")
    tags = {"sluice/dataset": "orders", "dagster/partition": DAY}
    run = dg.DagsterRun(job_name="build_orders", status=status, tags=tags, remote_job_origin=origin)
    world.instance.add_run(run)

    world.land_orders(DAY, OTHER, name="b")

    assert asked(world.tick(cursor)) == requests


def test_a_removed_file_asks_for_nothing(world: World) -> None:
    world.land_orders(DAY, ORDER)
    world.land_orders(DAY, OTHER, name="b")
    cursor = world.tick().cursor
    (world.settings.raw / f"orders/date={DAY}/b.jsonl").unlink()

    assert asked(world.tick(cursor)) == []


def test_a_crash_after_noticing_loses_nothing(world: World) -> None:
    """The ledger has noticed, but the tick's requests and cursor were never stored."""
    world.land_orders(DAY, ORDER)
    lost = world.tick()

    again = world.tick(cursor=None)

    assert run_keys(again) == run_keys(lost)
    assert len(run_keys(again)) == 1


def test_a_lost_cursor_asks_with_the_same_run_key_while_the_run_is_at_work(world: World) -> None:
    world.land_orders(DAY, ORDER)
    first = world.tick()
    record_run(world, first, dg.DagsterRunStatus.STARTED)

    assert run_keys(world.tick(cursor=None)) == run_keys(first)


def test_a_lost_cursor_does_not_ask_for_what_is_published(world: World) -> None:
    world.land_orders(DAY, ORDER)
    world.tick()
    assert world.build("orders", DAY).success

    assert asked(world.tick(cursor=None)) == []


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED])
def test_a_lost_cursor_gives_a_failed_partition_a_new_run_key(world: World, status: dg.DagsterRunStatus) -> None:
    world.land_orders(DAY, ORDER)
    first = world.tick()
    record_run(world, first, status)

    assert str(run_keys(first)[0]).endswith(":1")
    assert str(run_keys(world.tick(cursor=None))[0]).endswith(":2")


def test_a_failed_partition_is_not_asked_for_again_by_itself(world: World) -> None:
    world.land_orders(DAY, ORDER)
    first = world.tick()
    record_run(world, first, dg.DagsterRunStatus.FAILURE)

    assert asked(world.tick(first.cursor)) == []


def record_run(world: World, tick: dg.SensorResult, status: dg.DagsterRunStatus) -> None:
    """Put into Dagster's records the run that the daemon would have made of the tick's only request."""
    (request,) = tick.run_requests or ()
    run = dg.DagsterRun(
        job_name=str(request.job_name),
        status=status,
        tags={**request.tags, "dagster/run_key": str(request.run_key), "dagster/partition": str(request.partition_key)},
    )
    world.instance.add_run(run)


@pytest.mark.parametrize("cursor", ["", "{", "17", '{"sequence": "x"}', '{"sequence": null}'])
def test_a_cursor_that_means_nothing_is_as_good_as_none(world: World, cursor: str) -> None:
    world.land_orders(DAY, ORDER)

    assert asked(world.tick(cursor)) == [("build_orders", DAY)]


def test_a_file_that_is_still_being_written_is_asked_for_when_it_is_done(world: World) -> None:
    world.land(f"orders/date={DAY}/a.jsonl", ORDER, age=timedelta(seconds=0.2))

    first = world.tick()
    world.clock.instant += timedelta(seconds=1)
    second = world.tick(first.cursor)

    assert asked(first) == []
    assert "1 objects are still being written" in str(first.skip_reason)
    assert asked(second) == [("build_orders", DAY)]


def test_a_date_before_the_start_is_said_and_not_asked_for(world: World) -> None:
    world.land_orders("2026-10-31", ORDER)

    tick = world.tick()

    assert asked(tick) == []
    assert "orders 2026-10-31" in str(tick.skip_reason)
    assert world.ledger.latest("orders", "2026-10-31") is None


def test_strays_are_complained_of_once(world: World) -> None:
    world.land("ordres/a.jsonl", ORDER)

    first = world.tick()
    second = world.tick(first.cursor)

    assert "raw/ordres/a.jsonl" in str(first.skip_reason)
    assert json.loads(str(first.cursor))["complained"]
    assert second.cursor == first.cursor


def test_many_partitions_are_asked_for_in_portions(world: World) -> None:
    jobs = {"orders": build_datasets(world.contracts)["orders"].job}
    sensor = build_arrivals_sensor(world.contracts, jobs, requests_per_tick=2)
    world.land_orders("2026-11-02", ORDER)
    world.land_orders("2026-11-03", ORDER)
    world.land_orders("2026-11-04", ORDER)

    first = world.evaluate(sensor, None)
    second = world.evaluate(sensor, first.cursor)

    assert [day for _, day in asked(first) + asked(second)] == ["2026-11-02", "2026-11-03", "2026-11-04"]
    assert len(asked(first)) == 2


def test_a_dataset_with_many_partitions_leaves_the_others_their_turn(world: World) -> None:
    datasets = build_datasets(world.contracts)
    jobs = {name: datasets[name].job for name in ("orders", "customers")}
    sensor = build_arrivals_sensor(world.contracts, jobs, runs_under_way=2)
    for day in ("2026-11-02", "2026-11-03", "2026-11-04"):
        world.land_orders(day, ORDER)
    first = world.evaluate(sensor, None)
    for request in first.run_requests or ():
        add_run(world, request, dg.DagsterRunStatus.STARTED)
    world.land_customers(DAY, "7,FR")

    full = world.evaluate(sensor, first.cursor)
    world.clock.instant += timedelta(seconds=5)
    again = world.evaluate(sensor, full.cursor)
    end_runs(world)
    rest = world.evaluate(sensor, again.cursor)

    assert [day for _, day in asked(first)] == ["2026-11-02", "2026-11-03"]
    assert asked(full) == [("build_customers", DAY)]
    assert asked(again) == []
    assert asked(rest) == [("build_orders", "2026-11-04")]
    assert "ahead" not in json.loads(str(rest.cursor))


def add_run(world: World, request: dg.RunRequest, status: dg.DagsterRunStatus) -> None:
    tags = {**request.tags, "dagster/partition": str(request.partition_key)}
    world.instance.add_run(dg.DagsterRun(job_name=str(request.job_name), status=status, tags=tags))


def end_runs(world: World) -> None:
    for run in world.instance.get_runs():
        world.instance.report_run_canceled(run)


def test_an_unchanged_zone_hides_neither_a_new_file_nor_one_overwritten_in_place(world: World) -> None:
    world.land_orders(DAY, ORDER)
    first = world.tick()
    time.sleep(2.1)  # folders that changed a moment ago are not trusted, whatever the clock of Sluice says
    idle = world.tick(first.cursor)
    path = world.settings.raw / f"orders/date={DAY}/a.jsonl"
    path.write_text(OTHER)
    os.utime(path, (world.clock.now().timestamp() - 3600,) * 2)  # not just written, whatever the clock of Sluice says

    soon = world.tick(idle.cursor)
    world.clock.instant += AT_LEAST_EVERY
    later = world.tick(soon.cursor)
    world.land_orders("2026-11-04", ORDER)
    new = world.tick(later.cursor)

    assert [asked(tick) for tick in (idle, soon)] == [[], []]
    assert asked(later) == [("build_orders", DAY)]
    assert asked(new) == [("build_orders", "2026-11-04")]
