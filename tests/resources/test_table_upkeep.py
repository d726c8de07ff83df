"""Tables are made smaller while they show the same rows, and while others write to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.object_store import LocalObjectStore
from resources.partition_overwrite import PartitionOverwrite, PartitionTransaction
from resources.table_upkeep import IcebergUpkeep
from sluice.errors import RewindRefused, StagedFilesMissing
from sluice.maintenance.compaction import Merge, choose_merges
from sluice.maintenance.policy import MaintenancePolicy
from sluice.maintenance.rewriting import rewrite
from sluice.outcome import Outcome, StagedFile
from sluice.publishing import Effect
from sluice.rewinding import AtSnapshot
from tests.resources.shop import DAY, NEXT_DAY, ORDERS, load, open_catalog, open_tables, order_ids, stage

if TYPE_CHECKING:
    from pathlib import Path

LATER = datetime.now(UTC) + timedelta(days=9)


def in_parts(home: Path, *parts: list[int], day: str = DAY, fingerprint: str = "a" * 16) -> Outcome:
    """One version of several files."""
    staged = []
    outcome = stage(home, [], day=day, fingerprint=fingerprint)
    for number, ids in enumerate(parts):
        outcome = stage(home, ids, day=day, fingerprint=fingerprint)
        key = outcome.files[0].key.replace("part-0", f"part-{number + 1}")
        (home / outcome.files[0].key).rename(home / key)
        staged.append(StagedFile(key=key, records=len(ids), size_bytes=(home / key).stat().st_size))
    balance = outcome.objects[0].model_copy(
        update={"records_in": sum(map(len, parts)), "published": sum(map(len, parts))}
    )
    return outcome.model_copy(update={"files": tuple(staged), "objects": (balance,)})


def upkeep(home: Path) -> IcebergUpkeep:
    return IcebergUpkeep(open_catalog(home), LocalObjectStore(home))


def written(home: Path) -> dict[Merge, str]:
    """Choose and write, but do not commit yet."""
    state = upkeep(home).state("orders")
    assert state is not None
    merges = choose_merges(state, MaintenancePolicy(), LATER)
    keys = {merge: f"processed/orders/date={merge.partition}/{merge.version}/compacted.parquet" for merge in merges}
    counts = [rewrite([home / file.key for file in merge.files], home / key) for merge, key in keys.items()]
    assert counts == [merge.records for merge in merges]
    return keys


def compact(home: Path) -> tuple[Merge, ...]:
    return upkeep(home).compact("orders", written(home))


class TestCompaction:
    def test_the_table_shows_the_same_rows_in_one_file(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, in_parts(tmp_path, [1], [2], [3]), 1)

        compact(tmp_path)

        assert order_ids(tmp_path) == [1, 2, 3]
        assert len(open_tables(tmp_path).files("orders")) == 1

    def test_many_partitions_are_compacted_in_one_commit(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, in_parts(tmp_path, [1], [2]), 1)
        open_tables(tmp_path).publish(ORDERS, in_parts(tmp_path, [3], [4], day=NEXT_DAY), 2)

        assert {merge.partition for merge in compact(tmp_path)} == {DAY, NEXT_DAY}

        assert order_ids(tmp_path) == [1, 2, 3, 4]
        assert len(load(tmp_path).snapshots()) == 3

    def test_the_partition_holds_what_it_held(self, tmp_path: Path) -> None:
        outcome = in_parts(tmp_path, [1], [2])
        held = open_tables(tmp_path).publish(ORDERS, outcome, 1).held

        compact(tmp_path)

        assert open_tables(tmp_path).held("orders", DAY) == held
        assert open_tables(tmp_path).publish(ORDERS, outcome, 1).effect is Effect.ALREADY_HELD
        assert order_ids(tmp_path) == [1, 2]

    def test_a_newer_version_replaces_what_was_compacted(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, in_parts(tmp_path, [1], [2]), 1)
        compact(tmp_path)

        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [7], fingerprint="b" * 16), 2)

        assert order_ids(tmp_path) == [7]

    def test_a_rewind_goes_past_a_compaction_and_back(self, tmp_path: Path) -> None:
        tables = open_tables(tmp_path)
        tables.publish(ORDERS, in_parts(tmp_path, [1], [2]), 1)
        compact(tmp_path)
        compacted = load(tmp_path).current_snapshot()
        tables.publish(ORDERS, stage(tmp_path, [7], fingerprint="b" * 16), 2)
        assert compacted is not None

        tables.rewind("orders", AtSnapshot(compacted.snapshot_id), why="bad", rewound_by="me")

        assert order_ids(tmp_path) == [1, 2]
        assert [file.rpartition("/")[2] for file in tables.files("orders")] == ["compacted.parquet"]

    def test_a_rewind_to_before_it_changes_nothing_of_the_same_version(self, tmp_path: Path) -> None:
        tables = open_tables(tmp_path)
        first = tables.publish(ORDERS, in_parts(tmp_path, [1], [2]), 1).held
        compact(tmp_path)

        rewind = tables.rewind("orders", AtSnapshot(first.snapshot_id), why="bad", rewound_by="me")

        assert rewind.steps == ()
        assert order_ids(tmp_path) == [1, 2]

    def test_a_writer_that_was_faster_wins(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, in_parts(tmp_path, [1], [2]), 1)
        open_tables(tmp_path).publish(ORDERS, in_parts(tmp_path, [3], [4], day=NEXT_DAY), 2)
        merges = written(tmp_path)
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [7], fingerprint="b" * 16), 3)

        done = upkeep(tmp_path).compact("orders", merges)

        assert [merge.partition for merge in done] == [NEXT_DAY]
        assert order_ids(tmp_path) == [3, 4, 7]

    def test_doing_it_twice_is_doing_it_once(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, in_parts(tmp_path, [1], [2]), 1)
        merges = written(tmp_path)
        upkeep(tmp_path).compact("orders", merges)

        assert upkeep(tmp_path).compact("orders", merges) == tuple(merges)

        assert order_ids(tmp_path) == [1, 2]
        assert len(load(tmp_path).snapshots()) == 2


class TestExpiry:
    def test_forgotten_snapshots_cannot_be_gone_back_to_and_the_error_says_so(self, tmp_path: Path) -> None:
        tables = open_tables(tmp_path)
        first = tables.publish(ORDERS, stage(tmp_path, [1]), 1).held
        tables.publish(ORDERS, stage(tmp_path, [2], fingerprint="b" * 16), 2)

        upkeep(tmp_path).expire("orders", [first.snapshot_id])

        with pytest.raises(RewindRefused, match=r"does not know a snapshot .* maintenance\.keep_days"):
            tables.plan_rewind("orders", AtSnapshot(first.snapshot_id))
        assert order_ids(tmp_path) == [2]

    def test_the_newest_snapshot_is_kept_whatever_is_asked(self, tmp_path: Path) -> None:
        held = open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1).held

        upkeep(tmp_path).expire("orders", [held.snapshot_id])

        assert order_ids(tmp_path) == [1]

    def test_a_table_needs_the_files_of_every_snapshot_that_it_knows(self, tmp_path: Path) -> None:
        old, new = stage(tmp_path, [1]), stage(tmp_path, [2], fingerprint="b" * 16)
        first = open_tables(tmp_path).publish(ORDERS, old, 1).held
        open_tables(tmp_path).publish(ORDERS, new, 2)

        assert {old.files[0].key, new.files[0].key} <= upkeep(tmp_path).references("orders")

        upkeep(tmp_path).expire("orders", [first.snapshot_id])
        assert old.files[0].key not in upkeep(tmp_path).references("orders")

    def test_all_metadata_of_a_table_is_needed_until_it_is_forgotten(self, tmp_path: Path) -> None:
        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
        there = {str(path.relative_to(tmp_path)) for path in (tmp_path / "tables").rglob("*") if path.is_file()}

        state = upkeep(tmp_path).state("orders")

        assert there <= upkeep(tmp_path).references("orders")
        assert state is not None
        assert {key.startswith(state.folder or "?") for key in there} == {True}

    def test_what_a_known_snapshot_shows_is_told_by_the_commit_behind_it(self, tmp_path: Path) -> None:
        tables = open_tables(tmp_path)
        tables.publish(ORDERS, stage(tmp_path, [1]), 1)
        tables.publish(ORDERS, stage(tmp_path, [2], day=NEXT_DAY), 2)
        table = load(tmp_path)
        transaction = PartitionTransaction(table)
        said = {f"sluice.showed.{DAY}": "a-b-1"}
        PartitionOverwrite(transaction, table.io, said, [], []).commit()
        transaction.commit_transaction()

        state = upkeep(tmp_path).state("orders")

        assert state is not None
        assert state.showed == {DAY: frozenset({"a-b-1"})}


class TestLostFiles:
    def test_a_published_file_that_is_gone_is_found(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1])
        open_tables(tmp_path).publish(ORDERS, outcome, 1)

        (tmp_path / outcome.files[0].key).unlink()

        assert [file.key for file in upkeep(tmp_path).missing("orders")] == [outcome.files[0].key]

    def test_publishing_the_same_version_shows_the_files_that_were_staged_anew(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1, 2])
        open_tables(tmp_path).publish(ORDERS, outcome, 1)
        again = in_parts(tmp_path, [1], [2])  # it has taken the first file away

        publication = open_tables(tmp_path).publish(ORDERS, again, 1)

        assert publication.effect is Effect.COMMITTED
        assert order_ids(tmp_path) == [1, 2]
        assert upkeep(tmp_path).missing("orders") == ()

    def test_nothing_is_published_whose_own_files_are_gone(self, tmp_path: Path) -> None:
        outcome = stage(tmp_path, [1])
        open_tables(tmp_path).publish(ORDERS, outcome, 1)
        (tmp_path / outcome.files[0].key).unlink()

        with pytest.raises(StagedFilesMissing):
            open_tables(tmp_path).publish(ORDERS, outcome, 1)

    def test_an_older_manifest_does_not_mend_a_newer_one(self, tmp_path: Path) -> None:
        new = stage(tmp_path, [2], fingerprint="b" * 16)
        open_tables(tmp_path).publish(ORDERS, new, 2)
        (tmp_path / new.files[0].key).unlink()

        assert open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1).effect is Effect.SUPERSEDED


def test_there_is_nothing_to_do_without_a_table(tmp_path: Path) -> None:
    nothing = replace(upkeep(tmp_path))

    assert nothing.state("orders") is None
    assert nothing.missing("orders") == ()
    assert nothing.references("orders") == frozenset()
    assert nothing.compact("orders", {}) == ()
