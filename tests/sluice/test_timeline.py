"""The timeline tells what the ledger knows, in the order of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from resources.memory_ledger import MemoryLedger
from sluice.gates.verdict import Severity, Verdict
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken
from sluice.history import Published
from sluice.judged import Judged
from sluice.outcome import ObjectBalance, Outcome
from sluice.timeline import Happening, fetch_timeline, in_order

BEGIN = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = "2026-11-20"
PLACE = ("sales", DAY)
VERSION = "f-c-1"


def after(seconds: int) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def incident() -> Incident:
    return Incident(0, "sales", DAY, VERSION, FailureClass.TRANSIENT, after(1), after(5), "it was\nkilled", "run 1")


def outcome(stand_in: str | None = None) -> Outcome:
    balance = ObjectBalance(key="a", etag="e", records_in=6, published=3, quarantined=2, duplicates=1)
    return Outcome(
        dataset="sales", partition=DAY, fingerprint="f", contract_version="1", contract_fingerprint="c",
        code_version="1", run_id="run 2", objects=(balance,), files=(), quarantine_files=(), stand_in=stand_in,
    )  # fmt: skip


def test_a_failure_that_was_healed_is_told_from_its_first_try_to_its_end() -> None:
    ledger = MemoryLedger()
    first = ledger.begin("sales", DAY, VERSION, "run 1", after(1))
    number = ledger.open_incident(incident()).number
    ledger.end(first, after(5), "it was killed", FailureClass.TRANSIENT, timedelta(seconds=30))
    ledger.note_remedy(number, RemedyTaken(RemedyKind.RETRY_LATER, after(6), note="Retry 1 of 5."))
    second = ledger.begin("sales", DAY, VERSION, "run 2", after(9))
    ledger.record(Published(outcome(), 1, after(10)))
    ledger.resolve_incidents("sales", DAY, after(11), "sluice")
    ledger.end(second, after(12), None)

    told = fetch_timeline(ledger, ["sales"])

    assert sorted(told, key=lambda item: (item.at, item.what)) == [
        Happening(after(1), "sluice", "attempt 1 begins", *PLACE),
        Happening(
            after(5), "sluice", "attempt 1 ends: it was killed (asked to wait 30 s)", *PLACE,
            FailureClass.TRANSIENT, outcome="failed",
        ),
        Happening(
            after(5), "sluice", "incident 1 is opened: it was killed", *PLACE, FailureClass.TRANSIENT,
            outcome="detected",
        ),
        Happening(after(6), "sluice", "incident 1: Retry 1 of 5.", *PLACE, remedy=RemedyKind.RETRY_LATER),
        Happening(after(9), "sluice", "attempt 2 begins", *PLACE),
        Happening(
            after(10), "sluice", "of 6 records 3 published, 2 quarantined, 1 duplicates", *PLACE, outcome="published"
        ),
        Happening(after(11), "sluice", "incident 1 is closed by sluice, after 6 s", *PLACE, outcome="resolved"),
        Happening(after(12), "sluice", "attempt 2 ends", *PLACE, outcome="succeeded"),
    ]  # fmt: skip


def test_a_try_under_way_has_no_end_yet() -> None:
    ledger = MemoryLedger()
    ledger.begin("sales", DAY, VERSION, "run 1", after(1))

    assert fetch_timeline(ledger, ["sales"]) == (Happening(after(1), "sluice", "attempt 1 begins", *PLACE),)


def test_other_datasets_are_left_out() -> None:
    ledger = MemoryLedger()
    ledger.begin("sales", DAY, VERSION, "run 1", after(1))
    ledger.open_incident(incident())
    ledger.record(Published(outcome(), 1, after(10)))

    assert fetch_timeline(ledger, ["orders"]) == ()


def test_what_stands_in_is_said() -> None:
    ledger = MemoryLedger()
    ledger.record(Published(outcome("previous_partition 2026-11-19"), 1, after(10)))

    (told,) = fetch_timeline(ledger, ["sales"])

    assert told.outcome == "published: previous_partition 2026-11-19 stands in"


def test_a_closed_gate_is_told() -> None:
    ledger = MemoryLedger()
    verdict = Verdict(holds=False, explanation="7 of 8 records are rejected.", numbers={})
    judged = Judged(*PLACE, VERSION, "some_gate", "rules", Severity.BLOCK, verdict, "run 1", after(3))
    ledger.record_verdicts([judged])

    told = fetch_timeline(ledger, ["sales"])

    assert told == (
        Happening(after(3), "sluice", "some_gate: 7 of 8 records are rejected.", *PLACE, outcome="blocked"),
    )


def test_what_happened_in_one_moment_keeps_its_order() -> None:
    drill, sluice = Happening(BEGIN, "drill", "a file lands"), Happening(BEGIN, "sluice", "attempt 1 begins")
    before = Happening(BEGIN - timedelta(seconds=1), "drill", "a sandbox is up")

    assert in_order([drill, sluice, before]) == (before, drill, sluice)
