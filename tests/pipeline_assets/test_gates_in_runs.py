"""Every gate in real Dagster runs: it holds, it breaks, what it blocks stays out, and what opens it publishes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import pytest

from sluice.cost.rules import CostRules, Limit, ReferenceQuery
from sluice.expectations.expectation import Expectation
from sluice.gate_rules import Completeness, Expected, GateRules, Metric, Reference
from sluice.gates import GATES
from sluice.gates.verdict import Severity
from sluice.partition_state import State
from sluice.survey import survey
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

    from sluice.contract import Contract

DAY, NEXT_DAY = "2026-11-03", "2026-11-04"
STAGED = ("raw/orders", "processed/orders", "quarantine/orders")


def order(number: int, *, amount: float = 9.5, status: str | None = "paid", customer: object = 7) -> str:
    return json.dumps({"order_id": number, "customer_id": customer, "amount": amount, "status": status})


GOOD = (order(1), order(2))


def nothing(_: World) -> None:
    """Do nothing between staging and judging."""


def land(*lines: str) -> Callable[[World], None]:
    return lambda world: world.land_orders(DAY, *lines)


def land_again(*lines: str) -> Callable[[World], None]:
    def do(world: World) -> None:
        world.clock.instant += timedelta(minutes=10)
        world.land(f"orders/date={DAY}/a.jsonl", "".join(f"{line}\n" for line in lines), age=timedelta(minutes=5))

    return do


def control_file(text: str, name: str = "_control.json") -> Callable[[World], None]:
    return lambda world: world.land(f"orders/date={DAY}/{name}", text)


def both(*steps: Callable[[World], None]) -> Callable[[World], None]:
    def do(world: World) -> None:
        for step in steps:
            step(world)

    return do


def outcome_of(world: World) -> Path:
    (path,) = (world.home / f"processed/orders/date={DAY}").glob("*/_outcome.json")
    return path


def edit_outcome(edit: Callable[[dict[str, object]], None]) -> Callable[[World], None]:
    def do(world: World) -> None:
        path = outcome_of(world)
        outcome = json.loads(path.read_text())
        edit(outcome)
        path.write_text(json.dumps(outcome))

    return do


def rewrite_staged(select: str) -> Callable[[World], None]:
    """Replace the staged rows, as a fault of Sluice's own would."""

    def do(world: World) -> None:
        path = outcome_of(world)
        outcome = json.loads(path.read_text())
        file = world.home / outcome["files"][0]["key"]
        other = file.with_name("other.parquet")
        with duckdb.connect() as connection:
            rows = select.format(staged=f"read_parquet('{file}', hive_partitioning = false)")
            connection.execute(f"COPY ({rows}) TO '{other}' (FORMAT parquet)")
        other.replace(file)
        outcome["files"][0]["size_bytes"] = file.stat().st_size
        path.write_text(json.dumps(outcome))
        for profile in path.parent.glob("_profile-*"):
            profile.unlink()

    return do


def lose_a_record(outcome: dict[str, object]) -> None:
    objects = outcome["objects"]
    assert isinstance(objects, list)
    objects[0]["records_in"] += 1


def take_long(outcome: dict[str, object]) -> None:
    outcome["seconds"] = 999.0


def publish_customers(world: World) -> None:
    world.clock.instant += timedelta(minutes=10)
    world.land_customers(DAY, "7,DE")
    assert world.build("customers", DAY).success


def publish_customers_next_day(world: World) -> None:
    assert world.build("customers", NEXT_DAY).success


@dataclass(frozen=True)
class Scenario:
    """How a gate is closed on DAY, and how new data opens it; None where only a person can."""

    gate: str
    contract: Contract
    land: Callable[[World], None]
    spoil: Callable[[World], None] = nothing
    mend: Callable[[World], None] | None = None
    good: tuple[str, ...] = GOOD

    @property
    def acceptable(self) -> bool:
        return next(gate.acceptable for gate in GATES if gate.name == self.gate)


def with_gates(**rules: object) -> Contract:
    return replace(ORDERS, gates=GateRules(**rules))  # type: ignore[arg-type]  # keywords of GateRules


def with_cost(*, block: str, **rules: object) -> Contract:
    gates = GateRules(severities=((block, Severity.BLOCK),))
    return replace(ORDERS, gates=gates, cost=CostRules(**rules))  # type: ignore[arg-type]  # keywords of CostRules


MANY = tuple(order(number, amount=round(number * 1.37, 2)) for number in range(1, 3_000))
ORDERS_OF_A_DAY = "SELECT sum(amount), max(order_id) FROM orders WHERE partition_date = DATE '{date}'"

