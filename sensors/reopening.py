"""Asks for blocked partitions again when a person accepted them, or what they waited for has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import dagster as dg

from sluice.reopening import reopenings
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.judged import Judged
    from sluice.reopening import Reopening

SENSOR_NAME = "reopening"
_REASONS = "sluice/reopened"
_MOST_DEATHS = 3


class Ledger(Protocol):
    def blocking_verdicts(self) -> tuple[Judged, ...]: ...
    def acceptances(self, dataset: str | None = None) -> tuple[Acceptance, ...]: ...
    def first_published(self, dataset: str) -> Mapping[str, datetime]: ...


class Store(Protocol):
    def etag(self, key: str) -> str | None: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_reopening_sensor(
    contracts: Mapping[str, Contract], jobs: Mapping[str, UnresolvedAssetJobDefinition]
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of every dataset."""

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
        blocking = ledger.blocking_verdicts()
        found = reopenings(contracts, blocking, _World(ledger, store), clock.now())
        places = len({(item.dataset, item.partition) for item in blocking})
        asked = [request for item in found if (request := _request(item, jobs, context.instance)) is not None]
        return dg.SensorResult(
            run_requests=asked,
            skip_reason=None if asked else dg.SkipReason(f"Nothing has changed for {places:,} blocked partitions."),
        )

    return reopening


@dataclass(frozen=True, slots=True)
class _World:
    ledger: Ledger
    store: Store

    def acceptances(self, dataset: str) -> Sequence[Acceptance]:
        return self.ledger.acceptances(dataset)

    def first_published(self, dataset: str) -> Mapping[str, datetime]:
        return self.ledger.first_published(dataset)

    def etag(self, key: str) -> str | None:
        return self.store.etag(key)


def _request(
    item: Reopening, jobs: Mapping[str, UnresolvedAssetJobDefinition], instance: dg.DagsterInstance
) -> dg.RunRequest | None:
    """Return the request, or None when a run that was asked for these reasons has judged already.

    Runs that died before they could judge are asked for again, but not for ever.
    """
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
        },
    )
