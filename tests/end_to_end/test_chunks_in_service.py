"""A planned backfill under a real daemon: its chunk fails because of one partition, and only that one shows it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sluice.backfill.progress import Stage
from tests.end_to_end.test_service import CHECKOUT, DATASETS, Service, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.daemon

DAYS = tuple((date(2026, 11, 1) + timedelta(days=number)).isoformat() for number in range(6))
BAD, CANARY = DAYS[2], DAYS[-1]
SECONDS = 300

SENSORS = """
query { repositoriesOrError { ... on RepositoryConnection { nodes { sensors {
  name sensorState { id status ticks(limit: 3) { tickId status } } } } } } }"""
STOP = "mutation Stop($id: String!) { stopSensor(id: $id) { ... on StopSensorMutationResult { __typename } } }"
STOPPED = "StopSensorMutationResult"
STATUSES = """
query { assetNodeOrError(assetKey: {path: ["tables", "sales"]}) { ... on AssetNode { assetPartitionStatuses {
  ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }"""
RUNS = "query { runsOrError { ... on Runs { results { jobName status } } } }"


def sluice(home: Path, *arguments: str) -> None:
    variables = {**os.environ, "SLUICE_HOME": str(home), "SLUICE_DATASETS": str(DATASETS)}
    command = [sys.executable, "-c", "from pipeline_assets.cli import main; main()", *arguments]
    subprocess.run(command, check=True, cwd=CHECKOUT, env=variables, capture_output=True)


def stop_arrivals(service: Service) -> None:
    """What lands is left to the plan. The daemon writes back what it read before its tick, and so may undo a stop."""
    assert wait_for(lambda: is_stopped_for_good(service), SECONDS)


def is_stopped_for_good(service: Service) -> bool:
    """The daemon looks at its sensors in rounds.

    One that was begun before the stop may still come to this sensor; it is over when a later round has come to another.
    """
    assert service.ask(STOP, id=state_of(service, "arrivals")["id"])["stopSensor"] == {"__typename": STOPPED}
    before = newest_tick(service, "backfills")
    assert wait_for(lambda: newest_tick(service, "backfills") > before, SECONDS)
    first = newest_tick(service, "backfills")
    assert wait_for(lambda: newest_tick(service, "backfills") > first, SECONDS)
    assert wait_for(lambda: "STARTED" not in {tick["status"] for tick in ticks(service, "arrivals")}, SECONDS)
    return bool(state_of(service, "arrivals")["status"] == "STOPPED")


def newest_tick(service: Service, sensor: str) -> int:
    return max((int(tick["tickId"]) for tick in ticks(service, sensor)), default=0)


def ticks(service: Service, sensor: str) -> list[dict[str, Any]]:
    return list(state_of(service, sensor)["ticks"])


def state_of(service: Service, sensor: str) -> dict[str, Any]:  # Any: what GraphQL answers
    (repository,) = service.ask(SENSORS)["repositoriesOrError"]["nodes"]
    (state,) = [item["sensorState"] for item in repository["sensors"] if item["name"] == sensor]
    return dict(state)


def land(service: Service) -> None:
    for day in DAYS:
        service.land(day, (1, "north", 2.5))
    (service.home / f"raw/sales/date={BAD}/a.jsonl").write_text('{"sale_id": "none"}\n')


def shown(service: Service) -> list[tuple[str, str, str]]:
    """Return what the UI shows of the table's partitions: status, first and last date."""
    ranges = service.ask(STATUSES)["assetNodeOrError"]["assetPartitionStatuses"]["ranges"]
    return sorted((item["startKey"], item["endKey"], item["status"]) for item in ranges)


def runs_of_sales(service: Service) -> list[tuple[str, str]]:
    runs = service.ask(RUNS)["runsOrError"]["results"]
    return sorted((run["jobName"], run["status"]) for run in runs if run["jobName"].endswith("_sales"))


def test_a_bad_partition_of_a_chunk_alone_is_shown_as_failed(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        service.wait_until_up()
        stop_arrivals(service)
        land(service)
        sluice(tmp_path, "plan", "backfill", "sales")
        ledger = service.environment.ledger
        (planned,) = ledger.backfills()
        plan_id = planned.plan.plan_id
        sluice(tmp_path, "backfill", "start", plan_id)

        is_done = wait_for(lambda: ledger.stage_of_backfill(plan_id) is Stage.DONE, SECONDS)

        assert is_done, service.ask(RUNS)
        assert planned.plan.canary.partition == CANARY
        as_meant = [("build_sales", "SUCCESS"), ("chunk_sales", "FAILURE")]
        assert wait_for(lambda: runs_of_sales(service) == as_meant, 30), runs_of_sales(service)
        assert shown(service) == [
            (DAYS[0], DAYS[1], "MATERIALIZED"),
            (BAD, BAD, "FAILED"),
            (DAYS[3], DAYS[5], "MATERIALIZED"),
        ]
        assert {item.partition for item in ledger.incidents()} & set(DAYS) == {BAD}
