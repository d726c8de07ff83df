"""Asks again for partitions whose last try failed in a way that time may heal: the one relauncher there is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, assert_never

import dagster as dg

from sluice.contract import CODE_VERSION
from sluice.healing.decide import Asked, Escalate, RetryLater, ServeLastGood, WaitForUpstream, choose_retries, decide
from sluice.healing.explain import explain
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind, RemedyTaken
from sluice.healing.killed import KILLED, end_with
from sluice.healing.killed import Ledger as KilledLedger
from sluice.healing.policy import HealingPolicy
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.contract import Contract
    from sluice.healing.decide import Remedy
    from sluice.healing.incident import Incident
    from sluice.history import Attempt

SENSOR_NAME = "retries"
RETRY_OF = "sluice/retry_of"
_MOST_DEATHS = 3
_LATELY = timedelta(hours=1)
_MOST_LOOKED_AT = 100
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class Ledger(KilledLedger, Protocol):
    def failed_attempts(self) -> tuple[Attempt, ...]: ...
    def open_attempts(self) -> tuple[Attempt, ...]: ...
    def attempts(self, dataset: str, partition: str, version: str) -> tuple[Attempt, ...]: ...
    def last_attempt(self, dataset: str, partition: str) -> Attempt | None: ...
    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt: ...
    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]: ...
    def note_remedy(self, number: int, remedy: RemedyTaken) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_retries_sensor(
    contracts: Mapping[str, Contract], jobs: Mapping[str, UnresolvedAssetJobDefinition]
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of every dataset."""

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=list(jobs.values()),
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Retries what time may heal, with backoff and bounds; of the rest it says who is waited for.",
    )
    def retries(
        context: dg.SensorEvaluationContext, ledger: dg.ResourceParam[Ledger], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult:
        healer = _Healer(contracts, ledger, context.instance, clock.now())
        healer.end_killed()
        healer.note_stillborn()
        asked = healer.heal(jobs)
        return dg.SensorResult(
            run_requests=asked, skip_reason=None if asked else dg.SkipReason("No failed partition is due for a retry.")
        )

    return retries


@dataclass(frozen=True, slots=True)
class _Healer:
    contracts: Mapping[str, Contract]
    ledger: Ledger
    instance: dg.DagsterInstance
    now: datetime

    def end_killed(self) -> None:
        """A run that failed while its attempt is open was killed: whoever can still speak ends its own."""
        for attempt in self.ledger.open_attempts():
            run = self.instance.get_run_by_id(attempt.run_id)
            if run is not None and run.status is dg.DagsterRunStatus.FAILURE:
                end_with(attempt, KILLED, self.ledger, self.now)

    def note_stillborn(self) -> None:
        """A run that was killed before its first step has left no attempt; one is noted for it, as killed."""
        lately = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=self.now - _LATELY)
        for record in self.instance.get_run_records(lately, limit=_MOST_LOOKED_AT):
            run, tags = record.dagster_run, record.dagster_run.tags
            contract = self.contracts.get(tags.get("sluice/dataset", ""))
            partition, fingerprint = tags.get("dagster/partition"), tags.get("sluice/fingerprint")
            if contract is None or partition is None or fingerprint is None:
                continue
            last = self.ledger.last_attempt(contract.dataset, partition)
            created_at = record.create_timestamp.replace(tzinfo=UTC)
            was_tried = last is not None and (last.run_id == run.run_id or last.started_at > created_at)
            if not was_tried and not self.instance.get_run_stats(run.run_id).steps_failed:
                version = str(Version(fingerprint, contract.fingerprint, CODE_VERSION))
                attempt = self.ledger.begin(contract.dataset, partition, version, run.run_id, created_at)
                end_with(attempt, KILLED, self.ledger, self.now)

    def heal(self, jobs: Mapping[str, UnresolvedAssetJobDefinition]) -> list[dg.RunRequest]:
        """Note a remedy for every failure, and ask for the retries whose moment has come."""
        open_incidents = {
            (item.dataset, item.partition, item.failure_class): item for item in self.ledger.incidents(open_only=True)
        }
        due: dict[Attempt, dg.RunRequest] = {}
        for attempt in self.ledger.failed_attempts():
            if attempt.dataset not in jobs:
                continue
            remedy = self._decide(attempt)
            place = (attempt.dataset, attempt.partition, attempt.failure_class or FailureClass.UNKNOWN)
            self._note(remedy, attempt, open_incidents.get(place))
            if isinstance(remedy, RetryLater) and remedy.at <= self.now and (asked := self._request(attempt, jobs)):
                due[attempt] = asked
        chosen = choose_retries(due, self._asked(), HealingPolicy(), self.now) if due else ()
        return [due[attempt] for attempt in chosen]

    def _decide(self, attempt: Attempt) -> Remedy:
        policy = self.contracts[attempt.dataset].healing
        failure_class = attempt.failure_class or FailureClass.UNKNOWN
        tries: Sequence[Attempt] = ()
        if policy.retries(failure_class) is not None:
            tries = self.ledger.attempts(attempt.dataset, attempt.partition, attempt.version)
        return decide(failure_class, tries, policy, self.now, _jitter(attempt.run_id))

    def _note(self, remedy: Remedy, attempt: Attempt, incident: Incident | None) -> None:
        """Keep it with the incident, once for each failed run; the run that failed names it."""
        kind = _kind(remedy)
        noted = {(item.kind, item.run_id) for item in incident.remedies} if incident else set()
        if incident and (kind, attempt.run_id) not in noted:
            taken = RemedyTaken(kind, self.now, note=explain(remedy), run_id=attempt.run_id)
            self.ledger.note_remedy(incident.number, taken)

    def _asked(self) -> list[Asked]:
        """Return the retry runs that were asked for lately."""
        since = self.now - HealingPolicy().window
        records = self.instance.get_run_records(dg.RunsFilter(tags={"sluice/purpose": "healing"}, created_after=since))
        return [
            Asked(record.dagster_run.tags.get("sluice/dataset", ""), record.create_timestamp.replace(tzinfo=UTC))
            for record in records
        ]

    def _request(self, attempt: Attempt, jobs: Mapping[str, UnresolvedAssetJobDefinition]) -> dg.RunRequest | None:
        """Return the request, unless somebody is at work, a person stopped the run, or retries keep dying."""
        failed = self.instance.get_run_by_id(attempt.run_id)
        if failed is not None and failed.status is dg.DagsterRunStatus.CANCELED:
            return None
        partition = {"dagster/partition": attempt.partition}
        if any(
            run.tags.get("sluice/dataset", attempt.dataset) == attempt.dataset
            for run in self.instance.get_runs(dg.RunsFilter(tags=partition, statuses=_UNDER_WAY))
        ):
            return None
        earlier = self.instance.get_runs_count(dg.RunsFilter(tags={**partition, RETRY_OF: attempt.run_id}))
        if earlier > _MOST_DEATHS:
            return None
        return dg.RunRequest(
            run_key=f"{attempt.dataset}:{attempt.partition}:{attempt.version}:retry:{attempt.number}:{earlier + 1}",
            job_name=jobs[attempt.dataset].name,
            partition_key=attempt.partition,
            tags={
                "sluice/dataset": attempt.dataset,
                "sluice/fingerprint": Version.parse(attempt.version).fingerprint,
                "sluice/purpose": "healing",
                RETRY_OF: attempt.run_id,
            },
        )


def _kind(remedy: Remedy) -> RemedyKind:
    match remedy:
        case RetryLater():
            return RemedyKind.RETRY_LATER
        case WaitForUpstream():
            return RemedyKind.WAIT_FOR_UPSTREAM
        case ServeLastGood():
            return RemedyKind.SERVE_LAST_GOOD
        case Escalate():
            return RemedyKind.ESCALATE
        case _:
            assert_never(remedy)


def _jitter(run_id: str) -> float:
    """From 0 to 1, the same at every tick, and as different between runs as their ids."""
    return int.from_bytes(hashlib.blake2b(run_id.encode(), digest_size=4).digest(), "big") / 0xFFFFFFFF
