"""When a dataset is built by the clock, and which partition then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """The contract's `schedule`: `cron` has five fields and counts in `zone`; built is the day so many days before."""

    cron: str
    zone: str = "UTC"
    days_back: int = 1


def partition_of(schedule: Schedule, at: datetime, start: date) -> str | None:
    """Return the partition of a scheduled moment, which is in the schedule's zone; None if there is none."""
    day = at.date() - timedelta(days=schedule.days_back)
    # Partitions are UTC dates: east of it a local day begins before its partition does.
    return day.isoformat() if start <= day <= at.astimezone(UTC).date() else None
