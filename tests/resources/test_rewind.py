"""Taking a real Iceberg table back to what it showed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException

from resources.iceberg_tables import IcebergTables
from resources.object_store import LocalObjectStore
from resources.tables import Effect
from sluice.contract import Column
from sluice.datatypes import Text
from sluice.errors import PublishConflict, RewindRefused, TableUnknown
from sluice.rewinding import NOTHING, AtSnapshot, AtTime, BeforeRun
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

    from pyiceberg.table import CommitTableResponse, Table
    from pyiceberg.table.update import TableRequirement, TableUpdate

    from sluice.outcome import Outcome
    from sluice.rewinding import Rewind

    Requirements = tuple[TableRequirement, ...]
    Updates = tuple[TableUpdate, ...]


class Shop:
    """A table whose first day was published well, and then badly; its next day in between."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.tables = open_tables(home)
        self.good, self.bad = stage(home, [1, 2]), stage(home, [7, 8, 9], fingerprint="b" * 16)
        self.tables.publish(ORDERS, self.good, 1)
        self.point = AtSnapshot(self.newest)
        self.tables.publish(ORDERS, stage(home, [5], day=NEXT_DAY), 2)
        self.tables.publish(ORDERS, self.bad, 3)

    @property
    def newest(self) -> int:
        snapshot = load(self.home).current_snapshot()
        assert snapshot is not None
        return snapshot.snapshot_id

    def rewind(self, point: AtSnapshot | None = None, day: str | None = DAY) -> Rewind:
        return self.tables.rewind("orders", point or self.point, day, why="wrong prices", rewound_by="ann")

    def publish(self, outcome: Outcome, sequence: int) -> Effect:
        return self.tables.publish(ORDERS, outcome, sequence).effect


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_partition_goes_back_in_one_commit_and_its_neighbours_stay(shop: Shop) -> None:
    snapshots = len(load(shop.home).snapshots())

    (step,) = shop.rewind().changes

    assert (step.shown, step.target) == (shop.bad.version, shop.good.version)
    assert order_ids(shop.home, DAY) == [1, 2]
    assert order_ids(shop.home, NEXT_DAY) == [5]
    assert len(load(shop.home).snapshots()) == snapshots + 1


def test_a_whole_table_goes_back_in_one_commit(shop: Shop) -> None:
    snapshots = len(load(shop.home).snapshots())

    shop.rewind(day=None)

    assert order_ids(shop.home) == [1, 2]
    assert len(load(shop.home).snapshots()) == snapshots + 1


def test_a_partition_first_published_after_that_point_is_empty_and_held(shop: Shop) -> None:
    shop.rewind(day=NEXT_DAY)

    held = shop.tables.held("orders", NEXT_DAY)
    assert held is not None
    assert held.version == NOTHING
    assert shop.tables.files("orders", NEXT_DAY) == ()
    assert order_ids(shop.home, DAY) == [7, 8, 9]


def test_planning_changes_nothing(shop: Shop) -> None:
    before = load(shop.home).metadata_location

    assert len(shop.tables.plan_rewind("orders", shop.point).changes) == 2
    assert load(shop.home).metadata_location == before


def test_the_same_rewind_again_writes_nothing_and_still_names_its_partition(shop: Shop) -> None:
    shop.rewind()
    before = load(shop.home).metadata_location

    again = shop.rewind()

    assert again.changes == ()
    assert [step.partition for step in again.steps] == [DAY]
    assert load(shop.home).metadata_location == before


def test_the_snapshot_says_who_went_back_and_why(shop: Shop) -> None:
    shop.rewind()

    snapshot = load(shop.home).current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    said = snapshot.summary.additional_properties
    assert said["sluice.why"] == "wrong prices"
    assert said["sluice.rewound-by"] == "ann"
    assert said["sluice.rewound-to"] == str(shop.point.snapshot_id)


