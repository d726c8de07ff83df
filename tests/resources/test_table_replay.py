"""Showing, in a real Iceberg table, what was built again from earlier manifests."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from pyiceberg.catalog.sql import SqlCatalog

from resources.tables import Effect
from sluice.replaying import Return
from sluice.rewinding import AtSnapshot
from tests.resources.shop import DAY, NEXT_DAY, ORDERS, load, open_catalog, open_tables, order_ids, stage

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import CommitTableResponse, Table
    from pyiceberg.table.update import TableRequirement, TableUpdate

    from sluice.outcome import Outcome
    from sluice.rewinding import Rewind

AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Shop:
    """Two days that were corrected since: the table shows their newest manifests, 3 and 4."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.first = [stage(home, [1, 2]), stage(home, [5], day=NEXT_DAY)]
        self.newest = [
            stage(home, [1, 2, 3], fingerprint="b" * 16),
            stage(home, [5, 6], day=NEXT_DAY, fingerprint="b" * 16),
        ]
        publish(home, self.first[0], 1)
        publish(home, self.newest[0], 3)
        publish(home, self.newest[1], 4)

    @property
    def returns(self) -> list[Return]:
        (day, next_day), (newest, next_newest) = self.first, self.newest
        return [Return(day, newest.version, 3), Return(next_day, next_newest.version, 4)]

    def replay(self, *returns: Return, catalog: Catalog | None = None) -> Rewind:
        asked = returns or self.returns
        return open_tables(self.home, catalog).replay(ORDERS, asked, as_of=AS_OF, why="audit", replayed_by="ann")

    @property
    def snapshots(self) -> int:
        return len(load(self.home).snapshots())


def publish(home: Path, outcome: Outcome, sequence: int) -> Effect:
    return open_tables(home).publish(ORDERS, outcome, sequence).effect


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_all_partitions_are_shown_in_one_commit_also_one_that_was_never_published_so(shop: Shop) -> None:
    before = shop.snapshots

    done = shop.replay()

    assert order_ids(shop.home) == [1, 2, 5]
    assert shop.snapshots == before + 1
    assert [(step.partition, step.target) for step in done.steps] == [
        (DAY, shop.first[0].version),
        (NEXT_DAY, shop.first[1].version),
    ]


def test_what_was_known_then_does_not_undo_it(shop: Shop) -> None:
    shop.replay()

    assert publish(shop.home, shop.newest[0], 3) is Effect.REWOUND
    assert publish(shop.home, shop.first[0], 1) is Effect.SUPERSEDED  # a slow writer of long ago
    assert order_ids(shop.home, DAY) == [1, 2]


def test_what_arrives_later_does(shop: Shop) -> None:
    shop.replay()

    assert publish(shop.home, stage(shop.home, [9], fingerprint="c" * 16), 7) is Effect.COMMITTED
    assert order_ids(shop.home, DAY) == [9]


def test_repeating_it_writes_nothing_and_still_names_its_partitions(shop: Shop) -> None:
    shop.replay()
    before = load(shop.home).metadata_location

    again = shop.replay()

    assert load(shop.home).metadata_location == before
    assert again.changes == ()
    assert [step.partition for step in again.steps] == [DAY, NEXT_DAY]


def test_a_replay_of_the_newest_manifest_is_the_way_back(shop: Shop) -> None:
    shop.replay()
    newest = shop.newest[0]

    done = shop.replay(Return(newest, newest.version, 3))

    assert order_ids(shop.home, DAY) == [1, 2, 3]
    assert DAY not in open_tables(shop.home).taken_back("orders")
    assert done.steps[0].taken_back == frozenset()


def test_a_rewind_to_before_it_is_a_way_back_too(shop: Shop) -> None:
    done = shop.replay()
    assert done.newest is not None

    open_tables(shop.home).rewind("orders", AtSnapshot(done.newest), None, why="-", rewound_by="-")

    assert order_ids(shop.home) == [1, 2, 3, 5, 6]
    assert open_tables(shop.home).taken_back("orders") == {}


def test_a_newest_manifest_that_was_never_published_is_kept_out_as_well(shop: Shop) -> None:
    pending = stage(shop.home, [8, 9], fingerprint="d" * 16)

    shop.replay(Return(shop.newest[0], pending.version, 6))

    assert publish(shop.home, pending, 6) is Effect.REWOUND
    assert order_ids(shop.home, DAY) == [1, 2, 3]


def test_the_snapshot_says_as_of_when_by_whom_and_why(shop: Shop) -> None:
    shop.replay()

    snapshot = load(shop.home).current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    said = snapshot.summary.additional_properties
    assert said["sluice.replayed-as-of"] == AS_OF.isoformat()
    assert (said["sluice.replayed-by"], said["sluice.why"]) == ("ann", "audit")


class _Overtaken(SqlCatalog):
    """Lets another writer publish right before the first commit."""

    def __init__(self, home: Path, outcome: Outcome) -> None:
        super().__init__("sluice", **open_catalog(home).properties)
        self._home, self._outcome = home, outcome
        self.is_overtaken = False

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        if not self.is_overtaken:
            self.is_overtaken = True
            publish(self._home, self._outcome, 8)
        return super().commit_table(table, requirements, updates)


def test_a_race_that_is_lost_is_decided_anew(shop: Shop) -> None:
    other = stage(shop.home, [20], day="2026-11-01", fingerprint="f" * 16)

    shop.replay(catalog=_Overtaken(shop.home, other))

    assert order_ids(shop.home) == [1, 2, 5, 20]


class _Killed(SqlCatalog):
    """Kills its process at a given moment of a commit."""

    def __init__(self, home: Path, moment: str) -> None:
        super().__init__("sluice", **open_catalog(home).properties)
        self._moment = moment

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        self._kill_at("before the commit")
        sa.event.listen(self.engine, "commit", lambda _: self._kill_at("before the pointer moves"))
        response = super().commit_table(table, requirements, updates)
        self._kill_at("after the commit")
        return response

    def _kill_at(self, moment: str) -> None:
        if moment == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)


def _replay_and_die(home: str, returns: list[Return], moment: str) -> None:
    tables = open_tables(Path(home), _Killed(Path(home), moment))
    tables.replay(ORDERS, returns, as_of=AS_OF, why="audit", replayed_by="ann")


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        pytest.param("before the commit", [1, 2, 3, 5, 6], id="before"),
        pytest.param("before the pointer moves", [1, 2, 3, 5, 6], id="between"),
        pytest.param("after the commit", [1, 2, 5], id="after"),
    ],
)
def test_a_killed_replay_leaves_the_old_state_or_the_new_one_and_is_done_again(
    shop: Shop, moment: str, left: list[int]
) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_replay_and_die, args=(str(shop.home), shop.returns, moment)
    )
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    assert order_ids(shop.home) == left
    shop.replay()
    assert order_ids(shop.home) == [1, 2, 5]
    assert shop.snapshots == 4
