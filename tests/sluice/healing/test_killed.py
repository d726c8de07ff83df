"""A run that died is ended for it: with an incident, unless the table shows what it was about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from resources.memory_ledger import MemoryLedger
from sluice.healing.failure import Failure, FailureClass
from sluice.healing.killed import KILLED, end_with
from sluice.history import Attempt, Published
from sluice.outcome import Outcome

if TYPE_CHECKING:
    from resources.ledger import Ledger
    from sluice.healing.incident import Incident

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-20"
OUTCOME = Outcome(
    dataset="orders",
    partition=DAY,
    fingerprint="f",
    contract_version="1.0.0",
    contract_fingerprint="c",
    code_version="1",
    run_id="run",
    objects=(),
    files=(),
    quarantine_files=(),
)


def died_at(ledger: Ledger, version: str, failure: Failure = KILLED) -> Attempt:
    attempt = ledger.begin("orders", DAY, version, "run", NOW)
    end_with(attempt, failure, ledger, NOW)
    return attempt


def test_a_killed_try_is_an_incident() -> None:
    ledger = MemoryLedger()

    died_at(ledger, "f-c-1")

    assert [item.failure_class for item in ledger.incidents(open_only=True)] == [FailureClass.TRANSIENT]
    assert len(ledger.failed_attempts()) == 1


def test_one_that_was_killed_behind_its_publication_closes_what_was_open() -> None:
    ledger = MemoryLedger()
    died_at(ledger, "f-c-1")
    ledger.record(Published(OUTCOME, 1, NOW))

    died_at(ledger, "f-c-1")

    assert ledger.incidents(open_only=True) == ()
    assert ledger.incidents()[0].resolved_by == "sluice"
    assert ledger.open_attempts() == ()


def test_one_at_another_version_is_an_incident() -> None:
    ledger = MemoryLedger()
    ledger.record(Published(OUTCOME, 1, NOW))

    died_at(ledger, "g-c-1")

    assert len(ledger.incidents(open_only=True)) == 1


def test_what_no_time_heals_is_an_incident_in_spite_of_what_is_published() -> None:
    ledger = MemoryLedger()
    ledger.record(Published(OUTCOME, 1, NOW))

    died_at(ledger, "f-c-1", Failure(FailureClass.QUALITY, "gate", "a gate is closed"))

    assert len(ledger.incidents(open_only=True)) == 1


def overtaken_by(error: str | None) -> MemoryLedger:
    """Return a ledger in which a killed try is seen to have ended only after a later one of newer files."""
    ledger = MemoryLedger()
    killed = ledger.begin("orders", DAY, "g-c-1", "killed", NOW)
    later = ledger.begin("orders", DAY, "f-c-1", "later", NOW + timedelta(seconds=1))
    if error is None:
        ledger.record(Published(OUTCOME, 1, NOW + timedelta(seconds=2)))
    ledger.end(later, NOW + timedelta(seconds=2), error, FailureClass.TRANSIENT if error else None)

    end_with(killed, KILLED, ledger, NOW + timedelta(seconds=9))
    return ledger


def test_an_overtaken_try_leaves_an_incident_that_is_resolved() -> None:
    (incident,) = overtaken_by(None).incidents()

    assert (incident.run_id, incident.resolved_by) == ("killed", "sluice")


def test_a_later_try_that_failed_resolves_nothing() -> None:
    (incident,) = overtaken_by("the disk is full").incidents()

    assert incident.resolved_by is None


def test_a_try_that_is_about_to_end_well_has_looked_for_incidents_already() -> None:
    ledger = MemoryLedger()
    killed = ledger.begin("orders", DAY, "g-c-1", "killed", NOW)
    later = ledger.begin("orders", DAY, "f-c-1", "later", NOW + timedelta(seconds=1))
    ledger.record(Published(OUTCOME, 1, NOW + timedelta(seconds=2)))
    ledger.resolve_incidents("orders", DAY, NOW + timedelta(seconds=2), "sluice")

    end_with(killed, KILLED, ledger, NOW + timedelta(seconds=3))
    ledger.end(later, NOW + timedelta(seconds=4), None)

    assert ledger.incidents(open_only=True) == ()


def test_a_twin_may_publish_while_the_incident_is_opened() -> None:
    class Busy(MemoryLedger):
        def open_incident(self, incident: Incident) -> Incident:
            self.record(Published(OUTCOME, 1, NOW))
            self.resolve_incidents("orders", DAY, NOW, "sluice")
            return super().open_incident(incident)

    ledger = Busy()

    died_at(ledger, "f-c-1")

    assert ledger.incidents(open_only=True) == ()