class TestWhatWasTakenBack:
    def test_does_not_come_back_by_delivery(self, shop: Shop) -> None:
        shop.rewind()

        assert shop.publish(shop.bad, 3) is Effect.REWOUND
        assert shop.publish(shop.bad, 9) is Effect.REWOUND
        assert order_ids(shop.home, DAY) == [1, 2]
        assert shop.tables.taken_back("orders") == {DAY: {shop.bad.version}}

    def test_gives_way_to_a_corrected_file_and_stays_out_behind_it(self, shop: Shop) -> None:
        shop.rewind()

        assert shop.publish(stage(shop.home, [1, 2, 3], fingerprint="c" * 16), 4) is Effect.COMMITTED
        assert shop.publish(shop.bad, 5) is Effect.REWOUND
        assert order_ids(shop.home, DAY) == [1, 2, 3]

    def test_leaves_no_gap_for_a_slow_writer_of_an_older_manifest(self, shop: Shop) -> None:
        shop.rewind()

        assert shop.publish(stage(shop.home, [6], fingerprint="d" * 16), 2) is Effect.SUPERSEDED

    def test_is_shown_again_when_the_rewind_is_undone(self, shop: Shop) -> None:
        bad = AtSnapshot(shop.newest)
        shop.rewind()

        shop.rewind(bad)

        assert order_ids(shop.home, DAY) == [7, 8, 9]
        assert shop.tables.taken_back("orders") == {}
        assert shop.publish(shop.bad, 3) is Effect.ALREADY_HELD
        assert shop.publish(shop.good, 4) is Effect.COMMITTED

    def test_may_be_published_to_another_partition(self, shop: Shop) -> None:
        shop.rewind()

        assert shop.publish(stage(shop.home, [4], day=NEXT_DAY, fingerprint="b" * 16), 4) is Effect.COMMITTED

    def test_includes_all_that_was_shown_since(self, shop: Shop) -> None:
        worse = stage(shop.home, [10], fingerprint="c" * 16)
        shop.publish(worse, 4)

        shop.rewind()

        assert shop.tables.taken_back("orders")[DAY] == {shop.bad.version, worse.version}


class TestPoints:
    def test_a_run_is_taken_back_with_all_that_came_after_it(self, shop: Shop) -> None:
        later = stage(shop.home, [11], fingerprint="e" * 16).model_copy(update={"run_id": "8d1f9a2b-77"})
        shop.publish(later, 4)

        shop.tables.rewind("orders", BeforeRun("8d1f9a2b"), why="-", rewound_by="-")

        assert order_ids(shop.home, DAY) == [7, 8, 9]

    def test_the_first_run_of_all_leaves_an_empty_table(self, shop: Shop) -> None:
        shop.tables.rewind("orders", BeforeRun("run-1"), why="-", rewound_by="-")

        assert order_ids(shop.home) == []

    def test_an_instant_is_what_was_shown_then(self, shop: Shop) -> None:
        then = load(shop.home).snapshots()[0].timestamp_ms
        instant = datetime.fromtimestamp(then / 1000, UTC)

        shop.tables.rewind("orders", AtTime(instant), why="-", rewound_by="-")

        assert order_ids(shop.home) == [1, 2]

    def test_an_instant_before_the_first_commit_is_refused(self, shop: Shop) -> None:
        instant = datetime.now(UTC) - timedelta(days=1)

        with pytest.raises(RewindRefused, match=f"oldest that it knows is snapshot {shop.point.snapshot_id}"):
            shop.tables.plan_rewind("orders", AtTime(instant))

    def test_a_snapshot_that_is_not_kept_any_more_is_refused(self, shop: Shop) -> None:
        short = IcebergTables(open_catalog(shop.home), LocalObjectStore(shop.home), kept_snapshots=2)
        short.publish(ORDERS, stage(shop.home, [3], fingerprint="c" * 16), 4)

        with pytest.raises(RewindRefused, match="does not know a snapshot"):
            short.plan_rewind("orders", shop.point)

    def test_a_run_whose_predecessor_is_not_kept_any_more_is_refused(self, shop: Shop) -> None:
        short = IcebergTables(open_catalog(shop.home), LocalObjectStore(shop.home), kept_snapshots=2)
        short.publish(ORDERS, stage(shop.home, [3], fingerprint="c" * 16), 4)

        with pytest.raises(RewindRefused, match="does not know any more what it showed before run run-1"):
            short.plan_rewind("orders", BeforeRun("run-1"))

    def test_a_version_whose_commit_is_forgotten_is_told_by_its_files(self, shop: Shop) -> None:
        short = IcebergTables(open_catalog(shop.home), LocalObjectStore(shop.home), kept_snapshots=2)
        short.publish(ORDERS, stage(shop.home, [6], day=NEXT_DAY, fingerprint="c" * 16), 4)
        short.publish(ORDERS, stage(shop.home, [3], day=NEXT_DAY, fingerprint="d" * 16), 5)
        point = AtSnapshot(shop.newest)
        short.publish(ORDERS, stage(shop.home, [4], fingerprint="e" * 16), 6)

        (step,) = short.plan_rewind("orders", point).steps

        assert (step.partition, step.target) == (DAY, shop.bad.version)

    def test_a_version_with_files_of_an_older_one_is_told_by_the_commit_that_replaced_it(self, shop: Shop) -> None:
        grown = stage(shop.home, [3], fingerprint="c" * 16)
        grown = grown.model_copy(
            update={"files": shop.good.files + grown.files, "objects": shop.good.objects + grown.objects}
        )
        short = IcebergTables(open_catalog(shop.home), LocalObjectStore(shop.home), kept_snapshots=2)
        short.publish(ORDERS, grown, 4)
        short.publish(ORDERS, stage(shop.home, [6], day=NEXT_DAY, fingerprint="d" * 16), 5)
        point = AtSnapshot(shop.newest)
        short.publish(ORDERS, stage(shop.home, [4], fingerprint="e" * 16), 6)

        (step,) = short.rewind("orders", point, DAY, why="wrong", rewound_by="ana").steps

        assert step.target == grown.version
        assert order_ids(shop.home, DAY) == [1, 2, 3]

    def test_a_table_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(TableUnknown):
            open_tables(tmp_path).plan_rewind("orders", AtSnapshot(1))
        with pytest.raises(TableUnknown):
            open_tables(tmp_path).rewind("orders", AtSnapshot(1), why="-", rewound_by="-")
        assert open_tables(tmp_path).taken_back("orders") == {}


