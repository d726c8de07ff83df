"""What is merged and what is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sluice.maintenance.compaction import choose_merges
from sluice.maintenance.expiry import choose_expired
from sluice.maintenance.policy import MaintenancePolicy
from sluice.maintenance.table_state import TableFile, TableState
from sluice.publishing import Held
from sluice.rewinding import Commit
from sluice.version import Version

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY, NEXT_DAY = "2026-11-10", "2026-11-11"
VERSION = Version("a" * 16, "b" * 12, "1")
POLICY = MaintenancePolicy(keep_snapshots=2, keep_days=7, target_file_bytes=100)


def table(*files: TableFile, commits: tuple[Commit, ...] = (), **further: object) -> TableState:
    held = {file.partition: Held(VERSION, 1, 1) for file in files}
    return replace(TableState("orders", held, files, commits), **further)  # type: ignore[arg-type]  # its fields


def file(name: str, size_bytes: int, day: str = DAY) -> TableFile:
    return TableFile(day, f"processed/orders/date={day}/{VERSION}/{name}", 10, size_bytes)


def commit(number: int, days_ago: float) -> Commit:
    return Commit(number, number, NOW - timedelta(days=days_ago), {})


def chosen(*files: TableFile, commits: tuple[Commit, ...] = ()) -> list[list[str]]:
    merges = choose_merges(table(*files, commits=commits), POLICY, NOW)
    return [[item.key[-1] for item in merge.files] for merge in merges]


class TestMerges:
    def test_small_files_of_a_partition_become_one(self) -> None:
        assert chosen(file("a", 10), file("b", 20), file("c", 30)) == [["a", "b", "c"]]

    def test_a_merge_is_no_larger_than_the_target(self) -> None:
        assert chosen(*(file(name, 40) for name in "abcd")) == [["a", "b"], ["c", "d"]]

    def test_a_file_of_half_the_target_is_left_alone(self) -> None:
        assert chosen(file("a", 50), file("b", 10), file("c", 10)) == [["b", "c"]]

    def test_a_single_small_file_is_left_alone(self) -> None:
        assert chosen(file("a", 10), file("b", 90)) == []

    def test_files_of_two_partitions_are_never_merged(self) -> None:
        assert chosen(file("a", 10), file("b", 10, NEXT_DAY)) == []

    def test_a_partition_that_is_still_growing_is_left_alone(self) -> None:
        files = (file("a", 10), file("b", 10))

        assert chosen(*files, commits=(commit(1, 0.5),)) == []
        assert chosen(*files, commits=(commit(1, 1.5),)) == [["a", "b"]]

    def test_what_came_of_a_merge_is_not_merged_again(self) -> None:
        (merge,) = choose_merges(table(*(file(name, 20) for name in "abc")), POLICY, NOW)

        assert chosen(file("x", merge.size_bytes)) == []


class TestExpiry:
    def test_old_snapshots_beyond_the_newest_are_forgotten(self) -> None:
        commits = tuple(commit(number, 30 - number) for number in range(1, 6))

        assert choose_expired(table(commits=commits), POLICY, NOW) == (1, 2, 3)

    def test_a_young_snapshot_stays_however_many_there_are(self) -> None:
        commits = tuple(commit(number, 6) for number in range(1, 6))

        assert choose_expired(table(commits=commits), POLICY, NOW) == ()

    def test_the_newest_ones_stay_however_old_they_are(self) -> None:
        assert choose_expired(table(commits=(commit(1, 300), commit(2, 200))), POLICY, NOW) == ()

    def test_a_pinned_snapshot_stays(self) -> None:
        commits = tuple(commit(number, 30) for number in range(1, 5))

        assert choose_expired(table(commits=commits, pinned=frozenset({1})), POLICY, NOW) == (2,)

    @pytest.mark.parametrize("keep", [0, 1])
    def test_the_last_snapshot_is_never_forgotten(self, keep: int) -> None:
        policy = replace(POLICY, keep_snapshots=keep, keep_days=0)

        assert choose_expired(table(commits=(commit(1, 9),)), policy, NOW) == ()
