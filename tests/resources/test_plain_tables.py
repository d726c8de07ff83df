"""Tables for engines without Iceberg: what they show is what the Iceberg table shows, whatever happens to it."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from resources.athena import Athena
from resources.glue_place import GluePlace
from resources.glue_tables import GlueTables, open_glue_upkeep
from sluice.contract import Column
from sluice.datatypes import Integer, Text
from sluice.errors import PlainTableTaken
from sluice.maintenance.compaction import Merge
from sluice.rewinding import AtSnapshot
from tests.processes import processes
from tests.projected_tables import lay_out
from tests.resources.lake import Lake, new_lake, new_workgroup
from tests.resources.shop import COLUMNS, DAY, NEXT_DAY, ORDERS, contract_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sluice.contract import Contract
    from sluice.outcome import Outcome
    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

PLAIN = replace(ORDERS, plain_table=True)


@pytest.fixture
def lake(aws: AwsServer, tmp_path: Path) -> Lake:
    return new_lake(aws, tmp_path)


def ask(lake: Lake, sql: str, table: str = "orders_plain") -> list[tuple[object, ...]]:
    """Return what Athena answers; ministack's reads a layout of what Athena itself would read."""
    database = f"laid_out_{uuid4().hex[:8]}"
    lay_out(lake.server, lake.place.database, table, database)
    place = GluePlace(lake.place.s3, database, new_workgroup(lake))
    rows = Athena(place, lambda: ()).query(sql).rows
    return [tuple(row.values()) for row in rows.to_pylist()]


def shown(lake: Lake) -> list[tuple[object, ...]]:
    return ask(lake, "select partition_date, order_id from orders_plain order by 1, 2")


def before_writing(tables: GlueTables, act: Callable[[], object]) -> None:
    """Have something happen once, right before these tables write a listing."""
    acts = [act]

    def happen(**_: object) -> None:
        if acts:
            acts.pop()()

    tables.plain.s3.meta.events.register("before-call.s3.PutObject", happen)


def listings(lake: Lake) -> list[object]:
    """Return every version of the listing of DAY that there has been."""
    prefix = f"{lake.place.s3.prefix}plain/orders/partition_date={DAY}/"
    found = lake.server.client("s3").list_object_versions(Bucket=lake.place.s3.bucket, Prefix=prefix)
    return list(found["Versions"])


def publish_all(lake: Lake, outcomes: list[tuple[Outcome, int]]) -> None:
    tables = lake.tables()
    for outcome, sequence in outcomes:
        tables.publish(PLAIN, outcome, sequence)


class _Killed(GlueTables):
    """A process that dies right behind the Iceberg commit."""

    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> None:  # type: ignore[override]
        self.plain.follow = lambda *_: os._exit(9)  # type: ignore[method-assign]
        super().publish(contract, outcome, sequence)


def publish_and_die(lake: Lake, outcome: Outcome) -> None:
    _Killed(lake.place, lake.store).publish(PLAIN, outcome, 2)


