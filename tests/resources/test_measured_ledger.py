"""What is written into a ledger is told to CloudWatch first: at least once, and once where nothing is killed."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.measured_ledger import measured
from resources.memory_ledger import MemoryLedger
from resources.telemetry import METRICS
from sluice.cost.budget import Estimate, Limits, Purpose, Request, SpendState
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident
from sluice.history import Published
from sluice.outcome import ObjectBalance, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.ledger import Ledger
    from sluice.telemetry.measured import Measured

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-20"
OUTCOME = Outcome(
    dataset="orders",
    partition=DAY,
    fingerprint="f" * 16,
    contract_version="1.0.0",
    contract_fingerprint="c" * 12,
    code_version="1",
    run_id="run-2",
    objects=(ObjectBalance(key="a", etag="e", records_in=9, published=9, quarantined=0, duplicates=0),),
    files=(),
    quarantine_files=(),
    bytes_in=4096,
    seconds=1.5,
)
VERSION = str(OUTCOME.version)
PUBLISHED = Published(OUTCOME, 1, NOON)


class Told(logging.Handler):
    """Keeps what is measured, with what the ledger held at that moment."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger
        self.measured: list[Measured] = []
        self.was_recorded: list[bool] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.measured.append(record.measured)  # type: ignore[attr-defined]
        self.was_recorded.append(self.ledger.published("orders", DAY) is not None)

    def value(self, name: str) -> float:
        (item,) = self.measured
        return {metric.name: metric.value for metric in item.metrics}[name]


@pytest.fixture
def ledger() -> Ledger:
    """Return a measured one, with an attempt that failed and one that is at work."""
    found = measured(MemoryLedger())
    found.end(found.begin("orders", DAY, VERSION, "run-1", NOON), NOON, "it broke", FailureClass.TRANSIENT)
    found.begin("orders", DAY, VERSION, "run-2", NOON)
    return found


@pytest.fixture
def told(ledger: Ledger) -> Iterator[Told]:
    handler = Told(ledger)
    METRICS.addHandler(handler)
    METRICS.setLevel(logging.INFO)
    yield handler
    METRICS.setLevel(logging.NOTSET)
    METRICS.removeHandler(handler)


def test_a_build_is_told_before_it_is_recorded(ledger: Ledger, told: Told) -> None:
    ledger.record(PUBLISHED)

    assert told.was_recorded == [False]
    assert ledger.published("orders", DAY) == PUBLISHED
    assert (told.value("RowsPublished"), told.value("Retries"), told.value("BuildDollars")) == (9, 1, 0)


def test_a_build_says_what_it_cost(ledger: Ledger, told: Told) -> None:
    for run, version, usd in [("run-1", VERSION, 0.25), ("run-2", "another", 5.0)]:
        request = Request("orders", DAY, version, run, "2026-11", Purpose.BUILD, Estimate(1.0, 1, 1, 1.0, "none"))
        ledger.reserve(request, Limits(), NOON)
        ledger.settle(request, SpendState.BUILT, seconds=1.0, usd=usd, settled_at=NOON)

    ledger.record(PUBLISHED)

    assert told.value("BuildDollars") == 0.25


def test_what_is_recorded_again_is_told_once(ledger: Ledger, told: Told) -> None:
    ledger.record(PUBLISHED)
    ledger.record(PUBLISHED)

    assert len(told.measured) == 1


def test_a_table_that_goes_back_is_no_build(ledger: Ledger, told: Told) -> None:
    ledger.end(ledger.begin("orders", DAY, VERSION, "run-2", NOON), NOON, None)

    ledger.record(PUBLISHED)

    assert told.measured == []


def test_a_resolved_incident_is_told_once_with_its_times(ledger: Ledger, told: Told) -> None:
    detected = NOON + timedelta(seconds=5)
    incident = Incident(0, "orders", DAY, VERSION, FailureClass.QUALITY, NOON, detected, "it broke", "run-1")
    ledger.open_incident(incident)
    ledger.open_incident(replace(incident, failure_class=FailureClass.SCHEMA_DRIFT))
    ledger.open_incident(replace(incident, partition="2026-11-19"))

    closed = [
        ledger.resolve_incidents("orders", DAY, NOON + timedelta(minutes=1), "sluice", keep=FailureClass.SCHEMA_DRIFT)
        for _ in range(2)
    ]

    assert closed == [1, 0]
    assert (told.value("SecondsToDetect"), told.value("SecondsToResolve")) == (5, 55)


def test_incidents_are_logged_with_what_they_are_about(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="sluice.incidents")
    incident = Incident(0, "orders", DAY, VERSION, FailureClass.QUALITY, NOON, NOON, "it broke", "run-1")

    number = ledger.open_incident(incident).number
    ledger.resolve_incidents("orders", DAY, NOON, "sluice")

    about = {"run": "run-1", "dataset": "orders", "partition": DAY, "incident": str(number)}
    assert [(item.message, item.about) for item in caplog.records] == [  # type: ignore[attr-defined]
        ("quality: it broke", about),
        ("Resolved by sluice.", about),
    ]
