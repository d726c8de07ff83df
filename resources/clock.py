"""Port: the time. Everything that needs it gets it from here, so that tests can hold it still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is set; for tests and drills."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant
