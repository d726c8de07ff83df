"""What a killed run has published and could not report is reported for it, once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from sensors.untold import tell_published
from tests.pipeline_assets.test_chunks import CHUNK, FIRST, SECOND, THIRD, build_chunk, land_three, shown, statuses
from tests.sensors.test_retries import tick

if TYPE_CHECKING:
    from tests.world import World


ORDER = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'


class Killed(BaseException):
    """No `except Exception` sees it, as none sees a kill."""


def die_after_publishing(world: World, partition: str) -> dg.DagsterRun:
    """Run a chunk that gets as far as the ledger's record of one partition; return it as it was left."""
    record, end = world.ledger.record, world.ledger.end

    def record_and_die(published: Any) -> None:  # Any: handed on
        record(published)
        if published.outcome.partition == partition:
            world.ledger.end = lambda *_: None  # type: ignore[method-assign]  # nobody ends its attempt
            raise Killed

    world.ledger.record = record_and_die  # type: ignore[method-assign]
    with contextlib.suppress(Killed):
        build_chunk(world, CHUNK, **{"sluice/dataset": "orders"})
    world.ledger.record, world.ledger.end = record, end  # type: ignore[method-assign]
    (run,) = world.instance.get_runs()
    return run


@pytest.fixture
def killed(world: World) -> dg.DagsterRun:
    land_three(world)
    return die_after_publishing(world, SECOND)


def table_events(world: World) -> list[str]:
    asked = dg.AssetRecordsFilter(asset_key=dg.AssetKey(["tables", "orders"]))
    return sorted(str(item.partition_key) for item in world.instance.fetch_materializations(asked, limit=20).records)


def test_a_publication_that_was_not_reported_shows_as_failed_until_it_is_told(
    world: World, killed: dg.DagsterRun
) -> None:
    before = statuses(world, "tables/orders")

    told = tell_published(world.instance, world.ledger, killed)

    assert told
    assert before == {THIRD: "materialized", SECOND: "failed"}
    assert statuses(world, "tables/orders") == {THIRD: "materialized", SECOND: "materialized"}


def test_it_is_told_once_as_the_run_would_have_told_it(world: World, killed: dg.DagsterRun) -> None:
    told = [tell_published(world.instance, world.ledger, killed) for _ in range(2)]

    assert told == [True, False]
    assert table_events(world) == [SECOND, THIRD]
    (tags, metadata), (own_tags, own_metadata) = (shown(world, "tables/orders", day) for day in (SECOND, THIRD))
    assert set(tags) == set(own_tags)
    assert tags["dagster/code_version"] == own_tags["dagster/code_version"]
    assert metadata["rows"] == own_metadata["rows"] == 1


def test_a_run_that_reported_all_is_left_alone(world: World) -> None:
    land_three(world)
    done = build_chunk(world, f"{FIRST}..{SECOND}", **{"sluice/dataset": "orders"})

    assert not tell_published(world.instance, world.ledger, done.dagster_run)


def test_a_run_that_published_nothing_tells_nothing(world: World) -> None:
    job = world.definitions.get_repository_def().get_job("chunk_orders")
    run = world.instance.create_run_for_job(job, tags={"sluice/dataset": "orders", "sluice/chunk": CHUNK})

    assert not tell_published(world.instance, world.ledger, run)


def test_the_sensor_that_ends_killed_attempts_tells(world: World, killed: dg.DagsterRun) -> None:
    assert killed.is_failure_or_canceled

    tick(world)

    assert table_events(world) == [SECOND, THIRD]
    assert world.ledger.open_attempts() == ()


def test_one_that_was_killed_behind_its_attempt_is_told_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    world.land_orders(FIRST, ORDER)
    with monkeypatch.context() as patch:
        patch.setattr("pipeline_assets.tables._report", die)
        with contextlib.suppress(Killed):
            world.build("orders", FIRST)
    assert (world.ledger.open_attempts(), table_events(world)) == ((), [])

    tick(world)
    tick(world)

    assert table_events(world) == [FIRST]


def test_a_run_of_automation_tells_of_the_tables_that_it_selects(world: World) -> None:
    world.land_orders(FIRST, ORDER)
    assert world.build("orders", FIRST, "raw/orders", "processed/orders", "quarantine/orders", "tables/orders").success
    world.instance.wipe_assets([dg.AssetKey(["tables", "orders"])])
    (run,) = world.instance.get_runs()
    automated = run.with_tags({name: text for name, text in run.tags.items() if name != "sluice/dataset"})

    assert tell_published(world.instance, world.ledger, automated)
    assert table_events(world) == [FIRST]
