"""Asks for the runs that pull a day from its HTTP source when it is due: one sensor over all such datasets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

import dagster as dg

from sensors.runs import count_under_way
from sluice.contract import CODE_VERSION
from sluice.healing.breaker import BreakerState
from sluice.healing.breakers import Breakers
from sluice.healing.breakers import Ledger as BreakersLedger
from sluice.pulling.note import note_key, read_note
from sluice.pulling.schedule import due, moment_of, pull_fingerprint, window
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.contract import Contract
    from sluice.history import Attempt

SENSOR_NAME = "pulls"


class Store(Protocol):
    def open(self, key: str) -> BinaryIO: ...


class Ledger(BreakersLedger, Protocol):
    def attempts(self, dataset: str, partition: str, version: str) -> tuple[Attempt, ...]: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_pulls_sensor(
    contracts: Mapping[str, Contract], jobs: Mapping[str, UnresolvedAssetJobDefinition]
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of each dataset that is pulled."""

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=list(jobs.values()),
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks HTTP sources for the days that are due; a day that failed is left to the sensor `retries`.",
    )
    def pulls(
        context: dg.SensorEvaluationContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        asker = _Asker(store, ledger, clock.now(), Breakers(contracts, ledger, clock.now()))
        # One run of a dataset at a time: a source is asked politely, whatever has piled up.
        idle = [name for name in jobs if not count_under_way(context.instance, name)]
        asked = [asker.request(contracts[name], jobs[name].name) for name in idle]
        requests = [request for request in asked if request is not None]
        return dg.SensorResult(
            run_requests=requests, skip_reason=None if requests else dg.SkipReason("No day is due to be pulled.")
        )

    return pulls


@dataclass(frozen=True, slots=True)
class _Asker:
    store: Store
    ledger: Ledger
    now: datetime
    breakers: Breakers

    def request(self, contract: Contract, job: str) -> dg.RunRequest | None:
        """Return the request for the oldest day that is due, unless a breaker holds the dataset."""
        pull = contract.source.pull if contract.source else None
        holding = self.breakers.holding(contract.dataset)
        if pull is None or any(breaker.state is BreakerState.OPEN for breaker in holding):
            return None
        claims = [breaker.claim(self.now) for breaker in holding]  # half open: the run that gets there first probes
        for partition in window(pull, contract.start, self.now):
            moment = moment_of(pull, partition, self.now)
            if moment is None:
                continue
            version = Version(pull_fingerprint(pull, moment), contract.fingerprint, CODE_VERSION)
            tries = self.ledger.attempts(contract.dataset, partition, str(version))
            if due(pull, partition, self.now, self._pulled_at(contract, partition), tries):
                return _request(contract.dataset, partition, version, job, len(tries) + 1, claims)
        return None

    def _pulled_at(self, contract: Contract, partition: str) -> datetime | None:
        try:
            with self.store.open(note_key(contract.dataset, partition)) as opened:
                note = read_note(opened.read())
        except FileNotFoundError:
            return None
        return note.pulled_at if note.is_complete else None


def _request(dataset: str, partition: str, version: Version, job: str, number: int, claims: list[str]) -> dg.RunRequest:
    probe = [hashlib.blake2b("\n".join(claims).encode(), digest_size=4).hexdigest()] if claims else []
    return dg.RunRequest(
        run_key=":".join([dataset, partition, "pull", version.fingerprint, str(number), *probe]),
        job_name=job,
        partition_key=partition,
        tags={"sluice/dataset": dataset, "sluice/fingerprint": version.fingerprint},
    )