SCENARIOS = [
    Scenario("raw_objects_exist", ORDERS, nothing, mend=land_again(*GOOD)),
    Scenario(
        "raw_objects_are_readable",
        with_gates(max_unreadable_share=0.3),
        both(land("PK\x03\x04 a zip archive"), lambda world: world.land_orders(DAY, *GOOD, name="b")),
        mend=land_again(order(3)),
    ),
    Scenario(
        "raw_is_complete",
        with_gates(completeness=Completeness(marker="orders/date={date}/_SUCCESS")),
        both(land(*GOOD), lambda world: world.land(f"orders/date={NEXT_DAY}/_SUCCESS", "")),
        mend=control_file("", "_SUCCESS"),
    ),
    Scenario("records_are_conserved", ORDERS, land(*GOOD), edit_outcome(lose_a_record), land_again(*GOOD, order(3))),
    Scenario(
        "record_count_matches_control",
        with_gates(completeness=Completeness(control="orders/date={date}/_control.json")),
        both(
            land(*GOOD),
            control_file('{"records": 3}'),
            lambda world: world.land(f"orders/date={NEXT_DAY}/_control.json", '{"records": 2}'),
        ),
        mend=control_file('{"records": 2}'),
    ),
    Scenario(
        "rejected_share_is_acceptable",
        with_gates(max_rejected_share=0.4),
        land(order(1), order(2, customer="x")),
        mend=land_again(*GOOD),
    ),
    Scenario(
        "schema_matches_contract",
        ORDERS,
        land(*GOOD),
        rewrite_staged("SELECT * REPLACE (CAST(amount AS DOUBLE) AS amount) FROM {staged}"),
        land_again(*GOOD, order(3)),
    ),
    Scenario(
        "key_is_unique",
        ORDERS,
        land(*GOOD),
        rewrite_staged("SELECT * REPLACE (CAST(1 AS BIGINT) AS order_id) FROM {staged}"),
        land_again(*GOOD, order(3)),
    ),
    Scenario(
        "nulls_are_within_limits",
        with_gates(max_null_shares=(("status", 0.25),)),
        land(order(1), order(2, status=None)),
        mend=land_again(*GOOD),
    ),
    Scenario(
        "row_count_is_expected",
        with_gates(row_count=Expected(Metric("row_count"), minimum=2)),
        land(order(1)),
        mend=land_again(*GOOD),
    ),
    Scenario(
        "metrics_are_expected",
        with_gates(metrics=(Expected(Metric("mean", "amount"), maximum=100),)),
        land(order(1, amount=500)),
        mend=land_again(*GOOD),
    ),
    Scenario(
        "expectations_hold",
        replace(
            ORDERS,
            expectations=(
                Expectation(
                    "expect_column_values_to_be_between", '{"column": "amount", "max_value": 100}', "amounts are small"
                ),
            ),
        ),
        land(order(1), order(2, amount=500)),
        mend=land_again(*GOOD),
    ),
    Scenario(
        "reference_data_is_current",
        with_gates(references=(Reference("customers", 0),)),
        both(land(*GOOD), lambda world: world.land_customers(NEXT_DAY, "7,DE"), publish_customers_next_day),
        mend=publish_customers,
    ),
    Scenario(
        "runtime_is_within_budget",
        with_cost(block="runtime_is_within_budget", runtime_seconds=Limit(fixed=600)),
        land(*GOOD),
        edit_outcome(take_long),
    ),
    Scenario(
        "scan_cost_is_within_budget",
        with_cost(
            block="scan_cost_is_within_budget",
            queries=(ReferenceQuery("a day", ORDERS_OF_A_DAY, max_bytes=5_000),),
        ),
        land(*MANY),
        mend=land_again(*GOOD),
    ),
    Scenario(
        "files_are_well_sized",
        with_cost(block="files_are_well_sized", max_file_bytes=10_000),
        land(*MANY),
        mend=land_again(*GOOD),
    ),
]


def gate_name(scenario: Scenario) -> str:
    return scenario.gate


@pytest.fixture(params=SCENARIOS, ids=gate_name)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    found: Scenario = request.param
    return found


@pytest.fixture
def shop(scenario: Scenario, tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path, instance, {**CONTRACTS, "orders": scenario.contract})


def build_blocked(world: World, scenario: Scenario) -> ExecuteInProcessResult:
    """Land, stage, spoil what was staged, and go on as a run does."""
    scenario.land(world)
    if scenario.spoil is not nothing:
        assert world.build("orders", DAY, *STAGED).success
        scenario.spoil(world)
    return world.build("orders", DAY)


