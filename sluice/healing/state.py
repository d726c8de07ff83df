"""Where an incident stands, as people read it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from sluice.healing.incident import Incident


class IncidentState(StrEnum):
    OPEN = "open"
    ESCALATED = "escalated"  # open, and what was decided last is that a person has to look
    RESOLVED = "resolved"


def state_of(incident: Incident) -> IncidentState:
    if incident.resolved_at is not None:
        return IncidentState.RESOLVED
    decided = (remedy for remedy in incident.remedies if remedy.kind is not RemedyKind.OPEN_BREAKER)
    last = max(decided, key=lambda remedy: remedy.taken_at, default=None)
    return IncidentState.ESCALATED if last and last.kind is RemedyKind.ESCALATE else IncidentState.OPEN
