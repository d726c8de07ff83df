"""Drift in real Dagster runs: quarantined, kept as an incident, and built again once a contract takes it in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sensors.reprocessing import MOST_UNDER_WAY, REPROCESSED_FOR
from sluice.contract import Column, DriftPolicy, Shim, fingerprint_of
from sluice.datatypes import Text, Timestamp
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sluice.contract import Contract
    from sluice.healing.incident import Incident

DAY = "2026-11-03"
LINE = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
GROWN = '{"order_id": 2, "customer_id": 7, "amount": 8.5, "status": "paid", "channel": "web"}'
RENAMED = '{"order_id": 2, "customer_id": 7, "total": 8.5, "status": "paid"}'


def with_fingerprint(contract: Contract) -> Contract:
    return replace(contract, fingerprint=fingerprint_of(contract))


STRICT = with_fingerprint(replace(ORDERS, drift=DriftPolicy.QUARANTINE))
WITH_CHANNEL = with_fingerprint(replace(STRICT, version="1.1.0", columns=(*STRICT.columns, Column("channel", Text()))))
TOTAL = replace(STRICT.column("amount"), shim=Shim(also_called=("total",)))
WITH_TOTAL = with_fingerprint(replace(STRICT, columns=(*STRICT.columns[:2], TOTAL, STRICT.columns[3])))


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path, instance, {**CONTRACTS, "orders": STRICT})


def under(world: World, contract: Contract) -> World:
    """The same home after another contract was accepted and the code location loaded again."""
    return World(world.home, world.instance, {**world.contracts, "orders": contract})


def only_incident(world: World) -> Incident:
    (incident,) = world.ledger.incidents()
    return incident


def asked(world: World) -> list[dg.RunRequest]:
    sensor = world.definitions.get_repository_def().get_sensor_def("reprocessing")
    return list(world.evaluate(sensor, None).run_requests or ())


def test_a_column_that_was_added_is_quarantined_accepted_and_published_by_itself(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    strict.land_orders(DAY, GROWN, name="b")

    assert strict.build("orders", DAY).success

    assert [row[0] for row in strict.rows("orders", DAY)] == [1]
    published = strict.ledger.published("orders", DAY)
    assert published is not None
    assert [(item.published, item.quarantined, item.closes) for item in published.outcome.objects] == [
        (1, 0, True),
        (0, 1, True),
    ]
    incident = only_incident(strict)
    assert incident.failure_class is FailureClass.SCHEMA_DRIFT
    assert incident.resolved_at is None
    expected = "1 of 2 objects differs from the contract: channel is not declared in 100% of the records of b.jsonl."
    assert incident.evidence == expected
    assert [item.kind for item in incident.remedies] == [RemedyKind.QUARANTINE]
    assert asked(strict) == []

    accepted = under(strict, WITH_CHANNEL)
    (request,) = asked(accepted)
    assert (request.job_name, request.partition_key) == ("build_orders", DAY)
    assert accepted.build("orders", DAY).success

    assert [(row[0], row[4]) for row in accepted.rows("orders", DAY)] == [(1, None), (2, "web")]
    resolved = only_incident(accepted)
    assert resolved.resolved_by == "sluice"
    assert [item.kind for item in resolved.remedies] == [RemedyKind.QUARANTINE, RemedyKind.BACKFILL]
    assert asked(accepted) == []


def test_the_check_warns_and_shows_the_objects(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    strict.land_orders(DAY, GROWN, name="b")

    done = strict.build("orders", DAY)

    (check,) = [item for item in done.get_asset_check_evaluations() if item.check_name == "schema_has_not_drifted"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    processed = dg.AssetKey(["processed", "orders"])
    shown = next(item for item in done.get_asset_materialization_events() if item.asset_key == processed)
    (row,) = shown.materialization.metadata["drift"].records  # type: ignore[attr-defined]
    assert row.data["object"] == f"raw/orders/date={DAY}/b.jsonl"
    assert (row.data["drift"], row.data["field"], row.data["share"]) == ("unknown", "channel", "100.0%")


def test_building_it_again_keeps_the_incident_and_notes_nothing_twice(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    strict.land_orders(DAY, GROWN, name="b")
    assert strict.build("orders", DAY).success

    assert strict.build("orders", DAY).success

    incident = only_incident(strict)
    assert (incident.resolved_at, len(incident.remedies)) == (None, 1)


def test_corrected_files_resolve_it_as_well(strict: World) -> None:
    strict.land_orders(DAY, GROWN)
    strict.land_orders(DAY, LINE, name="b")
    assert strict.build("orders", DAY).success

    strict.land_orders(DAY, GROWN.replace(', "channel": "web"', ""))
    assert strict.build("orders", DAY).success

    assert only_incident(strict).resolved_by == "sluice"
    assert len(strict.rows("orders", DAY)) == 2


def test_where_every_object_drifted_the_table_keeps_what_it_holds(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    assert strict.build("orders", DAY).success
    strict.land_orders(DAY, RENAMED)

    assert not strict.build("orders", DAY).success

    assert [row[0] for row in strict.rows("orders", DAY)] == [1]
    assert only_incident(strict).failure_class is FailureClass.SCHEMA_DRIFT

    accepted = under(strict, WITH_TOTAL)
    assert [item.partition_key for item in asked(accepted)] == [DAY]
    assert accepted.build("orders", DAY).success
    assert [row[0] for row in accepted.rows("orders", DAY)] == [2]
    assert only_incident(accepted).resolved_by == "sluice"


def test_a_retyped_column_is_taken_in_by_a_cast(strict: World) -> None:
    column = Column("sent_at", Timestamp())
    dated = with_fingerprint(replace(STRICT, columns=(*STRICT.columns, column)))
    cast = with_fingerprint(replace(STRICT, columns=(*STRICT.columns, replace(column, shim=Shim(cast=True)))))
    before = under(strict, dated)
    before.land_orders(DAY, LINE.replace("}", ', "sent_at": "2026-11-03T00:00:00Z"}'))
    before.land_orders(DAY, GROWN.replace('"channel": "web"', '"sent_at": 1762300800'), name="b")
    assert before.build("orders", DAY).success
    assert len(before.rows("orders", DAY)) == 1

    accepted = under(strict, cast)
    assert len(asked(accepted)) == 1
    assert accepted.build("orders", DAY).success

    assert len(accepted.rows("orders", DAY)) == 2
    assert only_incident(accepted).resolved_by == "sluice"


def test_a_contract_that_does_not_help_is_tried_once(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    strict.land_orders(DAY, GROWN, name="b")
    assert strict.build("orders", DAY).success

    other = under(strict, WITH_TOTAL)
    assert len(asked(other)) == 1
    assert other.build("orders", DAY).success

    assert asked(other) == []
    assert only_incident(other).resolved_at is None


def test_what_never_drifted_is_not_built_again(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    assert strict.build("orders", DAY).success

    assert asked(under(strict, WITH_CHANNEL)) == []
    assert strict.ledger.incidents() == ()


def test_a_request_stands_until_its_run_has_begun_and_has_a_key_of_its_own_after_a_death(strict: World) -> None:
    strict.land_orders(DAY, LINE)
    strict.land_orders(DAY, GROWN, name="b")
    assert strict.build("orders", DAY).success
    accepted = under(strict, WITH_CHANNEL)
    (first,), (again,) = asked(accepted), asked(accepted)
    assert first.run_key == again.run_key

    job = accepted.definitions.get_repository_def().get_job("build_orders")
    dead = strict.instance.create_run_for_job(
        job, tags={**first.tags, "dagster/partition": DAY}, status=dg.DagsterRunStatus.STARTED
    )
    assert asked(accepted) == []
    strict.instance.report_run_failed(dead)

    (second,) = asked(accepted)
    assert second.run_key != first.run_key


def test_at_most_so_many_are_under_way_per_dataset(strict: World) -> None:
    days = [f"2026-11-{number:02}" for number in (3, 4)]
    for day in days:
        strict.land_orders(day, LINE)
        strict.land_orders(day, GROWN, name="b")
        assert strict.build("orders", day).success
    accepted = under(strict, WITH_CHANNEL)
    job = accepted.definitions.get_repository_def().get_job("build_orders")
    for number in range(MOST_UNDER_WAY - 1):
        strict.instance.create_run_for_job(
            job,
            tags={"sluice/dataset": "orders", REPROCESSED_FOR: str(number)},
            status=dg.DagsterRunStatus.STARTED,
        )

    assert [item.partition_key for item in asked(accepted)] == days[:1]


def test_without_a_policy_there_is_no_incident_and_the_field_is_taken_in_later(world: World) -> None:
    world.land_orders(DAY, LINE, GROWN)
    assert world.build("orders", DAY).success
    assert world.ledger.incidents() == ()

    taken_in = with_fingerprint(replace(ORDERS, columns=(*ORDERS.columns, Column("channel", Text()))))
    other = with_fingerprint(replace(ORDERS, columns=(*ORDERS.columns, Column("note", Text()))))

    assert asked(under(world, other)) == []
    assert len(asked(under(world, taken_in))) == 1
