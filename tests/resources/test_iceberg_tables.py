"""Publishing into real Iceberg tables on a local catalog."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException

from resources.iceberg_tables import IcebergTables
from resources.object_store import LocalObjectStore
from resources.tables import Effect
from sluice.contract import Column
from sluice.datatypes import Date, Decimal, Field, Integer, ListOf, Struct, Text, Timestamp
from sluice.errors import PublishConflict, StagedFilesMissing, TableIncompatible, TableUnknown
from tests.processes import processes
from tests.resources.shop import (
    COLUMNS,
    DAY,
    NEXT_DAY,
    ORDERS,
    contract_with,
    load,
    open_catalog,
    open_tables,
    order_ids,
    publish,
    stage,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyiceberg.table import CommitTableResponse, Table
    from pyiceberg.table.update import TableRequirement, TableUpdate

Requirements = tuple["TableRequirement", ...]
Updates = tuple["TableUpdate", ...]


class _Overtaken(SqlCatalog):
    """Another writer publishes right before the first commit."""

    def __init__(self, home: Path, other: Callable[[], object]) -> None:
        super().__init__("sluice", **open_catalog(home).properties)
        self._others = [other]

    def commit_table(self, table: Table, requirements: Requirements, updates: Updates) -> CommitTableResponse:
        while self._others:
            self._others.pop()()
        return super().commit_table(table, requirements, updates)


class _Unheard(SqlCatalog):
    """Nothing is heard back from the first commit, which `lands` or not."""

    def __init__(self, home: Path, *, lands: bool) -> None:
        super().__init__("sluice", **open_catalog(home).properties)
        self._lands = lands
        self._commits = 0

    def commit_table(self, table: Table, requirements: Requirements, updates: Updates) -> CommitTableResponse:
        self._commits += 1
        response = super().commit_table(table, requirements, updates) if self._lands or self._commits > 1 else None
        if self._commits == 1 or response is None:
            raise CommitStateUnknownException("The connection was cut.")
        return response


class _AlwaysLosing(SqlCatalog):
    def __init__(self, home: Path) -> None:
        super().__init__("sluice", **open_catalog(home).properties)

    def commit_table(self, table: Table, requirements: Requirements, updates: Updates) -> CommitTableResponse:
        raise CommitFailedException(f"{table.name()} has changed: {requirements} do not hold for {updates}.")


class TestPublish:
    def test_rows_are_visible_after_publication(self, tmp_path: Path) -> None:
        publication = open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1, 2, 3]), 1)

        assert publication.effect is Effect.COMMITTED
        assert order_ids(tmp_path) == [1, 2, 3]

    def test_staged_files_stay_where_they_are(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1])

        open_tables(tmp_path).publish(ORDERS, outcome, 1)

        assert open_tables(tmp_path).files("orders") == (str(tmp_path / outcome.files[0].key),)
        assert not list((tmp_path / "tables").rglob("*.parquet"))

    def test_a_newer_version_replaces_its_partition_and_no_other(self, tmp_path: Path) -> None:
        tables = open_tables(tmp_path)
        tables.publish(ORDERS, stage(tmp_path, [1, 2]), 1)
        tables.publish(ORDERS, stage(tmp_path, [3], day=NEXT_DAY), 2)

        tables.publish(ORDERS, stage(tmp_path, [7, 8, 9], fingerprint="b" * 16), 3)

        assert order_ids(tmp_path, DAY) == [7, 8, 9]
        assert order_ids(tmp_path, NEXT_DAY) == [3]

    def test_a_publication_is_one_snapshot_that_says_where_it_came_from(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
        publication = open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [2], fingerprint="b" * 16), 42)

        snapshots = load(tmp_path).snapshots()
        summary = _summary(tmp_path)
        assert len(snapshots) == 2
        assert publication.held.snapshot_id == snapshots[-1].snapshot_id
        assert {key: value for key, value in summary.items() if key.startswith("sluice.")} == {
            "sluice.dataset": "orders",
            "sluice.partition": DAY,
            "sluice.fingerprint": "b" * 16,
            "sluice.contract-version": "1.0.0",
            "sluice.contract-fingerprint": ORDERS.fingerprint,
            "sluice.code-version": "1",
            "sluice.run-id": "run-1",
            "sluice.sequence": "42",
            f"sluice.showed.{DAY}": f"{'a' * 16}-{ORDERS.fingerprint}-1",
        }
        assert (summary["total-records"], summary["total-data-files"]) == ("1", "1")

    def test_a_file_that_both_versions_have_stays_where_it_is(self, tmp_path: Path) -> None:
        first, added = stage(tmp_path, [1, 2]), stage(tmp_path, [3], fingerprint="b" * 16)
        both = added.model_copy(update={"files": first.files + added.files, "objects": first.objects + added.objects})
        open_tables(tmp_path).publish(ORDERS, first, 1)

        open_tables(tmp_path).publish(ORDERS, both, 2)

        summary = _summary(tmp_path)
        assert order_ids(tmp_path, DAY) == [1, 2, 3]
        assert (summary["operation"], summary["added-data-files"], summary["total-data-files"]) == ("append", "1", "2")

    def test_a_file_that_only_the_older_version_has_goes(self, tmp_path: Path) -> None:
        first, added = stage(tmp_path, [1, 2]), stage(tmp_path, [3], fingerprint="b" * 16)
        both = added.model_copy(update={"files": first.files + added.files, "objects": first.objects + added.objects})
        open_tables(tmp_path).publish(ORDERS, both, 1)

        open_tables(tmp_path).publish(ORDERS, first, 2)

        summary = _summary(tmp_path)
        assert order_ids(tmp_path, DAY) == [1, 2]
        assert (summary["deleted-data-files"], summary.get("added-data-files")) == ("1", None)

    @pytest.mark.parametrize(
        ("day", "operation"), [pytest.param(DAY, "overwrite", id="again"), pytest.param(NEXT_DAY, "append", id="new")]
    )
    def test_only_a_replaced_partition_is_an_overwrite(self, tmp_path: Path, day: str, operation: str) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)

        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [2], day=day, fingerprint="b" * 16), 2)

        assert _summary(tmp_path)["operation"] == operation

    def test_the_same_version_again_writes_nothing(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1])
        first = open_tables(tmp_path).publish(ORDERS, outcome, 1)
        before = load(tmp_path).metadata_location

        again = open_tables(tmp_path).publish(ORDERS, outcome, 1)

        assert (again.effect, again.held) == (Effect.ALREADY_HELD, first.held)
        assert load(tmp_path).metadata_location == before

    def test_a_slow_writer_does_not_overwrite_a_newer_manifest(self, tmp_path: Path) -> None:
        slow, older = open_tables(tmp_path), stage(tmp_path, [1])
        newer = open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [2], fingerprint="b" * 16), 2)
        before = load(tmp_path).metadata_location

        publication = slow.publish(ORDERS, older, 1)

        assert (publication.effect, publication.held) == (Effect.SUPERSEDED, newer.held)
        assert load(tmp_path).metadata_location == before
        assert order_ids(tmp_path) == [2]

    def test_a_writer_that_is_overtaken_while_it_prepares_finds_itself_superseded(self, tmp_path: Path) -> None:
        newer = stage(tmp_path, [2], fingerprint="b" * 16)
        catalog = _Overtaken(tmp_path, lambda: open_tables(tmp_path).publish(ORDERS, newer, 2))

        publication = open_tables(tmp_path, catalog).publish(ORDERS, stage(tmp_path, [1]), 1)

        assert publication.effect is Effect.SUPERSEDED
        assert order_ids(tmp_path) == [2]

    def test_a_writer_that_is_overtaken_by_another_partition_publishes_all_the_same(self, tmp_path: Path) -> None:
        other = stage(tmp_path, [2], day=NEXT_DAY)
        catalog = _Overtaken(tmp_path, lambda: open_tables(tmp_path).publish(ORDERS, other, 2))

        publication = open_tables(tmp_path, catalog).publish(ORDERS, stage(tmp_path, [1]), 1)

        assert publication.effect is Effect.COMMITTED
        assert order_ids(tmp_path) == [1, 2]

    def test_a_version_that_returns_stops_the_slow_writer_of_the_version_between(self, tmp_path: Path) -> None:
        first, between = stage(tmp_path, [1]), stage(tmp_path, [2], fingerprint="b" * 16)
        open_tables(tmp_path).publish(ORDERS, first, 1)
        open_tables(tmp_path).publish(ORDERS, first, 3)

        assert "added-data-files" not in _summary(tmp_path)
        assert open_tables(tmp_path).publish(ORDERS, between, 2).effect is Effect.SUPERSEDED
        assert order_ids(tmp_path) == [1]

    def test_a_version_that_returns_after_another_is_published_from_its_old_files(self, tmp_path: Path) -> None:
        first = stage(tmp_path, [1])
        open_tables(tmp_path).publish(ORDERS, first, 1)
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [2], fingerprint="b" * 16), 2)

        assert open_tables(tmp_path).publish(ORDERS, first, 3).effect is Effect.COMMITTED
        assert order_ids(tmp_path) == [1]

    def test_a_partition_without_rows_is_held(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [], rejected=5)

        publication = open_tables(tmp_path).publish(ORDERS, outcome, 1)

        assert publication.effect is Effect.COMMITTED
        assert open_tables(tmp_path).held("orders", DAY) == publication.held
        assert open_tables(tmp_path).publish(ORDERS, outcome, 1).effect is Effect.ALREADY_HELD
        assert order_ids(tmp_path) == []

    def test_a_partition_loses_its_rows_when_its_new_version_has_none(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [2], day=NEXT_DAY), 2)

        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [], fingerprint="b" * 16, rejected=1), 3)

        assert order_ids(tmp_path) == [2]

    def test_manifests_stay_few_and_every_partition_stays_readable(self, tmp_path: Path) -> None:
        tables = open_tables(tmp_path)
        for number in range(70):
            day = (date(2026, 1, 1) + timedelta(days=number % 60)).isoformat()
            tables.publish(ORDERS, stage(tmp_path, [number], day=day, fingerprint=f"{number:016x}"), number + 1)

        assert _manifests(tmp_path) <= 50
        assert order_ids(tmp_path) == list(range(10, 70))

    def test_manifests_that_list_no_file_any_more_are_dropped(self, tmp_path: Path) -> None:
        for number in range(5):
            open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [number], fingerprint=f"{number:016x}"), number)

        assert _manifests(tmp_path) == 2  # the new file's, and what this snapshot deleted

    def test_a_table_forgets_its_oldest_snapshots_and_no_rows(self, tmp_path: Path) -> None:
        tables = IcebergTables(open_catalog(tmp_path), LocalObjectStore(tmp_path), kept_snapshots=3)
        outcomes = [stage(tmp_path, [number], day=f"2026-10-{number:02}") for number in range(1, 8)]
        held = [tables.publish(ORDERS, outcome, 1).held for outcome in outcomes]

        assert [item.snapshot_id for item in load(tmp_path).snapshots()] == [item.snapshot_id for item in held[-3:]]
        assert order_ids(tmp_path) == [1, 2, 3, 4, 5, 6, 7]
        assert tables.held("orders", "2026-10-01") == held[0]

    def test_a_tagged_snapshot_is_not_forgotten(self, tmp_path: Path) -> None:
        tables = IcebergTables(open_catalog(tmp_path), LocalObjectStore(tmp_path), kept_snapshots=1)
        first = tables.publish(ORDERS, stage(tmp_path, [1]), 1).held
        load(tmp_path).manage_snapshots().create_tag(first.snapshot_id, "audited").commit()

        second = tables.publish(ORDERS, stage(tmp_path, [2], fingerprint="b" * 16), 2).held
        third = tables.publish(ORDERS, stage(tmp_path, [3], fingerprint="c" * 16), 3).held

        kept = {item.snapshot_id for item in load(tmp_path).snapshots()}
        assert kept == {first.snapshot_id, third.snapshot_id}
        assert second.snapshot_id not in kept


def _summary(home: Path) -> dict[str, str]:
    snapshot = load(home).current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    return {"operation": snapshot.summary.operation.value, **snapshot.summary.additional_properties}


def _manifests(home: Path) -> int:
    table = load(home)
    snapshot = table.current_snapshot()
    return len(snapshot.manifests(table.io)) if snapshot else 0


class TestStagedFiles:
    def test_a_file_that_is_gone_is_not_published(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1])
        (tmp_path / outcome.files[0].key).unlink()

        with pytest.raises(StagedFilesMissing, match=r"part-0.parquet is gone. Materialize processed"):
            open_tables(tmp_path).publish(ORDERS, outcome, 1)
        assert open_tables(tmp_path).held("orders", DAY) is None

    def test_a_file_of_another_size_is_not_published(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1])
        with (tmp_path / outcome.files[0].key).open("ab") as file:
            file.write(b"more")

        with pytest.raises(StagedFilesMissing, match="bytes, but"):
            open_tables(tmp_path).publish(ORDERS, outcome, 1)

    def test_files_with_other_rows_than_the_outcome_says_are_not_published(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1, 2])
        wrong = outcome.model_copy(update={"objects": (outcome.objects[0].model_copy(update={"published": 3}),)})

        with pytest.raises(StagedFilesMissing, match="has 2 rows in its files, but 3 were staged"):
            open_tables(tmp_path).publish(ORDERS, wrong, 1)


class TestHeld:
    def test_nothing_is_held_before_the_first_publication(self, tmp_path: Path) -> None:
        tables = open_tables(tmp_path)

        assert tables.held("orders", DAY) is None
        assert tables.files("orders") == ()
        assert tables.names() == ()

    def test_the_table_itself_knows_what_it_holds(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1])
        publication = open_tables(tmp_path).publish(ORDERS, outcome, 17)

        held = open_tables(tmp_path).held("orders", DAY)
        assert held == publication.held
        assert (held.version, held.sequence) == (outcome.version, 17)
        assert open_tables(tmp_path).held("orders", NEXT_DAY) is None

    def test_files_can_be_asked_for_one_partition(self, tmp_path: Path) -> None:
        tables, other = open_tables(tmp_path), stage(tmp_path, [2], day=NEXT_DAY)
        tables.publish(ORDERS, stage(tmp_path, [1]), 1)
        tables.publish(ORDERS, other, 2)

        assert tables.files("orders", NEXT_DAY) == (str(tmp_path / other.files[0].key),)
        assert len(tables.files("orders")) == 2

    def test_contents_of_a_table_that_is_not_there_are_refused(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)

        with pytest.raises(TableUnknown, match=r'No published table is named "ordrs"\. Did you mean "orders"\?'):
            open_tables(tmp_path).contents("ordrs")


class TestEvolution:
    def test_a_new_table_carries_what_the_contract_says(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)

        table = load(tmp_path)
        assert (table.properties["comment"], table.properties["owner"]) == ("Orders.", "shop@example.com")
        assert table.schema().find_field("order_id").doc == "The shop's number."
        assert [field.name for field in table.spec().fields] == ["partition_date"]
        assert table.schema().fields[-1].name == "partition_date"

    def test_an_added_column_reads_null_in_older_partitions(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
        wider = contract_with(*COLUMNS, Column("note", Text()))

        open_tables(tmp_path).publish(wider, stage(tmp_path, [2], day=NEXT_DAY, contract=wider), 2)

        assert load(tmp_path).scan().to_arrow()["note"].to_pylist() == [None, None]
        assert load(tmp_path).schema().column_names[-2:] == ["note", "partition_date"]
        assert "note" in json.dumps(json.loads(load(tmp_path).properties["schema.name-mapping.default"]))

    def test_a_removed_column_stays_and_reads_null(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
        narrower = contract_with(*COLUMNS[:1])

        open_tables(tmp_path).publish(narrower, stage(tmp_path, [2], day=NEXT_DAY, contract=narrower), 2)

        assert order_ids(tmp_path) == [1, 2]
        assert load(tmp_path).scan().to_arrow()["amount"].to_pylist() == [None, None]

    @pytest.mark.parametrize(
        ("column", "expected"),
        [
            pytest.param(Column("order_id", Integer(64)), "long", id="int to bigint"),
            pytest.param(Column("amount", Decimal(14, 2)), "decimal(14, 2)", id="more digits"),
            pytest.param(Column("amount", Decimal(8, 2)), "decimal(10, 2)", id="fewer digits leave the table alone"),
        ],
    )
    def test_a_type_grows(self, tmp_path: Path, column: Column, expected: str) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
        changed = contract_with(*(column if column.name == before.name else before for before in COLUMNS))

        open_tables(tmp_path).publish(changed, stage(tmp_path, [2], day=NEXT_DAY, contract=changed), 2)

        assert str(load(tmp_path).schema().find_field(column.name).field_type) == expected
        assert order_ids(tmp_path) == [1, 2]

    def test_a_nested_field_is_added(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
        ship_to = Column("ship_to", Struct((Field("city", Text()), Field("country", Text()))))
        changed = contract_with(*COLUMNS[:3], ship_to, COLUMNS[4])

        open_tables(tmp_path).publish(changed, stage(tmp_path, [2], day=NEXT_DAY, contract=changed), 2)

        assert str(load(tmp_path).schema().find_field("ship_to.country").field_type) == "string"

    @pytest.mark.parametrize(
        ("column", "problem"),
        [
            pytest.param(Column("order_id", Text()), "Column order_id of table orders is int", id="int to string"),
            pytest.param(Column("amount", Decimal(10, 3)), "decimal\\(10, 2\\), but", id="another scale"),
            pytest.param(Column("ordered_at", Date()), "is timestamptz, but", id="instant to date"),
            pytest.param(Column("ship_to", Text()), "Column ship_to of", id="struct to string"),
            pytest.param(
                Column("ship_to", Struct((Field("city", Integer()),))), "Column ship_to.city of", id="inside a struct"
            ),
            pytest.param(
                Column("items", ListOf(Struct((Field("sku", Timestamp()),)))),
                "Column items.element.sku",
                id="in a list",
            ),
            pytest.param(Column("Amount", Decimal(10, 2)), 'is spelt "amount", but', id="another spelling"),
        ],
    )
    def test_a_type_that_cannot_grow_is_refused(self, tmp_path: Path, column: Column, problem: str) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
        name = column.name.lower()
        changed = contract_with(*(column if name == before.name else before for before in COLUMNS))

        with pytest.raises(TableIncompatible, match=problem):
            open_tables(tmp_path).publish(changed, stage(tmp_path, [], day=NEXT_DAY, contract=changed), 2)
        assert order_ids(tmp_path) == [1]


class TestUnsafeCommits:
    def test_a_commit_that_landed_unheard_is_found(self, tmp_path: Path) -> None:
        catalog = _Unheard(tmp_path, lands=True)

        publication = open_tables(tmp_path, catalog).publish(ORDERS, stage(tmp_path, [1]), 1)

        assert publication.effect is Effect.COMMITTED
        assert len(load(tmp_path).snapshots()) == 1
        assert order_ids(tmp_path) == [1]

    def test_a_commit_that_was_lost_unheard_is_made_again(self, tmp_path: Path) -> None:
        catalog = _Unheard(tmp_path, lands=False)

        publication = open_tables(tmp_path, catalog).publish(ORDERS, stage(tmp_path, [1]), 1)

        assert publication.effect is Effect.COMMITTED
        assert order_ids(tmp_path) == [1]

    def test_a_writer_that_always_loses_gives_up(self, tmp_path: Path) -> None:
        store, catalog = LocalObjectStore(tmp_path), _AlwaysLosing(tmp_path)
        tables = IcebergTables(catalog, store, longest_pause_seconds=0.0)

        with pytest.raises(PublishConflict, match=r"orders kept changing while 2026-11-20 .* \(20 attempts\)"):
            tables.publish(ORDERS, stage(tmp_path, [1]), 1)


class TestProcesses:
    def test_writers_of_different_partitions_lose_nothing(self, tmp_path: Path) -> None:
        days = [(date(2026, 10, 1) + timedelta(days=number)).isoformat() for number in range(40)]
        outcomes = [(stage(tmp_path, [number], day=day), number + 1) for number, day in enumerate(days)]

        with processes(4) as pool:
            effects = list(pool.map(publish, [str(tmp_path)] * 4, [outcomes[start::4] for start in range(4)]))

        assert {effect for part in effects for effect in part} == {"committed"}
        assert order_ids(tmp_path) == list(range(40))
        assert len(load(tmp_path).snapshots()) == 40

    def test_writers_of_one_version_publish_it_once(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1, 2])

        with processes(3) as pool:
            effects = list(pool.map(publish, [str(tmp_path)] * 3, [[(outcome, 1)]] * 3))

        assert sorted(effect for part in effects for effect in part) == ["already_held", "already_held", "committed"]
        assert order_ids(tmp_path) == [1, 2]
        assert len(load(tmp_path).snapshots()) == 1
