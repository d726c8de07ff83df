"""A backfill is planned, launched, watched, paused and resumed, through the real command."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command

pytestmark = pytest.mark.long

CASES = Path(__file__).parents[2] / "cases" / "datasets"
FIRST, SECOND, THIRD = "2026-11-03", "2026-11-04", "2026-11-05"
GOOD = '{"sale_id": 1, "shop": "north", "amount": 2.5}\n'
BAD = '{"sale_id": 1, "shop": null, "amount": 2.5}\n'


def land(sluice: Command, day: str, text: str) -> None:
    path = sluice.home / f"raw/sales/date={day}/a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    landed = time.time() - 3600
    os.utime(path, (landed, landed))


@pytest.fixture
def shop(sluice: Command) -> Command:
    shutil.copytree(CASES, sluice.datasets, dirs_exist_ok=True)
    land(sluice, FIRST, GOOD)
    land(sluice, SECOND, GOOD)
    return sluice


def plan(shop: Command, *options: str) -> str:
    planned = shop.rows("plan", "backfill", "sales", "sales_totals", *options)
    return str(planned[0]["plan"])


def progress(shop: Command, plan_id: str) -> tuple[str, int, int]:
    (row,) = [item for item in shop.rows("backfill", "status") if item["plan"] == plan_id]
    return row["stage"], row["published"], row["failed"]


def test_a_plan_is_shown_and_builds_nothing(shop: Command) -> None:
    shown = shop("plan", "backfill", "sales")

    assert shown.exit_code == 0, shown.output
    assert "2 partitions to build" in shown.output
    assert "Reaches sales_totals" in shown.output
    assert f"canary: sales {SECOND}" in shown.output
    assert {row["state"] for row in shop.rows("status")} == {"pending"}


def test_a_launched_plan_is_built_with_what_is_derived(shop: Command) -> None:
    plan_id = plan(shop)

    done = shop("backfill", "start", plan_id, "--here")

    assert done.exit_code == 0, done.output
    assert progress(shop, plan_id) == ("done", 4, 0)
    assert {row["state"] for row in shop.rows("status")} == {"published"}


def test_a_plan_for_what_is_right_has_nothing_to_do(shop: Command) -> None:
    shop.rows("run")

    assert "Nothing to build" in shop("plan", "backfill", "sales").output


def test_a_plan_expires_when_the_world_moves(shop: Command) -> None:
    plan_id = plan(shop)
    land(shop, FIRST, GOOD.replace("2.5", "3.5"))

    refused = shop("backfill", "start", plan_id, "--here")

    assert refused.exit_code == 2
    assert "has expired" in refused.output
    assert "sluice plan backfill sales sales_totals" in refused.output


def test_a_failing_canary_pauses_and_who_resumes_goes_on(shop: Command) -> None:
    land(shop, THIRD, BAD)
    plan_id = plan(shop)

    paused = shop("backfill", "start", plan_id, "--here")
    stood = progress(shop, plan_id)
    resumed = shop("backfill", "resume", plan_id, "--here")

    assert (paused.exit_code, stood) == (1, ("paused", 0, 1))
    assert resumed.exit_code == 1  # one has failed
    assert progress(shop, plan_id)[0:2] == ("done", 4)


def test_without_here_the_daemon_is_left_to_build_it(shop: Command) -> None:
    plan_id = plan(shop)

    started = shop("backfill", "start", plan_id)
    paused = shop("backfill", "pause", plan_id)

    assert (started.exit_code, paused.exit_code) == (0, 0)
    assert progress(shop, plan_id) == ("paused", 0, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("backfill", "start", "nosuch"), 'no plan "nosuch"', id="unknown plan"),
        pytest.param(("plan", "backfill", "salse"), "Did you mean", id="unknown dataset"),
        pytest.param(("plan", "backfill", "sales", "--from", "yesterday"), "write it as", id="no date"),
        pytest.param(
            ("plan", "backfill", "sales", "--from", "2026-11-09", "--to", "2026-11-01"), "is after", id="swapped"
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_cure(shop: Command, arguments: tuple[str, ...], said: str) -> None:
    refused = shop(*arguments)

    assert refused.exit_code == 2
    assert said in refused.output