def build_neighbour(world: World, scenario: Scenario) -> ExecuteInProcessResult:
    world.land_orders(NEXT_DAY, *scenario.good)
    return world.build("orders", NEXT_DAY)


def requested(world: World, sensor: str) -> list[dg.RunRequest]:
    found = world.evaluate(world.definitions.get_repository_def().get_sensor_def(sensor), None)
    return [item for item in found.run_requests or [] if item.partition_key == DAY]


def build_requested(world: World) -> None:
    """Run what the sensors ask for, as the daemon would, until they are quiet."""
    for sensor in ("arrivals", "reopening"):
        for asked in requested(world, sensor):
            job = world.definitions.get_repository_def().get_job(asked.job_name or "")
            job.execute_in_process(
                instance=world.instance, partition_key=DAY, tags=dict(asked.tags), raise_on_error=False
            )


def evaluation_of(world: World, gate: str) -> dg.AssetCheckEvaluation:
    zone = "raw" if gate.startswith(("raw_", "estimated")) else "processed"
    key = dg.AssetCheckKey(dg.AssetKey([zone, "orders"]), gate)
    records = world.instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
    events = [record.event.dagster_event for record in records if record.event and record.event.dagster_event]
    evaluations = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    return next(item for item in evaluations if item.partition == DAY)


def state_of(world: World) -> State:
    manifests = [noticed.manifest for noticed in world.ledger.noticed_after(0)]
    found = survey(
        world.contracts,
        manifests,
        world.ledger.all_published(),
        world.ledger.last_attempt,
        world.ledger.blocking_verdicts(),
        world.ledger.acceptances(),
    )
    return next(item.state for item in found if (item.dataset, item.partition) == ("orders", DAY))


def test_what_a_gate_blocks_stays_out_while_the_neighbour_goes_on(shop: World, scenario: Scenario) -> None:
    blocked = build_blocked(shop, scenario)
    neighbour = build_neighbour(shop, scenario)

    assert not blocked.success
    assert neighbour.success
    assert shop.rows("orders", DAY) == []
    assert len(shop.rows("orders", NEXT_DAY)) == 2


def test_the_failed_check_shows_on_its_partition_with_what_to_do(shop: World, scenario: Scenario) -> None:
    build_blocked(shop, scenario)

    evaluation = evaluation_of(shop, scenario.gate)
    gate = next(gate for gate in GATES if gate.name == scenario.gate)
    assert not evaluation.passed
    assert evaluation.blocking
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR
    assert (evaluation.description or "").endswith(gate.cure)


def test_nothing_publishes_a_blocked_partition_later(shop: World, scenario: Scenario) -> None:
    build_blocked(shop, scenario)
    build_neighbour(shop, scenario)

    by_hand = shop.build("orders", DAY, "tables/orders")

    assert not by_hand.success
    assert requested(shop, "reopening") == []
    assert shop.rows("orders", DAY) == []


@pytest.mark.parametrize("scenario", [item for item in SCENARIOS if item.mend], ids=gate_name, indirect=True)
def test_mended_data_publish_by_themselves(shop: World, scenario: Scenario) -> None:
    assert scenario.mend is not None
    build_blocked(shop, scenario)

    scenario.mend(shop)
    build_requested(shop)

    assert len(shop.rows("orders", DAY)) >= 2


@pytest.mark.parametrize("scenario", [item for item in SCENARIOS if item.acceptable], ids=gate_name, indirect=True)
def test_an_accepted_partition_is_published_by_itself(shop: World, scenario: Scenario) -> None:
    build_blocked(shop, scenario)
    assert state_of(shop) is State.BLOCKED
    verdict = next(item for item in shop.ledger.verdicts("orders", DAY) if item.gate == scenario.gate)

    shop.ledger.accept(verdict, why="seen", accepted_by="ann", accepted_at=shop.clock.now())
    assert state_of(shop) is State.PENDING
    build_requested(shop)

    assert len(shop.rows("orders", DAY)) >= 1
    assert state_of(shop) is State.PUBLISHED
    assert requested(shop, "reopening") == []


def test_every_gate_has_a_scenario() -> None:
    elsewhere = {
        "estimated_cost_is_within_budget",  # test_budgets_in_runs.py
        "breaker_is_closed",  # test_breakers_in_runs.py
        "schema_has_not_drifted",  # test_drift_in_runs.py
    }
    here = {scenario.gate for scenario in SCENARIOS} | elsewhere

    assert here == {gate.name for gate in GATES}
