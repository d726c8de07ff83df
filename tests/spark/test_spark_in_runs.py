"""A contract that asks for Spark, built by whole Dagster runs with a real Spark; and killed while at it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from resources.failures import classify
from resources.spark_engine import LocalSpark
from sluice.errors import SparkMissing
from sluice.healing.failure import FailureClass
from tests.spark.differential import PYTHON, ROOT
from tests.spark.kinds import KEY, declared
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluice.contract import Contract

pytestmark = [pytest.mark.spark, pytest.mark.xdist_group("spark-runs")]

DAY = "2026-11-01"
COLUMNS = f"{KEY}\n name: seen_at, logicalType: timestamp\n name: s, logicalType: string"
_LINES = (
    '{"id": 1, "seen_at": "2026-11-01T01:00:00Z", "s": "old"}',
    '{"id": 1, "seen_at": "2026-11-01T02:00:00Z", "s": "new"}',
    '{"id": 2, "seen_at": "2026-11-01T01:00:00Z", "s": null}',
    "no JSON",
    '{"id": "x"}',
)
LINES = "".join(f"{line}\n" for line in _LINES)


def asks_for(engine: str) -> Contract:
    gates = "{rejected_share_is_acceptable: {limit: 90 %}}"
    pattern = "events/date={date}/*.jsonl"
    return declared(
        COLUMNS, f"{{start: 2026-11-01, order_by: seen_at, engine: {engine}, gates: {gates}}}", pattern=pattern
    )


def opened(home: Path, instance: dg.DagsterInstance, engine: str = "spark") -> World:
    contract = asks_for(engine)
    return World(home, instance, {contract.dataset: contract})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        world = opened(tmp_path, instance)
        world.land(f"events/date={DAY}/a.jsonl", LINES)
        yield world


def test_a_run_publishes_what_spark_built(world: World) -> None:
    result = world.build("events", DAY)

    assert result.success
    assert [(row[0], row[2]) for row in world.rows("events", DAY)] == [(1, "new"), (2, None)]
    published = world.ledger.published("events", DAY)
    assert published is not None
    outcome = published.outcome
    assert (outcome.records_in, outcome.published, outcome.quarantined, outcome.duplicates) == (5, 2, 2, 1)
    assert all(item.closes for item in outcome.objects)
    assert outcome.files[0].key.startswith("processed/events/date=2026-11-01/")
    assert list(world.settings.scratch.iterdir()) == []


def test_a_run_after_it_has_nothing_to_do(world: World) -> None:
    assert world.build("events", DAY).success
    again = opened(world.home, world.instance)
    again.ports["engine"] = LocalSpark(Path("/nowhere"), ROOT, world.settings)

    assert again.build("events", DAY).success


def test_a_small_partition_is_left_to_duckdb(tmp_path: Path, world: World) -> None:
    small = opened(tmp_path, world.instance, "{spark_above_bytes: 1 MB}")
    small.ports["engine"] = LocalSpark(Path("/nowhere"), ROOT, small.settings)

    assert small.build("events", DAY).success


def test_a_missing_spark_is_named_with_its_cure(world: World) -> None:
    world.ports["engine"] = LocalSpark(Path("/nowhere"), ROOT, world.settings)

    result = world.build("events", DAY)

    assert not result.success
    attempt = world.ledger.last_attempt("events", DAY)
    assert attempt is not None
    assert attempt.failure_class is FailureClass.CODE
    assert "make spark" in str(attempt.error)
    assert classify(SparkMissing(where="x")).failure_class is FailureClass.CODE


def test_a_killed_driver_publishes_nothing_and_the_next_run_does(world: World) -> None:
    ended, killed = threading.Event(), list[int]()
    killer = threading.Thread(target=kill_driver, args=(world.home, ended, killed))
    killer.start()

    result = world.build("events", DAY)
    ended.set()
    killer.join()

    assert killed
    assert not result.success
    assert world.rows("events", DAY) == []
    attempt = world.ledger.last_attempt("events", DAY)
    assert attempt is not None
    assert attempt.failure_class is FailureClass.TRANSIENT
    assert world.build("events", DAY).success
    assert [row[0] for row in world.rows("events", DAY)] == [1, 2]


def test_spark_ends_with_the_run_that_was_killed(world: World) -> None:
    run = multiprocessing.get_context("spawn").Process(target=build, args=(str(world.home),))
    run.start()
    driver = wait_for_driver(world.home)
    os.kill(int(run.pid or 0), signal.SIGKILL)
    run.join()

    wait_until_gone(driver)

    assert world.rows("events", DAY) == []
    assert world.build("events", DAY).success
    assert [row[0] for row in world.rows("events", DAY)] == [1, 2]


def build(home: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        opened(Path(home), instance).build("events", DAY)


def kill_driver(home: Path, ended: threading.Event, killed: list[int]) -> None:
    """End the driver when it has staged its first file: late enough to leave something behind."""
    while not list((home / "processed").rglob("part-*.parquet")) and not ended.wait(0.02):
        pass
    for pid in drivers(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)


def drivers(home: Path) -> list[int]:
    """The driver's own process: it has the store's folder among its arguments."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        words = _arguments(entry)
        if str(home) in words and any(word.endswith("transform_job.py") for word in words):
            found.append(int(entry.name))
    return found


def _arguments(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def wait_for_driver(home: Path) -> int:
    deadline = time.monotonic() + 180
    while not (found := drivers(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found[0]


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()


def test_the_spark_of_this_checkout_is_installed() -> None:
    assert PYTHON.exists(), "make spark"
