"""Asks for a run for every partition whose files are new, overwritten or late: one sensor over all landed datasets."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from sluice.arrivals import ArrivalsLedger, Noticed, RawStore, sweep_raw_zone
from sluice.contract import CODE_VERSION
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.arrivals import Sweep
    from sluice.contract import Contract
    from sluice.history import Attempt, Published

SENSOR_NAME = "arrivals"
_SHOWN = 20


class Ledger(ArrivalsLedger, Protocol):
    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]: ...
    def published(self, dataset: str, partition: str) -> Published | None: ...
    def last_attempt(self, dataset: str, partition: str) -> Attempt | None: ...


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
        minimum_interval_seconds=5,
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
        asked, reached = _ask(waiting, contracts, jobs, ledger, cursor.sequence, requests_per_tick)
        return dg.SensorResult(
            run_requests=asked,
            skip_reason=None if asked else dg.SkipReason(_skip_text(sweep, complaints)),
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


def _ask(
    waiting: Sequence[Noticed],
    contracts: Mapping[str, Contract],
    jobs: Mapping[str, UnresolvedAssetJobDefinition],
    ledger: Ledger,
    reached: int,
    most: int,
) -> tuple[list[dg.RunRequest], int]:
    """Return requests for what no table holds yet, and the sequence up to which everything is dealt with."""
    asked: list[dg.RunRequest] = []
    for noticed in waiting:
        if len(asked) == most:
            break
        reached = noticed.sequence
        contract = contracts.get(noticed.manifest.dataset)
        if contract and contract.dataset in jobs and _is_wanted(noticed, contract, ledger):
            asked.append(_request(noticed, contract, jobs[contract.dataset].name, ledger))
    return asked, reached


def _is_wanted(noticed: Noticed, contract: Contract, ledger: Ledger) -> bool:
    manifest = noticed.manifest
    if manifest.partition < contract.start.isoformat():
        return False  # noticed under an earlier `start`
    published = ledger.published(manifest.dataset, manifest.partition)
    return published is None or published.outcome.fingerprint != manifest.fingerprint


def _request(noticed: Noticed, contract: Contract, job_name: str, ledger: Ledger) -> dg.RunRequest:
    manifest = noticed.manifest
    # Without the attempt Dagster would drop a legitimate second try for ever.
    parts = (manifest.dataset, manifest.partition, manifest.fingerprint, noticed.sequence)
    return dg.RunRequest(
        run_key=":".join(str(part) for part in (*parts, _next_attempt(noticed, contract, ledger))),
        job_name=job_name,
        partition_key=manifest.partition,
        tags={"sluice/dataset": manifest.dataset, "sluice/fingerprint": manifest.fingerprint},
    )


def _next_attempt(noticed: Noticed, contract: Contract, ledger: Ledger) -> int:
    """Count on from a failed attempt at this version; one that still runs keeps its number and so its run key."""
    manifest = noticed.manifest
    last = ledger.last_attempt(manifest.dataset, manifest.partition)
    version = Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION)
    if last is None or last.version != str(version):
        return 1
    return last.number + 1 if last.error else last.number


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
