"""Metrics are lines that CloudWatch's embedded metric format allows, with the numbers that were measured."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident
from sluice.outcome import ObjectBalance, Outcome, StagedFile
from sluice.telemetry.emf import emf_line
from sluice.telemetry.measured import Measured, Metric, Unit, measured_build, measured_freshness, measured_incident

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNITS = {"Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Count", "Percent", "None"}
OUTCOME = Outcome(
    dataset="orders",
    partition="2026-11-20",
    fingerprint="f" * 16,
    contract_version="1.0.0",
    contract_fingerprint="c" * 12,
    code_version="1",
    run_id="run-1",
    objects=(ObjectBalance(key="a", etag="e", records_in=100, published=88, quarantined=10, duplicates=2),),
    files=(StagedFile(key="a", records=88, size_bytes=350),),
    quarantine_files=(),
    bytes_in=4096,
    seconds=1.5,
)
INCIDENT = Incident(
    7, "orders", "2026-11-20", "v", FailureClass.QUALITY, NOON, NOON + timedelta(seconds=5), "it broke", "run-1"
)
BUILD = measured_build(OUTCOME, 2, 0.25, NOON)
RESOLVED = measured_incident(INCIDENT, NOON + timedelta(minutes=10))
LATE = measured_freshness("orders", [NOON - timedelta(hours=2), NOON - timedelta(hours=1)], NOON)


def values(measured: Measured) -> dict[str, float]:
    return {metric.name: metric.value for metric in measured.metrics}


def test_a_build_says_where_its_records_went_and_what_it_took() -> None:
    assert values(BUILD) == {
        "RowsPublished": 88,
        "RecordsRejected": 10,
        "Duplicates": 2,
        "Retries": 2,
        "BuildSeconds": 1.5,
        "BytesIn": 4096,
        "BytesOut": 350,
        "BuildDollars": 0.25,
    }


def test_an_incident_says_how_long_it_took_to_be_seen_and_to_be_over() -> None:
    assert values(RESOLVED) == {"IncidentsResolved": 1, "SecondsToDetect": 5, "SecondsToResolve": 595}


def test_the_lag_is_that_of_the_oldest_deadline() -> None:
    assert values(LATE) == {"FreshnessLagSeconds": 7200, "OverduePartitions": 2}
    assert values(measured_freshness("orders", [], NOON)) == {"FreshnessLagSeconds": 0, "OverduePartitions": 0}


@pytest.mark.parametrize("measured", [BUILD, RESOLVED, LATE], ids=["build", "incident", "freshness"])
def test_a_line_keeps_to_the_specification(measured: Measured) -> None:
    line = emf_line(measured, "Sluice/prod")

    document: dict[str, Any] = json.loads(line)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    (dimensions,) = directive["Dimensions"]
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert line.count(b"\n") == 1
    assert len(line) < 4096  # PIPE_BUF: one write is not mixed with another
    assert set(document["_aws"]) == {"Timestamp", "CloudWatchMetrics"}
    assert document["_aws"]["Timestamp"] == int(measured.at.timestamp() * 1000)
    assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
    assert directive["Namespace"] == "Sluice/prod"
    assert 0 < len(names) <= 100
    assert len(dimensions) <= 30
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not 0 < len(name) <= 1024] == []
    assert {metric["Unit"] for metric in directive["Metrics"]} <= UNITS
    assert [key for key in dimensions if not isinstance(document[key], str) or len(document[key]) > 1024] == []
    assert [name for name in names if type(document[name]) not in {int, float}] == []
    assert set(names).isdisjoint(measured.facts)


def test_partition_run_and_incident_can_be_searched_and_are_no_dimensions() -> None:
    document = json.loads(emf_line(RESOLVED, "Sluice"))

    assert (document["partition"], document["run"], document["incident"]) == ("2026-11-20", "run-1", "7")
    assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["dataset"]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_what_is_no_number_is_left_out_and_the_rest_is_told(value: float) -> None:
    measured = Measured("build", NOON, "orders", (Metric("A", Unit.COUNT, value), Metric("B", Unit.COUNT, 1)))

    document = json.loads(emf_line(measured, "Sluice"))

    assert "A" not in document
    assert document["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "B", "Unit": "Count"}]
