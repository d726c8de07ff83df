"""A publication that is killed at its worst moments, and then done again."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from pyiceberg.catalog.sql import SqlCatalog

from tests.resources.shop import DAY, NEXT_DAY, ORDERS, load, open_catalog, open_tables, order_ids, stage

if TYPE_CHECKING:
    from pyiceberg.table import CommitTableResponse, Table
    from pyiceberg.table.update import TableRequirement, TableUpdate

    from sluice.outcome import Outcome


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


def _publish_and_die(home: str, outcome: Outcome, sequence: int, moment: str) -> None:
    open_tables(Path(home), _Killed(Path(home), moment)).publish(ORDERS, outcome, sequence)


def _kill(home: Path, outcome: Outcome, sequence: int, moment: str) -> int | None:
    arguments = (str(home), outcome, sequence, moment)
    process = multiprocessing.get_context("spawn").Process(target=_publish_and_die, args=arguments)
    process.start()
    process.join()
    return process.exitcode


MOMENTS = [
    pytest.param("before the commit", "committed", id="before"),
    pytest.param("before the pointer moves", "committed", id="between"),
    pytest.param("after the commit", "already_held", id="after"),
]


@pytest.mark.parametrize(("moment", "effect"), MOMENTS)
def test_a_killed_first_publication_is_done_exactly_once(tmp_path: Path, moment: str, effect: str) -> None:
    outcome = stage(tmp_path, [1, 2, 3])

    assert _kill(tmp_path, outcome, 1, moment) == -signal.SIGKILL

    assert open_tables(tmp_path).publish(ORDERS, outcome, 1).effect == effect
    assert order_ids(tmp_path) == [1, 2, 3]
    assert len(load(tmp_path).snapshots()) == 1


@pytest.mark.parametrize(("moment", "effect"), MOMENTS)
def test_a_killed_replacement_leaves_the_old_rows_or_the_new_ones(tmp_path: Path, moment: str, effect: str) -> None:
    open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)
    open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [2], day=NEXT_DAY), 2)
    newer = stage(tmp_path, [7, 8], fingerprint="b" * 16)

    _kill(tmp_path, newer, 3, moment)

    assert order_ids(tmp_path, DAY) == {"committed": [1], "already_held": [7, 8]}[effect]
    assert open_tables(tmp_path).publish(ORDERS, newer, 3).effect == effect
    assert order_ids(tmp_path) == [2, 7, 8]
