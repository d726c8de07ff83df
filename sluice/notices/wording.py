"""Incidents and publications as people read them in a message."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sluice.freshness.wording import instant_text, span_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.healing.incident import Incident
    from sluice.history import Published

_LONGEST = 600  # of an error: receivers cut long messages, and the incident has it all
_SHOWN = 10


def incident_text(incident: Incident) -> str:
    lines = [
        _cut(incident.evidence.strip()),
        f"Detected {instant_text(incident.detected_at.replace(microsecond=0))}.",
        _tried(incident),
        _affected(incident),
        _resolution(incident),
        f"Details: sluice incidents show {incident.number}",
    ]
    return "\n".join(line for line in lines if line)


def published_text(published: Published) -> str:
    outcome = published.outcome
    more = f", {outcome.quarantined:,} quarantined" if outcome.quarantined else ""
    when = instant_text(published.published_at.replace(microsecond=0))
    return f"{outcome.published:,} of {outcome.records_in:,} records published{more}, {when}."


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _tried(incident: Incident) -> str:
    kinds = Counter(remedy.kind.replace("_", " ") for remedy in incident.remedies)
    tried = ", ".join(kind if times == 1 else f"{kind} ({times} times)" for kind, times in kinds.items())
    return f"Done so far: {tried}." if tried else ""


def _affected(incident: Incident) -> str:
    return f"Also affected: {listed(incident.downstream)}." if incident.downstream else ""


def _resolution(incident: Incident) -> str:
    if incident.resolved_at is None:
        return ""
    after = span_text(incident.resolved_at - incident.detected_at)
    by = f" by {incident.resolved_by}" if incident.resolved_by else ""
    return f"Resolved{by} after {after}."


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