class TestFollowing:
    def test_athena_reads_what_is_published(self, lake: Lake) -> None:
        lake.tables().publish(PLAIN, lake.stage([1, 2]), 1)

        assert shown(lake) == [(DAY, 1), (DAY, 2)]

    def test_without_the_contracts_word_there_is_none(self, lake: Lake) -> None:
        lake.tables().publish(ORDERS, lake.stage([1]), 1)

        assert not lake.tables().plain.exists("orders")

    def test_a_newer_version_replaces_its_partition_and_no_other(self, lake: Lake) -> None:
        lake.tables().publish(PLAIN, lake.stage([1, 2]), 1)
        lake.tables().publish(PLAIN, lake.stage([3], day=NEXT_DAY), 2)

        lake.tables().publish(PLAIN, lake.stage([7], fingerprint="b" * 16), 3)

        assert shown(lake) == [(DAY, 7), (NEXT_DAY, 3)]

    def test_no_byte_of_data_is_copied(self, lake: Lake) -> None:
        outcome = lake.stage([1])
        lake.tables().publish(PLAIN, outcome, 1)

        files = lay_out(lake.server, lake.place.database, "orders_plain", "laid_out_here")

        assert files == [lake.store.uri(outcome.files[0].key)]
        assert [item.key for item in lake.store.list("plain/")] == [f"plain/orders/partition_date={DAY}/symlink.txt"]

    def test_partitions_from_before_the_contract_asked_for_it_are_shown(self, lake: Lake) -> None:
        lake.tables().publish(ORDERS, lake.stage([1]), 1)

        lake.tables().publish(PLAIN, lake.stage([3], day=NEXT_DAY), 2)

        assert shown(lake) == [(DAY, 1), (NEXT_DAY, 3)]

    def test_dates_between_partitions_have_no_rows(self, lake: Lake) -> None:
        lake.tables().publish(PLAIN, lake.stage([1], day="2026-11-01"), 1)
        lake.tables().publish(PLAIN, lake.stage([2], day="2026-11-09"), 2)

        assert shown(lake) == [("2026-11-01", 1), ("2026-11-09", 2)]
        parameters = lake.in_glue("orders_plain")["Parameters"]
        assert parameters["projection.partition_date.range"] == "2026-11-01,2026-11-09"

    def test_a_partition_without_rows_is_empty(self, lake: Lake) -> None:
        lake.tables().publish(PLAIN, lake.stage([1, 2]), 1)
        lake.tables().publish(PLAIN, lake.stage([3], day=NEXT_DAY), 2)

        lake.tables().publish(PLAIN, lake.stage([], fingerprint="b" * 16), 3)

        assert shown(lake) == [(NEXT_DAY, 3)]

    def test_a_column_that_was_added_is_there(self, lake: Lake) -> None:
        lake.tables().publish(PLAIN, lake.stage([1]), 1)
        wider = replace(contract_with(*COLUMNS, Column("note", Text(), description="New.")), plain_table=True)

        lake.tables().publish(wider, lake.stage([2], day=NEXT_DAY, contract=wider), 2)

        rows = ask(lake, "select order_id, note from orders_plain order by 1")
        assert rows == [(1, None), (2, None)]
        columns = lake.in_glue("orders_plain")["StorageDescriptor"]["Columns"]
        assert {"Name": "note", "Type": "string", "Comment": "New."} in [
            {name: value for name, value in item.items() if name != "Parameters"} for item in columns
        ]

    def test_a_rewind_takes_it_back(self, lake: Lake) -> None:
        first = lake.tables().publish(PLAIN, lake.stage([1]), 1)
        lake.tables().publish(PLAIN, lake.stage([2], fingerprint="b" * 16), 2)

        lake.tables().rewind("orders", AtSnapshot(first.held.snapshot_id), why="wrong", rewound_by="test")

        assert shown(lake) == [(DAY, 1)]

    def test_labels_are_told_as_of_the_iceberg_table(self, lake: Lake) -> None:
        contract = contract_with(Column("order_id", Integer(64), classification="personal"))
        lake.tables().publish(replace(contract, plain_table=True), lake.stage([1], contract=contract), 1)

        table = lake.in_glue("orders_plain")
        assert table["Parameters"]["pii"] == "true"
        assert table["StorageDescriptor"]["Columns"][0]["Parameters"] == {"classification": "personal", "pii": "true"}
        assert (table["Owner"], table["Description"]) == ("shop@example.com", "Orders.")

    def test_a_table_of_somebody_else_is_not_touched(self, lake: Lake) -> None:
        lake.tables().publish(ORDERS, lake.stage([1]), 1)
        theirs = {"Name": "orders_plain", "Parameters": {"made-by": "hand"}}
        lake.server.client("glue").create_table(DatabaseName=lake.place.database, TableInput=theirs)

        with pytest.raises(PlainTableTaken, match="has a table orders_plain already"):
            lake.tables().publish(PLAIN, lake.stage([2], day=NEXT_DAY), 2)
        assert lake.in_glue("orders_plain")["Parameters"] == {"made-by": "hand"}


