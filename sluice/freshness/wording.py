"""Instants, spans and shares as people read them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


def instant_text(instant: datetime) -> str:
    """`2026-11-04 01:30 UTC`; seconds only where there are any."""
    seconds = ":%S" if instant.second else ""
    return instant.astimezone(UTC).strftime(f"%Y-%m-%d %H:%M{seconds} UTC")


def span_text(span: timedelta) -> str:
    """The two largest units: `3 d 2 h`, `12 min`; below a minute `40 s`."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    return " ".join(parts[:2]) or f"{seconds} s"


def percent_text(share: float) -> str:
    """`95 %`, `99.9 %`."""
    return f"{share * 100:.6g} %"
