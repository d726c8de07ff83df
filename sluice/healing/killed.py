"""The attempt of a run that died without a word is ended for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.healing.failure import Failure, FailureClass
from sluice.healing.health import BY_ITSELF
from sluice.healing.incident import Incident
from sluice.healing.policy import USUAL

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sluice.history import Attempt, Published
    from sluice.outcome import Outcome

KILLED = Failure(FailureClass.TRANSIENT, "killed", "The process that executed the run was killed.")


class Ledger(Protocol):
    def published(self, dataset: str, partition: str) -> Published | None: ...
    def last_attempt(self, dataset: str, partition: str) -> Attempt | None: ...
    def resolve_incidents(
        self, dataset: str, partition: str, resolved_at: datetime, resolved_by: str, *, keep: FailureClass | None = None
    ) -> int: ...
    def open_incident(self, incident: Incident) -> Incident: ...
    def end(
        self,
        attempt: Attempt,
        ended_at: datetime,
        error: str | None,
        failure_class: FailureClass | None = None,
        retry_after: timedelta | None = None,
    ) -> None: ...


def end_with(
    attempt: Attempt, failure: Failure, ledger: Ledger, now: datetime, downstream: tuple[str, ...] = ()
) -> None:
    """The incident comes first: a kill between the two leaves an attempt that is found and ended as killed."""
    is_usual = failure.failure_class in USUAL
    shown = _shown(attempt, ledger) if is_usual else None
    if shown is None:
        ledger.open_incident(_incident(attempt, failure, now, downstream))
        # A try that succeeded meanwhile may have looked for incidents before this one was there.
        shown = (_shown(attempt, ledger) if is_usual else None) or _shown_since(attempt, ledger)
    if shown is not None:
        _resolve(attempt, shown, ledger, now)
    ledger.end(attempt, now, failure.message, failure.failure_class, failure.retry_after)


def _shown(attempt: Attempt, ledger: Ledger) -> Outcome | None:
    """Return what is published if it is what the attempt was about: then nothing is retried, and nothing is wrong."""
    published = ledger.published(attempt.dataset, attempt.partition)
    return published.outcome if published and str(published.outcome.version) == attempt.version else None


def _shown_since(attempt: Attempt, ledger: Ledger) -> Outcome | None:
    """Return what is published if a later try has succeeded, or has recorded that, before this one's end was seen."""
    last = ledger.last_attempt(attempt.dataset, attempt.partition)
    if last is None or last.started_at <= attempt.started_at or last.error is not None:
        return None
    published = ledger.published(attempt.dataset, attempt.partition)
    if published is None:
        return None
    is_over = last.ended_at is not None or str(published.outcome.version) == last.version
    return published.outcome if is_over else None


def _resolve(attempt: Attempt, shown: Outcome, ledger: Ledger, now: datetime) -> None:
    """Do for a run that was killed right behind its publication, or was overtaken, what it had left to do.

    What is made of a stand-in resolves nothing.
    """
    if shown.stand_in is not None:
        return
    keep = FailureClass.SCHEMA_DRIFT if shown.drifted else None
    ledger.resolve_incidents(attempt.dataset, attempt.partition, now, BY_ITSELF, keep=keep)


def _incident(attempt: Attempt, failure: Failure, now: datetime, downstream: tuple[str, ...]) -> Incident:
    return Incident(
        number=0,  # the ledger gives it one
        dataset=attempt.dataset,
        partition=attempt.partition,
        version=attempt.version,
        failure_class=failure.failure_class,
        opened_at=attempt.started_at,
        detected_at=now,
        evidence=failure.message,
        run_id=attempt.run_id,
        downstream=downstream,
    )