class TestRacesAndDeaths:
    def test_who_died_behind_the_commit_finishes_when_it_runs_again(self, lake: Lake) -> None:
        lake.tables().publish(PLAIN, lake.stage([1]), 1)
        newer = lake.stage([2], fingerprint="b" * 16)
        process = multiprocessing.get_context("spawn").Process(target=publish_and_die, args=(lake, newer))
        process.start()
        process.join()
        assert (process.exitcode, lake.order_ids(), shown(lake)) == (9, [2], [(DAY, 1)])

        lake.tables().publish(PLAIN, newer, 2)

        assert shown(lake) == [(DAY, 2)]

    def test_writers_at_once_end_with_what_the_table_shows(self, lake: Lake) -> None:
        versions = [(lake.stage([number], fingerprint=f"{number:016x}"), number) for number in range(1, 21)]
        days = [(lake.stage([100 + day], day=f"2026-10-{day:02}"), 1) for day in range(1, 13)]
        work = versions + days

        with processes(4) as pool:
            list(pool.map(publish_all, [lake] * 4, [work[writer::4] for writer in range(4)]))

        assert shown(lake) == [(f"2026-10-{day:02}", 100 + day) for day in range(1, 13)] + [(DAY, 20)]

    def test_an_old_listing_never_replaces_a_newer_one(self, lake: Lake) -> None:
        """Another writer publishes and follows between this one's look at the table and its writing."""
        lake.tables().publish(PLAIN, lake.stage([1]), 1)
        second, third = lake.stage([2], fingerprint="b" * 16), lake.stage([3], fingerprint="c" * 16)
        slow = lake.tables()

        before_writing(slow, lambda: lake.tables().publish(PLAIN, third, 3))
        slow.publish(PLAIN, second, 2)

        assert shown(lake) == [(DAY, 3)]
        assert len(listings(lake)) == 2  # of the first version and of the third

    def test_a_listing_that_went_there_and_back_is_looked_at_again(self, lake: Lake) -> None:
        """The listing that this writer meets is the one that it read, and yet its own is old."""
        first = lake.tables().publish(PLAIN, lake.stage([1]), 1)
        second, third = lake.stage([2], fingerprint="b" * 16), lake.stage([3], fingerprint="c" * 16)
        slow = lake.tables()

        def go_there_and_back() -> None:
            lake.tables().publish(PLAIN, third, 3)
            lake.tables().rewind("orders", AtSnapshot(first.held.snapshot_id), why="wrong", rewound_by="test")

        before_writing(slow, go_there_and_back)
        slow.publish(PLAIN, second, 2)

        assert lake.order_ids() == [1]
        assert shown(lake) == [(DAY, 1)]


class TestUpkeep:
    def test_compacted_files_are_shown_there_too(self, lake: Lake) -> None:
        lake.tables().publish(PLAIN, lake.stage([1, 2]), 1)
        upkeep = open_glue_upkeep(lake.place, lake.store)
        state = upkeep.state("orders")
        assert state is not None
        merged = lake.stage([1, 2], fingerprint="c" * 16)
        merge = Merge(DAY, state.held[DAY].version, state.files)

        upkeep.compact("orders", {merge: merged.files[0].key})

        assert lay_out(lake.server, lake.place.database, "orders_plain", "laid_out_now") == [
            lake.store.uri(merged.files[0].key)
        ]

    def test_what_a_listing_names_is_needed(self, lake: Lake) -> None:
        lake.tables().publish(PLAIN, lake.stage([1]), 1)
        key = f"plain/orders/partition_date={NEXT_DAY}/symlink.txt"
        file = lake.store.uri("processed/orders/somewhere/part-0.parquet")
        lake.server.client("s3").put_object(
            Bucket=lake.place.s3.bucket, Key=lake.place.s3.prefix + key, Body=f"{file}\n".encode()
        )

        needed = open_glue_upkeep(lake.place, lake.store).references("orders")

        assert "processed/orders/somewhere/part-0.parquet" in needed
