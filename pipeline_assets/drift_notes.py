"""Keeps the incident of a partition whose files have grown apart from their contract: open while its table shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract import DriftPolicy
from sluice.drift_report import drift_text
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken
from sluice.wording import counted

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline_assets.ports import Clock, Ledger
    from sluice.contract import Contract
    from sluice.history import Attempt
    from sluice.outcome import Outcome


def note_drift(contract: Contract, outcome: Outcome, attempt: Attempt, ledger: Ledger, clock: Clock) -> None:
    """Open the incident, before anything is published: what follows in the run does not close it."""
    if not _is_incident(contract, outcome):
        return
    now = clock.now()
    ledger.open_incident(
        Incident(
            number=0,  # the ledger gives it one
            dataset=outcome.dataset,
            partition=outcome.partition,
            version=str(outcome.version),
            failure_class=FailureClass.SCHEMA_DRIFT,
            opened_at=attempt.started_at,
            detected_at=now,
            evidence=drift_text(outcome),
            run_id=attempt.run_id,
            remedies=_remedies(contract, outcome, now),
            downstream=contract.downstream,
        )
    )


def stays_open(contract: Contract, ledger: Ledger, partition: str) -> FailureClass | None:
    """Return the class of the incident that a publication does not resolve: the table shows a drifted version."""
    shown = ledger.published(contract.dataset, partition)
    return FailureClass.SCHEMA_DRIFT if shown is not None and _is_incident(contract, shown.outcome) else None


def _is_incident(contract: Contract, outcome: Outcome) -> bool:
    return contract.drift is not DriftPolicy.IGNORE and bool(outcome.drifted)


def _remedies(contract: Contract, outcome: Outcome, now: datetime) -> tuple[RemedyTaken, ...]:
    """One for each version that was built: its run names it, so that a run that finds it staged adds none."""
    if contract.drift is not DriftPolicy.QUARANTINE:
        return ()
    keys = {item.key for item in outcome.drifted}
    records = sum(item.quarantined for item in outcome.objects if item.key in keys)
    note = f"{records:,} records of {counted(len(keys), 'object')} are quarantined whole."
    return (RemedyTaken(RemedyKind.QUARANTINE, now, note, outcome.run_id),)
