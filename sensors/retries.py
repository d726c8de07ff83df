"""Asks again for partitions whose last try failed in a way that time may heal: the one relauncher there is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, assert_never

import dagster as dg

from sensors.runs import PROBE_TAG, UNDER_WAY, datasets_of, is_in_chunk, is_probed
from sensors.untold import tell_published
from sluice.contract import CODE_VERSION
from sluice.cost.release import Ledger as SpendsLedger
from sluice.cost.release import release_ended
from sluice.healing.breaker import ABOUT_ONE_PARTITION, BreakerState, explain_breaker
from sluice.healing.breakers import Breakers, is_at_present
from sluice.healing.breakers import Ledger as BreakersLedger
from sluice.healing.decide import Asked, Escalate, RetryLater, ServeLastGood, WaitForUpstream, choose_retries, decide
from sluice.healing.explain import explain
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind, RemedyTaken
from sluice.healing.killed import KILLED, end_with
from sluice.healing.killed import Ledger as KilledLedger
from sluice.healing.meant import Ledger as ArrivalsLedger
from sluice.healing.meant import meant
from sluice.healing.policy import HealingPolicy
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.contract import Contract
    from sluice.healing.decide import Remedy
    from sluice.healing.incident import Incident
    from sluice.history import Attempt

SENSOR_NAME = "retries"
_Place = tuple[str, str, FailureClass]
RETRY_OF = "sluice/retry_of"
_MOST_DEATHS = 3
_LATELY = timedelta(hours=1)
_MOST_LOOKED_AT = 100


class Ledger(KilledLedger, BreakersLedger, ArrivalsLedger, SpendsLedger, Protocol):
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
        now = clock.now()
        healer = _Healer(contracts, ledger, context.instance, now, Breakers(contracts, ledger, now))
        healer.end_killed()
        release_ended(ledger, healer.was_killed, now)
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
    breakers: Breakers

    def end_killed(self) -> None:
        """A run that failed while its attempt is open was killed: whoever can still speak ends its own."""
        found = [
            self.instance.get_run_by_id(run_id) for run_id in {item.run_id for item in self.ledger.open_attempts()}
        ]
        over = {run.run_id: run for run in found if run is not None and run.is_finished}
        # Looked at once more: what a run had to say it has said by now, and that stands.
        for attempt in self.ledger.open_attempts() if over else ():
            run = over.get(attempt.run_id)
            if run is None:
                continue
            if run.is_success:  # it staged one version and published another one's
                self.ledger.end(attempt, self.now, None)
            else:
                tell_published(self.instance, self.ledger, run)
                end_with(attempt, KILLED, self.ledger, self.now, self._downstream(attempt))

    def was_killed(self, run_id: str) -> bool | None:
        """Return None of a run that is at work; one that nobody knows any more has no time to be charged for."""
        run = self.instance.get_run_by_id(run_id)
        if run is None:
            return False
        return not run.is_success if run.is_finished else None

    def note_stillborn(self) -> None:
        """A run that was killed before its first step has left no attempt; one is noted for it, as killed."""
        lately = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=self.now - _LATELY)
        for record in self.instance.get_run_records(lately, limit=_MOST_LOOKED_AT):
            run, partition = record.dagster_run, record.dagster_run.tags.get("dagster/partition")
            if partition is None:
                continue
            contracts = [self.contracts[name] for name in datasets_of(run) if name in self.contracts]
            last = [self.ledger.last_attempt(contract.dataset, partition) for contract in contracts]
            if own := [item for item in last if item and item.run_id == run.run_id]:
                if any(item.error is None for item in own):  # it published, and died before it reported that
                    tell_published(self.instance, self.ledger, run)
                continue
            died_at = _ended_at(record)
            untried = [
                contract
                for contract, item in zip(contracts, last, strict=True)
                if not item or item.started_at <= died_at  # a try that began before is none of what this one knew
            ]
            if untried and not self.instance.get_run_stats(run.run_id).steps_failed:
                for contract in untried:
                    self._note_killed(contract, partition, run, died_at)

    def _note_killed(self, contract: Contract, partition: str, run: dg.DagsterRun, died_at: datetime) -> None:
        fingerprint = meant(contract, partition, run.tags.get("sluice/fingerprint"), self.ledger, died_at)
        version = str(Version(fingerprint, contract.fingerprint, CODE_VERSION))
        attempt = self.ledger.begin(contract.dataset, partition, version, run.run_id, died_at)
        if attempt.ended_at is not None:  # noted before, and others have tried since
            return
        end_with(attempt, KILLED, self.ledger, self.now, contract.downstream)

    def heal(self, jobs: Mapping[str, UnresolvedAssetJobDefinition]) -> list[dg.RunRequest]:
        """Note a remedy for every failure, and ask for the retries whose moment has come."""
        open_incidents = {
            (item.dataset, item.partition, item.failure_class): item for item in self.ledger.incidents(open_only=True)
        }
        failed = [attempt for attempt in self.ledger.failed_attempts() if attempt.dataset in jobs]
        self._note_breakers({attempt.dataset for attempt in failed}, open_incidents)
        due: list[Attempt] = []
        for attempt in failed:
            incident = open_incidents.get(_place(attempt))
            remedy = self._renewed(self._decide(attempt), attempt, incident)
            self._note(remedy, attempt, incident)
            if isinstance(remedy, RetryLater) and remedy.at <= self.now:
                due.append(attempt)
        asked = self._requests(due, jobs)
        chosen = self._choose(asked) if asked else ()
        return [asked[attempt] for attempt in chosen]

    def _requests(
        self, due: Iterable[Attempt], jobs: Mapping[str, UnresolvedAssetJobDefinition]
    ) -> dict[Attempt, dg.RunRequest]:
        """Leave out what a breaker holds; of all that one probe could be, the oldest is asked for."""
        asked: dict[Attempt, dg.RunRequest] = {}
        probes: set[str] = set()
        for attempt in sorted(due, key=lambda item: (item.ended_at or self.now, item.dataset, item.partition)):
            holding = self.breakers.holding(attempt.dataset)
            if any(breaker.state is BreakerState.OPEN for breaker in holding):
                continue
            probe = holding[0].claim(self.now) if holding else None
            if probe is not None and (probe in probes or is_probed(self.instance, probe)):
                continue
            if request := self._request(attempt, jobs, probe):
                asked[attempt] = request
                probes |= {probe} if probe else set()
        return asked

    def _downstream(self, attempt: Attempt) -> tuple[str, ...]:
        contract = self.contracts.get(attempt.dataset)
        return contract.downstream if contract else ()

    def _decide(self, attempt: Attempt) -> Remedy:
        policy = self.contracts[attempt.dataset].healing
        failure_class = attempt.failure_class or FailureClass.UNKNOWN
        tries: Sequence[Attempt] = ()
        if policy.retries(failure_class) is not None:
            tries = self.ledger.attempts(attempt.dataset, attempt.partition, attempt.version)
        return decide(failure_class, tries, policy, self.now, _jitter(attempt.run_id), attempt.retry_after)

    def _renewed(self, remedy: Remedy, attempt: Attempt, incident: Incident | None) -> Remedy:
        """What waits for a person is tried once more when the cause seems to be gone.

        Somebody has changed the contract or code since, or the breaker that it helped to open has closed.
        """
        if isinstance(remedy, RetryLater) or attempt.failure_class in ABOUT_ONE_PARTITION:
            return remedy
        is_changed = not is_at_present(attempt, self.contracts[attempt.dataset])
        opened = incident is not None and any(item.kind is RemedyKind.OPEN_BREAKER for item in incident.remedies)
        is_over = opened and attempt.number == 1 and not self.breakers.holding(attempt.dataset)
        return RetryLater(attempt.ended_at or self.now, retry=1, most=1) if is_changed or is_over else remedy

    def _note_breakers(self, datasets: Iterable[str], open_incidents: Mapping[_Place, Incident]) -> None:
        """Keep with each incident, once, that it made a breaker open, or that it failed while one was open."""
        breakers = {breaker.key: breaker for name in sorted(datasets) for breaker in self.breakers.holding(name)}
        for breaker in breakers.values():
            found = {
                incident.number: incident for item in breaker.failed if (incident := open_incidents.get(_place(item)))
            }
            for incident in found.values():
                if all(remedy.kind is not RemedyKind.OPEN_BREAKER for remedy in incident.remedies):
                    taken = RemedyTaken(
                        RemedyKind.OPEN_BREAKER,
                        breaker.opened_at or self.now,
                        note=explain_breaker(breaker),
                        run_id=incident.run_id,
                    )
                    self.ledger.note_remedy(incident.number, taken)

    def _note(self, remedy: Remedy, attempt: Attempt, incident: Incident | None) -> None:
        """Keep it with the incident, once for each failed run; the run that failed names it."""
        kind = _kind(remedy)
        noted = {(item.kind, item.run_id) for item in incident.remedies} if incident else set()
        if incident and (kind, attempt.run_id) not in noted:
            taken = RemedyTaken(kind, self.now, note=explain(remedy), run_id=attempt.run_id)
            self.ledger.note_remedy(incident.number, taken)

    def _choose(self, due: Iterable[Attempt]) -> Sequence[Attempt]:
        bounds = {name: contract.healing.runs_per_dataset for name, contract in self.contracts.items()}
        return choose_retries(due, self._asked(), HealingPolicy(), self.now, bounds)

    def _asked(self) -> list[Asked]:
        """Return the retry runs that were asked for lately."""
        since = self.now - HealingPolicy().window
        records = self.instance.get_run_records(dg.RunsFilter(tags={"sluice/purpose": "healing"}, created_after=since))
        return [
            Asked(record.dagster_run.tags.get("sluice/dataset", ""), record.create_timestamp.replace(tzinfo=UTC))
            for record in records
            if RETRY_OF in record.dagster_run.tags  # other healing has bounds of its own
        ]

    def _request(
        self, attempt: Attempt, jobs: Mapping[str, UnresolvedAssetJobDefinition], probe: str | None
    ) -> dg.RunRequest | None:
        """Return the request, unless somebody is at work, a person stopped the run, or retries keep dying."""
        failed = self.instance.get_run_by_id(attempt.run_id)
        if failed is not None and failed.status is dg.DagsterRunStatus.CANCELED:
            return None
        partition = {"dagster/partition": attempt.partition}
        if any(
            run.tags.get("sluice/dataset", attempt.dataset) == attempt.dataset
            for run in self.instance.get_runs(dg.RunsFilter(tags=partition, statuses=UNDER_WAY))
        ):
            return None
        if is_in_chunk(self.instance, (attempt.dataset, attempt.partition), {attempt.run_id}):
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
                **({PROBE_TAG: probe} if probe else {}),
            },
        )


def _place(attempt: Attempt) -> _Place:
    return attempt.dataset, attempt.partition, attempt.failure_class or FailureClass.UNKNOWN


def _ended_at(record: dg.RunRecord) -> datetime:
    if record.end_time is not None:
        return datetime.fromtimestamp(record.end_time, UTC)
    return record.create_timestamp.replace(tzinfo=UTC)


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