class TestFiles:
    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(Path.unlink, id="gone"),
            pytest.param(lambda path: path.write_bytes(b"PAR1"), id="another file"),
        ],
    )
    def test_what_is_not_as_it_was_refuses_the_rewind_and_changes_nothing(
        self, shop: Shop, damage: Callable[[Path], object]
    ) -> None:
        before = load(shop.home).metadata_location
        damage(shop.home / shop.good.files[0].key)

        with pytest.raises(RewindRefused, match="is gone or is another file"):
            shop.rewind()

        assert load(shop.home).metadata_location == before

    def test_of_an_older_contract_are_shown_with_the_columns_of_today(self, shop: Shop) -> None:
        wider = contract_with(*COLUMNS, Column("note", Text()), version="1.1.0")
        shop.tables.publish(wider, stage(shop.home, [1, 2, 3], contract=wider), 3)

        shop.rewind()

        rows = load(shop.home).scan(row_filter=f"partition_date = '{DAY}'").to_arrow()
        assert set(rows["order_id"].to_pylist()) == {1, 2}
        assert rows["note"].to_pylist() == [None, None]

    def test_without_rows_are_gone_back_to(self, tmp_path: Path) -> None:
        tables = open_tables(tmp_path)
        empty = stage(tmp_path, []).model_copy(update={"files": ()})
        tables.publish(ORDERS, empty, 1)
        point = AtSnapshot(load(tmp_path).snapshots()[0].snapshot_id)
        tables.publish(ORDERS, stage(tmp_path, [1], fingerprint="b" * 16), 2)

        tables.rewind("orders", point, why="-", rewound_by="-")

        held = tables.held("orders", DAY)
        assert held is not None
        assert held.version == empty.version
        assert order_ids(tmp_path) == []


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
    """The commit lands, and nothing is heard of it."""

    def __init__(self, home: Path) -> None:
        super().__init__("sluice", **open_catalog(home).properties)

    def commit_table(self, table: Table, requirements: Requirements, updates: Updates) -> CommitTableResponse:
        super().commit_table(table, requirements, updates)
        raise CommitStateUnknownException("The connection was cut.")


class _AlwaysLosing(SqlCatalog):
    def __init__(self, home: Path) -> None:
        super().__init__("sluice", **open_catalog(home).properties)

    def commit_table(self, table: Table, requirements: Requirements, updates: Updates) -> CommitTableResponse:
        raise CommitFailedException(f"{table.name()} has changed: {requirements} do not hold for {updates}.")


