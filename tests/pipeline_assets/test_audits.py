"""A gate that is added later judges what is published, and takes it back if the contract says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sluice.gate_rules import Expected, GateRules, Metric
from sluice.healing.incident import RemedyKind
from sluice.healing.policy import Audit, HealingPolicy
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY, OTHER = "2026-11-03", "2026-11-04"
TWO = GateRules(row_count=Expected(Metric("row_count"), minimum=2))


def order(number: int) -> str:
    return f'{{"order_id": {number}, "customer_id": 7, "amount": 9.5, "status": "paid"}}'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A partition that was good, and was replaced by one with a single row; its neighbour is good."""
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance)
        world.land_orders(OTHER, order(3), order(4))
        world.land_orders(DAY, order(1), order(2))
        assert world.build("orders", OTHER).success
        assert world.build("orders", DAY).success
        world.clock.instant += timedelta(minutes=10)
        world.land(f"orders/date={DAY}/a.jsonl", f"{order(1)}\n", age=timedelta(minutes=5))
        assert world.build("orders", DAY).success
        yield world


def with_gate(world: World, audit: Audit | None, gates: GateRules = TWO) -> World:
    orders = replace(ORDERS, gates=gates, healing=HealingPolicy(audit=audit))
    later = World(world.home, world.instance, {**CONTRACTS, "orders": orders})
    later.clock.instant = world.clock.instant + timedelta(minutes=1)
    return later


def audit_all(world: World, rounds: int = 4) -> list[tuple[str, str]]:
    """Do what the sensor asks for until it asks no more; return (dataset, partition) in order."""
    done, cursor = [], None
    for _ in range(rounds):
        sensor = world.definitions.get_repository_def().get_sensor_def("audits")
        result = world.evaluate(sensor, cursor)
        cursor = result.cursor
        for asked in result.run_requests or []:
            job = world.definitions.get_repository_def().get_job("audit")
            assert job.execute_in_process(instance=world.instance, tags=asked.tags).success
            done.append((asked.tags["sluice/dataset"], asked.tags["dagster/partition"]))
    return done


def test_what_fails_goes_back_and_its_neighbour_stays(world: World) -> None:
    later = with_gate(world, Audit.REWIND)

    audited = audit_all(later)

    # The version that it went back to is judged as well.
    assert audited == [("orders", OTHER), ("orders", DAY), ("orders", DAY)]
    assert [row[0] for row in later.rows("orders", DAY)] == [1, 2]
    assert [row[0] for row in later.rows("orders", OTHER)] == [3, 4]


def test_the_incident_says_which_gate_took_it_back(world: World) -> None:
    later = with_gate(world, Audit.REWIND)

    audit_all(later)

    (incident,) = later.ledger.incidents(open_only=True)
    assert "row_count" in incident.evidence
    assert incident.downstream == ()  # nothing was derived from it
    assert [remedy.kind for remedy in incident.remedies] == [RemedyKind.REWIND]


def test_what_no_version_passes_goes_back_to_nothing(world: World) -> None:
    three = GateRules(row_count=Expected(Metric("row_count"), minimum=3))

    later = with_gate(world, Audit.REWIND, three)
    audit_all(later)

    assert later.rows("orders") == []


def test_with_warn_it_is_shown_and_stays(world: World) -> None:
    later = with_gate(world, Audit.WARN)

    audited = audit_all(later)

    assert audited == [("orders", OTHER), ("orders", DAY)]
    assert [row[0] for row in later.rows("orders", DAY)] == [1]
    check = dg.AssetCheckKey(dg.AssetKey(["processed", "orders"]), "row_count_is_expected")
    (newest, *_) = later.instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    assert newest.status.value == "FAILED"


def test_what_somebody_accepted_stays(world: World) -> None:
    warned = with_gate(world, Audit.WARN)
    audit_all(warned)
    (verdict,) = [item for item in warned.ledger.verdicts("orders", DAY) if item.blocks]
    warned.ledger.accept(verdict, why="a holiday", accepted_by="ann", accepted_at=warned.clock.now())
    world.ledger.record_verdicts([replace(item, rules="older") for item in warned.ledger.verdicts("orders", DAY)])

    later = with_gate(world, Audit.REWIND)
    audited = audit_all(later)

    assert audited == [("orders", DAY)]
    assert [row[0] for row in later.rows("orders", DAY)] == [1]


def test_without_a_policy_nothing_is_asked_for(world: World) -> None:
    assert audit_all(with_gate(world, None)) == []


def test_what_was_judged_by_todays_gates_is_not_judged_again(world: World) -> None:
    later = with_gate(world, Audit.WARN)
    audit_all(later)

    assert audit_all(with_gate(world, Audit.WARN)) == []
