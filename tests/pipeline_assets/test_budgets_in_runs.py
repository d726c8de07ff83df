"""Money in real Dagster runs: reserved before the transform, settled after, never spent beyond the budget."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.headless import run_until_quiet
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings
from sluice.cost.budget import Purpose, SpendState
from sluice.cost.rules import CostRules, Limit
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sluice.contract import Contract

DAY, NEXT_DAY = "2026-11-03", "2026-11-04"
GATE = "estimated_cost_is_within_budget"
LINE = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
ROOT = Path(__file__).parents[2]


def with_budget(dataset: Contract, usd: float) -> Contract:
    return replace(dataset, cost=CostRules(monthly_usd=Limit(fixed=usd)))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def one_partition_usd(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> float:
    """What building a small partition is estimated to cost: the price of the shortest job that is billed."""
    world = World(tmp_path_factory.mktemp("priced"), instance)
    world.land_orders(DAY, LINE)
    assert world.build("orders", DAY).success
    (spend,) = world.ledger.spends("orders")
    return spend.request.estimate.usd


def poor(tmp_path: Path, instance: dg.DagsterInstance, usd: float) -> World:
    return timed(tmp_path, instance, {**CONTRACTS, "orders": with_budget(ORDERS, usd)})


def timed(tmp_path: Path, instance: dg.DagsterInstance, contracts: Mapping[str, Contract] = CONTRACTS) -> World:
    """A world in which time passes, for what takes no time costs nothing."""
    world = World(tmp_path, instance, contracts)
    world.ports["clock"] = SystemClock()
    return world


def test_a_run_over_budget_never_starts_the_transform(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    world = poor(tmp_path, instance, 1e-6)
    world.land_orders(DAY, LINE)

    result = world.build("orders", DAY)

    assert not result.success
    assert {event.step_key for event in result.all_events if event.is_step_start} == {"raw__orders"}
    assert not (tmp_path / "processed").exists()
    assert world.ledger.spends() == ()


def test_processed_alone_is_stopped_by_the_budget_too(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    world = poor(tmp_path, instance, 1e-6)
    world.land_orders(DAY, LINE)

    result = world.build("orders", DAY, "processed/orders", "quarantine/orders")

    assert not result.success
    assert not (tmp_path / "processed").exists()


def test_a_derived_dataset_has_a_budget_too(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    world = World(tmp_path, instance, {**CONTRACTS, "revenue": with_budget(CONTRACTS["revenue"], 1e-6)})
    world.land_orders(DAY, LINE)
    world.land_customers(DAY, "7,DE")
    assert world.build("orders", DAY).success
    assert world.build("customers", DAY).success

    result = world.build("revenue", DAY)

    assert not result.success
    assert not (tmp_path / "processed/revenue").exists()
    (check,) = [item for item in result.get_asset_check_evaluations() if item.check_name == GATE]
    assert not check.passed


def test_what_was_published_stays_served_when_the_budget_is_used_up(
    tmp_path: Path, instance: dg.DagsterInstance, one_partition_usd: float
) -> None:
    world = poor(tmp_path, instance, one_partition_usd * 1.5)
    world.land_orders(DAY, LINE)
    assert world.build("orders", DAY).success
    world.land_orders(NEXT_DAY, LINE)

    assert not world.build("orders", NEXT_DAY).success

    assert len(world.rows("orders", DAY)) == 1
    assert world.rows("orders", NEXT_DAY) == []


def test_an_accepted_partition_is_built_beyond_the_budget(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    world = poor(tmp_path, instance, 1e-6)
    world.land_orders(DAY, LINE)
    world.build("orders", DAY)
    (verdict,) = world.ledger.blocking_verdicts()

    world.ledger.accept(verdict, why="the auditors come", accepted_by="ann", accepted_at=world.clock.now())

    assert world.build("orders", DAY).success
    assert len(world.rows("orders", DAY)) == 1


def test_a_build_is_settled_with_what_it_took_and_concluded_when_published(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    world = timed(tmp_path, instance)
    world.land_orders(DAY, LINE)
    result = world.build("orders", DAY)

    (spend,) = world.ledger.spends("orders")
    assert spend.state is SpendState.PUBLISHED
    assert spend.request.run_id == result.run_id
    assert spend.actual_usd is not None
    assert spend.actual_usd > 0
    assert world.ledger.open_spends() == ()


def test_of_a_partition_that_grows_only_what_is_new_is_estimated(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    world = World(tmp_path, instance)
    world.land_orders(DAY, LINE, name="a")
    world.build("orders", DAY)
    world.land_orders(DAY, LINE, "{bad", name="b")

    world.build("orders", DAY)

    first, second = (spend.request.estimate for spend in world.ledger.spends("orders"))
    assert (first.objects, second.objects) == (1, 1)
    assert second.bytes_in - first.bytes_in == len("{bad\n")


def test_building_what_is_staged_already_costs_nothing(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    world = World(tmp_path, instance)
    world.land_orders(DAY, LINE)
    world.build("orders", DAY)

    world.build("orders", DAY)

    again = world.ledger.spends("orders")[-1]
    assert again.request.estimate.usd == 0
    assert again.actual_usd == 0


def test_the_cost_of_a_failed_transform_is_kept(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    world = World(tmp_path, instance)
    world.land_orders(DAY, LINE)
    (tmp_path / "scratch").write_text("in the way")

    assert not world.build("orders", DAY).success

    (spend,) = world.ledger.spends("orders")
    assert spend.state is SpendState.FAILED
    (tmp_path / "scratch").unlink()
    assert world.build("orders", DAY).success
    assert world.ledger.spends("orders")[-1].request.purpose is Purpose.HEALING


def test_building_anew_what_succeeded_before_is_no_healing(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    world = World(tmp_path, instance)
    world.land_orders(DAY, LINE)
    world.build("orders", DAY)
    shutil.rmtree(tmp_path / "processed")

    world.build("orders", DAY)

    assert world.ledger.spends("orders")[-1].request.purpose is Purpose.BUILD


CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: sales
version: 1.0.0
servers:
  - {{type: local, path: "sales/date={{date}}/*.jsonl", format: jsonl}}
schema:
  - name: sales
    properties:
      - {{name: sale_id, logicalType: integer, required: true, primaryKey: true}}
customProperties:
  - property: sluice
    value:
      start: 2026-11-01
      cost: {{monthly_usd: {usd}}}
"""

