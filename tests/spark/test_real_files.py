"""Real files through both engines, where somebody has some: SLUICE_REAL_DATA names a folder of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.spark.differential import Engines
from tests.spark.kinds import Kind, declared

FOLDER = Path(os.environ.get("SLUICE_REAL_DATA", "."))

pytestmark = [
    pytest.mark.spark,
    pytest.mark.xdist_group("spark"),
    pytest.mark.skipif("SLUICE_REAL_DATA" not in os.environ, reason="SLUICE_REAL_DATA names no folder of real files"),
]

LOCAL = "logicalType: timestamp, logicalTypeOptions: {timezone: false, defaultTimezone: America/New_York}"
TAXI = f"""
    name: vendor_id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1
    name: pickup_datetime, {LOCAL}, required: true, primaryKey: true, primaryKeyPosition: 2
    name: pickup_location_id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 3
    name: dropoff_datetime, {LOCAL}
    name: passenger_count, logicalType: integer, physicalType: int
    name: trip_distance, logicalType: number
    name: store_and_fwd_flag, logicalType: string, enum: [{{value: "N"}}, {{value: "Y"}}]
    name: fare_amount, logicalType: number, physicalType: "decimal(10,2)", logicalTypeOptions: {{minimum: 0}}
    name: total_amount, logicalType: number, physicalType: "decimal(10,2)"
    name: congestion_surcharge, logicalType: number, physicalType: "decimal(4,1)"
"""
EVENTS = """
    name: id, logicalType: integer, required: true, primaryKey: true
    name: type, logicalType: string, required: true
    name: actor, logicalType: object, properties: [{name: id, logicalType: integer}, {name: login, logicalType: string}]
    name: repo, logicalType: object, properties: [{name: id, logicalType: integer, physicalType: int}, {name: name, logicalType: string}]
    name: payload, logicalType: object
    name: org, logicalType: object, properties: [{name: login, logicalType: string, required: true}]
    name: public, logicalType: boolean
    name: created_at, logicalType: timestamp, required: true
"""  # noqa: E501  a column is one line of YAML


def files(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((FOLDER / folder).iterdir())}


def kinds() -> dict[str, Kind]:
    return {
        "taxi": Kind(declared(TAXI, "{order_by: dropoff_datetime}", fields="format: csv"), files("yellow-taxi")),
        "events": Kind(declared(EVENTS, "{sort_by: [created_at]}"), files("github-events")),
    }


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    found = Engines(tmp_path_factory.mktemp("real"), kinds())
    found.run_spark()
    return found


@pytest.mark.parametrize("name", ["taxi", "events"])
def test_both_engines_say_the_same_of_real_files(engines: Engines, name: str) -> None:
    by_spark, by_duckdb = engines.by_spark(name), engines.by_duckdb(name)

    assert by_spark == by_duckdb
