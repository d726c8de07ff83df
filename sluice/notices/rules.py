"""What a contract says about telling people: to whom, of what, and when not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import time

VARIABLE_PREFIX = "SLUICE_NOTIFY_"
"""The environment variable SLUICE_NOTIFY_<route> holds the route's Apprise URLs: they are secrets."""


class Event(StrEnum):
    """What can be told, in the order in which it happens."""

    OPENED = "opened"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    SUCCESS = "success"  # a partition was published


class NoticeSeverity(StrEnum):
    """From the least to the gravest."""

    INFO = "info"  # nothing is wrong
    WARNING = "warning"  # it may still heal by itself
    CRITICAL = "critical"  # it needs a person

    @property
    def rank(self) -> int:
        return tuple(NoticeSeverity).index(self)


@dataclass(frozen=True, slots=True)
class Route:
    """`to` names the environment variable; `severity` is the least that is told this way."""

    to: str
    when: tuple[Event, ...] = (Event.OPENED, Event.ESCALATED, Event.RESOLVED)
    severity: NoticeSeverity = NoticeSeverity.INFO


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Every day from `begins` until `ends`, by the wall clock of `zone`; they may pass midnight."""

    begins: time
    ends: time
    zone: str


@dataclass(frozen=True, slots=True)
class NotifyRules:
    routes: tuple[Route, ...] = ()
    quiet_hours: QuietHours | None = None
    success: bool = False


def variable_of(route: str) -> str:
    return f"{VARIABLE_PREFIX}{route}"