ONE_RUN = """
import sys, time
from pathlib import Path
from pipeline_assets.cli.environment import Environment
from pipeline_assets.definitions import build_definitions, lazy_ports
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings

home, datasets, day, start = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])
environment = Environment(Settings(home, (datasets,)), SystemClock(), home)
job = build_definitions(environment.contracts, lazy_ports(environment)).get_repository_def().get_job("build_sales")
with open_dagster(environment.settings.dagster_home) as instance:
    time.sleep(max(0.0, start - time.time()))
    done = job.execute_in_process(instance=instance, partition_key=day, raise_on_error=False)
sys.exit(0 if done.success else 3)
"""

KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.headless import run_until_quiet
from resources.clock import SystemClock
from resources.settings import Settings
import pipeline_assets.staging as staging

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

staging.transform = die
home, datasets = Path(sys.argv[1]), Path(sys.argv[2])
run_until_quiet(Environment(Settings(home, (datasets,)), SystemClock(), home), on_progress=lambda _: None)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    for day in (DAY, NEXT_DAY):
        file = folder / f"raw/sales/date={day}/a.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text('{"sale_id": 1}\n')
        os.utime(file, (0, 0))
    return folder


def declare(tmp_path: Path, usd: float) -> Path:
    folder = tmp_path / "datasets"
    (folder / "sales").mkdir(parents=True, exist_ok=True)
    (folder / "sales/contract.yaml").write_text(CONTRACT.format(usd=f"{usd:.6f}"))
    return folder


def environment_at(home: Path, datasets: Path) -> Environment:
    return Environment(Settings(home, (datasets,)), SystemClock(), home)


@pytest.mark.long
def test_of_two_runs_racing_for_the_last_dollar_exactly_one_gets_it(
    tmp_path: Path, home: Path, one_partition_usd: float
) -> None:
    import time

    datasets = declare(tmp_path, one_partition_usd * 1.5)
    with open_dagster(environment_at(home, datasets).settings.dagster_home):
        pass  # made before the race: it is about money, not about who makes the folders
    start = str(time.time() + 8)
    racers = [
        subprocess.Popen([sys.executable, "-c", ONE_RUN, str(home), str(datasets), day, start], cwd=ROOT)
        for day in (DAY, NEXT_DAY)
    ]
    codes = sorted(racer.wait(timeout=120) for racer in racers)

    assert codes == [0, 3]
    (spend,) = environment_at(home, datasets).ledger.spends("sales")
    assert spend.state is SpendState.PUBLISHED
    assert len(list((home / "processed/sales").iterdir())) == 1


def test_the_reservation_of_a_killed_run_is_released_by_the_next(
    tmp_path: Path, home: Path, one_partition_usd: float
) -> None:
    datasets = declare(tmp_path, one_partition_usd * 5)
    (home / f"raw/sales/date={NEXT_DAY}/a.jsonl").unlink()
    killed = subprocess.run([sys.executable, "-c", KILLED_RUN, str(home), str(datasets)], check=False, cwd=ROOT)
    environment = environment_at(home, datasets)
    assert killed.returncode == -signal.SIGKILL
    assert [spend.state for spend in environment.ledger.spends()] == [SpendState.RESERVED]

    summary = run_until_quiet(environment, on_progress=lambda _: None)

    assert not summary.failed
    assert [spend.state for spend in environment.ledger.spends()] == [SpendState.KILLED, SpendState.PUBLISHED]
