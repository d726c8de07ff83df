"""The attempt of a run that died without a word is ended for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.healing.failure import Failure, FailureClass
from sluice.healing.incident import Incident

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.history import Attempt

KILLED = Failure(FailureClass.TRANSIENT, "killed", "The process that executed the run was killed.")


class Ledger(Protocol):
    def open_incident(self, incident: Incident) -> Incident: ...
    def end(
        self, attempt: Attempt, ended_at: datetime, error: str | None, failure_class: FailureClass | None = None
    ) -> None: ...


def end_with(attempt: Attempt, failure: Failure, ledger: Ledger, now: datetime) -> None:
    """The incident comes first: a kill between the two leaves an attempt that is found and ended as killed."""
    ledger.open_incident(
        Incident(
            number=0,  # the ledger gives it one
            dataset=attempt.dataset,
            partition=attempt.partition,
            version=attempt.version,
            failure_class=failure.failure_class,
            opened_at=attempt.started_at,
            detected_at=now,
            evidence=failure.message,
            run_id=attempt.run_id,
        )
    )
    ledger.end(attempt, now, failure.message, failure.failure_class)
