"""A ledger that tells CloudWatch what is written into it: what was built, what went wrong and was resolved.

A metric is written before the ledger has what it is about. So each is told at least once; twice only if the process is
killed between the two, for then the work is done again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from resources.telemetry import METRICS
from sluice.telemetry.measured import measured_build, measured_incident

if TYPE_CHECKING:
    from datetime import datetime

    from resources.ledger import Ledger
    from sluice.healing.failure import FailureClass
    from sluice.healing.incident import Incident
    from sluice.history import Published
    from sluice.telemetry.measured import Measured

INCIDENTS = logging.getLogger("sluice.incidents")
_ENOUGH_BUILDS = 100


def measured(ledger: Ledger) -> Ledger:
    return cast("Ledger", MeasuredLedger(ledger))


class MeasuredLedger:
    """All that is not here is the ledger's own."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  a ledger has some fifty methods
        return getattr(self._ledger, name)

    def record(self, published: Published) -> None:
        outcome = published.outcome
        attempts = self._ledger.attempts(outcome.dataset, outcome.partition, str(outcome.version))
        before = self._ledger.published(outcome.dataset, outcome.partition)
        # What is recorded while nobody tries to build it was not built: a table went back to it.
        is_built = bool(attempts) and attempts[-1].ended_at is None
        if is_built and (before is None or before.outcome.version != outcome.version):
            usd = self._usd(outcome.dataset, outcome.partition, str(outcome.version))
            _write(measured_build(outcome, len(attempts) - 1, usd, published.published_at))
        self._ledger.record(published)

    def resolve_incidents(
        self,
        dataset: str,
        partition: str,
        resolved_at: datetime,
        resolved_by: str,
        *,
        keep: FailureClass | None = None,
    ) -> int:
        for incident in self._ledger.incidents(dataset, open_only=True):
            if incident.partition == partition and incident.failure_class != keep:
                _write(measured_incident(incident, resolved_at))
                INCIDENTS.info("Resolved by %s.", resolved_by, extra={"about": _about(incident)})
        return self._ledger.resolve_incidents(dataset, partition, resolved_at, resolved_by, keep=keep)

    def open_incident(self, incident: Incident) -> Incident:
        opened = self._ledger.open_incident(incident)
        INCIDENTS.info("%s: %s", opened.failure_class, opened.evidence, extra={"about": _about(opened)})
        return opened

    def _usd(self, dataset: str, partition: str, version: str) -> float:
        """Return what building this version cost, as far as it is among the newest builds."""
        builds = self._ledger.builds(dataset, _ENOUGH_BUILDS)
        asked = [(item.request.partition, item.request.version, item.actual_usd) for item in builds]
        return sum(usd or 0.0 for day, built, usd in asked if (day, built) == (partition, version))


def _write(item: Measured) -> None:
    METRICS.info("%s", item.what, extra={"measured": item})


def _about(incident: Incident) -> dict[str, str]:
    return {
        "run": incident.run_id,
        "dataset": incident.dataset,
        "partition": incident.partition,
        "incident": str(incident.number),
    }
