"""Hours in which people are left alone, unless they are needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import date

    from sluice.notices.rules import QuietHours

_DAY = timedelta(days=1)


def quiet_until(quiet: QuietHours | None, instant: datetime) -> datetime | None:
    """Return when the quiet hours that hold `instant` end, UTC; None if it lies in none. Their end is not quiet."""
    if quiet is None:
        return None
    today = instant.astimezone(ZoneInfo(quiet.zone)).date()
    for evening in (today - _DAY, today):
        begins, ends = _span(quiet, evening)
        if begins <= instant < ends:
            return ends
    return None


def _span(quiet: QuietHours, evening: date) -> tuple[datetime, datetime]:
    """In UTC, for times of one zone are compared by the wall clock, which shows an hour of autumn twice."""
    zone = ZoneInfo(quiet.zone)
    morning = evening if quiet.begins < quiet.ends else evening + _DAY
    begins = datetime.combine(evening, quiet.begins, tzinfo=zone)
    return begins.astimezone(UTC), datetime.combine(morning, quiet.ends, tzinfo=zone).astimezone(UTC)
