"""What is measured of a build, an incident and a promise, with names and units as dashboards and alarms use them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sluice.healing.incident import Incident
    from sluice.outcome import Outcome


METRICS_LOGGER = "sluice.metrics"
"""What is measured is handed to this logger; it is enabled where metrics are written, so ask it first."""


class Unit(StrEnum):
    """As CloudWatch calls them; it has none for money."""

    COUNT = "Count"
    SECONDS = "Seconds"
    BYTES = "Bytes"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    unit: Unit
    value: float


@dataclass(frozen=True, slots=True)
class Measured:
    """`facts` are in the line, but are no dimensions: each value of a dimension is a metric that is paid for."""

    what: str
    at: datetime
    dataset: str
    metrics: tuple[Metric, ...]
    facts: Mapping[str, str] = field(default_factory=dict)


def measured_build(outcome: Outcome, retries: int, usd: float, published_at: datetime) -> Measured:
    return Measured(
        "build",
        published_at,
        outcome.dataset,
        (
            Metric("RowsPublished", Unit.COUNT, outcome.published),
            Metric("RecordsRejected", Unit.COUNT, outcome.quarantined),
            Metric("Duplicates", Unit.COUNT, outcome.duplicates),
            Metric("Retries", Unit.COUNT, retries),
            Metric("BuildSeconds", Unit.SECONDS, outcome.seconds),
            Metric("BytesIn", Unit.BYTES, outcome.bytes_in),
            Metric("BytesOut", Unit.BYTES, outcome.bytes_out),
            Metric("BuildDollars", Unit.NONE, usd),
        ),
        {"partition": outcome.partition, "run": outcome.run_id, "version": str(outcome.version)},
    )


def measured_incident(incident: Incident, resolved_at: datetime) -> Measured:
    """MTTD and MTTR are the averages of these over incidents: CloudWatch takes them."""
    return Measured(
        "incident",
        resolved_at,
        incident.dataset,
        (
            Metric("IncidentsResolved", Unit.COUNT, 1),
            Metric("SecondsToDetect", Unit.SECONDS, (incident.detected_at - incident.opened_at).total_seconds()),
            Metric("SecondsToResolve", Unit.SECONDS, (resolved_at - incident.detected_at).total_seconds()),
        ),
        {
            "partition": incident.partition,
            "run": incident.run_id,
            "incident": str(incident.number),
            "failure_class": incident.failure_class.value,
        },
    )


def measured_freshness(dataset: str, overdue: Sequence[datetime], now: datetime) -> Measured:
    """Return how long ago the oldest deadline passed by which nothing was published: 0 is on time."""
    lag = max(((now - deadline).total_seconds() for deadline in overdue), default=0.0)
    return Measured(
        "freshness",
        now,
        dataset,
        (
            Metric("FreshnessLagSeconds", Unit.SECONDS, lag),
            Metric("OverduePartitions", Unit.COUNT, len(overdue)),
        ),
    )
