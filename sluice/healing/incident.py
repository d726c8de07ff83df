"""One thing that went wrong on one partition, from detection to resolution."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.healing.failure import FailureClass


ARRIVALS = "(arrivals)"
"""In place of a dataset, whose name has no brackets: what lands cannot be seen. The partition then says where."""


class RemedyKind(StrEnum):
    RETRY_LATER = "retry_later"
    WAIT_FOR_UPSTREAM = "wait_for_upstream"
    SERVE_LAST_GOOD = "serve_last_good"
    USE_FALLBACK = "use_fallback"  # a placeholder or a fallback location stands in
    RECONCILED = "reconciled"  # own data has replaced what stood in
    QUARANTINE = "quarantine"
    OPEN_BREAKER = "open_breaker"
    BACKFILL = "backfill"
    REWIND = "rewind"
    REOPENED = "reopened"  # what a gate waited for has come, or a person accepted
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class RemedyTaken:
    """`run_id` is the run that the remedy answers; `usd` is what the remedy cost, None while it is not known."""

    kind: RemedyKind
    taken_at: datetime
    note: str = ""
    run_id: str | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """`opened_at` is when the failed try began, `detected_at` when the failure was seen.

    `evidence` is the error or the verdicts as people read them; `resolved_by` is "sluice" or a person's name.
    """

    number: int
    dataset: str
    partition: str
    version: str
    failure_class: FailureClass
    opened_at: datetime
    detected_at: datetime
    evidence: str
    run_id: str
    remedies: tuple[RemedyTaken, ...] = ()
    downstream: tuple[str, ...] = ()
    resolved_at: datetime | None = None
    resolved_by: str | None = None
