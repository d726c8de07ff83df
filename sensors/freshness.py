"""Sees a partition that missed its deadline, even if no run ever started, and reports it as a failed check."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import dagster as dg

from sluice.freshness import CHECK_NAME, breach_verdict, breaches
from sluice.healing.health import BY_ITSELF
from sluice.history import RECORDED_WITHIN
from sluice.lateness import open_lateness, over
from sluice.telemetry.measured import METRICS_LOGGER, measured_freshness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sluice.contract import Contract
    from sluice.freshness import Freshness
    from sluice.healing.incident import Incident

SENSOR_NAME = "freshness"
_METRICS = logging.getLogger(METRICS_LOGGER)
_SHOWN = 20


class Ledger(Protocol):
    def first_published(self, dataset: str) -> Mapping[str, datetime]: ...
    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]: ...
    def open_incident(self, incident: Incident) -> Incident: ...
    def resolve_incidents(self, dataset: str, partition: str, resolved_at: datetime, resolved_by: str) -> int: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_freshness_sensor(contracts: Mapping[str, Contract], *, reports_per_tick: int = 200) -> dg.SensorDefinition:
    """Return the sensor; the check it reports belongs to the table of every dataset that promises a time."""
    promises = {name: contract.freshness for name, contract in contracts.items() if contract.freshness}

    @dg.sensor(
        name=SENSOR_NAME,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Fails the check of a partition that is not published by its deadline, and opens its incident.",
    )
    def freshness(
        context: dg.SensorEvaluationContext, ledger: dg.ResourceParam[Ledger], clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult:
        now = clock.now()
        published = {name: ledger.first_published(name) for name in promises}
        missing = _missing([contracts[name] for name in promises], published, now)
        _keep_incidents(contracts, missing, published, ledger, now)
        _measure(promises, missing, now)
        reported = _read_cursor(context.cursor)
        fresh = [breach for breach in missing if breach not in reported]
        told = fresh[:reports_per_tick]
        return dg.SensorResult(
            asset_events=[_evaluation(breach, promises[breach.dataset], now) for breach in told],
            skip_reason=dg.SkipReason(_skip_text(len(promises), len(missing), told)),
            cursor=_cursor_text([*reported.intersection(missing), *told]),
        )

    return freshness


class _Breach(NamedTuple):
    """With its deadline, so that a contract that moves it makes another breach."""

    deadline: str
    dataset: str
    partition: str


def _missing(
    promising: Iterable[Contract], published: Mapping[str, Mapping[str, datetime]], now: datetime
) -> list[_Breach]:
    """Return the newest first: what broke a minute ago must not wait behind the history of a new dataset."""
    found = [
        _Breach(due.deadline.isoformat(), contract.dataset, due.partition)
        for contract in promising
        for due in breaches(contract, published[contract.dataset], now - RECORDED_WITHIN)
    ]
    return sorted(found, reverse=True)


def _keep_incidents(
    contracts: Mapping[str, Contract],
    missing: Iterable[_Breach],
    published: Mapping[str, Mapping[str, datetime]],
    ledger: Ledger,
    now: datetime,
) -> None:
    """Open one for what is missing since lately; close one that a publication has overtaken. Both at every tick."""
    if not published:
        return
    known = ledger.incidents(open_only=True)
    for breach in missing:
        open_lateness(contracts[breach.dataset], breach.partition, known, ledger, now)
    for incident in over(known, published):
        ledger.resolve_incidents(incident.dataset, incident.partition, now, BY_ITSELF)


def _measure(promises: Iterable[str], missing: Iterable[_Breach], now: datetime) -> None:
    """At every tick: an alarm wants to hear that all is on time, too."""
    if not _METRICS.isEnabledFor(logging.INFO):
        return
    overdue: defaultdict[str, list[datetime]] = defaultdict(list)
    for breach in missing:
        overdue[breach.dataset].append(datetime.fromisoformat(breach.deadline))
    for dataset in promises:
        _METRICS.info(SENSOR_NAME, extra={"measured": measured_freshness(dataset, overdue[dataset], now)})


def _evaluation(breach: _Breach, promise: Freshness, now: datetime) -> dg.AssetCheckEvaluation:
    verdict = breach_verdict(promise, breach.partition, now)
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["tables", breach.dataset]),
        check_name=CHECK_NAME,
        passed=verdict.holds,
        severity=dg.AssetCheckSeverity.ERROR,
        description=verdict.explanation,
        metadata={**verdict.numbers, "threshold": verdict.threshold, "threshold from": verdict.origin, **verdict.facts},
        blocking=False,
        partition=breach.partition,
    )


def _read_cursor(text: str | None) -> frozenset[_Breach]:
    """What was reported and is still missing. Losing it is harmless: the same is reported once more."""
    try:
        rows: Any = json.loads(text or "[]")  # Any: checked by use
        return frozenset(_Breach(*map(str, row)) for row in rows)
    except (ValueError, TypeError):
        return frozenset()


def _cursor_text(reported: Iterable[_Breach]) -> str:
    return json.dumps(sorted(reported))


def _skip_text(promises: int, missing: int, told: Sequence[_Breach]) -> str:
    if not promises:
        return "No contract promises a time (slaProperties)."
    names = ", ".join(f"{breach.dataset} {breach.partition}" for breach in told[:_SHOWN])
    more = f" and {len(told) - _SHOWN:,} more" if len(told) > _SHOWN else ""
    newly = f"; reported now: {names}{more}" if told else ""
    return f"Datasets that promise a time: {promises:,}; overdue partitions: {missing:,}{newly}."
