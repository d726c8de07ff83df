"""What only a ledger in a database does: it outlives its process, and serves several at once."""

from __future__ import annotations

import multiprocessing
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from resources.ledger import KnownObject
from resources.sql_ledger import SqlLedger
from sluice.errors import LedgerTooNew
from sluice.manifest import RawObject, build_manifest

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROCESSES = 4
DAYS = [f"2026-11-{day:02}" for day in range(1, 21)]


def test_a_second_opening_finds_what_the_first_wrote(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    noticed = SqlLedger(url).notice(build_manifest("orders", DAYS[0], ()), (), "d", NOON)

    assert SqlLedger(url).listing_digests("orders") == {DAYS[0]: "d"}
    assert SqlLedger(url).notice(build_manifest("orders", DAYS[0], ()), (), "d", NOON) == noticed


def test_the_folder_of_a_new_ledger_is_made(tmp_path: Path) -> None:
    SqlLedger(f"sqlite:///{tmp_path / 'new' / 'home' / 'ledger.db'}")

    assert (tmp_path / "new" / "home" / "ledger.db").exists()


def test_a_ledger_of_a_newer_sluice_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    SqlLedger(url)
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("INSERT INTO ledger_schema VALUES (99)")
    connection.close()

    with pytest.raises(LedgerTooNew, match="schema version 99; this version of Sluice knows versions up to 1"):
        SqlLedger(url)


def test_processes_that_notice_the_same_at_once_agree(tmp_path: Path) -> None:
    answers = _together(_notice_all_days, tmp_path)

    assert len({tuple(answer) for answer in answers}) == 1
    assert sorted(set(answers[0])) == sorted(answers[0])
    assert len(SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}").noticed_after(0)) == len(DAYS)


def test_processes_that_begin_attempts_at_once_get_different_numbers(tmp_path: Path) -> None:
    answers = _together(_begin_attempts, tmp_path)

    assert sorted(number for answer in answers for number in answer) == list(range(1, PROCESSES * len(DAYS) + 1))


def _together(target: object, folder: Path) -> list[list[int]]:
    """Run `target` in several processes that start on a ledger that is not there yet, all at once."""
    context = multiprocessing.get_context("spawn")
    answers: Queue[list[int]] = context.Queue()
    barrier = context.Barrier(PROCESSES)
    arguments = (f"sqlite:///{folder / 'ledger.db'}", barrier, answers)
    processes = [context.Process(target=target, args=(*arguments, number)) for number in range(PROCESSES)]  # type: ignore[arg-type]
    for process in processes:
        process.start()
    results = [answers.get(timeout=20) for _ in processes]
    for process in processes:
        process.join()
    return results


def _notice_all_days(url: str, barrier: Barrier, answers: Queue[list[int]], _: int) -> None:
    barrier.wait(20)
    ledger = SqlLedger(url)
    objects = (KnownObject("orders/a", 1, "s", "e"),)
    manifests = [build_manifest("orders", day, (RawObject("orders/a", "e", 1),)) for day in DAYS]
    answers.put([ledger.notice(manifest, objects, "d", NOON).sequence for manifest in manifests])


def _begin_attempts(url: str, barrier: Barrier, answers: Queue[list[int]], number: int) -> None:
    barrier.wait(20)
    ledger = SqlLedger(url)
    answers.put([ledger.begin("orders", DAYS[0], "v", f"run-{number}-{day}", NOON).number for day in DAYS])
