"""Asks for blocked partitions again when what they waited for has come, and for held ones when breakers close."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import dagster as dg

from sensors.runs import PROBE_TAG, UNDER_WAY, count_under_way, is_in_chunk, is_probed
from sluice.healing.breakers import Breakers
from sluice.healing.breakers import Ledger as BreakersLedger
from sluice.reopening import reopenings
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.healing.breaker import Breaker
    from sluice.judged import Judged
    from sluice.reopening import Reopening

SENSOR_NAME = "reopening"
_REASONS = "sluice/reopened"
_MOST_DEATHS = 3


class Ledger(BreakersLedger, Protocol):
    def blocking_verdicts(self) -> tuple[Judged, ...]: ...
    def acceptances(self, dataset: str | None = None) -> tuple[Acceptance, ...]: ...
    def first_published(self, dataset: str) -> Mapping[str, datetime]: ...


class Store(Protocol):
    def etag(self, key: str) -> str | None: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_reopening_sensor(
    contracts: Mapping[str, Contract], jobs: Mapping[str, UnresolvedAssetJobDefinition], *, releases_under_way: int = 25
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of every dataset. What breakers held is released in portions."""

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=list(jobs.values()),
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for a blocked partition again once every gate that closed it has a reason to open.",
    )
    def reopening(
        context: dg.SensorEvaluationContext,
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        blocking, now = ledger.blocking_verdicts(), clock.now()
        found = reopenings(contracts, blocking, _World(ledger, store, Breakers(contracts, ledger, now)), now)
        places = len({(item.dataset, item.partition) for item in blocking})
        asker = _Asker(jobs, context.instance, releases_under_way)
        asked = list(asker.ask(found))
        return dg.SensorResult(
            run_requests=asked,
            skip_reason=None if asked else dg.SkipReason(f"Nothing has changed for {places:,} blocked partitions."),
        )

    return reopening


@dataclass(frozen=True, slots=True)
class _World:
    """Asked about each of hundreds of partitions in a tick, and asks once for each dataset."""

    ledger: Ledger
    store: Store
    breakers: Breakers
    _acceptances: dict[str, Sequence[Acceptance]] = field(default_factory=dict)
    _published: dict[str, Mapping[str, datetime]] = field(default_factory=dict)

    def acceptances(self, dataset: str) -> Sequence[Acceptance]:
        if dataset not in self._acceptances:
            self._acceptances[dataset] = self.ledger.acceptances(dataset)
        return self._acceptances[dataset]

    def first_published(self, dataset: str) -> Mapping[str, datetime]:
        if dataset not in self._published:
            self._published[dataset] = self.ledger.first_published(dataset)
        return self._published[dataset]

    def etag(self, key: str) -> str | None:
        return self.store.etag(key)

    def holding(self, dataset: str) -> Sequence[Breaker]:
        return self.breakers.holding(dataset)


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks for all that may pass; of what a breaker held, for one probe, and then for a portion at a time."""

    jobs: Mapping[str, UnresolvedAssetJobDefinition]
    instance: dg.DagsterInstance
    most: int

    def ask(self, found: Iterable[Reopening]) -> Iterator[dg.RunRequest]:
        room: dict[str, int] = {}
        probes: set[str] = set()
        for item in sorted(found, key=lambda item: (item.dataset, item.partition)):
            if item.is_release and item.dataset not in room:
                room[item.dataset] = self.most - count_under_way(self.instance, item.dataset)
            if item.is_release and room[item.dataset] <= 0:
                continue
            if item.probe and (item.probe in probes or is_probed(self.instance, item.probe)):
                continue
            if (request := _request(item, self.jobs, self.instance)) is None:
                continue
            if item.is_release:
                room[item.dataset] -= 1
            if item.probe:
                probes.add(item.probe)
            yield request


def _request(
    item: Reopening, jobs: Mapping[str, UnresolvedAssetJobDefinition], instance: dg.DagsterInstance
) -> dg.RunRequest | None:
    """Return the request, or None when a run that was asked for these reasons has judged already.

    Runs that died before they could judge are asked for again, but not for ever.
    """
    if _is_at_work(item, instance):
        return None
    reasons = "; ".join(item.reasons)
    tags = {"sluice/dataset": item.dataset, _REASONS: reasons, "dagster/partition": item.partition}
    earlier = instance.get_runs(dg.RunsFilter(tags=tags))
    if any(run.run_id in item.run_ids for run in earlier) or len(earlier) > _MOST_DEATHS:
        return None
    died = sum(run.is_finished for run in earlier)
    return dg.RunRequest(
        run_key=f"{item.dataset}:{item.partition}:{item.version}:{reasons}:{died + 1}",
        job_name=jobs[item.dataset].name,
        partition_key=item.partition,
        tags={
            "sluice/dataset": item.dataset,
            "sluice/fingerprint": Version.parse(item.version).fingerprint,
            _REASONS: reasons,
            **({PROBE_TAG: item.probe} if item.probe else {}),
        },
    )


def _is_at_work(item: Reopening, instance: dg.DagsterInstance) -> bool:
    """Whether a run builds the partition already: a retry, or one that was asked for a moment ago."""
    tags = {"sluice/dataset": item.dataset, "dagster/partition": item.partition}
    if instance.get_runs_count(dg.RunsFilter(tags=tags, statuses=UNDER_WAY)):
        return True
    return is_in_chunk(instance, (item.dataset, item.partition), item.run_ids)
