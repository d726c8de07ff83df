"""Asks for a stand-in for each partition whose deadline has passed and of which nothing is published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import dagster as dg

from sensors.runs import UNDER_WAY
from sluice.arrivals import RawStore
from sluice.freshness import breaches
from sluice.healing.backoff import backoff
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind, RemedyTaken
from sluice.healing.policy import USUAL
from sluice.history import RECORDED_WITHIN
from sluice.stand_in import (
    LONGEST_AGO,
    Basis,
    fallback_basis,
    fallback_objects,
    missing_text,
    open_at,
    placeholder_basis,
    previous,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.contract import Contract
    from sluice.healing.incident import Incident
    from sluice.healing.policy import StandIn
    from sluice.history import Published

SENSOR_NAME = "stand_ins"
BASIS = "sluice/stand_in"
_TRIES = USUAL[FailureClass.SINK_UNAVAILABLE]  # an outage of the table store is the likeliest cause, and may last
_MOST_ASKED = 20  # in a tick


class Ledger(Protocol):
    def first_published(self, dataset: str) -> Mapping[str, datetime]: ...
    def published(self, dataset: str, partition: str) -> Published | None: ...
    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]: ...
    def note_remedy(self, number: int, remedy: RemedyTaken) -> None: ...


class Store(RawStore, Protocol):
    """The raw zone, where fallback locations are."""


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_stand_ins_sensor(contracts: Mapping[str, Contract], job_name: str) -> dg.SensorDefinition:
    """Return the sensor; that job makes the stand-in of the dataset and partition in its run's tags."""

    @dg.sensor(
        name=SENSOR_NAME,
        job_name=job_name,
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for what stands in for a late partition, where the contract names something.",
    )
    def stand_ins(
        context: dg.SensorEvaluationContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        seeker = _Seeker(store, ledger, context.instance, clock.now())
        asked: list[dg.RunRequest] = []
        for contract in contracts.values():
            if contract.healing.stand_in is not None:
                asked += seeker.ask(contract, contract.healing.stand_in, job_name)
        asked = asked[:_MOST_ASKED]
        skip_reason = None if asked else dg.SkipReason("Nothing that a contract names a stand-in for is overdue.")
        return dg.SensorResult(run_requests=asked, skip_reason=skip_reason)

    return stand_ins


@dataclass(frozen=True, slots=True)
class _Seeker:
    store: Store
    ledger: Ledger
    instance: dg.DagsterInstance
    now: datetime

    def ask(self, contract: Contract, policy: StandIn, job_name: str) -> list[dg.RunRequest]:
        """Return the requests for one dataset, the newest partition first."""
        own = self.ledger.first_published(contract.dataset)
        overdue = breaches(contract, own, self.now - RECORDED_WITHIN, LONGEST_AGO.days)
        bare = [item.partition for item in overdue if self.ledger.published(contract.dataset, item.partition) is None]
        requests = []
        for partition in reversed(bare):
            basis = self._basis(contract.dataset, policy, partition, own)
            if basis is None:
                why = missing_text(policy.path, partition)
                self._note(contract.dataset, partition, RemedyKind.WAIT_FOR_UPSTREAM, why)
            elif (request := self._request(contract.dataset, partition, basis, job_name)) is not None:
                requests.append(request)
        return requests

    def _basis(self, dataset: str, policy: StandIn, partition: str, own: Mapping[str, datetime]) -> Basis | None:
        if policy.path is not None:
            objects = fallback_objects(policy.path, partition, self.store, self.now)
            return fallback_basis(objects) if objects else None
        base = previous(partition, own, lambda day: self.ledger.published(dataset, day))
        return placeholder_basis(base) if base else None

    def _request(self, dataset: str, partition: str, basis: Basis, job_name: str) -> dg.RunRequest | None:
        """Return the request, unless a run is under way, the next try is not due, or tries keep failing."""
        place = {"sluice/dataset": dataset, "dagster/partition": partition}
        if self.instance.get_runs_count(dg.RunsFilter(job_name=job_name, tags=place, statuses=UNDER_WAY)):
            return None
        tags = {**place, BASIS: basis.key, "sluice/purpose": "healing"}
        earlier = self.instance.get_run_records(dg.RunsFilter(job_name=job_name, tags=tags))
        if len(earlier) >= _TRIES.most:
            why = f"{len(earlier)} runs could not make a stand-in of {basis.text}; see the job {job_name} in Dagster."
            self._note(dataset, partition, RemedyKind.ESCALATE, why)
            return None
        if self._is_too_soon(earlier):
            return None
        return dg.RunRequest(
            run_key=f"{dataset}:{partition}:stand_in:{basis.key}:{len(earlier) + 1}", job_name=job_name, tags=tags
        )

    def _is_too_soon(self, earlier: Sequence[dg.RunRecord]) -> bool:
        if not earlier:
            return False
        ended = max(record.end_time or 0.0 for record in earlier)
        return self.now < datetime.fromtimestamp(ended, UTC) + backoff(_TRIES, len(earlier) - 1, 1.0)

    def _note(self, dataset: str, partition: str, kind: RemedyKind, note: str) -> None:
        """Write it into the partition's open incidents, once."""
        for incident in open_at(self.ledger.incidents(dataset, open_only=True), partition):
            if all((item.kind, item.run_id) != (kind, None) for item in incident.remedies):
                self.ledger.note_remedy(incident.number, RemedyTaken(kind, self.now, note=note))
