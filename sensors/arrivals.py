"""Asks for a run for every partition whose files are new, overwritten or late: one sensor over all landed datasets."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import dagster as dg

from sensors.arrival_desk import Desk, Ledger, Work, read_cursor
from sensors.watching import Watch
from sluice.healing.breakers import Breakers
from sluice.sweeping import Sweeper, WatchedStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.arrivals import Noticed, Sweep
    from sluice.contract import Contract

SENSOR_NAME = "arrivals"
_SHOWN = 20
_FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_arrivals_sensor(
    contracts: Mapping[str, Contract],
    jobs: Mapping[str, UnresolvedAssetJobDefinition],
    *,
    requests_per_tick: int = 200,
    runs_under_way: int = 50,
    listing_every: timedelta | None = None,
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of each landed dataset.

    At most so many runs of one dataset are under way, lest everything is launched before a breaker can open.
    With `listing_every` the sensor `events` notices what arrives, and a listing so often finds what events missed.
    """
    # It lives as long as the code server.
    watch = Watch("raw")
    sweeper = Sweeper() if listing_every is None else Sweeper(listing_every, told_by_events=True)

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=list(jobs.values()),
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sees new, overwritten and late files in the raw zone and asks for their partitions to be built.",
    )
    def arrivals(
        context: dg.SensorEvaluationContext,
        store: dg.ResourceParam[WatchedStore],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        cursor = read_cursor(context.cursor)
        now = clock.now()
        with watch.kept(ledger, now):
            sweep = sweeper.sweep(contracts.values(), store, ledger, now)
        complaints = _complaints(sweep)
        if complaints and _digest(complaints) != cursor.complained:
            context.log.warning("\n".join(complaints))
        desk = Desk(contracts, jobs, ledger, context.instance, Breakers(contracts, ledger, now), runs_under_way)
        work = desk.sort(ledger.noticed_after(cursor.sequence), cursor, requests_per_tick)
        held = [desk.hold(noticed) for noticed in work.held]
        return dg.SensorResult(
            run_requests=[_request(noticed, jobs, context.instance) for noticed in work.wanted],
            asset_events=held,
            skip_reason=None if work.wanted else dg.SkipReason(_skip_text(sweep, complaints, work)),
            cursor=work.cursor(cursor, _digest(complaints)).text,
        )

    return arrivals


def _request(
    noticed: Noticed, jobs: Mapping[str, UnresolvedAssetJobDefinition], instance: dg.DagsterInstance
) -> dg.RunRequest:
    manifest = noticed.manifest
    tags = {"sluice/dataset": manifest.dataset, "sluice/fingerprint": manifest.fingerprint}
    failures = instance.get_runs_count(
        dg.RunsFilter(tags={**tags, "dagster/partition": manifest.partition}, statuses=_FAILED)
    )
    # Without the attempt Dagster would drop a legitimate second try for ever; while a run is at work its key stays.
    parts = (manifest.dataset, manifest.partition, manifest.fingerprint, noticed.sequence, failures + 1)
    return dg.RunRequest(
        run_key=":".join(str(part) for part in parts),
        job_name=jobs[manifest.dataset].name,
        partition_key=manifest.partition,
        tags=tags,
    )


def _complaints(sweep: Sweep) -> list[str]:
    outside = [f"{dataset} {partition}" for dataset, partition in sweep.outside]
    return [
        *_complaint("match no dataset's location; move them, or correct a location", sweep.strays),
        *_complaint("have files but are before their dataset's start or after today; they wait", outside),
    ]


def _complaint(what: str, items: Sequence[str]) -> list[str]:
    more = f" and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else ""
    return [f"{len(items):,} {what}: {', '.join(items[:_SHOWN])}{more}."] if items else []


def _skip_text(sweep: Sweep, complaints: Sequence[str], work: Work) -> str:
    waiting = f"; {len(sweep.unsettled):,} objects are still being written" if sweep.unsettled else ""
    held = [f"{len(work.held):,} partitions are held by breakers: sluice breakers"] if work.held else []
    full = (
        [f"Waiting until fewer runs of them are under way: {', '.join(sorted(work.stopped))}"] if work.stopped else []
    )
    return "\n".join([f"Nothing to ask for in {sweep.partitions:,} partitions{waiting}.", *held, *full, *complaints])


def _digest(complaints: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(complaints).encode(), digest_size=8).hexdigest() if complaints else ""
