"""What only a ledger in a database does: it outlives its process, and serves several at once."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from resources.ledger import KnownObject
from resources.sql_ledger import SqlLedger
from sluice.cost.budget import Estimate, Limits, Purpose, Request
from sluice.errors import LedgerTooNew, LedgerUnavailable
from sluice.gates.verdict import Severity, Verdict
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken
from sluice.judged import Judged
from sluice.manifest import RawObject, build_manifest
from tests.resources.ledgers import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

    from resources.ledger import Ledger
    from tests.resources.postgres import Postgres

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROCESSES = 3
ROUNDS = 40
DAYS = [f"2026-11-{day:02}" for day in range(1, 21)]
WAIT_SECONDS = 60
SECRET = "s3cr3t-pa55word"


def test_a_second_opening_finds_what_the_first_wrote(ledger_url: str) -> None:
    noticed = SqlLedger(ledger_url).notice(build_manifest("orders", DAYS[0], ()), (), "d", NOON)

    assert SqlLedger(ledger_url).listing_digests("orders") == {DAYS[0]: "d"}
    assert SqlLedger(ledger_url).notice(build_manifest("orders", DAYS[0], ()), (), "d", NOON) == noticed


def test_the_folder_of_a_new_ledger_is_made(tmp_path: Path) -> None:
    SqlLedger(f"sqlite:///{tmp_path / 'new' / 'home' / 'ledger.db'}")

    assert (tmp_path / "new" / "home" / "ledger.db").exists()


def test_times_are_read_back_in_utc(ledger_url: str) -> None:
    tokyo = datetime(2026, 11, 21, 21, tzinfo=timezone(timedelta(hours=9)))
    SqlLedger(ledger_url).begin("orders", DAYS[0], "v", "run", tokyo)

    attempt = SqlLedger(ledger_url).last_attempt("orders", DAYS[0])

    assert attempt is not None
    assert (attempt.started_at, attempt.started_at.tzinfo) == (NOON, UTC)


def test_a_ledger_of_a_newer_sluice_is_refused(ledger_url: str) -> None:
    SqlLedger(ledger_url)
    _execute(ledger_url, "UPDATE ledger_schema SET version = 99")

    with pytest.raises(LedgerTooNew, match="schema version 99; this version of Sluice knows versions up to 6"):
        SqlLedger(ledger_url)


def test_a_url_without_a_driver_is_taken(postgres: Postgres) -> None:
    url = postgres.new_database().replace("+psycopg2", "")

    SqlLedger(url).begin("orders", DAYS[0], "v", "run", NOON)

    assert SqlLedger(url).last_attempt("orders", DAYS[0]) is not None


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"postgresql+psycopg2://ann:{SECRET}@127.0.0.1:1/ledger", id="nobody listens"),
        pytest.param(f"postgresql://ann@127.0.0.1:1/ledger?password={SECRET}", id="in the query"),
        pytest.param(f"postgresql+asyncpg://ann:{SECRET}@host/ledger", id="another driver"),
        pytest.param(f"postgresql://ann:{SECRET}/x@host:5432/ledger", id="a slash that is not escaped"),
        pytest.param(f"postgresql://ann@host:{SECRET}/ledger", id="at the place of the port"),
        pytest.param(f"mysql://ann:{SECRET}@host/ledger", id="another database"),
        pytest.param(SECRET, id="no url"),
    ],
)
def test_no_error_shows_the_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LedgerUnavailable, match="Check SLUICE_LEDGER_URL") as caught:
        SqlLedger(url)

    assert SECRET not in "".join(_texts_of(caught.value)) + caplog.text


def test_processes_that_notice_the_same_at_once_agree(shared_url: str) -> None:
    answers = _together(_notice_all_days, shared_url)

    assert len({tuple(answer) for answer in answers}) == 1
    assert sorted(set(answers[0])) == sorted(answers[0])
    assert len(opened(shared_url).noticed_after(0)) == len(DAYS)


def test_processes_that_begin_attempts_at_once_get_different_numbers(shared_url: str) -> None:
    answers = _together(_begin_attempts, shared_url)

    assert sorted(number for answer in answers for number in answer) == list(range(1, PROCESSES * len(DAYS) + 1))


def test_processes_that_accept_the_same_at_once_get_one_acceptance(shared_url: str) -> None:
    answers = _together(_accept_all_days, shared_url)

    assert len({tuple(answer) for answer in answers}) == 1
    assert len(opened(shared_url).acceptances()) == len(DAYS)


def test_of_processes_that_race_for_the_last_dollar_exactly_one_gets_it(shared_url: str) -> None:
    answers = _together(_reserve_the_last_dollar, shared_url)

    assert [sum(granted) for granted in zip(*answers, strict=True)] == [1] * ROUNDS
    assert len(opened(shared_url).open_spends()) == ROUNDS


def test_of_processes_that_race_for_a_notice_exactly_one_is_the_first(shared_url: str) -> None:
    answers = _together(_notice_first, shared_url)

    assert [sum(firsts) for firsts in zip(*answers, strict=True)] == [1] * ROUNDS


def test_processes_that_open_the_same_incident_at_once_get_one(shared_url: str) -> None:
    answers = _together(_open_incidents, shared_url)

    assert [len(set(numbers)) for numbers in zip(*answers, strict=True)] == [1] * ROUNDS
    assert len(opened(shared_url).incidents()) == ROUNDS


def test_processes_that_note_the_same_remedy_at_once_leave_one(shared_url: str) -> None:
    number = opened(shared_url).open_incident(_incident(DAYS[0])).number

    _together(_note_remedies, shared_url)

    remedies = opened(shared_url).incidents()[0].remedies
    assert number == 1
    assert sorted(remedy.note for remedy in remedies) == sorted(f"{turn}" for turn in range(ROUNDS))


def test_failed_attempts_are_found_in_one_query(ledger_url: str) -> None:
    ledger = SqlLedger(ledger_url)
    _fail_all_days(ledger)

    with _selects() as selects:
        found = ledger.failed_attempts()

    assert len(found) == len(DAYS)
    assert len(selects) == 1


def _fail_all_days(ledger: SqlLedger) -> None:
    for day in DAYS:
        ledger.end(ledger.begin("orders", day, "v", "run", NOON), NOON, "it broke")


@contextmanager
def _selects() -> Iterator[list[str]]:
    seen: list[str] = []

    def see(_: Any, __: Any, text: str, *___: Any) -> None:
        seen.extend([text] if "FROM attempts" in text else [])

    sa.event.listen(sa.Engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", see)


def _execute(url: str, sql: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(sql))
    engine.dispose()


def _texts_of(error: BaseException) -> list[str]:
    shown = [repr(error), str(error)]
    inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return shown if inner is None else [*shown, *_texts_of(inner)]


def _together(target: Callable[..., None], url: str) -> list[list[Any]]:
    """Run `target` in several processes that start on a ledger that is not there yet, all at once."""
    context = multiprocessing.get_context("spawn")
    answers: Queue[list[Any]] = context.Queue()
    barrier = context.Barrier(PROCESSES)
    processes = [context.Process(target=target, args=(url, barrier, answers, number)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    results = [answers.get(timeout=WAIT_SECONDS) for _ in processes]
    for process in processes:
        process.join()
    return results


def _notice_all_days(url: str, barrier: Barrier, answers: Queue[list[int]], _: int) -> None:
    barrier.wait(WAIT_SECONDS)
    ledger = opened(url)
    objects = (KnownObject("orders/a", 1, "s", "e"),)
    manifests = [build_manifest("orders", day, (RawObject("orders/a", "e", 1),)) for day in DAYS]
    answers.put([ledger.notice(manifest, objects, "d", NOON).sequence for manifest in manifests])


def _begin_attempts(url: str, barrier: Barrier, answers: Queue[list[int]], number: int) -> None:
    barrier.wait(WAIT_SECONDS)
    ledger = opened(url)
    answers.put([ledger.begin("orders", DAYS[0], "v", f"run-{number}-{day}", NOON).number for day in DAYS])


def _accept_all_days(url: str, barrier: Barrier, answers: Queue[list[int]], number: int) -> None:
    barrier.wait(WAIT_SECONDS)
    ledger = opened(url)
    verdict = Verdict(holds=False, explanation="", numbers={})
    judged = [Judged("orders", day, "f-c-1", "gate", "r", Severity.BLOCK, verdict, "run", NOON) for day in DAYS]
    answers.put([ledger.accept(item, why="w", accepted_by=f"{number}", accepted_at=NOON).number for item in judged])


def _reserve_the_last_dollar(url: str, barrier: Barrier, answers: Queue[list[bool]], number: int) -> None:
    ledger = opened(url)
    answers.put([_race(ledger, barrier, f"{month:04}-01", f"run-{number}") for month in range(ROUNDS)])


def _race(ledger: Ledger, barrier: Barrier, month: str, run_id: str) -> bool:
    request = Request("orders", DAYS[0], "v", f"{run_id}-{month}", month, Purpose.BUILD, Estimate(1.0, 1, 1, 1.0))
    barrier.wait(WAIT_SECONDS)
    return ledger.reserve(request, Limits(monthly_usd=1.5), NOON).granted


def _notice_first(url: str, barrier: Barrier, answers: Queue[list[bool]], _: int) -> None:
    ledger = opened(url)
    answers.put([_first_at_once(ledger, barrier, f"key-{turn}") for turn in range(ROUNDS)])


def _first_at_once(ledger: Ledger, barrier: Barrier, key: str) -> bool:
    barrier.wait(WAIT_SECONDS)
    return ledger.first_notice(key, NOON)


def _open_incidents(url: str, barrier: Barrier, answers: Queue[list[int]], number: int) -> None:
    ledger = opened(url)
    answers.put([_open_at_once(ledger, barrier, f"{turn:04}-{number}") for turn in range(ROUNDS)])


def _open_at_once(ledger: Ledger, barrier: Barrier, run_id: str) -> int:
    barrier.wait(WAIT_SECONDS)
    return ledger.open_incident(_incident(run_id[:4], run_id)).number


def _note_remedies(url: str, barrier: Barrier, answers: Queue[list[None]], _: int) -> None:
    ledger = opened(url)
    for run_id in map(str, range(ROUNDS)):
        barrier.wait(WAIT_SECONDS)
        ledger.note_remedy(1, RemedyTaken(RemedyKind.RETRY_LATER, NOON, note=run_id, run_id=run_id))
    answers.put([])


def _incident(partition: str, run_id: str = "run") -> Incident:
    return Incident(
        number=0,
        dataset="orders",
        partition=partition,
        version="v",
        failure_class=FailureClass.TRANSIENT,
        opened_at=NOON,
        detected_at=NOON,
        evidence="it broke",
        run_id=run_id,
    )
