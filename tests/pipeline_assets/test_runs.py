"""Datasets are built by real Dagster runs over real local ports."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from sluice.publishing import Effect
from sluice.version import Version
from tests.world import CONTRACTS, REVENUE, World

if TYPE_CHECKING:
    from pathlib import Path

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult


DAY = "2026-11-03"
NEXT_DAY = "2026-11-04"
GOOD = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
NEWER = '{"order_id": 1, "customer_id": 7, "amount": 12.25, "status": "paid"}'
BAD = '{"order_id": 2, "customer_id": "x", "amount": 1, "status": "paid"}'
STEPS_BEFORE_TABLE = ("raw/orders", "processed/orders", "quarantine/orders")


def metadata(result: ExecuteInProcessResult, asset: str) -> dict[str, object]:
    key = dg.AssetKey(asset.split("/"))
    (event,) = [item for item in result.get_asset_materialization_events() if item.asset_key == key]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def data_version(world: World, asset: str) -> str:
    record = world.instance.get_latest_data_version_record(dg.AssetKey(asset.split("/")), partition_key=DAY)
    assert record is not None
    assert record.asset_materialization is not None
    return (record.asset_materialization.tags or {})["dagster/data_version"]


def failure(result: ExecuteInProcessResult) -> str:
    assert not result.success
    (event, *_) = result.get_step_failure_events()
    error = event.step_failure_data.error
    assert error is not None
    return (error.cause or error).message


def steps_done(result: ExecuteInProcessResult) -> set[str]:
    return {event.step_key or "" for event in result.all_events if event.is_step_success}


def break_balance(world: World, day: str) -> None:
    """Say in the staged outcome that one record more came in than was accounted for."""
    (path,) = (world.home / f"processed/orders/date={day}").glob("*/_outcome.json")
    outcome = json.loads(path.read_text())
    outcome["objects"][0]["records_in"] += 1
    path.write_text(json.dumps(outcome))


def test_a_landed_partition_becomes_rows_of_its_table(world: World) -> None:
    world.land_orders(DAY, GOOD, NEWER, BAD)

    result = world.build("orders", DAY)

    assert result.success
    assert world.rows("orders") == [(1, 7, Decimal("12.25"), "paid")]


def test_a_run_reports_numbers_that_plot_over_partitions(world: World) -> None:
    world.land_orders(DAY, GOOD, NEWER, BAD)

    result = world.build("orders", DAY)

    raw, processed = metadata(result, "raw/orders"), metadata(result, "processed/orders")
    assert raw["objects"] == 1
    assert isinstance(raw["bytes"], int)
    numbers = {name: processed[name] for name in ("records_in", "published", "quarantined", "duplicates")}
    assert numbers == {"records_in": 3, "published": 1, "quarantined": 1, "duplicates": 1}
    assert isinstance(processed["seconds"], float)
    table = metadata(result, "tables/orders")
    assert (table["effect"], table["rows"], table["dagster/partition_row_count"]) == ("committed", 1, 1)


def test_quarantine_shows_reasons_and_rejected_records(world: World) -> None:
    world.land_orders(DAY, GOOD, BAD)

    shown = metadata(world.build("orders", DAY), "quarantine/orders")

    assert shown["quarantined"] == 1
    reasons, sample = shown["reasons"], shown["sample"]
    assert isinstance(reasons, dg.TableMetadataValue)
    assert isinstance(sample, dg.TableMetadataValue)
    assert reasons.records[0].data == {"reason": "wrong_type", "column": "customer_id", "records": 1}
    assert sample.records[0].data["record"] == BAD
    assert sample.records[0].data["line"] == 2


def test_data_versions_say_what_was_built_from_what(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY)

    noticed = world.ledger.latest("orders", DAY)
    assert noticed is not None
    version = Version(noticed.manifest.fingerprint, world.contracts["orders"].fingerprint, "1")
    assert data_version(world, "raw/orders") == noticed.manifest.fingerprint
    assert data_version(world, "processed/orders") == str(version)
    assert data_version(world, "quarantine/orders") == str(version)
    assert data_version(world, "tables/orders") == str(version)


def test_the_ledger_knows_what_was_published_and_by_which_attempt(world: World) -> None:
    world.land_orders(DAY, GOOD)
    result = world.build("orders", DAY)

    published, attempt = world.ledger.published("orders", DAY), world.ledger.last_attempt("orders", DAY)
    held = world.tables.held("orders", DAY)
    assert published is not None
    assert attempt is not None
    assert held is not None
    assert published.outcome.version == held.version
    assert published.snapshot_id == held.snapshot_id
    assert (attempt.run_id, attempt.number, attempt.error) == (result.run_id, 1, None)
    assert attempt.ended_at is not None


def test_a_partition_without_files_fails_at_once_with_the_cure(world: World) -> None:
    result = world.build("orders", DAY)

    assert "Land a file first: sluice land orders FILE --date 2026-11-03" in failure(result)
    assert steps_done(result) == set()
    assert world.tables.held("orders", DAY) is None


def test_a_partition_of_bad_records_is_staged_empty_and_published_once_somebody_accepts_it(world: World) -> None:
    world.land_orders(DAY, BAD)

    result = world.build("orders", DAY)

    assert not result.success
    assert metadata(result, "quarantine/orders")["quarantined"] == 1
    assert world.tables.held("orders", DAY) is None
    (verdict,) = world.ledger.blocking_verdicts()
    world.ledger.accept(verdict, why="nothing else came", accepted_by="ann", accepted_at=world.clock.now())
    assert world.build("orders", DAY).success
    assert world.tables.held("orders", DAY) is not None
    assert world.rows("orders", DAY) == []


def test_building_the_same_files_again_changes_nothing(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY)
    held, published = world.tables.held("orders", DAY), world.ledger.published("orders", DAY)
    world.clock.instant += timedelta(minutes=1)

    again = world.build("orders", DAY)

    assert metadata(again, "tables/orders")["effect"] == "already_held"
    assert world.tables.held("orders", DAY) == held
    assert world.ledger.published("orders", DAY) == published


def test_an_overwritten_file_replaces_the_rows_of_its_partition_alone(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.land_orders(NEXT_DAY, GOOD)
    world.build("orders", DAY)
    world.build("orders", NEXT_DAY)
    neighbour = world.tables.held("orders", NEXT_DAY)
    world.land_orders(DAY, NEWER)

    result = world.build("orders", DAY)

    assert metadata(result, "tables/orders")["effect"] == "committed"
    assert world.rows("orders", DAY) == [(1, 7, Decimal("12.25"), "paid")]
    assert world.tables.held("orders", NEXT_DAY) == neighbour


def test_a_crash_between_commit_and_ledger_is_mended_by_the_next_run(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY, *STEPS_BEFORE_TABLE)
    (outcome_file,) = (world.home / f"processed/orders/date={DAY}").glob("*/_outcome.json")
    publish_outside_of_dagster(world, outcome_file)

    result = world.build("orders", DAY)

    published = world.ledger.published("orders", DAY)
    assert metadata(result, "tables/orders")["effect"] == "already_held"
    assert published is not None


def publish_outside_of_dagster(world: World, outcome_file: Path) -> None:
    from sluice.outcome import Outcome

    noticed = world.ledger.latest("orders", DAY)
    assert noticed is not None
    outcome = Outcome.model_validate_json(outcome_file.read_text())
    effect = world.tables.publish(world.contracts["orders"], outcome, noticed.sequence).effect
    assert effect is Effect.COMMITTED


def test_a_closed_gate_keeps_its_partition_out_while_the_neighbour_goes_on(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.land_orders(NEXT_DAY, GOOD)
    world.build("orders", DAY, *STEPS_BEFORE_TABLE)
    break_balance(world, DAY)

    broken, neighbour = world.build("orders", DAY), world.build("orders", NEXT_DAY)

    assert not broken.success
    assert "tables__orders" not in steps_done(broken)
    assert world.tables.held("orders", DAY) is None
    assert neighbour.success
    assert world.tables.held("orders", NEXT_DAY) is not None


def test_a_pass_of_the_neighbour_does_not_open_a_closed_gate(world: World) -> None:
    """What unpartitioned checks get wrong: docs/decisions/0009-dagster-on-one-machine.md."""
    world.land_orders(DAY, GOOD)
    world.land_orders(NEXT_DAY, GOOD)
    world.build("orders", DAY, *STEPS_BEFORE_TABLE)
    break_balance(world, DAY)
    world.build("orders", DAY)
    world.build("orders", NEXT_DAY)

    alone = world.build("orders", DAY, "tables/orders")

    assert "records_are_conserved does not hold for orders 2026-11-03" in failure(alone)
    assert world.tables.held("orders", DAY) is None


def test_a_closed_gate_ends_the_attempt_with_its_reason(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY, *STEPS_BEFORE_TABLE)
    break_balance(world, DAY)
    world.build("orders", DAY)

    attempt = world.ledger.last_attempt("orders", DAY)

    assert attempt is not None
    assert attempt.error is not None
    assert attempt.error.startswith(
        "records_are_conserved does not hold: raw/orders/date=2026-11-03/a.jsonl has 2 records"
    )


def test_the_check_is_recorded_for_its_partition(world: World) -> None:
    world.land_orders(DAY, GOOD)
    result = world.build("orders", DAY)

    (evaluation,) = [
        item for item in result.get_asset_check_evaluations() if item.check_name == "records_are_conserved"
    ]

    assert evaluation.passed
    assert evaluation.partition == DAY
    assert evaluation.blocking
    assert evaluation.description == "1 in = 1 published + 0 quarantined + 0 duplicates"


def test_the_table_step_alone_publishes_what_was_staged(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY, *STEPS_BEFORE_TABLE)

    assert world.build("orders", DAY, "tables/orders").success
    assert len(world.rows("orders", DAY)) == 1


def test_the_table_step_alone_says_when_nothing_is_staged(world: World) -> None:
    result = world.build("orders", DAY, "tables/orders")

    assert "was never staged" in failure(result)


def test_processed_alone_notices_what_has_landed(world: World) -> None:
    world.land_orders(DAY, GOOD)

    result = world.build("orders", DAY, "processed/orders", "quarantine/orders")

    assert metadata(result, "processed/orders")["published"] == 1
    assert world.ledger.latest("orders", DAY) is not None


def test_a_failed_step_ends_its_attempt_with_the_error(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY, *STEPS_BEFORE_TABLE)
    (staged,) = (world.home / f"processed/orders/date={DAY}").glob("*/part-*.parquet")
    staged.unlink()

    result = world.build("orders", DAY, "tables/orders")

    attempt = world.ledger.last_attempt("orders", DAY)
    assert "is gone" in failure(result)
    assert attempt is not None
    assert attempt.error is not None
    assert "is gone" in attempt.error


def test_staged_files_that_are_gone_are_staged_anew(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY, *STEPS_BEFORE_TABLE)
    (staged,) = (world.home / f"processed/orders/date={DAY}").glob("*/part-*.parquet")
    staged.unlink()

    assert world.build("orders", DAY).success
    assert len(world.rows("orders", DAY)) == 1


def test_a_derived_dataset_is_built_from_the_tables_of_its_date(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.land_orders(NEXT_DAY, NEWER)
    world.land_customers(DAY, "7,FR")
    world.build("orders", DAY)
    world.build("orders", NEXT_DAY)
    world.build("customers", DAY)

    assert world.build("revenue", DAY).success
    assert world.rows("revenue") == [("FR", Decimal("9.50"))]


def test_a_query_may_end_in_a_semicolon_and_a_comment(tmp_path: Path) -> None:
    ended = replace(REVENUE, transform_sql=f"-- revenue\n{REVENUE.transform_sql}; -- the end")
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, {**CONTRACTS, "revenue": ended})
        world.land_orders(DAY, GOOD)
        world.land_customers(DAY, "7,FR")
        world.build("orders", DAY)
        world.build("customers", DAY)

        assert world.build("revenue", DAY).success
    assert world.rows("revenue") == [("FR", Decimal("9.50"))]


def test_a_derived_dataset_follows_a_changed_input(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.land_customers(DAY, "7,FR")
    world.build("orders", DAY)
    world.build("customers", DAY)
    world.build("revenue", DAY)
    world.land_orders(DAY, NEWER)
    world.build("orders", DAY)

    result = world.build("revenue", DAY)

    assert metadata(result, "tables/revenue")["effect"] == "committed"
    assert world.rows("revenue") == [("FR", Decimal("12.25"))]


def test_a_derived_dataset_says_which_input_is_missing(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.build("orders", DAY)

    result = world.build("revenue", DAY)

    assert "Dataset revenue reads table customers, which has no partition 2026-11-03 yet." in failure(result)


def test_columns_of_a_derived_dataset_lead_back_to_their_tables(world: World) -> None:
    world.land_orders(DAY, GOOD)
    world.land_customers(DAY, "7,FR")
    world.build("orders", DAY)
    world.build("customers", DAY)

    lineage = metadata(world.build("revenue", DAY), "processed/revenue")["dagster/column_lineage"]

    assert isinstance(lineage, dg.TableColumnLineage)
    assert lineage.deps_by_column["revenue"] == [dg.TableColumnDep(dg.AssetKey(["tables", "orders"]), "amount")]
    assert lineage.deps_by_column["country"] == [dg.TableColumnDep(dg.AssetKey(["tables", "customers"]), "country")]


@pytest.mark.parametrize("asset", ["processed/orders", "tables/orders"])
def test_the_schema_is_shown_with_types_and_constraints(world: World, asset: str) -> None:
    graph = world.definitions.resolve_asset_graph()

    schema = graph.get(dg.AssetKey(asset.split("/"))).metadata["dagster/column_schema"]

    assert isinstance(schema, dg.TableSchema)
    columns = {column.name: column for column in schema.columns}
    assert columns["order_id"].description == "The shop's order number."
    assert columns["order_id"].constraints.unique
    assert not columns["order_id"].constraints.nullable
    assert columns["amount"].type == "DECIMAL(12,2)"
    assert columns["amount"].tags == {"classification": "internal"}
    assert columns["status"].constraints.other == ["allowed: paid, cancelled"]
    assert columns["partition_date"].type == "DATE"
