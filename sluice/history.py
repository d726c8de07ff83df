"""What was done to a partition: the attempts at building it, and what its table holds since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.healing.failure import FailureClass
    from sluice.outcome import Outcome


RECORDED_WITHIN = timedelta(seconds=5)
"""A publication is stamped a moment before the ledger has it: who asks for what is missing asks about a time before."""


@dataclass(frozen=True, slots=True)
class Published:
    """An outcome that a table holds, with the Iceberg snapshot that made it visible."""

    outcome: Outcome
    snapshot_id: int | None
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one version of one partition; `ended_at` None means it still runs or was killed."""

    dataset: str
    partition: str
    version: str
    number: int
    run_id: str
    started_at: datetime
    ended_at: datetime | None = None
    error: str | None = None
    failure_class: FailureClass | None = None
    retry_after: timedelta | None = None  # what the other side asked to wait