class TestRaces:
    def test_a_lost_race_is_planned_anew_and_the_other_partition_stays(self, shop: Shop) -> None:
        other = stage(shop.home, [20, 21], day=NEXT_DAY, fingerprint="f" * 16)
        catalog = _Overtaken(shop.home, lambda: shop.publish(other, 4))

        open_tables(shop.home, catalog).rewind("orders", shop.point, DAY, why="-", rewound_by="-")

        assert order_ids(shop.home) == [1, 2, 20, 21]

    def test_what_the_other_writer_published_to_the_partition_is_taken_back_too(self, shop: Shop) -> None:
        other = stage(shop.home, [20], fingerprint="f" * 16)
        catalog = _Overtaken(shop.home, lambda: shop.publish(other, 4))

        open_tables(shop.home, catalog).rewind("orders", shop.point, DAY, why="-", rewound_by="-")

        assert order_ids(shop.home, DAY) == [1, 2]
        assert shop.publish(other, 4) is Effect.REWOUND

    def test_a_commit_that_is_not_heard_of_is_recognised(self, shop: Shop) -> None:
        rewind = open_tables(shop.home, _Unheard(shop.home)).rewind("orders", shop.point, DAY, why="-", rewound_by="-")

        assert len(rewind.changes) == 1
        assert order_ids(shop.home, DAY) == [1, 2]
        assert len(load(shop.home).snapshots()) == 4

    def test_races_lost_for_ever_end_in_an_error(self, shop: Shop) -> None:
        catalog = _AlwaysLosing(shop.home)
        tables = IcebergTables(catalog, LocalObjectStore(shop.home), longest_pause_seconds=0)

        with pytest.raises(PublishConflict):
            tables.rewind("orders", shop.point, DAY, why="-", rewound_by="-")

        assert order_ids(shop.home, DAY) == [7, 8, 9]

    def test_publishing_and_rewinding_at_once_lose_nothing(self, shop: Shop) -> None:
        days = [f"2026-10-{day:02}" for day in range(1, 9)]
        outcomes = [(stage(shop.home, [100 + number], day=day), 10 + number) for number, day in enumerate(days)]

        with processes(2) as pool:
            publishing = pool.submit(publish, str(shop.home), outcomes)
            rewinding = pool.submit(_rewind, str(shop.home), shop.point)
            assert publishing.result(120) == ["committed"] * len(days)
            rewinding.result(120)

        assert order_ids(shop.home) == [1, 2, 5, *range(100, 108)]


def _rewind(home: str, point: AtSnapshot) -> None:
    open_tables(Path(home)).rewind("orders", point, DAY, why="-", rewound_by="-")


class _Killed(SqlCatalog):
    """Kills its process at a given moment of a commit."""

    def __init__(self, home: Path, moment: str) -> None:
        super().__init__("sluice", **open_catalog(home).properties)
        self._moment = moment

    def commit_table(self, table: Table, requirements: Requirements, updates: Updates) -> CommitTableResponse:
        self._kill_at("before the commit")
        sa.event.listen(self.engine, "commit", lambda _: self._kill_at("before the pointer moves"))
        response = super().commit_table(table, requirements, updates)
        self._kill_at("after the commit")
        return response

    def _kill_at(self, moment: str) -> None:
        if moment == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)


def _rewind_and_die(home: str, point: AtSnapshot, moment: str) -> None:
    tables = open_tables(Path(home), _Killed(Path(home), moment))
    tables.rewind("orders", point, why="wrong prices", rewound_by="ann")


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        pytest.param("before the commit", [5, 7, 8, 9], id="before"),
        pytest.param("before the pointer moves", [5, 7, 8, 9], id="between"),
        pytest.param("after the commit", [1, 2], id="after"),
    ],
)
def test_a_killed_rewind_leaves_the_old_state_or_the_new_one_and_is_done_again(
    shop: Shop, moment: str, left: list[int]
) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_rewind_and_die, args=(str(shop.home), shop.point, moment)
    )
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    assert order_ids(shop.home) == left
    shop.rewind(day=None)
    assert order_ids(shop.home) == [1, 2]
    assert len(load(shop.home).snapshots()) == 4
