"""Maintenance as Dagster runs it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipeline_assets.definitions import build_definitions
from sluice.maintenance.policy import MaintenancePolicy
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

DAY = "2026-11-03"
KEY = dg.AssetKey(["maintenance", "orders"])


def order(number: int) -> str:
    return f'{{"order_id": {number}, "customer_id": 7, "amount": 9.5, "status": "paid"}}'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A partition that was built twice; nobody can go back to the first version."""
    policy = MaintenancePolicy(keep_snapshots=1, keep_days=0)
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, {**CONTRACTS, "orders": replace(ORDERS, maintenance=policy)})
        world.land_orders(DAY, order(1), order(2))
        assert world.build("orders", DAY).success
        world.land_orders(DAY, order(3), name="b")
        assert world.build("orders", DAY).success
        yield world


def maintain(world: World, *datasets: str) -> ExecuteInProcessResult:
    job = world.definitions.get_repository_def().get_job("maintenance")
    keys = [dg.AssetKey(["maintenance", name]) for name in datasets]
    return job.execute_in_process(instance=world.instance, asset_selection=keys or None, raise_on_error=False)


def numbers(result: ExecuteInProcessResult) -> dict[str, object]:
    (event,) = [item for item in result.get_asset_materialization_events() if item.asset_key == KEY]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_every_dataset_is_maintained_even_without_a_table(world: World) -> None:
    result = maintain(world)

    assert result.success
    assert {event.asset_key.path[1] for event in result.get_asset_materialization_events() if event.asset_key} == {
        *CONTRACTS
    }


def test_the_replaced_version_goes_when_its_graces_have_passed(world: World) -> None:
    world.clock.instant += timedelta(hours=25)
    first = numbers(maintain(world, "orders"))
    world.clock.instant += timedelta(hours=25)
    second = numbers(maintain(world, "orders"))

    assert (first["snapshots forgotten"], first["staged versions withdrawn"], first["orphans removed"]) == (1, 1, 0)
    assert second["orphans removed"]
    assert len(list((world.home / "processed/orders").rglob("part-*.parquet"))) == 1
    assert [row[0] for row in world.rows("orders")] == [1, 2, 3]


def test_a_lost_file_is_built_anew_from_what_landed(world: World) -> None:
    Path(*world.tables.files("orders", DAY)).unlink()

    result = maintain(world, "orders")

    assert result.success
    assert numbers(result)["partitions built anew"] == DAY
    assert [row[0] for row in world.rows("orders")] == [1, 2, 3]
    published = world.ledger.published("orders", DAY)
    assert published is not None
    assert [world.store.uri(file.key) for file in published.outcome.files] == list(world.tables.files("orders", DAY))


def test_a_file_that_cannot_be_built_anew_fails_the_run_and_names_the_partition(world: World) -> None:
    Path(*world.tables.files("orders", DAY)).unlink()
    for path in (world.settings.raw / f"orders/date={DAY}").iterdir():
        path.unlink()

    result = maintain(world, "orders")

    assert not result.success
    assert numbers(result)["partitions lost"] == DAY
    (failure,) = result.get_step_failure_events()
    assert f"could not be built anew: {DAY}" in str(failure.event_specific_data)


def test_the_schedule_runs_in_utc_when_there_is_one(world: World) -> None:
    with_one = build_definitions(world.contracts, world.ports, maintenance_cron="15 3 * * *").get_repository_def()
    schedule = with_one.get_schedule_def("maintenance")

    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 3 * * *", "UTC")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert world.definitions.get_repository_def().schedule_defs == []
