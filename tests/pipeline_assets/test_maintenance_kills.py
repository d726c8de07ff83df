"""Maintenance is killed anywhere and repeated; and it runs in a loop beside a process that builds and publishes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline_assets.staging import build_partition, fetch_outcome
from resources.clock import SystemClock
from resources.upkeep import Upkeep
from sluice.arrivals import sweep_partition
from sluice.errors import StagedFilesMissing
from sluice.history import Published
from sluice.maintenance.policy import MaintenancePolicy
from tests.pipeline_assets.upkeep_desk import DAY_LONG, Desk
from tests.resources.shop import NEXT_DAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Event

    from sluice.maintenance.report import Report

pytestmark = pytest.mark.long

B = "b" * 16
SPAWN = multiprocessing.get_context("spawn")


class _Deadly:
    """A port that kills its process before or after the `number`-th call of one of its methods."""

    def __init__(self, port: object, method: str, when: str, number: int) -> None:
        self._port, self._method, self._when, self._left = port, method, when, number

    def __getattr__(self, name: str) -> object:
        found = getattr(self._port, name)
        return found if name != self._method else partial(self._call, found)

    def _call(self, method: Callable[..., object], *arguments: object, **keywords: object) -> object:
        self._left -= 1
        if self._left == 0 and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(*arguments, **keywords)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class _DeadlyDesk(Desk):
    def arm(self, port: str, method: str, when: str, number: int) -> None:
        if port == "tables":
            tables = _Deadly(self.upkeep.tables, method, when, number)
            self.upkeep = Upkeep(tables, self.upkeep.workspaces)  # type: ignore[arg-type]  # it answers as one
        else:
            setattr(self, port, _Deadly(getattr(self, port), method, when, number))


def _maintain_and_die(home: str, later: timedelta, arming: tuple[str, str, str, int]) -> None:
    desk = _DeadlyDesk(Path(home))
    desk.arm(*arming)
    desk.maintain(later)


def _prepared(home: Path) -> Desk:
    """Two partitions in parts, one of them rewritten since, a version that nobody shows, files that nobody claims."""
    desk = Desk(home)
    desk.publish(desk.stage([1], [2], rejected=1), 1)
    desk.publish(desk.stage([3], [4], fingerprint=B), 2)
    desk.publish(desk.stage([5], [6], day=NEXT_DAY), 3)
    desk.stage([7], fingerprint="c" * 16)
    desk.claim(desk.stage([8], fingerprint="d" * 16)).unlink()
    return desk


def _left(desk: Desk) -> tuple[list[int], int, int, int]:
    """Return the rows, and how many files are shown, staged and quarantined, after the graces have passed."""
    for _ in range(3):
        desk.maintain(DAY_LONG)
    assert desk.upkeep.tables.missing("orders") == ()
    assert {file.key for day in ("2026-11-20", NEXT_DAY) for file in desk.recorded(day).files} == {
        *desk.shown(),
        *desk.shown(NEXT_DAY),
    }
    return desk.ids(), len(desk.tables.files("orders")), len(desk.there("processed")), len(desk.there("quarantine"))


@pytest.mark.parametrize(
    ("rounds", "arming"),
    [
        pytest.param(0, ("store", "put", "before", 1), id="before the first file is written"),
        pytest.param(0, ("store", "put", "after", 1), id="after the first file was written"),
        pytest.param(0, ("tables", "compact", "before", 1), id="before the commit"),
        pytest.param(0, ("tables", "compact", "after", 1), id="after the commit"),
        pytest.param(0, ("store", "put", "after", 3), id="after the first outcome was relisted"),
        pytest.param(0, ("ledger", "amend", "after", 1), id="after the ledger was amended"),
        pytest.param(0, ("tables", "expire", "after", 1), id="after snapshots were forgotten"),
        pytest.param(0, ("store", "remove", "before", 1), id="before a version is withdrawn"),
        pytest.param(0, ("store", "remove", "after", 1), id="after a version was withdrawn"),
        pytest.param(1, ("store", "remove", "after", 1), id="after the list was replaced"),
        pytest.param(1, ("store", "remove", "after", 4), id="after some files were removed"),
    ],
)
def test_a_killed_maintenance_is_done_by_the_next(
    tmp_path: Path, rounds: int, arming: tuple[str, str, str, int]
) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    expected = _left(_prepared(undisturbed))
    desk = _prepared(killed)
    assert [desk.maintain(DAY_LONG).is_whole for _ in range(rounds)] == [True] * rounds
    process = SPAWN.Process(target=_maintain_and_die, args=(str(killed), (rounds + 1) * DAY_LONG, arming))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL

    assert _left(desk) == expected
    assert expected[0] == [3, 4, 5, 6]


DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
POLICY = MaintenancePolicy(keep_snapshots=2, keep_days=0, compact_after=timedelta(0), grace=timedelta(seconds=10))
LEAST, MOST_SECONDS = 12, 240


def _build_and_publish(home: str, enough: Event, said: Queue[tuple[int, str]]) -> None:
    """Land one of four contents for a day, build, publish, record, and look at the rows: again and again."""
    desk = Desk(Path(home), POLICY)
    done = 0
    try:
        while done < LEAST or not enough.is_set():
            day, ids = DAYS[done % len(DAYS)], [done % 4, done % 4 + 10]
            _one(desk, day, ids)
            shown = [row for row in desk.ids() if row // 100 == int(day[-2:])]
            assert shown == [int(day[-2:]) * 100 + number for number in ids], (day, ids, shown)
            done += 1
    except BaseException as error:
        said.put((done, repr(error)))
        raise
    said.put((done, ""))


def _one(desk: Desk, day: str, ids: list[int]) -> None:
    """Do what a run does; what was staged and has gone is staged again."""
    raw = desk.home / f"raw/orders/date={day}/a.jsonl"
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text("".join(f'{{"order_id": {int(day[-2:]) * 100 + number}}}\n' for number in ids) + "broken\n")
    os.utime(raw, (time.time() - 10,) * 2)  # what was just written is left for the next look
    for _ in range(5):
        noticed = sweep_partition(desk.contract, day, desk.store, desk.ledger, SystemClock().now())
        assert noticed is not None
        outcome = build_partition(
            contract=desk.contract,
            manifest=noticed.manifest,
            store=desk.store,
            scratch=desk.home / "scratch",
            run_id=f"run-{time.time()}",
            clock=SystemClock(),
        )
        try:
            outcome = fetch_outcome(desk.store, "orders", day, outcome.version)
            held = desk.tables.publish(desk.contract, outcome, noticed.sequence).held
        except StagedFilesMissing:
            continue
        desk.ledger.record(Published(outcome, held.snapshot_id, SystemClock().now()))
        return
    raise AssertionError(f"{day} could not be staged")


def _maintain(desk: Desk) -> Report:
    desk.clock.instant = SystemClock().now()
    return desk.maintain()


def test_nothing_is_lost_while_a_process_builds_and_publishes(tmp_path: Path) -> None:
    desk = Desk(tmp_path, POLICY)
    said: Queue[tuple[int, str]] = SPAWN.Queue()
    enough = SPAWN.Event()
    process = SPAWN.Process(target=_build_and_publish, args=(str(tmp_path), enough, said))
    process.start()
    reports, until = [], time.time() + MOST_SECONDS
    while process.is_alive():
        reports.append(_maintain(desk))
        if any(report.files_removed for report in reports) or time.time() > until:
            enough.set()
    built, problem = said.get(timeout=10)
    process.join()

    assert problem == ""
    assert built >= LEAST
    assert [report for report in reports if not report.is_whole] == []
    assert sum(report.files_removed for report in reports) > 0
    assert sum(report.versions_withdrawn for report in reports) > 0
    _maintain(desk)
    assert desk.upkeep.tables.missing("orders") == ()
    for day in DAYS:
        outcome = desk.recorded(day)
        assert fetch_outcome(desk.store, "orders", day, outcome.version) == outcome
        assert {file.key for file in outcome.files} == desk.shown(day)
        assert outcome.quarantined == 1
