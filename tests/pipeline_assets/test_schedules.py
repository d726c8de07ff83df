from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from pipeline_assets.definitions import build_definitions
from sluice.contract_file.cron import read_cron
from sluice.scheduling import Schedule
from tests.world import CONTRACTS

if TYPE_CHECKING:
    from tests.world import World


def evaluated(world: World, schedule: Schedule, at: datetime) -> dg.RunRequest | str | None:
    contracts = {**CONTRACTS, "revenue": replace(CONTRACTS["revenue"], schedule=schedule)}
    repository = build_definitions(contracts, world.ports).get_repository_def()
    found = repository.get_schedule_def("schedule_revenue")
    with dg.build_schedule_context(
        instance=world.instance, scheduled_execution_time=at, repository_def=repository
    ) as context:
        tick = found.evaluate_tick(context)
    return tick.run_requests[0] if tick.run_requests else tick.skip_message


def test_a_dataset_with_a_schedule_is_built_for_the_day_before(world: World) -> None:
    at = datetime(2026, 11, 5, 2, 15, tzinfo=ZoneInfo("Europe/Berlin"))

    request = evaluated(world, Schedule("15 2 * * *", "Europe/Berlin"), at)

    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-11-04"
    assert request.tags["sluice/dataset"] == "revenue"


def test_a_day_without_a_partition_is_skipped(world: World) -> None:
    skipped = evaluated(world, Schedule("15 2 * * *"), datetime(2026, 11, 1, 2, 15, tzinfo=UTC))

    assert "revenue has no partition" in str(skipped)


@pytest.mark.parametrize(
    ("written", "next_days"),
    [
        ("cron(15 2 * * ? *)", ["Sun 01 02:15", "Mon 02 02:15", "Tue 03 02:15"]),
        ("cron(0 18 ? * 2-6 *)", ["Mon 02 18:00", "Tue 03 18:00", "Wed 04 18:00"]),
        ("cron(0 18 ? * 1 *)", ["Sun 01 18:00", "Sun 08 18:00", "Sun 15 18:00"]),
        ("cron(0 0 ? * 3#2 *)", ["Tue 10 00:00", "Tue 08 00:00", "Tue 12 00:00"]),
        ("cron(0 6 L * ? *)", ["Mon 30 06:00", "Thu 31 06:00", "Sun 31 06:00"]),
    ],
)
def test_dagster_means_by_it_what_eventbridge_does(written: str, next_days: list[str]) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC).timestamp()

    moments = schedule_execution_time_iterator(start, str(read_cron(written)), "UTC", ascending=True)

    assert [f"{moment:%a %d %H:%M}" for moment in islice(moments, 3)] == next_days
