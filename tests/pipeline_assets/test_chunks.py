"""Many partitions in one run: each ends as it would in a run of its own, and a bad one leaves the others alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from sluice.backfill.chunk import CHUNK_TAG
from sluice.backfill.plan import Asked, Plan, Target
from sluice.backfill.progress import Backfill, Stage
from sluice.contract import fingerprint_of
from sluice.cost.rules import CostRules, Limit
from sluice.healing.failure import FailureClass
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

FIRST, SECOND, THIRD = "2026-11-03", "2026-11-04", "2026-11-05"
CHUNK = f"{FIRST}..{THIRD}"
ASSETS = ("raw/orders", "processed/orders", "quarantine/orders", "tables/orders")
GOOD = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
BAD = '{"order_id": 2, "customer_id": "x", "amount": 1, "status": "paid"}'
VOLATILE = {"seconds", "usd", "estimated_usd", "snapshot", "files", "bytes_out", "bytes", "sequence"}


def build_chunk(world: World, chunk: str, dataset: str = "orders", **tags: str) -> ExecuteInProcessResult:
    job = world.definitions.get_repository_def().get_job(f"chunk_{dataset}")
    return job.execute_in_process(instance=world.instance, tags={CHUNK_TAG: chunk, **tags}, raise_on_error=False)


def land_three(world: World, second: str = GOOD) -> None:
    world.land_orders(FIRST, GOOD, GOOD, BAD)
    world.land_orders(SECOND, second)
    world.land_orders(THIRD, GOOD)


def materialization(world: World, asset: str, day: str) -> dg.AssetMaterialization | None:
    asked = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset.split("/")), asset_partitions=[day])
    records = world.instance.fetch_materializations(asked, limit=1).records
    return records[0].asset_materialization if records else None


def shown(world: World, asset: str, day: str) -> tuple[Mapping[str, str], Mapping[str, object]]:
    """Return tags and metadata, without ids of events and what a clock or a random name is in."""
    found = materialization(world, asset, day)
    assert found is not None
    tags = {name: value for name, value in (found.tags or {}).items() if "input_event_pointer" not in name}
    return tags, {name: value.value for name, value in found.metadata.items() if name not in VOLATILE}


def evaluations(world: World, day: str) -> dict[str, Any]:
    """Return what each check said of a partition, and whether it was asked about what is materialized there."""
    log = world.instance.event_log_storage
    found: dict[str, Any] = {}
    for key in world.definitions.resolve_asset_graph().asset_check_keys:
        history = log.get_asset_check_execution_history(key, limit=20)
        events = [item.event.dagster_event for item in history if item.event]
        said = [event.asset_check_evaluation_data for event in events if event]
        mine = [item for item in said if item.partition == day]
        found |= {
            f"{key.asset_key.to_user_string()} {key.name}": (
                item.passed,
                item.severity,
                item.description,
                item.blocking,
                sorted(item.metadata),
                item.target_materialization_data is not None,
            )
            for item in mine
        }
    return found


def statuses(world: World, asset: str) -> dict[str, str]:
    """Return what the UI shows of each partition."""
    from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

    graph = world.definitions.resolve_asset_graph()
    key = dg.AssetKey(asset.split("/"))
    partitions = graph.get(key).partitions_def
    value = get_and_update_asset_status_cache_value(world.instance, key, partitions)
    assert value is not None
    assert partitions is not None
    failed = value.deserialize_failed_partition_subsets(partitions).get_partition_keys()
    done = value.deserialize_materialized_partition_subsets(partitions).get_partition_keys()
    return dict.fromkeys(done, "materialized") | dict.fromkeys(failed, "failed")


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path / "twin", instance)


def test_a_chunk_shows_what_runs_of_their_own_show(world: World, twin: World) -> None:
    land_three(world)
    land_three(twin)

    done = build_chunk(world, f"{FIRST}..{SECOND}")
    twin.build("orders", SECOND)
    twin.build("orders", FIRST)

    assert done.success
    assert {asset: shown(world, asset, FIRST) for asset in ASSETS} == {a: shown(twin, a, FIRST) for a in ASSETS}
    assert evaluations(world, FIRST) == evaluations(twin, FIRST)
    assert len(evaluations(world, FIRST)) > 10
    assert world.rows("orders") == twin.rows("orders")
    processed = world.instance.get_latest_data_version_record(dg.AssetKey(["processed", "orders"]), partition_key=FIRST)
    table = materialization(world, "tables/orders", FIRST)
    assert processed is not None
    assert table is not None
    assert table.metadata["files"].value == "\n".join(f"- `{file}`" for file in world.tables.files("orders", FIRST))
    pointer = (table.tags or {})["dagster/input_event_pointer/processed/orders"]
    assert pointer == str(processed.storage_id)


@pytest.mark.long
def test_derived_partitions_are_built_in_chunks_as_well(world: World, twin: World) -> None:
    for each in (world, twin):
        land_three(each)
        each.land_customers(FIRST, "7,FR")
        each.build("orders", FIRST)
        each.build("customers", FIRST)

    done = build_chunk(world, f"{FIRST}..{SECOND}", "revenue")
    twin.build("revenue", FIRST)

    assert not done.success  # the second has no input
    derived = ("processed/revenue", "tables/revenue")
    assert {asset: shown(world, asset, FIRST) for asset in derived} == {a: shown(twin, a, FIRST) for a in derived}
    assert world.rows("revenue", FIRST) == twin.rows("revenue", FIRST)
    assert statuses(world, "tables/revenue") == {FIRST: "materialized", SECOND: "failed"}


def break_store(world: World) -> None:
    opened = world.store.open

    def fail(key: str, *, etag: str | None = None) -> object:
        if SECOND in key:
            raise ZeroDivisionError("a bug")
        return opened(key, etag=etag)

    world.store.open = fail  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(
    ("second", "why", "failure_class"),
    [
        pytest.param(BAD, "rejected_share_is_acceptable does not hold", FailureClass.QUALITY, id="a closed gate"),
        pytest.param(
            "PK\x03\x04 a zip archive",
            "cannot be read",
            FailureClass.QUALITY,
            id="an unreadable object",
            marks=pytest.mark.long,
        ),
        pytest.param(None, "a bug", FailureClass.CODE, id="a bug"),
    ],
)
def test_a_bad_partition_fails_alone(world: World, second: str | None, why: str, failure_class: FailureClass) -> None:
    land_three(world, second or GOOD)
    if second is None:
        break_store(world)

    done = build_chunk(world, CHUNK)

    assert not done.success
    assert statuses(world, "tables/orders") == {FIRST: "materialized", SECOND: "failed", THIRD: "materialized"}
    (failure,) = [event.step_failure_data for event in done.get_step_failure_events()]
    assert failure.error is not None
    assert f"1 of 3 partitions failed, 2 were built. {SECOND}: " in failure.error.message
    assert why in failure.error.message
    attempt = world.ledger.last_attempt("orders", SECOND)
    (incident,) = world.ledger.incidents("orders", open_only=True)
    assert attempt is not None
    assert (attempt.run_id, attempt.failure_class) == (done.run_id, failure_class)
    assert (incident.partition, incident.failure_class) == (SECOND, failure_class)
    assert world.tables.held("orders", SECOND) is None
    assert len(world.rows("orders")) == 2


@pytest.mark.long
def test_what_is_published_already_costs_nothing(world: World) -> None:
    land_three(world)
    build_chunk(world, CHUNK)
    before = [world.ledger.last_attempt("orders", day) for day in (FIRST, SECOND, THIRD)]

    again = build_chunk(world, CHUNK)

    assert again.success
    assert [world.ledger.last_attempt("orders", day) for day in (FIRST, SECOND, THIRD)] == before
    assert again.get_asset_materialization_events() == []
    assert len(world.ledger.spends("orders")) == 3


@pytest.mark.long
def test_what_another_run_works_on_is_left_to_it(world: World) -> None:
    land_three(world)
    world.tick()
    job = world.definitions.get_repository_def().get_job("build_orders")
    other = world.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    world.ledger.begin("orders", SECOND, "v", other.run_id, world.clock.now())

    done = build_chunk(world, CHUNK)

    assert done.success
    assert sorted(item.outcome.partition for item in world.ledger.all_published("orders")) == [FIRST, THIRD]
    assert statuses(world, "tables/orders") == {FIRST: "materialized", THIRD: "materialized"}


@pytest.mark.long
def test_a_paused_plan_ends_after_the_partition_at_hand(world: World) -> None:
    land_three(world)
    targets = tuple(Target(dataset="orders", partition=day, why="it is missing") for day in (THIRD, SECOND, FIRST))
    now = world.clock.now()
    plan = Plan(
        plan_id="p1",
        created_at=now,
        asked=Asked(datasets=("orders",)),
        targets=targets,
        reaches=(),
        as_they_should_be=0,
        world="w",
    )
    world.ledger.add_backfill(Backfill(plan, Stage.PLANNED, now))
    world.ledger.change_backfill("p1", Stage.PLANNED, Stage.RUNNING, now)
    published = world.tables.publish

    def publish_and_pause(*arguments: Any) -> Any:  # Any: handed on
        world.ledger.change_backfill("p1", Stage.RUNNING, Stage.PAUSED, now)
        return published(*arguments)

    world.tables.publish = publish_and_pause  # type: ignore[method-assign,assignment]

    done = build_chunk(world, CHUNK, **{"sluice/backfill": "p1"})

    assert done.success
    assert [item.outcome.partition for item in world.ledger.all_published("orders")] == [THIRD]
    assert statuses(world, "tables/orders") == {THIRD: "materialized"}


@pytest.mark.long
def test_a_budget_that_runs_out_stops_what_is_left(tmp_path: Path) -> None:
    # What one partition is estimated to cost here; the second one finds the budget spent.
    orders = replace(ORDERS, cost=CostRules(monthly_usd=Limit(fixed=0.002)))
    orders = replace(orders, fingerprint=fingerprint_of(orders))
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, {**CONTRACTS, "orders": orders})
        land_three(world)

        done = build_chunk(world, CHUNK)

        assert not done.success
        costs = {item.partition for item in world.ledger.incidents("orders") if item.failure_class is FailureClass.COST}
        published = {item.outcome.partition for item in world.ledger.all_published("orders")}
        assert (published, costs) == ({THIRD}, {FIRST, SECOND})
        assert world.ledger.open_spends() == ()


@pytest.mark.parametrize("chunk", [pytest.param("", id="none"), pytest.param("last week", id="no dates")])
def test_a_run_that_does_not_say_what_to_build_fails_with_the_cure(world: World, chunk: str) -> None:
    done = build_chunk(world, chunk)

    (failure,) = [event.step_failure_data for event in done.get_step_failure_events()]
    assert failure.error is not None
    assert "like 2026-11-01..2026-11-30" in str(failure.error)
