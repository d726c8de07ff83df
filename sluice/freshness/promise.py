"""What a contract promises: the instant by which each partition is published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Freshness:
    """Partition D is due `days_after` days after D at `at`, in the time zone `zone` (a name or an offset, `+05:30`).

    `weekdays` are those of D (Monday is 0). `objective` is the share of due partitions that must be on time. `since`
    is the first partition that is promised: history that is filled in later was never promised.
    """

    days_after: int
    at: time
    zone: str = "UTC"
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    objective: float = 0.95
    since: date | None = None

    @property
    def text(self) -> str:
        """`D+1 07:00 Asia/Kolkata`."""
        return f"D+{self.days_after} {self.at.isoformat('auto' if self.at.second else 'minutes')} {self.zone}"


def deadline_of(freshness: Freshness, partition: str) -> datetime:
    """Return the last instant that is in time, UTC.

    A local time that the clock shows twice means the first; one that it skips is read with the offset before the
    change, so it is as much later as the clock was put forward (PEP 495, fold 0).
    """
    day = date.fromisoformat(partition) + timedelta(days=freshness.days_after)
    return datetime.combine(day, freshness.at, tzinfo=_zone(freshness.zone)).astimezone(UTC)


def is_promised(freshness: Freshness, partition: str) -> bool:
    """Return False for weekdays and for history about which the contract promises nothing."""
    day = date.fromisoformat(partition)
    return day.weekday() in freshness.weekdays and (freshness.since is None or day >= freshness.since)


def _zone(name: str) -> tzinfo:
    if name.startswith(("+", "-")):
        return datetime.strptime(name, "%z").tzinfo or UTC
    return ZoneInfo(name)
