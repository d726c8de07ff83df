"""Asks for a run for every partition whose files are new, overwritten or late: one sensor over all landed datasets."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from sluice.arrivals import ArrivalsLedger, Noticed, RawStore, sweep_raw_zone

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.arrivals import Sweep
    from sluice.contract import Contract
    from sluice.history import Published

SENSOR_NAME = "arrivals"
_SHOWN = 20
_FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


class Ledger(ArrivalsLedger, Protocol):
    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]: ...
    def published(self, dataset: str, partition: str) -> Published | None: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_arrivals_sensor(
    contracts: Mapping[str, Contract],
    jobs: Mapping[str, UnresolvedAssetJobDefinition],
    *,
    requests_per_tick: int = 200,
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of each landed dataset."""

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=list(jobs.values()),
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sees new, overwritten and late files in the raw zone and asks for their partitions to be built.",
    )
    def arrivals(
        context: dg.SensorEvaluationContext,
        store: dg.ResourceParam[RawStore],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        cursor = _read_cursor(context.cursor)
        sweep = sweep_raw_zone(contracts.values(), store, ledger, clock.now())
        complaints = _complaints(sweep)
        if complaints and _digest(complaints) != cursor.complained:
            context.log.warning("\n".join(complaints))
        waiting = ledger.noticed_after(cursor.sequence)
        wanted, reached = _wanted(waiting, contracts, jobs, ledger, cursor.sequence, requests_per_tick)
        return dg.SensorResult(
            run_requests=[_request(noticed, jobs, context.instance) for noticed in wanted],
            skip_reason=None if wanted else dg.SkipReason(_skip_text(sweep, complaints)),
            cursor=_Cursor(reached, _digest(complaints)).text,
        )

    return arrivals


@dataclass(frozen=True, slots=True)
class _Cursor:
    """The last arrival that was dealt with, and a digest of what was last complained of.

    Losing it is harmless: partitions that are published are skipped, and Dagster drops run keys it has seen.
    """

    sequence: int = 0
    complained: str = ""

    @property
    def text(self) -> str:
        return json.dumps({"sequence": self.sequence, "complained": self.complained})


def _read_cursor(text: str | None) -> _Cursor:
    try:
        fields: Any = json.loads(text or "{}")  # Any: checked by use
        return _Cursor(int(fields.get("sequence", 0)), str(fields.get("complained", "")))
    except (ValueError, TypeError, AttributeError):
        return _Cursor()


def _wanted(
    waiting: Sequence[Noticed],
    contracts: Mapping[str, Contract],
    datasets: Collection[str],
    ledger: Ledger,
    reached: int,
    most: int,
) -> tuple[list[Noticed], int]:
    """Return what no table holds yet, and the sequence up to which everything is dealt with."""
    wanted: list[Noticed] = []
    for noticed in waiting:
        if len(wanted) == most:
            break
        reached = noticed.sequence
        contract = contracts.get(noticed.manifest.dataset)
        if contract and contract.dataset in datasets and _is_wanted(noticed, contract, ledger):
            wanted.append(noticed)
    return wanted, reached


def _is_wanted(noticed: Noticed, contract: Contract, ledger: Ledger) -> bool:
    manifest = noticed.manifest
    if manifest.partition < contract.start.isoformat():
        return False  # noticed under an earlier `start`
    published = ledger.published(manifest.dataset, manifest.partition)
    return published is None or published.outcome.fingerprint != manifest.fingerprint


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


def _skip_text(sweep: Sweep, complaints: Sequence[str]) -> str:
    waiting = f"; {len(sweep.unsettled):,} objects are still being written" if sweep.unsettled else ""
    return "\n".join([f"Nothing new in {sweep.partitions:,} partitions{waiting}.", *complaints])


def _digest(complaints: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(complaints).encode(), digest_size=8).hexdigest() if complaints else ""
