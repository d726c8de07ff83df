"""What goes wrong in real Dagster runs is classified, kept as an incident, and resolved by what puts it right."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sluice.gate_rules import Expected, GateRules, Metric
from sluice.healing.failure import FailureClass
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from resources.object_store import LocalObjectStore
    from sluice.healing.incident import Incident

DAY = "2026-11-03"
LINE = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
OTHER = '{"order_id": 2, "customer_id": 7, "amount": 9.5, "status": "paid"}'


class FullDisk:
    """The real store, on a disk on which nothing more fits."""

    def __init__(self, store: LocalObjectStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:  # noqa: ARG002
        raise OSError(errno.ENOSPC, "No space left on device", key)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[World]:
    """At least two orders a day are expected."""
    contract = replace(ORDERS, gates=GateRules(row_count=Expected(Metric("row_count"), minimum=2)))
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path, instance, {**CONTRACTS, "orders": contract})


def only_incident(world: World) -> Incident:
    (incident,) = world.ledger.incidents()
    return incident


def fail_on_full_disk(world: World) -> None:
    store = world.ports["store"]
    world.ports["store"] = FullDisk(world.store)
    world.__dict__.pop("definitions", None)
    assert not world.build("orders", DAY).success
    world.ports["store"] = store
    world.__dict__.pop("definitions", None)


def test_a_full_disk_is_an_incident_of_its_class(world: World) -> None:
    world.land_orders(DAY, LINE)

    fail_on_full_disk(world)

    incident = only_incident(world)
    assert (incident.dataset, incident.partition) == ("orders", DAY)
    assert incident.failure_class is FailureClass.RESOURCE
    assert "No space left on device" in incident.evidence
    assert incident.resolved_at is None
    attempt = world.ledger.last_attempt("orders", DAY)
    assert attempt is not None
    assert attempt.failure_class is FailureClass.RESOURCE


def test_the_next_success_resolves_it_without_a_person(world: World) -> None:
    world.land_orders(DAY, LINE)
    fail_on_full_disk(world)
    world.clock.instant += timedelta(minutes=3)

    assert world.build("orders", DAY).success

    incident = only_incident(world)
    assert incident.resolved_by == "sluice"
    assert incident.resolved_at == world.clock.now()


def test_failing_again_is_the_same_incident(world: World) -> None:
    world.land_orders(DAY, LINE)
    fail_on_full_disk(world)
    fail_on_full_disk(world)

    assert only_incident(world).number == 1


def test_a_closed_gate_is_an_incident_that_an_acceptance_resolves_in_a_persons_name(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    assert not strict.build("orders", DAY).success
    assert only_incident(strict).failure_class is FailureClass.QUALITY
    assert only_incident(strict).evidence.startswith("row_count_is_expected does not hold: 1 row")
    (verdict,) = strict.ledger.blocking_verdicts()

    strict.ledger.accept(verdict, why="a holiday", accepted_by="ann", accepted_at=strict.clock.now())
    assert strict.build("orders", DAY).success

    assert only_incident(strict).resolved_by == "ann"


def test_corrected_files_resolve_a_closed_gate_without_a_person(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    strict.build("orders", DAY)
    strict.clock.instant += timedelta(minutes=10)
    strict.land_orders(DAY, OTHER, name="b")

    assert strict.build("orders", DAY).success

    assert only_incident(strict).resolved_by == "sluice"


def test_a_partition_without_files_is_no_incident(world: World) -> None:
    """Somebody asked for a date that nothing has landed for; there is no version that failed."""
    assert not world.build("orders", DAY).success

    assert world.ledger.incidents() == ()


def test_a_missing_input_is_waited_for(world: World) -> None:
    world.land_orders(DAY, LINE)
    assert world.build("orders", DAY).success

    assert not world.build("revenue", DAY).success

    assert world.ledger.incidents() == ()
